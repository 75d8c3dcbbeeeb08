"""Proposals and feedback as immutable values, and what a store is asked to do with them."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from ai_memory.types import Actor


class ProposalKind(StrEnum):
    """What a proposal says of a memory, and so what accepting it does."""

    UPDATE = "update"
    """Another memory has a newer value of the same: it supersedes this one."""
    CONTRADICTION = "contradiction"
    """Another memory says that this one is not so: it supersedes this one."""
    COPY = "copy"
    """Another memory says the same: this one is retired."""
    RETIREMENT = "retirement"
    """It is wrong: it is retired."""
    EXPIRY = "expiry"
    """It is outdated: it stops being true."""


class ProposalState(StrEnum):
    """What was decided about a proposal."""

    OPEN = "open"
    LATER = "later"
    """Put off until an instant, from which on it is as good as open."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """It does not come back, neither from an archive nor when the same texts are stored again."""
    LAPSED = "lapsed"
    """Nobody decided it for so long that it was laid aside; it can still be decided, and undo opens it again."""
    UNDONE = "undone"
    """It was accepted, and everything is again as it was before."""


class Proposal(Struct, frozen=True, kw_only=True):
    """What the service would change about a memory and does not by itself. Holds no text of a memory; `note` is the decider's."""

    id: str
    namespace: str
    kind: ProposalKind
    memory_id: str
    """The memory that accepting changes."""
    other_id: str | None = None
    """The memory that speaks against it, or says the same; None where there is none."""
    confidence: float
    """How sure it is that the kind is right, in [0, 1]."""
    reason: str
    """Why, in words that repeat neither text."""
    state: ProposalState = ProposalState.OPEN
    made_at: dt.datetime
    made_by: Actor = Actor.UNKNOWN
    until: dt.datetime | None = None
    """Of one put off: until when."""
    decided_at: dt.datetime | None = None
    decided_by: Actor | None = None
    """Who decided last, by the way the decision came in."""
    note: str | None = None
    """Why it was decided so."""
    revision: int | None = None
    """Of an accepted one: the revision of the memory that accepting made, or retired; None where nothing had to change."""
    relation_id: str | None = None
    """Of an accepted one: the relation that accepting added."""


class Verdict(StrEnum):
    """What somebody says of a memory that they were given."""

    USEFUL = "useful"
    WRONG = "wrong"
    OUTDATED = "outdated"
    IRRELEVANT = "irrelevant"
    WITHDRAWN = "withdrawn"
    """Takes back all that was said before: the memory's confidence is again as it was given."""


class Feedback(Struct, frozen=True, kw_only=True):
    """A verdict on a memory, and the confidence that the memory had by it."""

    id: str
    namespace: str
    memory_id: str
    verdict: Verdict
    note: str | None = None
    at: dt.datetime
    actor: Actor = Actor.UNKNOWN
    given: float
    """The memory's confidence as it was given, before any feedback, in [0, 1]."""
    confidence: float
    """Its confidence after this feedback, in [0, 1]."""


Decision = Literal["accepted", "rejected", "later", "lapsed", "undone"]


class Propose(Struct, frozen=True, kw_only=True):
    """Add a proposal, or return as Unchanged the one that is there for the same texts, or that was accepted for the same memories.

    Rejected: `not_found` where a memory does not exist. One that an archive brings keeps its state.
    """

    proposal: Proposal


class Decide(Struct, frozen=True, kw_only=True):
    """Decide about a proposal, and carry out what was decided.

    `accepted`: the memory ends at `ends` (None: where the other one begins) and the other one supersedes it, or it is retired,
    as its kind says, or `kind` in its place. `undone`: everything is as it was before it was accepted; one that was
    rejected or put off is open again. Unchanged where that was decided before. Rejected: `not_found`, and `conflict` where
    another decision has to be undone first, or where a memory has changed so that it cannot be carried out.
    """

    id: str
    namespace: str
    decision: Decision
    at: dt.datetime
    kind: ProposalKind | None = None
    ends: dt.datetime | None = None
    until: dt.datetime | None = None
    note: str | None = None
    actor: Actor | None = None
    """Who decides, where it is not who writes the batch."""


class Judge(Struct, frozen=True, kw_only=True):
    """Keep feedback, and give the memory the confidence that follows from it in a new revision, where that differs.

    The numbers of the feedback are filled in here, unless it is `restored`: then it is kept as it is, and nothing else happens.
    Unchanged where its id is there already. Rejected: `not_found`.
    """

    feedback: Feedback
    restored: bool = False


InboxCommand = Propose | Decide | Judge
"""What a store is asked to do with its proposals and its feedback."""
