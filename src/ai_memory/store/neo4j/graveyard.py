"""Tombstones in the graph, and in memory for as long as the store is open.

The secret is a property of the `Store` node: all services that share a database refuse the same texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ai_memory.store.tombstones import Refusing, Secret, StoredTombstone, Tombstones, Trace, archived, take_up
from ai_memory.types import ArchivedTombstone

POSITION = "s.buried, s.lifted"
"""Of the `Store` node: the sequence of the newest tombstone, and how often any was taken away."""

_ROWS = (
    "MATCH (t:Tombstone) WHERE t.sequence > $after AND ($namespace IS NULL OR t.namespace = $namespace) "
    "OPTIONAL MATCH (g:LogEntry {sequence: t.sequence}) "
    "RETURN t.namespace, t.digest, t.sealed, t.salt, t.sequence, g.memory_id"
)

Read = Callable[..., list[list[Any]]]
Position = tuple[int | None, int | None]


class Graveyard:
    """The tombstones of a store as its writer knows them; read again where another process has changed them."""

    def __init__(self, secret: Secret, store_id: str) -> None:
        self.secret = secret
        self.store_id = store_id
        self._known = Tombstones()
        self._position: Position = (None, None)

    def at(self, read: Read, position: Position) -> Refusing:
        """What a write transaction begins with, in which the tombstones are at `position`."""
        if position != self._position:
            (newest, lifted), (now, _) = self._position, position
            if lifted != position[1] or newest is None or now is None or now < newest:
                self._known, newest = Tombstones(), 0
            fill(self._known, read, self.secret, after=newest)
            self._position = position
        return Refusing(self._known)


def fill(known: Tombstones, read: Read, secret: Secret, *, after: int = 0, namespace: str | None = None) -> None:
    """Take up the tombstones that are newer than a sequence; those that another secret sealed are left out."""
    take_up(known, stored(read, after=after, namespace=namespace), secret)


def stored(read: Read, *, after: int = 0, namespace: str | None = None) -> Iterator[StoredTombstone]:
    """The tombstones of a namespace, or of all, that are newer than a sequence."""
    for name, digest, sealed, salt, *rest in read(_ROWS, after=after, namespace=namespace):
        yield StoredTombstone(name, bytes.fromhex(digest), _bytes(sealed), _bytes(salt), *rest)


def _bytes(digits: str | None) -> bytes | None:
    return None if digits is None else bytes.fromhex(digits)


def buried(secret: Secret, namespace: str, trace: Trace, sequence: int) -> tuple[bytes, Sequence[Any]]:
    """The digest that a tombstone of this store is stored under, and its values for `Transaction.bury`."""
    row = secret.row(trace)
    return row, (namespace, row.hex(), secret.seal(trace).hex(), None, sequence)


def unopened(read: Read, secret: Secret) -> int:
    """How many tombstones of this store another secret sealed."""
    return sum(row.salt is None and row.trace(secret) is None for row in stored(read))


def tombstoned(read: Read, secret: Secret, namespace: str, texts: Sequence[str]) -> list[bool]:
    """As `Store.tombstoned`."""
    known = Tombstones()
    fill(known, read, secret, namespace=namespace)
    return [known.refuses(namespace, text) for text in texts]


def tombstones(read: Read, graveyard: Graveyard, namespace: str | None) -> list[ArchivedTombstone]:
    """As `Store.tombstones`."""
    return archived(stored(read, namespace=namespace), graveyard.secret, graveyard.store_id)
