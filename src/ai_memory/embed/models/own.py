"""Folders of the user's own models, remembered in the data folder, so that a later process finds the model of a store again.

A known model is found by its name. Any other folder is known only to the command that named it; the store keeps the model's
identity, and this file keeps where that identity was seen last on this machine.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from ai_memory.types import EmbedderIdentity

logger = logging.getLogger(__name__)

FILE = "model-folders.json"
"""In the data folder: a JSON object from the revision of each model (its sha256) to the absolute path of its folder."""


def remembered(data_dir: Path, identity: EmbedderIdentity) -> Path | None:
    """The folder that a model of this identity was loaded from last; None where none was. It may have been moved since."""
    folder = _read(data_dir).get(identity.revision)
    return None if folder is None else Path(folder)


def remember_folder(data_dir: Path, identity: EmbedderIdentity, folder: Path) -> None:
    """Keep where a model is. A data folder that cannot be written is not changed, and the log says so."""
    folders = _read(data_dir)
    path = str(folder.absolute())
    if folders.get(identity.revision) == path:
        return
    file = data_dir / FILE
    draft = file.with_name(f".{FILE}.{os.getpid()}")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps({**folders, identity.revision: path}, indent=1), encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        logger.warning("%s cannot be written (%s): name the model's folder again next time", file, error.strerror)


def _read(data_dir: Path) -> dict[str, str]:
    try:
        found = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: path for name, path in found.items() if isinstance(path, str)} if isinstance(found, dict) else {}
