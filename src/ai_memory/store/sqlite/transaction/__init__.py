"""One batch inside a write transaction: the log's chain, namespaces, and the few lookups that all commands share."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from ai_memory.clock import to_micros
from ai_memory.store.base import Action
from ai_memory.store.chain import GENESIS, LOG_COLUMNS, ChainedEntry, chain_digest, logged_actor, number_list
from ai_memory.store.seals import Seals
from ai_memory.store.sqlite.file.connection import Row
from ai_memory.store.sqlite.file.wal import MARK
from ai_memory.store.sqlite.rows import HELD_SOURCE, RECORD_SOURCE, Held, held, insert_into, record
from ai_memory.store.sqlite.rows.seals import reseal
from ai_memory.store.sqlite.transaction.graveyard import NOWHERE, POSITION, Graveyard
from ai_memory.types import Actor, MemoryRecord

_NEWEST = (
    f"SELECT sequence, digest, (SELECT value FROM meta WHERE name = '{MARK}'), {POSITION} "
    "FROM log ORDER BY sequence DESC LIMIT 1"
)

_CHUNK = 128
_ENDS = "coalesce(min(valid_to, expires_at), valid_to, expires_at)"

_INSERT_ENTRY = insert_into("log", LOG_COLUMNS)


def chunks(values: Sequence[Any]) -> list[tuple[str, Sequence[Any]]]:
    """Placeholders and values for `IN (…)`, in pieces of one or of 128 (padded with NULL), so that statements are reused."""
    if len(values) == 1:
        return [("?", values)]
    marks = ",".join("?" * _CHUNK)
    padded = [*values, *[None] * (-len(values) % _CHUNK)]
    return [(marks, padded[start : start + _CHUNK]) for start in range(0, len(padded), _CHUNK)]


class Transaction:
    """The state of one batch. Log rows are held back until `flush`, so that a bulk write inserts them at one go."""

    def __init__(self, connection: sqlite3.Connection, actor: Actor, graveyard: Graveyard, seals: Seals) -> None:
        self.connection = connection
        self.actor = actor
        """Who writes this batch."""
        self.seals = seals
        newest: Row | None = connection.execute(_NEWEST).fetchone()
        self.sequence: int
        self.sequence, self._digest, self.wipe_pending = newest[:3] if newest else (0, GENESIS, None)
        self.graveyard = graveyard
        self.refusing = graveyard.at(connection, newest[3:] if newest else NOWHERE)
        self._log: list[Row] = []
        self._namespaces: dict[str, int] = {}
        self.open_generations: list[int] = list(
            chain.from_iterable(connection.execute("SELECT number FROM generations WHERE state != 'retired'"))
        )
        """Those that want a vector of every new revision: the active one, and one that is being built."""
        self.forgotten_ids: dict[str, list[str]] = {}
        """By namespace the memories that this batch forgot: their bytes must be wiped from the write-ahead log after the commit."""

    def namespace(self, name: str) -> int:
        """The number of a namespace, made if there is none."""
        number = self._namespaces.get(name) or self.known_namespace(name)
        if number is None:
            number = int(self.connection.execute("INSERT INTO namespaces (name) VALUES (?)", (name,)).lastrowid or 0)
            reseal(self.connection, "namespaces", "number = ?", (number,))
            self._namespaces[name] = number
        return number

    def known_namespace(self, name: str) -> int | None:
        """The number of a namespace, or None if nothing was ever written to it."""
        number = self._namespaces.get(name)
        if number is None:
            found = self.connection.execute("SELECT number FROM namespaces WHERE name = ?", (name,)).fetchone()
            if found is None:
                return None
            (number,) = found
            self._namespaces[name] = number
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
        committed: bytes | None = None,
        actor: Actor | None = None,
    ) -> int:
        """Add one entry to the chain; its sequence. `committed` is a `chain.commitment`, `at` may be in microseconds.

        `actor` is who wrote what is put back; by default it is who writes this batch.
        """
        self.sequence += 1
        moment = at if isinstance(at, int) else to_micros(at)
        keys = number_list(erased) if erased else None
        ended = number_list(retired) if retired else None
        shown = None if committed is None else committed.hex()
        by = logged_actor(actor or self.actor)
        # The chain covers names and digits, which no table's numbers and no packing can change.
        entry = ChainedEntry(
            self.sequence,
            moment,
            action.value,
            namespace,
            memory_id,
            relation_id,
            keys,
            ended,
            by,
            reason,
            shown,
        )
        self._digest = chain_digest(self._digest, entry)
        number = self._namespaces.get(namespace) or self.namespace(namespace)
        what = (action.value, number, memory_id, relation_id, keys, ended, by, reason)
        self._log.append((self.sequence, moment, *what, committed, self._digest))
        return self.sequence

    def flush(self) -> None:
        """Write the log rows held back so far."""
        if self._log:
            self.connection.executemany(_INSERT_ENTRY, self._log)
            self._log.clear()

    def current(self, namespace: str, memory_id: str) -> Held | None:
        """The latest revision of a memory, even if retired; None if there is no such memory."""
        number = self.known_namespace(namespace)
        if number is None:
            return None
        row: Row | None = self.connection.execute(
            f"{HELD_SOURCE} WHERE m.namespace = ? AND m.id = ? ORDER BY r.key DESC LIMIT 1", (number, memory_id)
        ).fetchone()
        return None if row is None else held(row)

    def by_key(self, key: int) -> MemoryRecord:
        """The revision with this key."""
        return record(self.connection.execute(f"{RECORD_SOURCE} WHERE r.key = ?", (key,)).fetchone())

    def held_by_key(self, key: int) -> Held:
        """The same with what is not shown of it."""
        return held(self.connection.execute(f"{HELD_SOURCE} WHERE r.key = ?", (key,)).fetchone())

    def saying(self, dedup_keys: Sequence[bytes]) -> list[Saying]:
        """The latest revisions of memories with one of these dedup keys, oldest first."""
        found: list[Row] = []
        for marks, values in chunks(dedup_keys):
            found += self.connection.execute(
                f"SELECT key, dedup_key, {_ENDS}, retired_at FROM revisions WHERE dedup_key IN ({marks})", values
            )
        found.sort()
        return list(map(Saying._make, found))


class Saying(NamedTuple):
    """The latest revision of a memory, as one looks for what says the same; instants in microseconds."""

    key: int
    dedup_key: bytes
    ends: int | None
    """The earlier of `valid_to` and `expires_at`."""
    retired_at: int | None
