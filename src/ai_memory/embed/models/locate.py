"""Where models are, and which of them is meant.

A known model is looked for in this order: the folder that EMBEDDINGGEMMA_MODEL_PATH names, the data folder's `models`, other
folders of models such as ./models, and the Hugging Face hub's local cache. The hub itself is `embed.fetch`'s, and only where
the user asks for it.
"""

from __future__ import annotations

import logging
from pathlib import Path

from ai_memory.embed.models.folder import ModelFolder, read_model_folder
from ai_memory.embed.models.known import EMBEDDING_GEMMA, KNOWN_MODELS, RUNNABLE, KnownModel, known_model
from ai_memory.errors import InvalidInputError, ModelFilesError
from ai_memory.places import ModelPlaces

logger = logging.getLogger(__name__)

_NOWHERE = ModelPlaces()


def models_folder(data_dir: Path) -> Path:
    """Where fetched models live, one folder each."""
    return data_dir / "models"


def places(preference: str, data_dir: Path, elsewhere: ModelPlaces = _NOWHERE) -> list[Path]:
    """The folders that `find_model` looks at, in order: what to say where nothing was found.

    `preference` is `auto` (the known models that this version runs, the best first), a model's name or alias, or a path.
    Raises InvalidInputError where it is none of them.
    """
    wanted = _wanted(preference)
    if isinstance(wanted, Path):
        return [wanted]
    return [folder for model in wanted for folder in _places_of(model, data_dir, elsewhere)]


def find_model(preference: str, data_dir: Path, elsewhere: ModelPlaces = _NOWHERE) -> ModelFolder | None:
    """The first of `places` that exists, read and checked; None where none does.

    Raises ModelFilesError where the first that exists is incomplete or damaged, or where a path was asked for by name and is
    not there: falling through to another model would change every vector without a word. Only the hub's cache, where any
    program may have left a part of a model, is passed over while it is incomplete.
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


def _wanted(preference: str) -> list[KnownModel] | Path:
    if preference == "auto":
        return [model for model in KNOWN_MODELS if model.architecture in RUNNABLE]
    known = known_model(preference)
    if known is not None:
        return [known]
    if Path(preference).is_dir() or "/" in preference or "\\" in preference:
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
    """The snapshot of the repository's main branch, where the cache has all of it."""
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
        logger.info("the hub's cache has only a part of %s: %s", repository, error.message)
        return None
