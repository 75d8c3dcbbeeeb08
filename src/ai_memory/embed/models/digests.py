"""sha256 of model files, cached in the model folder so that 90 MB and more are not hashed at every start."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ai_memory.errors import ModelFilesError

SIDECAR = ".digests.json"
"""JSON: `[sha256, size in bytes, modification time in nanoseconds]` per file name."""

_SHA256 = re.compile("[0-9a-f]{64}")
_log = logging.getLogger(__name__)


def file_sha256(file: Path) -> str:
    """sha256 of a file's content, hexadecimal. Raises ModelFilesError if the file cannot be read."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise ModelFilesError(f"{file} cannot be read: {error.strerror}", file=str(file)) from error


def folder_digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """sha256 of each named file, from the sidecar if size and modification time are unchanged.

    The files of a read-only folder are hashed at each call. Nothing is written into a folder of the Hugging Face hub's cache:
    there, big files are links to blobs that are named by their sha256, and only the small ones are hashed. Raises
    ModelFilesError if a file is missing or unreadable.
    """
    if folder.parent.name == "snapshots":
        return {name: _blob_name(folder / name) or file_sha256(folder / name) for name in sorted(names)}
    cached = _read_sidecar(folder / SIDECAR)
    entries = {name: _entry(folder / name, cached.get(name)) for name in sorted(names)}
    if any(cached.get(name) != entry for name, entry in entries.items()):
        _write_sidecar(folder / SIDECAR, {**cached, **entries})
    return {name: str(entry[0]) for name, entry in entries.items()}


def _blob_name(file: Path) -> str | None:
    """The name of the file's blob in the hub's cache, if that is a sha256 (big files), else None (small files: git hashes)."""
    blob = file.resolve()
    return blob.name if blob.parent.name == "blobs" and _SHA256.fullmatch(blob.name) and blob.is_file() else None


def _entry(file: Path, cached: Any) -> list[Any]:
    try:
        stat = file.stat()
    except OSError as error:
        raise ModelFilesError(f"{file} cannot be read: {error.strerror}", file=str(file)) from error
    stamp = [stat.st_size, stat.st_mtime_ns]
    if isinstance(cached, list) and cached[1:] == stamp:
        return cached
    return [file_sha256(file), *stamp]


def _read_sidecar(sidecar: Path) -> dict[str, Any]:
    try:
        value = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # missing or damaged: everything is hashed again
    return value if isinstance(value, dict) else {}


def _write_sidecar(sidecar: Path, entries: dict[str, Any]) -> None:
    try:
        sidecar.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    except OSError as error:
        _log.debug("the digests of model files could not be cached: %s", error)
