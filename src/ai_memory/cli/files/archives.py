"""Reads a zip archive of notes, tables and JSON as if it were a folder.

An archive may come from anywhere: what it says of itself is not believed. Its files are unpacked below a fresh folder and nowhere
else, without links, and no more of them than the limits allow; what they unpack to is counted as it is written.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from ai_memory.errors import InvalidInputError, TooLargeError
from ai_memory.importers.decoding import TEXTS, unreadable
from ai_memory.importers.files.finding import is_importable

MOST_FILES = 50_000
MOST_BYTES = 2**30
"""Unpacked, of all files that can be imported together."""
_PIECE = 1 << 20
_RESOURCES = "__MACOSX"
"""What macOS adds to its archives: no files of the user's."""


def is_archive(path: Path) -> bool:
    """Whether a file is a zip archive by the ending of its name."""
    return path.suffix.lower() == ".zip"


@contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """A folder with the files of an archive, which is removed at the end; those that cannot be imported are empty there.

    Raises InvalidInputError for what is no zip archive, is damaged or encrypted, or has a link or a file outside of it;
    TooLargeError for one over the limits.
    """
    with tempfile.TemporaryDirectory(prefix="ai-memory-import-") as name:
        folder = Path(name) / archive.stem
        folder.mkdir()
        try:
            with ZipFile(archive) as opened:
                _unpack(opened, folder, archive)
        except OSError as error:
            raise unreadable(archive, error) from None
        except (BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
            raise InvalidInputError(
                f"{archive} is not a ZIP archive that can be read: {error}",
                hint="make it again, or unpack it and import the folder",
            ) from None
        yield folder


def _unpack(opened: ZipFile, folder: Path, archive: Path) -> None:
    members = [(each, _inside(each, archive)) for each in opened.infolist() if not each.is_dir()]
    members = [(each, path) for each, path in members if not _is_hidden(path)]
    if len(members) > MOST_FILES:
        raise TooLargeError(
            f"{archive} has {len(members):,} files, the limit is {MOST_FILES:,}",
            hint="split it, or unpack it and import the folder",
            limit=MOST_FILES,
            actual=len(members),
        )
    if not any(is_importable(Path(path)) for _, path in members):
        raise InvalidInputError(f"{archive} has no file that can be imported", hint=TEXTS)
    left = MOST_BYTES
    for member, path in members:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            raise InvalidInputError(f"{archive} has {path} twice", hint="unpack it and import the folder")
        if is_importable(file):
            left = _write(opened, member, file, left, archive)
        else:
            file.touch()  # named in the report


def _is_hidden(path: PurePosixPath) -> bool:
    return path.parts[0] == _RESOURCES or any(part.startswith(".") for part in path.parts)


def _inside(member: ZipInfo, archive: Path) -> PurePosixPath:
    """The path of a file within the archive. Raises InvalidInputError for a link and for a path that leads out of it."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in member.filename:
        raise InvalidInputError(
            f"{archive} has a file outside of it: {member.filename[:200]!r}",
            hint="do not import it unless you know who made it",
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise InvalidInputError(
            f"{archive} has a link, {member.filename[:200]!r}", hint="unpack it and import the folder"
        )
    return path


def _write(opened: ZipFile, member: ZipInfo, file: Path, left: int, archive: Path) -> int:
    """Unpack one file; returns how many bytes the others may have."""
    if member.flag_bits & 1:
        raise InvalidInputError(f"{archive} is encrypted", hint="unpack it and import the folder")
    with opened.open(member) as packed, file.open("xb") as out:
        while piece := packed.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise TooLargeError(
                    f"{archive} unpacks to more than {MOST_BYTES:,} bytes",
                    hint="split it, or unpack it and import the folder",
                    limit=MOST_BYTES,
                )
            out.write(piece)
    # A file of JSON lines is recognised by its time when an import is repeated, so it has the archive's and not today's.
    moment = time.mktime((*member.date_time, 0, 0, -1))
    os.utime(file, (moment, moment))
    return left
