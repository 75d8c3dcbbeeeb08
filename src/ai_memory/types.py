"""The words of the service as immutable values.

Nothing here does I/O. All instants are timezone-aware UTC datetimes. `None` for a validity bound means "not bounded on that
side". Values are msgspec structs: one definition is the Python value, the JSON on the wire and the JSON Schema.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

DEFAULT_NAMESPACE = "default"

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
"""A number in [0, 1]."""


class MemoryType(StrEnum):
    """What kind of thing is remembered: four cognitive types, then six of everyday agent work."""

    SEMANTIC = "semantic"
    EPISODIC = "episodic"
    PROCEDURAL = "procedural"
    WORKING = "working"
    CODE = "code"
    DOCUMENTATION = "documentation"
    CONVERSATION = "conversation"
    INSIGHT = "insight"
    PREFERENCE = "preference"
    PROBLEM_SOLUTION = "problem_solution"


class RelationType(StrEnum):
    """The relation names that the service itself gives a meaning; any other upper-case name is the user's own."""

    MENTIONS = "MENTIONS"
    SUPERSEDES = "SUPERSEDES"
    SUPPORTS = "SUPPORTS"
    CONTRADICTS = "CONTRADICTS"
    CAUSES = "CAUSES"
    REFERS_TO = "REFERS_TO"


class Outcome(StrEnum):
    """What became of one write."""

    STORED = "stored"
    DUPLICATE_OF = "duplicate_of"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"


class Scope(Struct, frozen=True, kw_only=True):
    """Where a memory belongs: `namespace` is the wall, the other three are facets inside it."""

    namespace: str = DEFAULT_NAMESPACE
    user: str | None = None
    agent: str | None = None
    session: str | None = None


class MemoryRecord(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One memory as it stood at one revision.

    `recorded_at` to `retired_at` is when the service held this revision for true; `valid_from` to `valid_to` is when what it
    says was true in the world. `created_at` is the first revision's `recorded_at`.
    """

    id: str
    namespace: str
    user: str | None = None
    agent: str | None = None
    session: str | None = None
    type: MemoryType = MemoryType.SEMANTIC
    context: str = ""
    title: str | None = None
    author: str | None = None
    text: str
    tags: tuple[str, ...] = ()
    importance: float = 0.5
    confidence: float = 1.0
    attributes: dict[str, Any] = field(default_factory=dict)
    source: str | None = None
    valid_from: dt.datetime | None = None
    valid_to: dt.datetime | None = None
    created_at: dt.datetime
    recorded_at: dt.datetime
    retired_at: dt.datetime | None = None
    retired_reason: str | None = None
    revision: int = 1
    content_hash: str


class Searchable(Struct, frozen=True):
    """Whether a stored memory is found by words and by meaning yet; a vector that is owed makes `meaning` false."""

    words: bool
    meaning: bool


class Receipt(Struct, frozen=True, kw_only=True):
    """What became of one write, and why.

    `stored`: a new memory or revision is on disk. `duplicate_of`: the same text stands in the same scope already and
    `memory_id` names it. `superseded`: stored, and the memories in `supersedes` have ended. `rejected`: nothing was written.
    """

    outcome: Outcome
    memory_id: str | None = None
    revision: int | None = None
    supersedes: tuple[str, ...] = ()
    reason: str | None = None
    searchable: Searchable = Searchable(words=False, meaning=False)
    differs: tuple[str, ...] = ()
    """For a duplicate: the fields whose given value differs from what stands; nothing was changed (use revise)."""


class Entity(Struct, frozen=True, kw_only=True):
    """A named thing that memories mention, within one namespace."""

    id: str
    namespace: str
    name: str
    kind: str = "thing"
    aliases: tuple[str, ...] = ()
    created_at: dt.datetime


class Relation(Struct, frozen=True, kw_only=True):
    """A typed, dated, sourced edge. `source` and `target` are ids of memories (`mem_…`) or entities (`ent_…`)."""

    id: str
    namespace: str
    source: str
    target: str
    type: str
    weight: float = 1.0
    attributes: dict[str, Any] = field(default_factory=dict)
    evidence: str | None = None
    """The id of the memory that states this relation, if one does."""
    valid_from: dt.datetime | None = None
    valid_to: dt.datetime | None = None
    recorded_at: dt.datetime
    retired_at: dt.datetime | None = None


class Neighbour(Struct, frozen=True, kw_only=True):
    """One step of a walk: the node reached, the relation it was reached by, and how many steps from the start."""

    id: str
    kind: Literal["memory", "entity"]
    label: str
    """A memory's title or the beginning of its text; an entity's name."""
    relation: Relation
    depth: int


class Selection(Struct, frozen=True, kw_only=True):
    """Which memories of one namespace are meant. Fields are joined by AND, the values of one list by OR.

    Instants compare with `>=` for `…_after` and `<` for `…_before`. `occurred_…` looks at `valid_from`, or at `created_at`
    where a memory has no `valid_from`.
    """

    namespace: str = DEFAULT_NAMESPACE
    user: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()
    session: tuple[str, ...] = ()
    types: tuple[MemoryType, ...] = ()
    context: str = ""
    """A context path; it and everything below it is meant. Empty means all."""
    tags: tuple[str, ...] = ()
    """Tags a memory must all have."""
    any_tags: tuple[str, ...] = ()
    """Tags of which a memory must have at least one."""
    without_tags: tuple[str, ...] = ()
    """Tags a memory must not have."""
    author: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    occurred_after: dt.datetime | None = None
    occurred_before: dt.datetime | None = None
    recorded_after: dt.datetime | None = None
    recorded_before: dt.datetime | None = None
    min_importance: float = 0.0
    min_confidence: float = 0.0
    as_of: dt.datetime | None = None
    """Only what was true at this instant: `valid_from <= as_of < valid_to`."""
    known_at: dt.datetime | None = None
    """Only what the service knew at this instant: `recorded_at <= known_at < retired_at`. None means now."""
    include_ended: bool = True
    """False leaves out memories whose `valid_to` lies at or before `now` (recall's default when `as_of` is not given)."""
    now: dt.datetime | None = None
    """The instant that `include_ended=False` compares with; the service fills it in."""


class Page(Struct, frozen=True, kw_only=True):
    """One page of a listing; `cursor` is None on the last one. A cursor stays right while others write."""

    memories: tuple[MemoryRecord, ...]
    cursor: str | None = None


class Job(Struct, frozen=True, kw_only=True):
    """One piece of durable background work."""

    id: str
    kind: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"] = "waiting"
    namespace: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    progress: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    created_at: dt.datetime
    updated_at: dt.datetime


class EmbedderIdentity(Struct, frozen=True, kw_only=True):
    """All that decides a vector: two embedders with an equal identity give equal vectors (up to rounding).

    `revision` is a sha256 over the weights, tokenizer and configuration; `prompts` a sha256 over the prompt table.
    """

    model: str
    revision: str
    prompts: str
    dtype: str
    dimension: int


class Generation(Struct, frozen=True, kw_only=True):
    """All vectors made by one embedder identity. A store has at most one active generation."""

    id: int
    embedder: EmbedderIdentity
    state: Literal["building", "active", "retired"]
    created_at: dt.datetime


class Problem(Struct, frozen=True, kw_only=True):
    """One finding of `doctor`: what does not agree, how much of it, and the command that mends it."""

    check: str
    message: str
    count: int = 1
    mend: str | None = None
