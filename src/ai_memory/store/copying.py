"""Copying a whole store into another one, of whatever kind: keys, log, vectors and all, so that the two cannot be distinguished.

The source is read from one snapshot, part by part, in the order of each part's cursor. The target keeps how far it got with
each page, in the page's own transaction: whenever the copying process ends, the next one goes on behind the last page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ai_memory.decoding import from_json
from ai_memory.errors import ConflictError, StoreError
from ai_memory.inbox import Feedback, Proposal
from ai_memory.store.base import Store
from ai_memory.store.chain import ChainedEntry
from ai_memory.store.tombstones import Secret, StoredTombstone, Trace
from ai_memory.types import Entity, Generation, Job, MemoryRecord, Relation

ROWS_AT_ONCE = 2_000

Cursor = tuple[int, int, str]
"""A place in a part: its rows are in the order of these."""

START: Cursor = (-1, -1, "")


class Part(StrEnum):
    """What a store is made of, in the order of copying."""

    GENERATIONS = "generations"
    LOG = "log"
    REVISIONS = "revisions"
    ENTITIES = "entities"
    RELATIONS = "relations"
    PROPOSALS = "proposals"
    FEEDBACK = "feedback"
    TOMBSTONES = "tombstones"
    PENDING = "owed"  # as progress that earlier versions stored has it
    VECTORS = "vectors"
    JOBS = "jobs"
    ANSWERS = "answers"

    @property
    def label(self) -> str:
        """What people read."""
        return "pending" if self is Part.PENDING else self.value


class CopiedGeneration(Struct, frozen=True):
    """A vector generation."""

    generation: Generation

    @property
    def cursor(self) -> Cursor:
        """By number."""
        return (self.generation.id, 0, "")


class CopiedEntry(Struct, frozen=True):
    """A log entry as the chain covers it, and its digest."""

    entry: ChainedEntry
    digest: bytes

    @property
    def cursor(self) -> Cursor:
        """By sequence."""
        return (self.entry.sequence, 0, "")


class CopiedRevision(Struct, frozen=True):
    """A revision with what is not shown of it. A memory begins with its revision of the smallest key."""

    key: int
    record: MemoryRecord
    dedup_key: bytes | None
    salt: bytes

    @property
    def cursor(self) -> Cursor:
        """By key."""
        return (self.key, 0, "")


class CopiedEntity(Struct, frozen=True):
    """An entity and its number, in the order of which entities are listed."""

    number: int
    entity: Entity

    @property
    def cursor(self) -> Cursor:
        """By number."""
        return (self.number, 0, "")


class CopiedRelation(Struct, frozen=True):
    """A relation, its key and the salt of its commitment."""

    key: int
    relation: Relation
    salt: bytes

    @property
    def cursor(self) -> Cursor:
        """By key."""
        return (self.key, 0, "")


class CopiedProposal(Struct, frozen=True):
    """A proposal, its key and what finds it again, sealed under the source's secret."""

    key: int
    proposal: Proposal
    pair: bytes
    opened: bytes | None = None
    """The same, for the target to seal under a secret of its own."""

    @property
    def cursor(self) -> Cursor:
        """By key."""
        return (self.key, 0, "")

    def opened_with(self, secret: Secret) -> CopiedProposal:
        """One as the source stores it, opened if it can be."""
        return replace(self, opened=secret.unsealed(self.pair))

    def under(self, secret: Secret) -> bytes:
        """What finds it in the target; what could not be opened stays as it was."""
        return self.pair if self.opened is None else secret.sealed(self.opened)


class CopiedFeedback(Struct, frozen=True):
    """Feedback and its key."""

    key: int
    feedback: Feedback

    @property
    def cursor(self) -> Cursor:
        """By key."""
        return (self.key, 0, "")


class CopiedTombstone(Struct, frozen=True):
    """What was forgotten, by whose log entry: opened, because the target seals it under a secret of its own."""

    sequence: int
    namespace: str
    digest: bytes
    """What the source stores it under."""
    trace: Trace | None
    """None for one of an archive, and for one that the source cannot open."""
    sealed: bytes | None
    salt: bytes | None

    @property
    def cursor(self) -> Cursor:
        """By sequence, then by digest: one entry may leave several."""
        return (self.sequence, 0, self.digest.hex())

    @classmethod
    def of(
        cls, secret: Secret, sequence: int, namespace: str, digest: bytes, sealed: bytes | None, salt: bytes | None
    ) -> CopiedTombstone:
        """One as the source stores it."""
        row = StoredTombstone(namespace, digest, sealed, salt, sequence)
        return cls(sequence, namespace, digest, row.trace(secret), sealed, salt)

    def under(self, secret: Secret) -> tuple[bytes, bytes | None]:
        """Digest and seal for the target; what could not be opened stays as it was."""
        return (self.digest, self.sealed) if self.trace is None else (secret.row(self.trace), secret.seal(self.trace))


class CopiedPending(Struct, frozen=True):
    """A revision that lacks a vector of a generation."""

    generation: int
    key: int

    @property
    def cursor(self) -> Cursor:
        """By generation, then by key."""
        return (self.generation, self.key, "")


class CopiedVector(Struct, frozen=True):
    """One vector as little-endian float32; `position` is the source's and is not kept, only the order is."""

    generation: int
    position: int
    key: int
    passage: int
    vector: bytes

    @property
    def cursor(self) -> Cursor:
        """By generation, then by position."""
        return (self.generation, self.position, "")


class CopiedJob(Struct, frozen=True):
    """A job."""

    job: Job

    @property
    def cursor(self) -> Cursor:
        """By id."""
        return (0, 0, self.job.id)


class CopiedAnswer(Struct, frozen=True):
    """The answer kept under an idempotency key (see `Store.write_idempotent`); `at` in microseconds."""

    key: bytes
    namespace: str
    request_digest: bytes | None
    response: bytes
    memories: tuple[str, ...]
    at: int
    opened: tuple[bytes, bytes | None] | None = None
    """Key and request as the target seals them under a secret of its own."""

    @property
    def cursor(self) -> Cursor:
        """By key."""
        return (0, 0, self.key.hex())

    def opened_with(self, secret: Secret) -> CopiedAnswer:
        """One as the source stores it, opened if it can be."""
        key, request = secret.unsealed(self.key), self.request_digest
        return self if key is None else replace(self, opened=(key, request and secret.unsealed(request)))

    def under(self, secret: Secret) -> CopiedAnswer:
        """One as the target stores it; what could not be opened stays as it was."""
        if self.opened is None:
            return self
        key, request = self.opened
        return replace(self, key=secret.sealed(key), request_digest=request and secret.sealed(request))


Copied = (
    CopiedGeneration
    | CopiedEntry
    | CopiedRevision
    | CopiedEntity
    | CopiedRelation
    | CopiedProposal
    | CopiedFeedback
    | CopiedTombstone
    | CopiedPending
    | CopiedVector
    | CopiedJob
    | CopiedAnswer
)


class Head(Struct, frozen=True):
    """Which state of which store is copied: the digest of the log's last entry covers all before it."""

    store_id: str
    sequence: int
    digest: str


class Progress(Struct, frozen=True):
    """What a target that is being filled knows: what it becomes a copy of, and how far each part has got."""

    head: Head
    cursors: dict[str, Cursor]

    def encoded(self) -> str:
        """As JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decoded(cls, text: str | None) -> Progress | None:
        """The other way round."""
        return None if text is None else from_json(text, cls)


class Source(Protocol):
    """One snapshot of a store."""

    @property
    def head(self) -> Head:
        """Which state this is."""
        ...

    def rows(self, part: Part, after: Cursor, limit: int) -> list[Any]:
        """Rows of a part behind a cursor, in order."""
        ...

    def counts(self) -> dict[Part, int]:
        """How many rows each part has."""
        ...


class Target(Protocol):
    """A store that becomes a copy."""

    def progress(self) -> Progress | None:
        """How far an earlier run got, None where none was begun."""
        ...

    def begin(self, head: Head) -> Progress:
        """Begin to be a copy of `head`. Raises ConflictError unless the store is empty."""
        ...

    def take(self, part: Part, rows: list[Any], progress: Progress) -> None:
        """Keep rows and how far the copy is with them, in one transaction, durable on return."""
        ...

    def finish(self, head: Head) -> None:
        """Become a store like any other, with the id and the end of the log of `head`."""
        ...


class Copying(Protocol):
    """A store that can be copied from and to."""

    def copy_source(self) -> AbstractContextManager[Source]:
        """One snapshot to copy from."""
        ...

    def copy_target(self) -> Target:
        """What fills this store, which must be empty or half filled."""
        ...


OnPage = Callable[[Part, int, int], None]
"""Called after each page: the part, how many of its rows are copied, and how many there will be."""


def copy_store(source: Copying, target: Copying, on_page: OnPage | None = None) -> dict[Part, int]:
    """Copy all of `source` into `target`, going on where an earlier run ended; the number of rows of each part.

    Raises ConflictError where the target is neither empty nor half filled from this state of the source, and StoreError where
    the two do not agree at the end.
    """
    with source.copy_source() as snapshot:
        filling = target.copy_target()
        wanted = snapshot.counts()
        if filling.progress() is None and _counted(target, snapshot.head) == wanted:
            return wanted  # the earlier run had come to its end
        progress = _begun(snapshot, filling)
        for part in Part:
            done = 0
            for rows in _pages(snapshot, part, progress.cursors.get(part, START)):
                progress = Progress(progress.head, progress.cursors | {str(part): rows[-1].cursor})
                filling.take(part, rows, progress)
                done += len(rows)
                if on_page is not None:
                    on_page(part, min(done, wanted[part]), wanted[part])
        filling.finish(snapshot.head)
        found = _counted(target, snapshot.head)
    for part in Part:
        if found[part] != wanted[part]:
            raise StoreError(
                f"the copy has {found[part]} {part.label} and the source {wanted[part]}",
                hint="start again with an empty target, while nothing writes to either store",
            )
    return wanted


def _counted(target: Copying, head: Head) -> dict[Part, int]:
    """How many rows each part of a finished copy of `head` has; 0 where the target is no copy of it."""
    with target.copy_source() as copy:
        return copy.counts() if copy.head == head else dict.fromkeys(Part, 0)


def _begun(snapshot: Source, filling: Target) -> Progress:
    progress = filling.progress()
    if progress is None:
        return filling.begin(snapshot.head)
    if progress.head != snapshot.head:
        raise ConflictError(
            "the target is half filled from another store, or from an earlier state of this one",
            hint="start again with an empty target, while nothing writes to the source",
        )
    return progress


def _pages(snapshot: Source, part: Part, after: Cursor) -> Iterator[list[Any]]:
    while rows := snapshot.rows(part, after, ROWS_AT_ONCE):
        yield rows
        after = rows[-1].cursor


def export_digest(store: Store) -> str:
    """sha256 over all that `Store.export` gives, in order: equal for stores that hold the same."""
    digest = hashlib.sha256()
    for item in store.export():
        digest.update(msgspec.json.encode(item) + b"\n")
    return digest.hexdigest()


def refuse_half_filled(progress: str | None, location: str) -> None:
    """Raise where a copy into this store is not finished."""
    if progress is not None:
        raise StoreError(
            f"a migration into {location} is not finished",
            hint="run the same `ai-memory migrate` again; it goes on where it stopped",
            location=location,
        )
