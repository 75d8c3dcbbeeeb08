"""Whether the file that is open is still the one at the store's path.

A file that is deleted or replaced while it is open goes on existing without a name: what is written into it is on the disk, and
gone when the process ends. So a store asks before each read, and before and after each commit: nothing is acknowledged that the
next process would not find. The same holds for the write-ahead log. Asking takes about two microseconds.
"""

from __future__ import annotations

from pathlib import Path

from ai_memory.errors import StoreUnavailableError
from ai_memory.store.sqlite.file.files import Identity
from ai_memory.wording.ways import by_operator

_WAY = by_operator(
    "put the file back, or stop the service and start it again: it takes the file that is there then",
    "have the file put back, or the service started again",
)


class Presence:
    """The identity of one open store's files. Safe for use by several threads."""

    def __init__(self, path: Path, identity: Identity | None) -> None:
        """`identity` is that of the file which was opened, None where it is not known: then nothing is asked."""
        self._path = path
        self._log = path.with_name(path.name + "-wal")
        self._identity = identity
        self._log_identity: Identity | None = None

    def require(self) -> None:
        """Raise StoreUnavailableError where the file is not at its path any more."""
        if self._identity is not None and _identity(self._path) != self._identity:
            raise self._error(self._path)

    def require_with_log(self) -> None:
        """The same for the file and its log, for one who has a connection that has written: the log stays while it is open."""
        self.require()
        if self._log_identity is None:
            self._log_identity = _identity(self._log)
        elif _identity(self._log) != self._log_identity:
            raise self._error(self._log)

    def _error(self, file: Path) -> StoreUnavailableError:
        there = "replaced by another file" if file.exists() else "deleted"
        return StoreUnavailableError(
            f"{file} was {there} while the store was open: nothing that was just sent is kept",
            hint=_WAY,
            location=str(self._path),
        )


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
