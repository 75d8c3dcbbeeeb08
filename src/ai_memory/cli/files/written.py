"""Files that commands write: whole or not there at all, readable by their owner only, and clear words where that fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ai_memory.errors import InvalidInputError, StoreFullError, StoreReadOnlyError
from ai_memory.places import open_private

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def written(path: Path, way: str) -> Iterator[IO[bytes]]:
    """A stream for the content of `path`, which appears once all of it is on disk; a device or pipe is written to as it is.

    `way` says how to name another file. Raises InvalidInputError for a folder, and for one that is not there; StoreFullError and
    StoreReadOnlyError.
    """
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder, not a file", hint=way)
    if not path.parent.is_dir():
        raise InvalidInputError(f"{path} cannot be written: there is no folder {path.parent}", hint=way)
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                yield stream
            return
        draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with open_private(draft) as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        kind = StoreFullError if error.errno in _FULL else StoreReadOnlyError
        raise kind(f"{path} cannot be written: {error.strerror or error}", hint=way) from None
