"""Connections to one SQLite file, and the one place where errors of sqlite3 become errors of this package."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ai_memory.conditions.meaning import attribute_holds
from ai_memory.errors import (
    InvalidInputError,
    MemoryServiceError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    TooLargeError,
)
from ai_memory.store.sqlite.file.files import counted
from ai_memory.text.caseless import caseless
from ai_memory.wording.ways import DOCTOR

Row = tuple[Any, ...]

PAGE_BYTES = 8192
"""Measured: an eighth less work per row than with 4096, as few bytes per memory; five vectors of 384 numbers fit in a page."""

CHECKPOINT_PAGES = 2000
"""Pages in the write-ahead log (16 MB) after which a commit moves them into the file."""

CACHE_KIB = 65_536

READ_ONLY_HINT = "reading works; to write, give the service a folder that it may write to"
_BUSY_HINT = "another process has been writing for a long time; try again, or raise the busy timeout"
_CORRUPT_HINT = DOCTOR.after("restore a backup if it cannot be opened; ")
FULL_HINT = "free some space on the device; nothing that was acknowledged is lost, and forgetting still works"
_FAULT_HINT = "look at the system log for faults of the device"

PRIMARY_RESULT_CODES: dict[int, tuple[type[MemoryServiceError], object | None]] = {
    sqlite3.SQLITE_ERROR: (StoreError, None),
    sqlite3.SQLITE_INTERNAL: (StoreError, None),
    sqlite3.SQLITE_PERM: (StoreReadOnlyError, READ_ONLY_HINT),
    sqlite3.SQLITE_ABORT: (StoreError, None),
    sqlite3.SQLITE_BUSY: (StoreBusyError, _BUSY_HINT),
    sqlite3.SQLITE_LOCKED: (StoreBusyError, _BUSY_HINT),
    sqlite3.SQLITE_NOMEM: (StoreError, "give the process more memory"),
    sqlite3.SQLITE_READONLY: (StoreReadOnlyError, READ_ONLY_HINT),
    sqlite3.SQLITE_INTERRUPT: (StoreError, None),
    sqlite3.SQLITE_IOERR: (StoreError, _FAULT_HINT),
    sqlite3.SQLITE_CORRUPT: (StoreCorruptError, _CORRUPT_HINT),
    sqlite3.SQLITE_NOTFOUND: (StoreError, None),
    sqlite3.SQLITE_FULL: (StoreFullError, FULL_HINT),
    sqlite3.SQLITE_CANTOPEN: (StoreReadOnlyError, READ_ONLY_HINT),
    sqlite3.SQLITE_PROTOCOL: (StoreBusyError, _BUSY_HINT),
    sqlite3.SQLITE_EMPTY: (StoreError, None),
    sqlite3.SQLITE_SCHEMA: (StoreError, None),
    sqlite3.SQLITE_TOOBIG: (TooLargeError, "a value may have at most 1,000,000,000 bytes"),
    sqlite3.SQLITE_CONSTRAINT: (StoreError, None),
    sqlite3.SQLITE_MISMATCH: (StoreError, None),
    sqlite3.SQLITE_MISUSE: (StoreError, None),
    sqlite3.SQLITE_NOLFS: (StoreFullError, "the file system cannot hold so large a file"),
    sqlite3.SQLITE_AUTH: (StoreReadOnlyError, READ_ONLY_HINT),
    sqlite3.SQLITE_FORMAT: (StoreCorruptError, _CORRUPT_HINT),
    sqlite3.SQLITE_RANGE: (StoreError, None),
    sqlite3.SQLITE_NOTADB: (StoreCorruptError, _CORRUPT_HINT),
    sqlite3.SQLITE_NOTICE: (StoreError, None),
    sqlite3.SQLITE_WARNING: (StoreError, None),
}
"""What each primary result code of SQLite (https://www.sqlite.org/rescode.html) means to callers, and how to fix it."""


_OS_ERRORS: dict[int, tuple[type[MemoryServiceError], object | None]] = {
    errno.EACCES: (StoreReadOnlyError, READ_ONLY_HINT),
    errno.EPERM: (StoreReadOnlyError, READ_ONLY_HINT),
    errno.EROFS: (StoreReadOnlyError, READ_ONLY_HINT),
    errno.ENOSPC: (StoreFullError, FULL_HINT),
    errno.EDQUOT: (StoreFullError, FULL_HINT),
    errno.EIO: (StoreError, _FAULT_HINT),
}


def translate(error: sqlite3.Error, location: str) -> MemoryServiceError:
    """The package's error for an sqlite3 error; `details` has the store's location and SQLite's code name."""
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if code is None:
        return StoreError(f"the store {location} cannot be used: {error}", location=location, sqlite=name)
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:  # the index of the log has no room
        code = sqlite3.SQLITE_FULL
    if (
        code == sqlite3.SQLITE_ERROR and str(error) == "unsupported file format"
    ):  # damage in a header has no code of its own
        code = sqlite3.SQLITE_CORRUPT
    cls, hint = PRIMARY_RESULT_CODES.get(code & 0xFF, (StoreError, None))
    return cls(f"the store {location}: {error}", hint=hint, location=location, sqlite=name)


def translate_os(error: OSError, location: str) -> MemoryServiceError:
    """The same for what the operating system refuses while a store is opened or copied."""
    cls, hint = _OS_ERRORS.get(error.errno or 0, (StoreError, None))
    return cls(f"the store {location}: {error.strerror or error}", hint=hint, location=location)


FAILURES = (sqlite3.Error, OSError, UnicodeError, OverflowError)
"""What sqlite3 and the system raise; `as_ours` has this package's error for each."""


@contextmanager
def translated(location: str) -> Iterator[None]:
    """Turn what sqlite3 and the system raise inside the block into this package's errors."""
    try:
        yield
    except FAILURES as error:
        raise as_ours(error, location) from error


def as_ours(error: sqlite3.Error | OSError | UnicodeError | OverflowError, location: str) -> MemoryServiceError:
    """This package's error for one of `FAILURES`. A value that SQLite cannot hold is invalid input."""
    if isinstance(error, sqlite3.Error):
        return translate(error, location)
    if isinstance(error, OSError):
        return translate_os(error, location)
    if isinstance(error, UnicodeDecodeError):
        return StoreCorruptError(
            f"the store {location} holds a text that is not valid UTF-8", hint=_CORRUPT_HINT, location=location
        )
    if isinstance(error, OverflowError):
        return InvalidInputError(f"a number is out of range: {error}")
    return InvalidInputError(
        "the text holds half of a surrogate pair, which is not a character", hint="replace it before it is sent"
    )


def connect(
    path: Path, *, read_only: bool = False, immutable: bool = False, timeout: float = 5.0
) -> sqlite3.Connection:
    """A connection in autocommit mode; any thread may use it, one at a time. Raises sqlite3.Error.

    `immutable` reads a file in a folder that cannot be written and where no other process writes.
    """
    mode = "ro" if read_only else "rw"
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}" + ("&immutable=1" if immutable else "")
    connection = counted(path, uri, timeout)
    try:
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.create_function("caseless", 1, caseless, deterministic=True)
        connection.create_function("attribute_holds", 2, attribute_holds, deterministic=True)
    except (sqlite3.Error, UnicodeDecodeError):  # SQLite repeats damaged text of the schema in its message
        connection.close()
        raise
    return connection


def prepare_writer(connection: sqlite3.Connection) -> None:
    """Settings of a connection that writes: durable at commit, erased bytes overwritten with zeros, a new file's page size.

    Waiting is done by `patiently`, so SQLite's own busy handler is off.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute("PRAGMA journal_size_limit = 67108864")


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One consistent view of the store for several statements."""
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        connection.rollback()
