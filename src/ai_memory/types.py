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
    """What kind of memory it is: four cognitive types, then six of everyday agent work."""

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
    DIGEST_OF = "DIGEST_OF"
    """The source, a digest, was derived from the target by `consolidate`, and is erased with it."""
    MERGED_INTO = "MERGED_INTO"
    """The source, an entity, is the same as the target and answers under it: a decision of `merge`."""
    SPLIT_INTO = "SPLIT_INTO"
    """What the evidence, a memory, calls by the source's name is the target: a decision of `split`."""


DECISIONS = (RelationType.MERGED_INTO, RelationType.SPLIT_INTO)
"""The relations by which a person says who is who. They are not edges of the graph: they say where its edges lead."""


class Outcome(StrEnum):
    """What became of one write."""

    STORED = "stored"
    DUPLICATE_OF = "duplicate_of"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"


class Actor(StrEnum):
    """Who wrote something, by the way it came in: never by what it says of itself."""

    PERSON = "person"
    """The command line, or REST with what only a person's programs have (see docs/memory.md)."""
    AGENT = "agent"
    """A program or a model: everything through MCP, and by default through REST and Python."""
    IMPORT = "import"
    """A file or an archive that somebody else wrote."""
    EXTRACTION = "extraction"
    """Derived by this service from a memory."""
    POLICY = "policy"
    """A rule that acts by itself."""
    UNKNOWN = "unknown"
    """Written before actors were recorded."""


class Scope(Struct, frozen=True, kw_only=True):
    """Where a memory belongs: `namespace` is the wall, the other three are facets inside it."""

    namespace: str = DEFAULT_NAMESPACE
    user: str | None = None
    agent: str | None = None
    session: str | None = None


class Content(Struct, frozen=True, kw_only=True):
    """What a memory says, and all that a revision of it may change. The one list of these fields.

    Stores keep each field under its own name, and what carries content over (superseding, revising, restoring, copying,
    the command line) walks `Content.__struct_fields__`; see docs/memory.md for what each field means.
    """

    type: MemoryType = MemoryType.SEMANTIC
    """What kind of memory this is."""
    key: str | None = None
    """A name of the caller's own for the fact, such as `user.home.city`. At any moment a user has one value for a key."""
    context: str = ""
    """A path such as `work/projects/atlas`; empty for none."""
    title: str | None = None
    """A heading; it is searched too."""
    author: str | None = None
    """Who wrote or said it."""
    text: str
    """What is remembered."""
    tags: tuple[str, ...] = ()
    """Short labels to filter by, each once."""
    importance: float = 0.5
    """How much it matters, in [0, 1]."""
    confidence: float = 1.0
    """How sure it is, in [0, 1]."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """Typed attributes of the memory's type, and any others."""
    source: str | None = None
    """Where it came from: an address, a file, the id of a message."""
    valid_from: dt.datetime | None = None
    """When it happened or began to be true."""
    valid_to: dt.datetime | None = None
    """When it stopped being true."""
    expires_at: dt.datetime | None = None
    """When it lapses: from then on answers leave it out. Nothing is erased by that alone."""
    pinned: bool = False
    """Whether the rules that make memories lapse or erase them by themselves pass it over."""

    @property
    def ends(self) -> dt.datetime | None:
        """When it stops answering, by the end of its validity or by its expiry, whichever comes first; None for never."""
        return min((at for at in (self.valid_to, self.expires_at) if at is not None), default=None)


class _Identified(Content, frozen=True, kw_only=False):
    # Not keyword-only for its order alone: msgspec puts such fields first, so that JSON begins with the id, as archives,
    # signatures of answers and idempotency digests of earlier versions have it, although Content is the base.
    id: str
    namespace: str
    user: str | None = None
    agent: str | None = None
    session: str | None = None


class MemoryRecord(_Identified, frozen=True, kw_only=True):
    """One memory as it was at one revision: its content, with its identity and times.

    `recorded_at` to `retired_at` is when the service held this revision to be true; `valid_from` to `valid_to` is when what
    it says was true in the world. `created_at` is the first revision's `recorded_at`.
    """

    created_at: dt.datetime
    recorded_at: dt.datetime
    retired_at: dt.datetime | None = None
    retired_reason: str | None = None
    revision: int = 1
    content_hash: str
    actor: Actor = Actor.UNKNOWN
    """Who wrote this revision, as the log has it. `author` is what they say; this is how it came in."""


class Searchable(Struct, frozen=True):
    """Whether lexical search (`words`) and semantic search (`meaning`) find a stored memory yet; the latter needs its vector."""

    words: bool
    meaning: bool


class Retirement(Struct, frozen=True, kw_only=True):
    """That a text which is current again was retired before, as which memory, when and why."""

    memory_id: str
    retired_at: dt.datetime
    reason: str | None = None
    """The reason that was given; None where none was, or where that memory was forgotten since."""


class OnConflict(StrEnum):
    """What happens where a new memory seems to give another value of what is stored."""

    KEEP = "keep"
    """Both are stored, and nothing else."""
    PROPOSE = "propose"
    """Both are stored, and it is proposed that the newer one supersedes the older one."""
    SUPERSEDE = "supersede"
    """It supersedes it where that is as good as certain, and else it is proposed."""


class SimilarKind(StrEnum):
    """How a new memory relates to one that is stored."""

    COPY = "copy"
    RESTATES = "restates"
    UPDATES = "updates"
    CONTRADICTS = "contradicts"
    EXTENDS = "extends"


class Similar(Struct, frozen=True, kw_only=True):
    """A stored memory that a new one copies, restates, updates, contradicts or extends."""

    id: str
    kind: SimilarKind
    confidence: float
    """How sure the kind is, in [0, 1]."""
    reason: str
    """Why, in words that repeat neither text."""
    text: str | None = None
    """What the stored memory says; None where it was forgotten since."""
    proposal: str | None = None
    """The id of the proposal that this led to; None where it led to none."""


class Receipt(Struct, frozen=True, kw_only=True):
    """What became of one write, and why.

    `stored`: a new memory or revision is on disk. `duplicate_of`: the same scope has the same text already and
    `memory_id` names it. `superseded`: stored, and the memories in `supersedes` have ended. `rejected`: nothing was written.
    """

    outcome: Outcome
    memory_id: str | None = None
    revision: int | None = None
    actor: Actor | None = None
    """As whose the memory's current revision is recorded; None where there is none."""
    supersedes: tuple[str, ...] = ()
    """The memories that this write ended."""
    code: str | None = None
    """Of a rejected write: the stable code of the refusal, such as `forgotten`, `not_found`, `conflict`, `invalid_input`."""
    reason: str | None = None
    """A sentence for people."""
    searchable: Searchable = Searchable(words=False, meaning=False)
    expires_at: dt.datetime | None = None
    """When the memory lapses, by the request or by the setting `expire_after`; None for never."""
    differs: tuple[str, ...] = ()
    """For a duplicate: the fields whose given value differs from the stored one; nothing was changed (use revise)."""
    contains_forgotten: tuple[str, ...] = ()
    """A warning: ids of forgotten memories whose text is in what was stored, also as its title, source or an attribute."""
    was_retired: Retirement | None = None
    """Of a stored text that the same scope had before and retired: the newest of those memories. It stays retired, with its
    history; the text is current again, as `memory_id`."""
    similar: tuple[Similar, ...] = ()
    """The stored memories that it copies, restates, updates, contradicts or extends, the surest first; only of those that
    words find. Empty for a memory of a large batch or of an import."""

    @property
    def warning(self) -> str | None:
        """The warning as a sentence, None where there is none."""
        return contains_forgotten(self.contains_forgotten)


def contains_forgotten(ids: tuple[str, ...]) -> str | None:
    """The warning that a memory contains what was forgotten as these; None for none."""
    return f"warning: it contains what was forgotten as {', '.join(ids)}" if ids else None


class ArchivedTombstone(Struct, frozen=True, kw_only=True):
    """A tombstone as an archive has it: what another store needs to refuse a forgotten text, which cannot be read from it.

    `digest` is scrypt over a digest of what the text says, with `salt`, which all tombstones of one store share; both are 32
    hexadecimal digits.
    """

    namespace: str
    salt: str
    digest: str
    other_digest: str
    """The same over what the text looks like before case is folded; often the same."""


class Entity(Struct, frozen=True, kw_only=True):
    """Something with a name that memories mention, within one namespace."""

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
    actor: Actor = Actor.UNKNOWN
    """Who related them, as the log has it; `extraction` where this service read it in a memory."""


class Neighbour(Struct, frozen=True, kw_only=True):
    """One step of a walk: the node reached, the relation it was reached by, and how many steps from the start."""

    id: str
    kind: Literal["memory", "entity"]
    label: str
    """A memory's title or the beginning of its text; an entity's name."""
    relation: Relation
    depth: int


Texts = tuple[str, ...]


class Facets(Struct, frozen=True, kw_only=True):
    """A filter for the memories of one namespace by what they are. Fields are joined by AND, the values of one list by OR."""

    namespace: Annotated[str, Meta(description="Only memories of this namespace.")] = DEFAULT_NAMESPACE
    user: Annotated[Texts, Meta(description="Only memories of one of these users.")] = ()
    agent: Annotated[Texts, Meta(description="Only memories of one of these agents.")] = ()
    session: Annotated[
        Texts,
        Meta(description="Only memories of one of these sessions.", extra={"short": "Only from these sessions."}),
    ] = ()
    types: Annotated[
        tuple[MemoryType, ...],
        Meta(description="Only memories of one of these types.", extra={"short": "Only of these types."}),
    ] = ()
    context: Annotated[
        str,
        Meta(
            description="Only memories in this context path, such as work/projects, or below it, in any letter case.",
            extra={"short": "Only in this path or below it."},
        ),
    ] = ""
    tags: Annotated[
        Texts,
        Meta(
            description="Only memories with all of these tags, in any letter case.",
            extra={"short": "Only with all of these tags."},
        ),
    ] = ()
    any_tags: Annotated[
        Texts, Meta(description="Only memories with at least one of these tags, in any letter case.")
    ] = ()
    without_tags: Annotated[Texts, Meta(description="Only memories with none of these tags, in any letter case.")] = ()
    author: Annotated[Texts, Meta(description="Only memories written or said by one of these people.")] = ()
    keys: Annotated[Texts, Meta(description="Only memories with one of these keys.")] = ()
    ids: Annotated[Texts, Meta(description="Only memories with one of these ids.")] = ()
    pinned: Annotated[bool | None, Meta(description="Only memories that are pinned, or only those that are not.")] = (
        None
    )


class Selection(Facets, frozen=True, kw_only=True):
    """A filter for the memories of one namespace by what they are and when.

    Instants compare with `>=` for `…_after` and `<` for `…_before`. `occurred_…` looks at `valid_from`, or at `created_at`
    where a memory has no `valid_from`.
    """

    occurred_after: Annotated[
        dt.datetime | None,
        Meta(
            description="Only what happened (valid_from, else created_at) at or after this instant.",
            extra={"short": "Only what happened then or later."},
        ),
    ] = None
    occurred_before: Annotated[
        dt.datetime | None,
        Meta(
            description="Only what happened (valid_from, else created_at) before this instant.",
            extra={"short": "Only what happened before."},
        ),
    ] = None
    recorded_after: Annotated[
        dt.datetime | None, Meta(description="Only what was recorded at or after this instant.")
    ] = None
    recorded_before: Annotated[dt.datetime | None, Meta(description="Only what was recorded before this instant.")] = (
        None
    )
    min_importance: Annotated[Share, Meta(description="Only memories of at least this importance, from 0 to 1.")] = 0.0
    min_confidence: Annotated[Share, Meta(description="Only memories of at least this confidence, from 0 to 1.")] = 0.0
    where: Annotated[
        dict[str, Any] | None,
        Meta(
            description="Only memories for which this condition holds: on attributes by their paths, such as "
            '{"attributes.city": "Riga"} or {"attributes.price": {"$lt": 10}}, on the other filters by their names, joined by '
            "$and, $or and $not.",
            extra={
                "short": 'Condition: {"attributes.price": {"$lt": 10}}, $and, $or, $not.',
                "condition": True,
            },
        ),
    ] = None
    as_of: Annotated[
        dt.datetime | None,
        Meta(
            description="Only what was true in the world at this instant: valid_from <= as_of < valid_to.",
            extra={"short": "Only what was true then."},
        ),
    ] = None
    known_at: Annotated[
        dt.datetime | None,
        Meta(
            description="Only what the service knew at this instant: recorded_at <= known_at < retired_at. Default: now.",
            extra={"short": "Only what was known then."},
        ),
    ] = None
    expires_before: Annotated[
        dt.datetime | None, Meta(description="Only memories whose expires_at is before this instant, past ones too.")
    ] = None
    include_ended: Annotated[
        bool,
        Meta(description="Also memories whose valid_to is before now."),
    ] = True
    include_expired: Annotated[
        bool,
        Meta(description="Also memories whose expires_at has passed."),
    ] = True
    now: Annotated[
        dt.datetime | None,
        Meta(
            description="The instant to treat as now; its offset says whose days *yesterday* means. Default: the service's clock, "
            "in the zone of the setting `timezone`."
        ),
    ] = None

    @property
    def expired_by(self) -> dt.datetime | None:
        """The instant by which a memory has expired: the earliest of `as_of` and `known_at`, else `now`.

        So what a question about an earlier time was answered with is found again. None without any of them.
        """
        asked = [at if at.tzinfo else at.replace(tzinfo=dt.UTC) for at in (self.as_of, self.known_at) if at is not None]
        return min(asked, default=self.now)


class Page(Struct, frozen=True, kw_only=True):
    """One page of a listing; `cursor` is None on the last one. A cursor stays right while others write."""

    memories: tuple[MemoryRecord, ...]
    cursor: str | None = None


class JobStatus(StrEnum):
    """How a piece of background work is."""

    WAITING = "waiting"
    """It goes on by itself."""
    RUNNING = "running"
    """A process works on it."""
    HELD = "held"
    """The brake has stopped it, and a person is to decide."""
    PAUSED = "paused"
    """Somebody has stopped it for now."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Struct, frozen=True, kw_only=True):
    """One piece of durable background work."""

    id: str
    kind: str
    state: JobStatus = JobStatus.WAITING
    namespace: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    progress: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    created_at: dt.datetime
    updated_at: dt.datetime


LENGTH_TOLERANCE = 1e-3
"""How far from 1 the Euclidean length of a vector may be; float16 inference stays well below."""


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


class StoreStats(Struct, frozen=True, kw_only=True):
    """Counts of one namespace, or of the whole store."""

    memories: int
    revisions: int
    retired: int
    relations: int
    entities: int
    tombstones: int
    pending: int
    """Revisions that lack a vector of the active generation; all of them where there is no generation yet.

    Read together with the rest: two looks at the store, with the first generation coming between them, would say that nothing
    is pending.
    """
    by_type: dict[str, int] = field(default_factory=dict)


class Problem(Struct, frozen=True, kw_only=True):
    """One finding of `doctor`: what does not agree, how much of it, and the command that fixes it."""

    check: str
    message: str
    count: int = 1
    mend: str | None = None


class WipePending(Struct, frozen=True, kw_only=True):
    """Forgotten memories whose bytes are still on disk: no answer shows them, but a reader of the files could find them."""

    since: dt.datetime | None
    """When the first of them was forgotten; None where an earlier version forgot it."""
    why: str
    """What they wait for, in words."""
