"""The contract of a store, in terms of the memory model alone, so that tables and a graph can both implement it.

Writes are commands; `write` carries out a batch of them in one transaction and returns only when it is on disk. What a
command changes is appended to the log, one entry for each revision, relation or erased memory (so a Remember that supersedes
one memory adds three). An entry's `sequence` is strictly increasing in commit order, is the key of the revision it made
(`StoredRevision.key`), and is what indexes and other processes follow. The log is also the audit chain: each entry's digest
covers the one before it.

A memory is current while its latest revision is not retired. It has ended when its `valid_to` has passed: an ended memory is
still current: that it was true once is still held to be true.

All methods are synchronous and may be called from any thread. Any of them may raise a subclass of StoreError.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from ai_memory.errors import StoreError
from ai_memory.inbox import Feedback, InboxCommand, Proposal, ProposalState
from ai_memory.types import (
    Actor,
    ArchivedTombstone,
    Content,
    EmbedderIdentity,
    Entity,
    Generation,
    Job,
    MemoryRecord,
    Page,
    Problem,
    Relation,
    Selection,
    StoreStats,
    WipePending,
)

# ── commands ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Remember(Struct, frozen=True, kw_only=True):
    """Add a memory, unless its scope has its text already or the text was forgotten.

    `dedup_key` covers namespace, facets and what is said, in 16 bytes.
    Duplicate: a current memory has the same `dedup_key`, except one that has ended or expired by `at` where the new one has not
    (what was true once may become true again). Rejected: `forgotten` when the text says what a tombstone of the namespace
    stands for (`reinstate` lifts the tombstone first), `conflict` when the id is taken in the namespace, `not_found` when
    `supersedes` names no memory.

    `supersedes`: each of these gets a revision that ends at this one's `valid_from` (or `at`), or at its own beginning if that
    is later, and a SUPERSEDES relation from the new memory; one that is retired or ended before gets the relation only. Where
    the new one is a duplicate, the memory that is there supersedes them instead, unless it is one of them.

    Where the content has a key, it is a value of a line (see `store.keys`): it supersedes the value that holds when it begins,
    and ends where the next one begins, which supersedes it. Duplicate is then only what `keys.said_already` says.
    """

    id: str
    namespace: str
    user: str | None = None
    agent: str | None = None
    session: str | None = None
    content: Content
    content_hash: str
    dedup_key: bytes
    at: dt.datetime
    supersedes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()  # whose words it repeats; `not_found` where one of them is gone
    reinstate: bool = False


class Revise(Struct, frozen=True, kw_only=True):
    """Give a memory a new current revision; the old one is retired at `at`, or where it began if that is later.

    A revision that keeps title and text keeps the vectors of the one before; any other has to be embedded. Rejected: `not_found`,
    `stale_revision` (details `expected` and `current`) when `if_revision` is not current, `conflict` when the memory is
    retired, `forgotten` when the new text is tombstoned, `duplicate` (details `memory_id`) when another memory of the scope has
    the text for the same period (see `rules.is_same_period`): a fact that came back is two memories, and either may be revised.
    `conflict` (details `memory_id`, `key`) when its key would have two values at one moment.
    Unchanged when nothing differs. `reason` goes to the retired revision, and is erased with it.
    """

    id: str
    namespace: str
    content: Content
    content_hash: str
    dedup_key: bytes
    at: dt.datetime
    if_revision: int | None = None
    reason: str | None = None


class Retire(Struct, frozen=True, kw_only=True):
    """Stop holding a memory to be true, keeping all its revisions. Retiring a retired memory changes nothing."""

    id: str
    namespace: str
    at: dt.datetime
    reason: str | None = None
    if_revision: int | None = None


class Forget(Struct, frozen=True, kw_only=True):
    """Erase a memory: every revision, vector, tag, relation and place in a backlog, and the entities that nothing else supports.

    Relations are erased that have it at either end or as evidence, and every memory that is a DIGEST_OF it. Tombstones of its texts
    stay, from which no text can be read, and log entries, which hold none; `reason` is kept in the log. The bytes are gone from the
    store's files when this returns, unless a reader of an older snapshot is in the way: then at the next chance. The files of a
    database server are overwritten when the server does it; see docs/neo4j.md.
    """

    id: str
    namespace: str
    at: dt.datetime
    reason: str | None = None
    if_revision: int | None = None
    decisions: tuple[str, ...] = ()
    """Ids of relations to erase with it: decisions about names that nothing has any longer."""
    left: tuple[Relate, ...] = ()
    """What is left of these decisions, to add in their place."""
    lapsed: bool = False
    """Whether it is erased because it lapsed: then no tombstone stays, since nobody meant that it must not be said again."""


class Relate(Struct, frozen=True, kw_only=True):
    """Add a relation, or return the equal current one (same source, target, type, evidence and validity) as Unchanged.

    Rejected: `not_found` when an end or the evidence does not exist in the namespace, `conflict` when the id is taken by
    another relation. A relation that is retired already is added as it is (`import` of an archive).
    """

    relation: Relation
    new_entities: tuple[Entity, ...] = ()
    """Entities among the endpoints to create first if no entity of that name and kind exists."""


class Unrelate(Struct, frozen=True, kw_only=True):
    """Retire a relation by its id."""

    id: str
    namespace: str
    at: dt.datetime


class Restore(Struct, frozen=True, kw_only=True):
    """Put back one exported memory with all its revisions and times as they were (`import` of an archive).

    `dedup_key` is the last revision's. The revisions get new keys. Unchanged when the id has these revisions already;
    Duplicate when the scope has the text under another id (both still true, or both ended at the same instant). Rejected:
    `forgotten`, `conflict` when the id has other revisions, `invalid_input` when they are not one history.
    """

    revisions: tuple[MemoryRecord, ...]
    dedup_key: bytes
    at: dt.datetime


class Exclude(Struct, frozen=True, kw_only=True):
    """Refuse from now on what another store forgot (`import` of an archive); what is stored already stays.

    Unchanged where this store refuses it already: by the same tombstone, or by its own where the archive is one of its own.
    Rejected: `invalid_input` where the namespace has tombstones of 16 other stores.
    """

    tombstone: ArchivedTombstone
    at: dt.datetime


Command = Remember | Revise | Retire | Forget | Relate | Unrelate | Restore | Exclude | InboxCommand

Canonical = MemoryRecord | Relation | Entity | Proposal | Feedback
"""What an export gives."""


# ── results of commands ────────────────────────────────────────────────────────────────────────────────────────────────


class Stored(Struct, frozen=True, kw_only=True):
    """The command took effect. `record` is the state it left (None for forget and for relations)."""

    sequence: int
    memory_id: str | None = None
    revision: int | None = None
    record: MemoryRecord | None = None
    relation: Relation | None = None
    proposal: Proposal | None = None
    feedback: Feedback | None = None
    superseded: tuple[str, ...] = ()
    """The memories that this ended."""
    ended_before: tuple[str, ...] = ()
    """Those that it was to supersede and that had ended, or were retired, by then: nothing of them changed."""
    contains_forgotten: tuple[str, ...] = ()
    """Ids of forgotten memories whose text the stored content contains, among other words or outside its text."""
    ended_by: MemoryRecord | None = None
    """Of a value of a key: the later value of the key, stored before, with which it ends."""
    digests: tuple[str, ...] = ()
    """Of a forget: what was erased with it, since it repeats its words."""
    retired: MemoryRecord | None = None
    """Of a text that is current again: the newest memory of the scope that has it and was retired, as it was retired."""


class Duplicate(Struct, frozen=True, kw_only=True):
    """This scope has the text already, as the memory `record`; nothing was written but what it supersedes now."""

    record: MemoryRecord
    superseded: tuple[str, ...] = ()
    ended_before: tuple[str, ...] = ()
    """Both as for `Stored`."""


class Unchanged(Struct, frozen=True, kw_only=True):
    """The store is already as the command wants it; nothing was written."""

    record: MemoryRecord | None = None
    relation: Relation | None = None
    proposal: Proposal | None = None
    feedback: Feedback | None = None


class Rejected(Struct, frozen=True, kw_only=True):
    """This command was refused and wrote nothing; the others of its batch went on.

    `code` is an error's stable code: `forgotten` (tombstoned), `not_found`, `stale_revision`, `duplicate`, `conflict`,
    `invalid_input`.
    """

    code: str
    reason: str
    details: dict[str, Any] = field(default_factory=dict)


Result = Stored | Duplicate | Unchanged | Rejected


class Once(Struct, frozen=True, kw_only=True):
    """An idempotency key and the request that came with it: digests, of which the key's covers the namespace too."""

    namespace: str
    key: bytes
    request: bytes


# ── what indexes follow ────────────────────────────────────────────────────────────────────────────────────────────────


class StoredRevision(Struct, frozen=True, kw_only=True):
    """A revision with its key, as indexes read it. `key` is unique in the store and grows with time."""

    key: int
    record: MemoryRecord


class Action(StrEnum):
    """What one log entry did."""

    REMEMBERED = "remembered"
    REVISED = "revised"
    RETIRED = "retired"
    FORGOTTEN = "forgotten"
    RELATED = "related"
    UNRELATED = "unrelated"
    RESTORED = "restored"
    EXCLUDED = "excluded"
    PROPOSED = "proposed"
    DECIDED = "decided"
    JUDGED = "judged"
    UNDONE = "undone"
    """A memory is again what it was: its newest revision is gone, or is not retired any longer."""


class LogEntry(Struct, frozen=True, kw_only=True):
    """One change, in commit order. Holds no text.

    `keys`: for remembered, revised and restored, the keys of the new revisions; for forgotten and undone, the keys that are gone.
    `retired_keys`: keys of revisions whose `retired_at` this change set; for undone, of those that are current again.
    `relation_id`: also the id of a proposal or of feedback. Of a decision the reason is the proposal's new state.
    """

    sequence: int
    at: dt.datetime
    action: Action
    namespace: str
    actor: Actor = Actor.UNKNOWN
    memory_id: str | None = None
    relation_id: str | None = None
    keys: tuple[int, ...] = ()
    retired_keys: tuple[int, ...] = ()
    reason: str | None = None
    digest: str


class VectorRow(Struct, frozen=True, kw_only=True):
    """The vector of one passage of one revision: unit length, float32, shape (dimension,)."""

    key: int
    passage: int
    vector: NDArray[np.float32]


class Store(Protocol):
    """One durable store."""

    @property
    def store_id(self) -> str:
        """A random id made with the store; it stays through migrations and backups."""
        ...

    @property
    def location(self) -> str:
        """Where it is, for people: a path or an address without secrets."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether it was opened for reading only, because its place cannot be written: every write raises StoreReadOnlyError."""
        ...

    # writing
    def write(self, commands: Sequence[Command], *, actor: Actor = Actor.UNKNOWN) -> list[Result]:
        """Carry out the commands in order, in one transaction, durable on return; one result per command.

        The log names `actor` as who wrote it, and so do the revisions that it makes.

        All or nothing as far as the disk goes: if this raises, nothing was written. A command refused by its own rules gives
        `Rejected` and does not stop the others. Later commands see the effect of earlier ones.
        """
        ...

    def write_idempotent(
        self,
        once: Once,
        commands: Sequence[Command],
        encode: Callable[[list[Result]], bytes],
        *,
        actor: Actor = Actor.UNKNOWN,
    ) -> bytes:
        """As `write`, but answer a repeated key with the bytes that the first one gave, writing nothing.

        `encode` turns the results into the bytes to keep; they must hold no text. Keys are kept for 24 hours, but for those of
        which every command was rejected, and nothing written: such a request is carried out when it comes again. Raises
        IdempotencyConflictError when the key came with another request; which request it was is erased as soon as a memory
        is forgotten that the answer is about, and any request with the key is given the answer from then on.
        """
        ...

    # reading
    def get(
        self, namespace: str, ids: Sequence[str], *, known_at: dt.datetime | None = None
    ) -> list[MemoryRecord | None]:
        """The revision of each memory that was current at `known_at` (None: the latest, even if retired), in order."""
        ...

    def revisions(self, namespace: str, memory_id: str) -> list[MemoryRecord]:
        """All revisions of a memory, oldest first; empty if there is no such memory."""
        ...

    def select(
        self,
        selection: Selection,
        *,
        limit: int,
        cursor: str | None = None,
        newest_first: bool = True,
        retired: bool = False,
    ) -> Page:
        """Memories that match, ordered by (`valid_from` or else `created_at`, id). Raises InvalidInputError on a bad cursor.

        With `known_at` None the latest revision of each is meant, and only of unretired memories unless `retired` is set.
        """
        ...

    def load(self, keys: Sequence[int]) -> dict[int, StoredRevision]:
        """Revisions by key; those that do not exist are left out."""
        ...

    def relations(
        self,
        namespace: str,
        ids: Sequence[str],
        *,
        types: Sequence[str] = (),
        as_of: dt.datetime | None = None,
        known_at: dt.datetime | None = None,
        heaviest: int | None = None,
    ) -> list[Relation]:
        """Relations with one of `ids` at either end, in order of writing.

        With `heaviest` (at least 1) lighter ones may be missing than the one in that place by weight; one with both ends
        among `ids` counts twice.
        """
        ...

    def relation(self, namespace: str, relation_id: str) -> Relation | None:
        """One relation by its id, also when it was retired; None if there is no such relation."""
        ...

    def decisions(self, namespace: str) -> list[Relation]:
        """The relations by which a person said who is who (`types.DECISIONS`), the retired ones too, in order of writing."""
        ...

    def entities(self, namespace: str, *, names: Sequence[str] = (), ids: Sequence[str] = ()) -> list[Entity]:
        """Entities by exact name or alias (case-folded) or by id; all of them when neither is given."""
        ...

    def contexts(self, namespace: str) -> list[tuple[str, int]]:
        """Every context path in use with the number of unretired memories directly in it, sorted by path."""
        ...

    def namespaces(self) -> list[tuple[str, int]]:
        """Every namespace that holds a memory, with its number of unretired ones (0 where all are retired), sorted."""
        ...

    def stats(self, namespace: str | None = None) -> StoreStats:
        """Counts of a namespace, or of all."""
        ...

    def proposals(
        self,
        namespace: str,
        *,
        ids: Sequence[str] = (),
        memories: Sequence[str] = (),
        states: Sequence[ProposalState] = (),
    ) -> list[Proposal]:
        """Proposals, the newest first: with one of these ids, about one of these memories, in one of these states; `()` for any."""
        ...

    def feedback(self, namespace: str, memories: Sequence[str] = ()) -> list[Feedback]:
        """The feedback on some memories, `()` for all, in order of writing."""
        ...

    # following
    def sequence(self) -> int:
        """The newest log sequence, 0 in an empty store. Cheap."""
        ...

    def log(self, *, after: int = 0, limit: int = 10_000, namespace: str | None = None) -> list[LogEntry]:
        """Log entries with `sequence > after`, oldest first."""
        ...

    def log_between(
        self, namespace: str, *, after: tuple[dt.datetime, int], until: dt.datetime, limit: int
    ) -> list[LogEntry]:
        """Log entries before `until`, in order of (`at`, `sequence`), behind the place `after` in that order."""
        ...

    def lapsed(
        self, namespace: str, *, after: tuple[dt.datetime, int], until: dt.datetime, limit: int
    ) -> list[StoredRevision]:
        """Revisions that expired before `until` while they were current and had not ended, in order of (`expires_at`, `key`).

        Only those behind the place `after` in that order.
        """
        ...

    def live_revisions(
        self, *, after: int = 0, limit: int = 10_000, namespace: str | None = None
    ) -> list[StoredRevision]:
        """Revisions that are not erased, with `key > after`, in order of key: what an index is built from."""
        ...

    # vectors
    def generations(self) -> list[Generation]:
        """All vector generations, oldest first."""
        ...

    def create_generation(self, identity: EmbedderIdentity, *, activate: bool) -> Generation:
        """Begin a generation (or return the one of this identity); every live revision becomes pending in it, durably.

        In a generation that is building or active every new revision is pending as well; in a retired one what it missed
        becomes pending as soon as it is activated or asked for here again. Raises ConflictError where another one is being
        built, unless this one is to be activated at once: one is built at a time.
        """
        ...

    def activate_generation(self, generation: int, *, complete: bool = False) -> bool:
        """Make a generation the active one, atomically; the one before is kept as `retired`. Whether it is active now.

        With `complete` only if it is being built and nothing that can be found in the active one would be lost: if no revision
        is pending in it but those that are pending in the active one as well. Else nothing changes, and the answer is False.
        Raises NotFoundError.
        """
        ...

    def retire_generation(self, generation: int) -> None:
        """Set aside a generation that is being built: nothing is pending in it from now on, and its vectors are kept.

        A retired one stays as it is. Raises ConflictError for the active one and NotFoundError.
        """
        ...

    def drop_generation(self, generation: int) -> None:
        """Delete a retired generation and its vectors, durable on return; writers need not wait until all are gone.

        Raises ConflictError for one that is active or being built and NotFoundError.
        """
        ...

    def pending(self, generation: int, *, limit: int, after: int = 0) -> list[StoredRevision]:
        """Revisions with `key > after` that still lack a vector of this generation, oldest first."""
        ...

    def pending_count(self, generation: int) -> int:
        """How many revisions still lack a vector of this generation."""
        ...

    def put_vectors(self, generation: int, rows: Sequence[VectorRow], keys: Sequence[int]) -> None:
        """Store vectors and take `keys` off the pending list, durable on return. Keys erased meanwhile are skipped.

        Vectors that a revision had before are replaced. Raises InvalidInputError for a vector of another dimension, or whose
        length differs from 1 by more than 0.001, and NotFoundError for an unknown generation; nothing is written then.
        """
        ...

    def vectors(self, generation: int, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], NDArray[np.float32]]:
        """Unit vectors by (key, passage), float32 of shape (dimension,); those that do not exist are left out."""
        ...

    def vector_position(self, generation: int) -> int:
        """A number that grows whenever vectors are added to this generation. Cheap."""
        ...

    def positions(self, generation: int | None) -> tuple[int, int]:
        """`sequence` and the generation's `vector_position` (0 for None) in one look: asked before every recall."""
        ...

    def vector_rows(self, generation: int, *, after: int = 0, limit: int = 10_000) -> tuple[list[VectorRow], int]:
        """Vectors added after the position `after`, in the order they were added, and the position to go on from."""
        ...

    # jobs
    def put_job(self, job: Job) -> None:
        """Insert or replace a job by its id."""
        ...

    def swap_job(self, job: Job, expected: Job | None) -> bool:
        """Insert or replace a job by its id, only while it is as `expected` (None: not there); whether it was done."""
        ...

    def jobs(
        self, *, kind: str | None = None, states: Sequence[str] = (), since: dt.datetime | None = None
    ) -> list[Job]:
        """Jobs, newest first; with `since`, only those whose `updated_at` is then or later."""
        ...

    # export, checks, end
    def export(self, namespace: str | None = None) -> Iterator[Canonical]:
        """Everything canonical, from one snapshot: memories' revisions (grouped, oldest first), entities, relations, the inbox.
        Retired revisions and relations are among them. Nothing is held in memory at once; close the iterator if you stop early.
        """
        ...

    def tombstoned(self, namespace: str, texts: Sequence[str]) -> list[bool]:
        """Whether each text says what has been forgotten in this namespace, so that it would be refused."""
        ...

    def tombstones(self, namespace: str | None = None) -> list[ArchivedTombstone]:
        """The tombstones of a namespace, or of all, as archives have them, sorted; about 3 ms for each.

        Those that another secret sealed, and those of versions before there were archives with tombstones, are left out.
        """
        ...

    def check(self, progress: Callable[[str], None] | None = None) -> list[Problem]:
        """Compare the store with itself: file integrity, references, the audit chain, pending lists. Changes nothing."""
        ...

    def repair(self) -> list[Problem]:
        """Repair what `check` finds in derived parts (pending lists, stray vectors); returns what was repaired."""
        ...

    def backup(self, target: Path) -> None:
        """A consistent copy at `target`, which must not exist."""
        ...

    # upkeep
    def trouble(self) -> StoreError | None:
        """What keeps the store from taking writes at this moment, as far as can be seen without a write; None for nothing."""
        ...

    def unwiped(self) -> WipePending | None:
        """What keeps the bytes of forgotten memories in the files that this store writes itself; None where they are gone."""
        ...

    def upkeep(self) -> None:
        """About once a second: end exports that hold up a wipe, wipe what is left, cut an idle log. Raises StoreError."""
        ...

    def close(self) -> None:
        """Finish what was handed over, then release the store. Closing twice is allowed."""
        ...
