"""A cache of vectors: in memory, and in a file that several processes may share.

The key is a hash over everything that determines a vector: the embedder's identity, the prompt, the treatment of too long a
text, and the text. The file has hashes and vectors, no text. Its content is derived: it may be deleted at any time, a damaged
file is re-created and a damaged row is ignored.

A cache is worth it where the same texts recur: evaluations, a corpus that is embedded again after small changes, frequent
queries. A text that occurs once costs a hash and a row.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from ai_memory.embed.base import Encoded, Prompted, TooLong, Vectors
from ai_memory.embed.texts import replace_surrogates
from ai_memory.errors import InvalidInputError, StoreReadOnlyError
from ai_memory.types import EmbedderIdentity
from ai_memory.waiting import patiently

Encode = Callable[[Sequence[Prompted]], Encoded]
"""Embeds the inputs that the cache does not have."""

_log = logging.getLogger(__name__)

_BUSY_SECONDS = 5.0
_KEY_BYTES = 16
_CHECK_BYTES = 8
_MANY = 500
"""Keys per query: below the variable limit of every SQLite version (999 before 3.32)."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    tokens INTEGER NOT NULL,
    cut INTEGER NOT NULL,
    vector BLOB NOT NULL,
    checked BLOB NOT NULL
)"""


class Entry(NamedTuple):
    """The vector of one text, and the tokens read and dropped."""

    vector: bytes
    """float32, little-endian, of the embedder's full dimension."""
    tokens: int
    cut: int


class VectorCache:
    """A bounded cache of vectors in memory and, with a path, in one SQLite file. Safe for threads and processes.

    Memory evicts the least recently used vectors, the file the oldest ones.
    """

    def __init__(self, path: Path | None = None, *, memory_bytes: int = 64 << 20, disk_vectors: int = 500_000) -> None:
        """Open or create the file. `memory_bytes` and `disk_vectors` limit the two levels; 0 switches a level off.

        Raises InvalidInputError for a negative limit, StoreReadOnlyError if the file cannot be created or opened.
        """
        if memory_bytes < 0 or disk_vectors < 0:
            raise InvalidInputError("a cache's limits must be 0 or more", hint="give 0 to switch a level off")
        self._memory: OrderedDict[bytes, Entry] = OrderedDict()
        self._memory_bytes = memory_bytes
        self._used_bytes = 0
        self._lock = threading.Lock()
        self._file = _File(path, disk_vectors) if path is not None and disk_vectors else None

    def encode(
        self, identity: EmbedderIdentity, inputs: Sequence[Prompted], too_long: TooLong, encode: Encode
    ) -> Encoded:
        """One unit vector per input, in order: shape (len(inputs), identity.dimension), float32; no rows for no inputs.

        `encode` is called for what is not cached, once per distinct text. Raises what `encode` raises. If the file can no longer
        be written, that is logged once and the file is left alone.
        """
        keys = _keys(identity, inputs, too_long)
        found = self._look_up(keys, identity.dimension)
        missing: dict[bytes, int] = {}
        for position, key in enumerate(keys):
            if key not in found:
                missing.setdefault(key, position)
        if missing:
            made = encode([inputs[position] for position in missing.values()])
            fresh = {
                key: Entry(vector.astype("<f4").tobytes(), tokens, cut)
                for key, vector, tokens, cut in zip(missing, made.vectors, made.tokens, made.cut, strict=True)
            }
            self._keep(fresh)
            if self._file is not None:
                self._file.write(fresh)
            found.update(fresh)
        entries = [found[key] for key in keys]
        vectors: Vectors = np.empty((len(keys), identity.dimension), np.float32)
        for row, entry in zip(vectors, entries, strict=True):
            row[:] = np.frombuffer(entry.vector, "<f4")
        return Encoded(vectors, tuple(each.tokens for each in entries), tuple(each.cut for each in entries))

    def __len__(self) -> int:
        """Number of vectors in the file, or in memory if there is no file."""
        return self._file.count() if self._file is not None else len(self._memory)

    def close(self) -> None:
        """Close the file and free the memory. May be called twice."""
        with self._lock:
            self._memory.clear()
            self._used_bytes = 0
        if self._file is not None:
            self._file.close()

    def _look_up(self, keys: Sequence[bytes], dimension: int) -> dict[bytes, Entry]:
        found: dict[bytes, Entry] = {}
        with self._lock:
            for key in keys:
                entry = self._memory.get(key)
                if entry is not None:
                    self._memory.move_to_end(key)
                    found[key] = entry
        if self._file is not None:
            rest = [key for key in dict.fromkeys(keys) if key not in found]
            read = self._file.read(rest, dimension)
            self._keep(read)
            found.update(read)
        return found

    def _keep(self, entries: dict[bytes, Entry]) -> None:
        with self._lock:
            for key, entry in entries.items():
                if key not in self._memory:
                    self._used_bytes += len(entry.vector)
                self._memory[key] = entry
            while self._used_bytes > self._memory_bytes and self._memory:
                _, dropped = self._memory.popitem(last=False)
                self._used_bytes -= len(dropped.vector)


class _File:
    """The level on disk: one connection, used under a lock; each other process has its own."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._silent = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection: sqlite3.Connection | None = self._open()
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreReadOnlyError(
                f"the vector cache at {path} cannot be opened: {error}", hint="choose another path", path=str(path)
            ) from error

    def read(self, keys: Sequence[bytes], dimension: int) -> dict[bytes, Entry]:
        found: dict[bytes, Entry] = {}
        with self._working() as connection:
            for begin in range(0, len(keys) if connection else 0, _MANY):
                some = keys[begin : begin + _MANY]
                places = ",".join("?" * len(some))
                assert connection is not None
                rows = connection.execute(
                    f"SELECT key, vector, tokens, cut, checked FROM vectors WHERE key IN ({places})", some
                )
                for key, vector, tokens, cut, checked in rows:
                    if len(vector) == 4 * dimension and checked == _check(key, vector, tokens, cut):
                        found[key] = Entry(vector, tokens, cut)
        return found

    def write(self, entries: dict[bytes, Entry]) -> None:
        rows = [(key, *entry, _check(key, *entry)) for key, entry in entries.items()]
        with self._working() as connection:
            if connection is None:
                return
            connection.execute("BEGIN IMMEDIATE")
            with contextlib.closing(connection.cursor()) as cursor:
                # OR REPLACE: a damaged row was ignored when it was read; writing its key again repairs it.
                cursor.executemany(
                    "INSERT OR REPLACE INTO vectors (key, vector, tokens, cut, checked) VALUES (?, ?, ?, ?, ?)", rows
                )
                # By ids, not by a count: ids only grow, so the oldest rows are found without scanning the table.
                cursor.execute("DELETE FROM vectors WHERE id <= (SELECT max(id) FROM vectors) - ?", (self._limit,))
            connection.execute("COMMIT")

    def count(self) -> int:
        rows = 0
        with self._working() as connection:
            if connection is not None:
                rows = int(connection.execute("SELECT count(*) FROM vectors").fetchone()[0])
        return rows

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._silent = True

    @contextlib.contextmanager
    def _working(self) -> Iterator[sqlite3.Connection | None]:
        """The connection for one block of work, None if it is closed. A failure is logged and not raised."""
        with self._lock:
            try:
                yield self._connection
            except sqlite3.OperationalError as error:  # locked for too long or disk full: the file itself is intact
                self._roll_back()
                self._warn_once(error)
            except sqlite3.DatabaseError as error:
                self._warn_once(error)
                self._recreate()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            _log.warning("the vector cache at %s is damaged (%s) and is re-created", self._path, error)
            self._remove()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            # If another process does the same, SQLite may fail at once, whatever its timeout.
            patiently(connection, "PRAGMA journal_mode = WAL", _BUSY_SECONDS)
            connection.execute(
                "PRAGMA synchronous = OFF"
            )  # a lost cache is rebuilt, so nothing has to wait for the disk
            connection.execute(_SCHEMA)
            connection.execute("SELECT key FROM vectors LIMIT 1").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _recreate(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        with contextlib.suppress(OSError, sqlite3.Error):  # if it cannot be re-created, the work goes on without it
            self._remove()
            self._connection = self._connect()

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _warn_once(self, error: sqlite3.Error) -> None:
        if not self._silent:
            _log.warning("the vector cache at %s could not be used: %s", self._path, error)
        self._silent = True


def _keys(identity: EmbedderIdentity, inputs: Sequence[Prompted], too_long: TooLong) -> list[bytes]:
    """One 16-byte hash per input. It covers `too_long`, because only the tokenizer knows whether a text is too long."""
    start = hashlib.blake2b(msgspec.json.encode([identity, too_long]), digest_size=_KEY_BYTES)
    keys = []
    for each in inputs:
        key = start.copy()
        prompt, text = replace_surrogates(each.prompt).encode(), replace_surrogates(each.text).encode()
        key.update(len(prompt).to_bytes(8, "little") + prompt + text)
        keys.append(key.digest())
    return keys


def _check(key: bytes, vector: bytes, tokens: int, cut: int) -> bytes:
    return hashlib.blake2b(key + b"%d %d " % (tokens, cut) + vector, digest_size=_CHECK_BYTES).digest()
