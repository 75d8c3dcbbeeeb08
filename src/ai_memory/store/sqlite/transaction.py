"""One batch inside a write transaction: the log's chain, namespaces, and the few lookups that all commands share."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from ai_memory.clock import to_micros
from ai_memory.store.base import Action
from ai_memory.store.chain import GENESIS, ChainedEntry, chain_digest, number_list
from ai_memory.store.sqlite.file.connection import Row
from ai_memory.store.sqlite.file.wal import MARK
from ai_memory.store.sqlite.rows import RECORD_COLUMNS

LOG_COLUMNS = (
    "sequence, at, action, namespace, memory_id, relation_id, erased_keys, retired_keys, actor, reason, content_hash, "
    "digest"
)

_NEWEST = (
    f"SELECT sequence, digest, (SELECT value FROM meta WHERE name = '{MARK}') FROM log ORDER BY sequence DESC LIMIT 1"
)

_CHUNK = 128

RECORD_SOURCE = (
    f"SELECT {RECORD_COLUMNS} FROM revisions r JOIN memories m ON m.number = r.memory "
    "JOIN namespaces n ON n.number = r.namespace"
)


def chained(namespace: str, fields: Sequence[Any]) -> ChainedEntry:
    """The log's columns up to content_hash as the chain covers them: with the namespace's name, and the hash in digits."""
    content_hash = fields[10]
    shown = content_hash.hex() if isinstance(content_hash, bytes) else content_hash
    return (*fields[:3], namespace, *fields[4:10], shown)


def chunks(values: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Placeholders and values for `IN (…)`, in pieces of one or of 128 (padded with NULL), so that statements are reused."""
    if len(values) == 1:
        yield "?", list(values)
        return
    marks = ",".join("?" * _CHUNK)
    for start in range(0, len(values), _CHUNK):
        piece = list(values[start : start + _CHUNK])
        yield marks, piece + [None] * (_CHUNK - len(piece))


class Transaction:
    """The state of one batch. Log rows are held back until `flush`, so that a bulk write inserts them at one go."""

    def __init__(self, connection: sqlite3.Connection, actor: str) -> None:
        self.connection = connection
        self.actor = actor or None
        newest: tuple[int, bytes, str | None] | None = connection.execute(_NEWEST).fetchone()
        self.sequence, self._digest, self.wipe_pending = newest or (0, GENESIS, None)
        self._log: list[Row] = []
        self._namespaces: dict[str, int] = {}
        self.owing = [
            number for (number,) in connection.execute("SELECT number FROM generations WHERE state != 'retired'")
        ]
        self.erased = False
        """Whether bytes must be wiped from the write-ahead log once this is committed."""

    def namespace(self, name: str) -> int:
        """The number of a namespace, made if there is none."""
        number = self.known_namespace(name)
        if number is None:
            number = int(self.connection.execute("INSERT INTO namespaces (name) VALUES (?)", (name,)).lastrowid or 0)
            self._namespaces[name] = number
        return number

    def known_namespace(self, name: str) -> int | None:
        """The number of a namespace, or None if nothing was ever written to it."""
        number = self._namespaces.get(name)
        if number is None:
            row = self.connection.execute("SELECT number FROM namespaces WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            number = self._namespaces[name] = row[0]
        return number

    def append(
        self,
        action: Action,
        at: dt.datetime | int,
        namespace: str,
        *,
        memory_id: str | None = None,
        relation_id: str | None = None,
        erased: Sequence[int] = (),
        retired: Sequence[int] = (),
        reason: str | None = None,
        content_hash: bytes | str | None = None,
    ) -> int:
        """Add one entry to the chain; its sequence."""
        self.sequence += 1
        fields = (
            self.sequence,
            at if isinstance(at, int) else to_micros(at),
            action.value,
            self.namespace(namespace),
            memory_id,
            relation_id,
            number_list(erased),
            number_list(retired),
            self.actor,
            reason,
            content_hash,
        )
        self._digest = chain_digest(self._digest, chained(namespace, fields))
        self._log.append((*fields, self._digest))
        return self.sequence

    def flush(self) -> None:
        """Write the log rows held back so far."""
        if self._log:
            marks = ", ".join("?" * len(self._log[0]))
            self.connection.executemany(f"INSERT INTO log ({LOG_COLUMNS}) VALUES ({marks})", self._log)
            self._log.clear()

    def current(self, namespace: str, memory_id: str) -> Row | None:
        """The latest revision of a memory as `RECORD_COLUMNS`, even if retired."""
        number = self.known_namespace(namespace)
        if number is None:
            return None
        row: Row | None = self.connection.execute(
            f"{RECORD_SOURCE} WHERE m.namespace = ? AND m.id = ? ORDER BY r.key DESC LIMIT 1", (number, memory_id)
        ).fetchone()
        return row

    def by_key(self, key: int) -> Row:
        """The revision with this key as `RECORD_COLUMNS`."""
        row: Row = self.connection.execute(f"{RECORD_SOURCE} WHERE r.key = ?", (key,)).fetchone()
        return row

    def forgotten(self, namespace: int, digests: Sequence[bytes]) -> set[bytes]:
        """Those of the value digests that are tombstoned."""
        found: set[bytes] = set()
        for marks, values in chunks(digests):
            found.update(
                digest
                for (digest,) in self.connection.execute(
                    f"SELECT value_digest FROM tombstones WHERE namespace = ? AND value_digest IN ({marks})",
                    (namespace, *values),
                )
            )
        return found

    def standing(self, dedup_keys: Sequence[bytes]) -> list[tuple[bytes, int, int, int | None]]:
        """Unretired revisions with one of these dedup keys: (dedup key, key, memory number, valid_to), oldest first."""
        found: list[tuple[bytes, int, int, int | None]] = []
        for marks, values in chunks(dedup_keys):
            found.extend(
                self.connection.execute(
                    "SELECT dedup_key, key, memory, valid_to FROM revisions "
                    f"WHERE dedup_key IN ({marks}) AND retired_at IS NULL",
                    values,
                )
            )
        found.sort(key=lambda row: row[1])
        return found


def revision_of(row: Row | None) -> int | None:
    """The revision's number in a row of `RECORD_COLUMNS`."""
    return None if row is None else int(row[10])
