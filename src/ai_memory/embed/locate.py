"""Where models are, and which of them is meant."""

from __future__ import annotations

from pathlib import Path

from ai_memory.embed.folder import ModelFolder, read_model_folder
from ai_memory.embed.known import KNOWN_MODELS, RUNNABLE, known_model
from ai_memory.errors import InvalidInputError


def models_folder(data_dir: Path) -> Path:
    """Where fetched models live, one folder each."""
    return data_dir / "models"


def places(preference: str, data_dir: Path) -> list[Path]:
    """The folders that `find_model` looks at, in order: what to say where nothing was found.

    `preference` is `auto` (the known models that this version runs, the best first), a model's name or alias, or a path.
    Raises InvalidInputError where it is none of them.
    """
    if preference == "auto":
        return [models_folder(data_dir) / model.name for model in KNOWN_MODELS if model.architecture in RUNNABLE]
    known = known_model(preference)
    if known is not None:
        return [models_folder(data_dir) / known.name]
    if Path(preference).is_dir() or "/" in preference or "\\" in preference:
        return [Path(preference).expanduser()]
    names = ", ".join(["auto", *(model.name for model in KNOWN_MODELS)])
    raise InvalidInputError(f"there is no model {preference!r}; there are {names}, or the path of a model folder")


def find_model(preference: str, data_dir: Path) -> ModelFolder | None:
    """The first of `places` that exists, read and checked; None where none does.

    Raises ModelFilesError where the first that exists is incomplete or damaged, or where a path was asked for by name and is
    not there: falling through to another model would change every vector without a word.
    """
    looked_at = places(preference, data_dir)
    for folder in looked_at:
        if folder.exists():
            return read_model_folder(folder)
    if preference != "auto" and known_model(preference) is None:
        return read_model_folder(looked_at[0])
    return None
