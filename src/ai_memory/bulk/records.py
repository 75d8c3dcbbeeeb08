"""The data of a run: records in chunks, and the result of each chunk.

A chunk is always embedded as a whole, so its vectors are the same bytes in every run, on every worker and after every kill. How
the input is divided into chunks depends on the input alone.
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
"""A chunk ends with the record that reaches either limit: about ten seconds of work on two cores, the most that a kill can cost."""


class Record(Struct, frozen=True):
    """One text of the input, with its title and id."""

    row: int
    """Its position in the input, from 0: the line of a text file or of JSON lines, the row of a table."""
    text: str
    title: str | None = None
    id: str | int | None = None


class Rejected(Struct, frozen=True):
    """A line or row of the input without a vector, and the reason."""

    row: int
    reason: str


class Chunk(Struct, frozen=True):
    """Consecutive lines or rows of the input."""

    number: int
    """The position among the chunks, from 0."""
    records: tuple[Record, ...]
    rejected: tuple[Rejected, ...]

    def digest(self) -> str:
        """A hash of the whole content (hexadecimal): an earlier result is reused if it is the same."""
        return hashlib.blake2b(msgspec.msgpack.encode(self), digest_size=16).hexdigest()

    def __len__(self) -> int:
        """The number of lines or rows."""
        return len(self.records) + len(self.rejected)


class Result(Struct, frozen=True):
    """The result of a chunk. `rows`, `ids`, `tokens` and `cut` have one entry per vector."""

    number: int
    digest: str
    """The digest of the chunk."""
    dimension: int
    rows: tuple[int, ...]
    ids: tuple[str | int | None, ...]
    tokens: tuple[int, ...]
    cut: tuple[int, ...]
    rejected: tuple[Rejected, ...]
    values: bytes
    """The vectors: float32, little-endian, row after row."""

    def vectors(self) -> Vectors:
        """The unit vectors: shape (len(rows), dimension), float32, read-only."""
        return np.frombuffer(self.values, "<f4").reshape(len(self.rows), self.dimension)


def chunked(places: Iterable[Record | Rejected]) -> Iterator[Chunk]:
    """Groups the records and rejections into chunks, in order. No input gives no chunk."""
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
