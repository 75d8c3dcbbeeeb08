"""Operations on the inbox: what the service proposes about memories, and what people decide and say about them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.inbox import Feedback, Proposal, ProposalKind, ProposalState, Verdict
from ai_memory.operations.base import Command, Operation, Route
from ai_memory.operations.writing import ContextPath, MemoryId, Name, Namespace, Reason, Reference
from ai_memory.types import DEFAULT_NAMESPACE, MemoryRecord, Share

Note = Annotated[
    Reason | None, Meta(description="Why, in your own words; erased when a memory that it is about is forgotten.")
]


class ProposalsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which proposals to list, the newest first. Without `states` those that wait for a decision now."""

    namespace: Namespace = DEFAULT_NAMESPACE
    states: Annotated[
        tuple[ProposalState, ...],
        Meta(description="Only proposals in one of these states. Default: open ones, and those put off until now."),
    ] = ()
    kinds: Annotated[tuple[ProposalKind, ...], Meta(description="Only proposals of one of these kinds.")] = ()
    about: Annotated[MemoryId | None, Meta(description="Only proposals about this memory: its id, or key:NAME.")] = None
    ids: Annotated[tuple[str, ...], Meta(max_length=1_000, description="Only the proposals with these ids.")] = ()
    limit: Annotated[int, Meta(ge=1, le=1_000, description="At most this many proposals, the newest.")] = 100


class Proposed(Struct, frozen=True, kw_only=True):
    """A proposal with the memories that it is about, and what accepting it does."""

    proposal: Proposal
    memory: MemoryRecord
    other: MemoryRecord | None = None
    accepting: str
    """What accepting does, or did, as a sentence."""


class Proposals(Struct, frozen=True, kw_only=True):
    """The newest proposals first; `total` counts all that match."""

    proposals: tuple[Proposed, ...]
    total: int


class ProposeRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The memory that should change, and why; a person decides."""

    id: Reference
    kind: Annotated[
        ProposalKind,
        Meta(
            description="update or contradiction (the other memory supersedes it), copy (the other says the same: it is retired), "
            "retirement (it is wrong: it is retired) or expiry (it is outdated: it ends)."
        ),
    ]
    other: Annotated[
        Reference | None,
        Meta(
            description="The memory that speaks against it, or says the same: its id, key:NAME, or words that only it answers to."
        ),
    ] = None
    reason: Annotated[Reason | None, Meta(description="Why, in words that do not repeat either text.")] = None
    confidence: Annotated[Share, Meta(description="How sure it is, from 0 to 1.")] = 0.5
    namespace: Namespace = DEFAULT_NAMESPACE


class DecideRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The proposal, and what is decided. Accepting may correct its kind and when the memory ended."""

    id: Annotated[str, Meta(min_length=1, max_length=64, description="The proposal's id (pro_…).")]
    decision: Annotated[
        Literal["accept", "reject", "later", "undo"],
        Meta(
            description="accept carries it out; reject keeps it from coming back, also for the same texts stored again; later puts "
            "it off; undo takes the last decision back, and all is as it was before."
        ),
    ]
    namespace: Namespace = DEFAULT_NAMESPACE
    kind: Annotated[ProposalKind | None, Meta(description="With accept: another kind than the one proposed.")] = None
    valid_to: Annotated[
        dt.datetime | None,
        Meta(description="With accept: when the memory stopped being true. Default: when the other one began, or now."),
    ] = None
    until: Annotated[dt.datetime | None, Meta(description="With later: until when, in the future.")] = None
    note: Note = None


class FeedbackRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The memory, and what is said of it. Its confidence moves a little, within bounds; its text stays."""

    id: Reference
    verdict: Annotated[
        Verdict,
        Meta(
            description="useful, irrelevant, outdated (also proposes that it ends), wrong (also proposes to retire it) or "
            "withdrawn (takes back all that was said before)."
        ),
    ]
    note: Note = None
    namespace: Namespace = DEFAULT_NAMESPACE


class Judged(Struct, frozen=True, kw_only=True):
    """The feedback as it was kept, and what it made the service propose."""

    feedback: Feedback
    proposal: Proposal | None = None


class ConsolidateRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to sum up: a session, a topic or a context. Nothing is written unless dry_run is false."""

    session: Annotated[Name | None, Meta(description="The memories of this session.")] = None
    topic: Annotated[Reason | None, Meta(description="The memories that answer this, a question or a few words.")] = (
        None
    )
    context: Annotated[ContextPath | None, Meta(description="The memories in this context path or below it.")] = None
    user: Annotated[Name | None, Meta(description="Only memories of this user. Default: those of each user apart.")] = (
        None
    )
    sentences: Annotated[int, Meta(ge=1, le=50, description="At most this many sentences in a digest.")] = 8
    dry_run: Annotated[bool, Meta(description="Only show what would be written and proposed.")] = True
    namespace: Namespace = DEFAULT_NAMESPACE


class Digest(Struct, frozen=True, kw_only=True):
    """What some memories say, in sentences of their own, in order of time, each with the number of its source."""

    user: str | None = None
    title: str
    text: str
    sources: tuple[str, ...]
    """The ids of the memories that are cited, by number from 1."""
    outcome: Literal["stored", "superseded", "duplicate_of", "rejected"] | None = None
    """What became of it; None in a dry run."""
    memory_id: str | None = None
    """The insight that holds it."""
    reason: str | None = None
    """Of one that was refused: why."""


class Repeated(Struct, frozen=True, kw_only=True):
    """A memory that says what an earlier one says; it is proposed to retire it."""

    id: str
    of: str
    """The earlier one, which stays."""
    confidence: float
    reason: str
    proposal: Proposal | None = None
    """None in a dry run."""


class ChangedValue(Struct, frozen=True, kw_only=True):
    """One value of a fact that changed."""

    id: str
    text: str
    since: dt.datetime
    until: dt.datetime | None = None
    """When the next value began; None for the one that holds."""


class Consolidated(Struct, frozen=True, kw_only=True):
    """What some memories come to: a digest for each user, what repeats what, and the facts that changed."""

    dry_run: bool
    memories: int
    """How many were looked at. Those that expire are left out, and so are digests."""
    digests: tuple[Digest, ...] = ()
    repeated: tuple[Repeated, ...] = ()
    changed: tuple[tuple[ChangedValue, ...], ...] = ()
    """For each fact its values, the oldest first."""


CONSOLIDATE = Operation(
    name="consolidate",
    summary="Sum up a session, a topic or a context: a digest with citations, copies, facts that changed",
    request=ConsolidateRequest,
    response=Consolidated,
    effect="write",
    idempotent=True,
    route=Route("POST", "/consolidate"),
    command=Command(name="consolidate", positional=("topic",)),
)
PROPOSALS = Operation(
    name="proposals",
    summary="List what the service proposes, with both texts and what accepting does",
    request=ProposalsRequest,
    response=Proposals,
    effect="read",
    idempotent=True,
    route=Route("GET", "/proposals"),
    command=Command(name="review", positional=()),
)
PROPOSE = Operation(
    name="propose",
    summary="Propose a change of a memory, for a person to decide",
    request=ProposeRequest,
    response=Proposed,
    effect="write",
    idempotent=True,
    route=Route("POST", "/proposals"),
    command=Command(name="propose", positional=("id", "kind", "other")),
)
DECIDE = Operation(
    name="decide",
    summary="Accept or reject a proposal, put it off, or undo that",
    request=DecideRequest,
    response=Proposed,
    effect="write",
    idempotent=True,
    route=Route("POST", "/proposals/{id}"),
    command=Command(name="decide", positional=("id", "decision")),
)
FEEDBACK = Operation(
    name="feedback",
    summary="Say whether a memory was useful, wrong, outdated or irrelevant",
    request=FeedbackRequest,
    response=Judged,
    effect="write",
    idempotent=False,
    route=Route("POST", "/memories/{id}/feedback"),
    command=Command(name="feedback", positional=("id", "verdict", "note")),
)
