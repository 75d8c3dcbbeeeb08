"""Finds the folder of a model on this machine.

A known model is searched in this order: the folder in EMBEDDINGGEMMA_MODEL_PATH, `models` in the data folder, other model folders
such as ./models, and the Hugging Face hub's local cache. Nothing is downloaded; that is done by `embed.models.hub` and
`embed.models.fetch`, if the user asks for it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

from ai_memory.embed.models.folder import ModelFolder, read_model_folder
from ai_memory.embed.models.known import (
    AUTO_MODELS,
    EMBEDDING_GEMMA,
    KNOWN_MODELS,
    RUNNABLE,
    KnownModel,
    known_model,
    why_not_run,
)
from ai_memory.errors import InvalidInputError, ModelFilesError
from ai_memory.places import ModelPlaces
from ai_memory.wording.ways import MODELS_LISTED

logger = logging.getLogger(__name__)

_NOWHERE = ModelPlaces()


def models_folder(data_dir: Path) -> Path:
    """The parent folder of fetched models, one subfolder per model."""
    return data_dir / "models"


def places(preference: str, data_dir: Path, elsewhere: ModelPlaces = _NOWHERE) -> list[Path]:
    """The folders that `find_model` searches, in order, for an error message when nothing was found.

    `preference` is `auto` (the known models that this version runs, the best first), a model's name or alias, or a path.
    Raises InvalidInputError if it is none of these.
    """
    wanted = _wanted(preference)
    if isinstance(wanted, Path):
        return [wanted]
    return [folder for model in wanted for folder in _places_of(model, data_dir, elsewhere)]


def find_model(preference: str, data_dir: Path, elsewhere: ModelPlaces = _NOWHERE) -> ModelFolder | None:
    """The first of `places` that exists, read and checked; None if none does.

    Raises ModelFilesError if the first existing folder is incomplete or damaged, or if `preference` is a path that does not
    exist: using another model instead would silently change every vector. Only the hub's cache is skipped while it is
    incomplete, because any program may have downloaded a part of a model there.
    """
    wanted = _wanted(preference)
    if isinstance(wanted, Path):
        return read_model_folder(wanted)
    for model in wanted:
        folder = find_known_model(model, data_dir, elsewhere)
        if folder is not None:
            return folder
    return None


def find_known_model(model: KnownModel, data_dir: Path, elsewhere: ModelPlaces = _NOWHERE) -> ModelFolder | None:
    """As `find_model`, for one known model."""
    for folder in _places_of(model, data_dir, elsewhere):
        if elsewhere.hub is not None and folder.is_relative_to(elsewhere.hub):
            found = _in_hub_cache(model, folder, elsewhere.hub)
            if found is not None:
                return found
        elif folder == elsewhere.gemma or folder.exists():
            return read_model_folder(folder, name=model.name)
    return None


class Installed(NamedTuple):
    """A known model as it is on this machine."""

    model: KnownModel
    folder: Path | None
    """None where it is not here, or is damaged."""
    problem: str | None
    """What is wrong with its files."""
    runnable: bool


def installed(data_dir: Path, elsewhere: ModelPlaces = _NOWHERE) -> list[Installed]:
    """Every known model; one with a damaged folder has the problem."""
    found = []
    for model in KNOWN_MODELS:
        folder: ModelFolder | None = None
        problem = None
        try:
            folder = find_known_model(model, data_dir, elsewhere)
        except ModelFilesError as error:
            problem = error.message
        found.append(Installed(model, None if folder is None else folder.path, problem, model.architecture in RUNNABLE))
    return found


def _wanted(preference: str) -> list[KnownModel] | Path:
    if preference == "auto":
        return list(AUTO_MODELS)
    known = known_model(preference)
    if known is not None:
        return [known]
    is_folder = Path(preference).is_dir()
    if not is_folder and (why := why_not_run(preference)) is not None:
        raise InvalidInputError(f"this version does not run {preference}: it {why}", hint=MODELS_LISTED)
    if is_folder or "/" in preference or "\\" in preference:
        return Path(preference).expanduser()
    names = ", ".join(["auto", *(model.name for model in KNOWN_MODELS)])
    raise InvalidInputError(f"there is no model {preference!r}; there are {names}, or the path of a model folder")


def _places_of(model: KnownModel, data_dir: Path, elsewhere: ModelPlaces) -> list[Path]:
    found = [elsewhere.gemma] if elsewhere.gemma is not None and model is EMBEDDING_GEMMA else []
    for folder in (models_folder(data_dir), *elsewhere.folders):
        found.append(folder / model.name)
        if folder != models_folder(data_dir):
            found.append(folder / model.repository)
    if elsewhere.hub is not None:
        found += [elsewhere.hub / _hub_folder(repository) for repository in (model.repository, *model.copies)]
    return found


def _hub_folder(repository: str) -> str:
    return f"models--{repository.replace('/', '--')}"


def _in_hub_cache(model: KnownModel, folder: Path, hub: Path) -> ModelFolder | None:
    """The snapshot of the repository's main branch, if the cache has all its files, else None."""
    if not folder.is_dir():
        return None
    from huggingface_hub import try_to_load_from_cache  # 25 ms, and only where the cache has this repository

    repository = next(each for each in (model.repository, *model.copies) if folder.name == _hub_folder(each))
    config = try_to_load_from_cache(repository, "config.json", cache_dir=hub)
    if not isinstance(config, str):
        return None
    try:
        return read_model_folder(Path(config).parent, name=model.name)
    except ModelFilesError as error:
        if not error.details.get("missing"):
            raise
        logger.info("the hub's cache has only part of %s: %s", repository, error.message)
        return None
