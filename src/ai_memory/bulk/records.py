"""What passes through a run: records in chunks, and what became of each chunk.

A chunk is embedded as a whole and in one way only, so that its vectors are the same bytes in every run, on every worker and
after every kill. How the input is cut into chunks follows from the input alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import msgspec
import numpy as np
from msgspec import Struct

from ai_memory.embed.base import Vectors

CHUNK_RECORDS = 256
CHUNK_CHARACTERS = 131_072
"""A chunk ends with the record that reaches either: some ten seconds of work on two cores, which is what a kill may cost."""


class Record(Struct, frozen=True):
    """One text of the input."""

    row: int
    """Its place in the input, from 0; a line of a text file or of JSON lines, a row of a table."""
    text: str
    title: str | None = None
    id: str | int | None = None


class Rejected(Struct, frozen=True):
    """One place of the input that gave no vector, and why."""

    row: int
    reason: str


class Chunk(Struct, frozen=True):
    """Neighbouring places of the input."""

    number: int
    """From 0."""
    records: tuple[Record, ...]
    rejected: tuple[Rejected, ...]

    def digest(self) -> str:
        """Of all that it holds: a chunk that was done before is done if this is the same."""
        return hashlib.blake2b(msgspec.msgpack.encode(self), digest_size=16).hexdigest()

    def __len__(self) -> int:
        """Places of the input."""
        return len(self.records) + len(self.rejected)


class Result(Struct, frozen=True):
    """What became of a chunk. The lists have an entry a vector."""

    number: int
    digest: str
    """Of the chunk."""
    dimension: int
    rows: tuple[int, ...]
    ids: tuple[str | int | None, ...]
    tokens: tuple[int, ...]
    cut: tuple[int, ...]
    rejected: tuple[Rejected, ...]
    values: bytes
    """float32, little-endian, row after row."""

    def vectors(self) -> Vectors:
        """Shape (len(rows), dimension), float32."""
        return np.frombuffer(self.values, "<f4").reshape(len(self.rows), self.dimension)


def chunked(places: Iterable[Record | Rejected]) -> Iterator[Chunk]:
    """The places in their order, in chunks. No places give no chunk."""
    number = characters = 0
    records: list[Record] = []
    rejected: list[Rejected] = []
    for place in places:
        if isinstance(place, Record):
            records.append(place)
            characters += len(place.text) + len(place.title or "")
        else:
            rejected.append(place)
        if len(records) + len(rejected) >= CHUNK_RECORDS or characters >= CHUNK_CHARACTERS:
            yield Chunk(number, tuple(records), tuple(rejected))
            number, characters, records, rejected = number + 1, 0, [], []
    if records or rejected:
        yield Chunk(number, tuple(records), tuple(rejected))
