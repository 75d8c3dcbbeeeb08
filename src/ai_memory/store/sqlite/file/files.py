"""Descriptors of a database file, in addition to SQLite's.

POSIX takes all of a process's locks on a file away when the process closes any descriptor of it, whichever code opened it
(https://www.sqlite.org/howtocorrupt.html, 2.2). In WAL mode each connection holds a shared lock on the file for as long as it is
open. Without it the next process that closes the file believes to be the last one and deletes the log, into which this
process still writes: what is acknowledged from then on is lost. So no code here closes a descriptor of a file to which the process
has a connection: the one that is needed stays open until the last connection is closed.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Identity = tuple[int, int]
"""Device and inode."""


class _OpenFile:
    """A file that has connections, and the descriptor kept for it."""

    __slots__ = ("connections", "descriptor")

    def __init__(self) -> None:
        self.connections = 0
        self.descriptor: int | None = None


_open_files: dict[Identity, _OpenFile] = {}
_lock = threading.Lock()


class CountedConnection(sqlite3.Connection):
    """A connection that counts for its file (`counted`) until it is closed.

    One that is never closed goes on counting, which costs a descriptor and no lock.
    """

    counts_for: Identity | None = None

    def close(self) -> None:
        """As sqlite3's. Closing twice is allowed."""
        super().close()
        identity, self.counts_for = self.counts_for, None
        if identity is not None:
            _leave(identity)


def counted(path: Path, uri: str, timeout: float) -> sqlite3.Connection:
    """A connection in autocommit mode; any thread may use it, one at a time. Raises sqlite3.Error."""
    identity = _enter(path)
    try:
        connection = sqlite3.connect(
            uri,
            uri=True,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=CountedConnection,
        )
    except BaseException:
        if identity is not None:
            _leave(identity)
        raise
    connection.counts_for = identity
    return connection


def identity_of(connection: sqlite3.Connection) -> Identity | None:
    """The file that a connection of `counted` is to; None where it is not known."""
    return getattr(connection, "counts_for", None)


def kept_descriptor(path: Path) -> int:
    """A descriptor for reading and writing the file, never to be closed by the caller, who has a connection to the file.

    It is good for as long as that connection is open. Raises OSError.
    """
    with _lock:
        file = _open_files.get(_identity(path))
        if file is None:
            raise FileNotFoundError(errno.ENOENT, "another file is there now", str(path))
        if file.descriptor is None:
            file.descriptor = os.open(path, os.O_RDWR)
        return file.descriptor


def make(path: Path) -> bool:
    """Make an empty file, readable by its owner only, unless there is one; whether it was made. Raises OSError.

    No connection can be opened meanwhile, which would lose its locks as the new file's descriptor is closed.
    """
    with _lock:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            return False
        return True


def delete(path: Path) -> None:
    """Delete a database file with its log. Raises OSError."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def without_connections(path: Path) -> Iterator[bool]:
    """Whether this process has no connection to the file; none can be opened inside the block. Raises FileNotFoundError."""
    with _lock:
        yield _identity(path) not in _open_files


def _identity(path: Path) -> Identity:
    status = path.stat()
    return status.st_dev, status.st_ino


def _enter(path: Path) -> Identity | None:
    """Count one more connection; None where there is no file to open."""
    with _lock:
        try:
            identity = _identity(path)
        except OSError:
            return None
        _open_files.setdefault(identity, _OpenFile()).connections += 1
        return identity


def _leave(identity: Identity) -> None:
    with _lock:
        file = _open_files[identity]
        file.connections -= 1
        if not file.connections:
            del _open_files[identity]
            if file.descriptor is not None:
                os.close(file.descriptor)
