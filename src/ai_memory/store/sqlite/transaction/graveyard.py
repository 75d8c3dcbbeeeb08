"""Tombstones in the tables, and in memory for as long as the store is open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from ai_memory.store.sqlite.file import meta
from ai_memory.store.sqlite.rows.seals import insert_sealed
from ai_memory.store.tombstones import Entry, Refusing, Secret, StoredTombstone, Tombstones, Trace, take_up

LIFTED = "lifted"
"""The row of `meta` that counts how often a tombstone was taken away."""

POSITION = (
    "(SELECT max(sequence) FROM tombstones), "
    "(SELECT g.digest FROM log g WHERE g.sequence = (SELECT max(sequence) FROM tombstones)), "
    f"(SELECT value FROM meta WHERE name = '{LIFTED}')"
)
"""Which tombstones there are: the log entry of the newest one, its digest, and how often any was taken away."""

Position = tuple[int | None, bytes | None, str | None]
NOWHERE: Position = (None, None, None)
"""Where there is no tombstone and never was one."""

_ROWS = (
    "SELECT n.name, t.digest, t.sealed, t.salt, t.sequence, g.memory_id FROM tombstones t "
    "JOIN namespaces n ON n.number = t.namespace JOIN log g ON g.sequence = t.sequence "
    "WHERE t.sequence > ?1 AND (?2 IS NULL OR n.name = ?2)"
)

_BURY = insert_sealed("tombstones", verb="INSERT OR IGNORE")


class Graveyard:
    """The tombstones of a store as its writer knows them; read again where another process has changed them."""

    def __init__(self, secret: Secret, store_id: str = "") -> None:
        self.secret = secret
        self.store_id = store_id
        self._known = Tombstones()
        self._position = NOWHERE

    def at(self, connection: sqlite3.Connection, position: Position) -> Refusing:
        """What a write transaction begins with, in which the tombstones are at `position`."""
        if position != self._position:
            newest, digest, lifted = self._position
            # Those that are known are read again if one was taken away, or if the commit that made them failed after all.
            if lifted != position[2] or newest is None or _digest(connection, newest) != digest:
                self._known, newest = Tombstones(), 0
            fill(self._known, connection, self.secret, after=newest)
            self._position = position
        return Refusing(self._known)


def _digest(connection: sqlite3.Connection, sequence: int) -> bytes | None:
    row = connection.execute("SELECT digest FROM log WHERE sequence = ?", (sequence,)).fetchone()
    return None if row is None else bytes(row[0])


def fill(
    known: Tombstones, connection: sqlite3.Connection, secret: Secret, *, after: int = 0, namespace: str | None = None
) -> None:
    """Take up the tombstones that are newer than a sequence; those that another secret sealed are left out."""
    take_up(known, rows(connection, after=after, namespace=namespace), secret)


def rows(connection: sqlite3.Connection, *, after: int = 0, namespace: str | None = None) -> Iterator[StoredTombstone]:
    """The tombstones of a namespace, or of all, that are newer than a sequence."""
    return map(StoredTombstone._make, connection.execute(_ROWS, (after, namespace)))


def bury(connection: sqlite3.Connection, secret: Secret, namespace: int, trace: Trace, sequence: int) -> bytes:
    """Keep a tombstone of this store; the digest that it is stored under."""
    row = secret.row(trace)
    connection.execute(_BURY, (namespace, row, secret.seal(trace), None, sequence))
    return row


def lift(connection: sqlite3.Connection, namespace: int, entry: Entry) -> None:
    """Take a tombstone away."""
    connection.execute("DELETE FROM tombstones WHERE namespace = ? AND digest = ?", (namespace, entry.row))
    meta.put(connection, LIFTED, str(int(meta.get(connection, LIFTED) or "0") + 1))


def unopened(connection: sqlite3.Connection, secret: Secret) -> int:
    """How many tombstones of this store another secret sealed."""
    return sum(row.salt is None and row.trace(secret) is None for row in rows(connection))


def tombstoned(connection: sqlite3.Connection, secret: Secret, namespace: str, texts: Sequence[str]) -> list[bool]:
    """As `Store.tombstoned`."""
    known = Tombstones()
    fill(known, connection, secret, namespace=namespace)
    return [known.refuses(namespace, text) for text in texts]
