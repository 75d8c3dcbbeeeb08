"""Proposals and feedback: what both stores decide about them in the same way.

A proposal is about what two memories say, so it is found again by a digest of their two texts, whichever memories have them and in
whatever dress: what was rejected once is never proposed again. The digest is sealed under the store's secret, and is erased with
the proposal when either memory is forgotten.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable

from msgspec.structs import replace

from ai_memory.inbox import Decide, Feedback, Proposal, ProposalKind, ProposalState, Verdict
from ai_memory.store.ids import RELATION, new_id
from ai_memory.store.tombstones import Secret, Trace
from ai_memory.types import Actor, MemoryRecord, Relation, RelationType

SUPERSEDING = (ProposalKind.UPDATE, ProposalKind.CONTRADICTION)
"""Kinds of which accepting ends a memory where the other one begins."""
RETIRING = (ProposalKind.COPY, ProposalKind.RETIREMENT)
"""Kinds of which accepting retires a memory."""
PAIRED = (*SUPERSEDING, ProposalKind.COPY)
"""Kinds that need another memory."""
UNDECIDED = (ProposalState.OPEN, ProposalState.LATER, ProposalState.LAPSED, ProposalState.UNDONE)
"""States in which a proposal may be accepted, rejected or put off."""

MOVES = {
    Verdict.USEFUL: 0.05,
    Verdict.IRRELEVANT: -0.05,
    Verdict.OUTDATED: -0.2,
    Verdict.WRONG: -0.4,
}
"""By how much a verdict moves a memory's confidence."""
LEAST_MOVED, MOST_MOVED = 0.6, 0.2
"""So far below the confidence that was given, and above it, all verdicts together may move it."""
LEAST_CONFIDENCE = 0.05
"""No verdict moves a confidence below this."""


def pair_of(proposal: Proposal, memory: MemoryRecord, other: MemoryRecord | None) -> bytes:
    """16 bytes that proposals about the same texts of one user share, whichever memories have them.

    With a single text its kind counts too: that it is wrong is another matter than that it is outdated.
    """
    said = sorted(Trace.of(each.text).digest for each in (memory, other) if each is not None)
    who = "-" if memory.user is None else f"={memory.user}"
    about = f"{proposal.namespace}\0{who}\0{proposal.kind if other is None else ''}"
    data = b"".join(said) + about.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16, person=b"pair").digest()


def sealed_pair(secret: Secret, proposal: Proposal, memory: MemoryRecord, other: MemoryRecord | None) -> bytes:
    """The same as the store keeps it."""
    return secret.sealed(pair_of(proposal, memory, other))


def made_before(found: Iterable[Proposal], asked: Proposal) -> Proposal | None:
    """Of the proposals about the same texts, or with the same id, the one in whose way a new one is; None where there is none.

    One that was accepted is in the way of the same memories only: a value may come back after another one, and again. So is one
    that lapsed: nobody said that it is wrong.
    """
    for each in found:
        same = (each.memory_id, each.other_id) == (asked.memory_id, asked.other_id)
        if each.id == asked.id or same or each.state not in (ProposalState.ACCEPTED, ProposalState.LAPSED):
            return each
    return None


def proposed(proposal: Proposal, writer: Actor) -> Proposal:
    """A proposal with who made it: whom it names, else who writes it."""
    return proposal if proposal.made_by is not Actor.UNKNOWN else replace(proposal, made_by=writer)


def decided(proposal: Proposal, command: Decide, writer: Actor) -> Proposal:
    """The proposal as a decision leaves it, apart from what accepting changes."""
    state = ProposalState(command.decision)
    if state is ProposalState.UNDONE and proposal.state is not ProposalState.ACCEPTED:
        state = ProposalState.OPEN
    return replace(
        proposal,
        state=state,
        kind=(command.kind or proposal.kind) if state is ProposalState.ACCEPTED else proposal.kind,
        until=command.until if state is ProposalState.LATER else None,
        decided_at=command.at,
        decided_by=command.actor or writer,
        note=command.note,
        revision=None,
        relation_id=None,
    )


def begins(memory: MemoryRecord) -> dt.datetime:
    """When a memory began to be true, as far as is known."""
    return memory.valid_from or memory.created_at


def superseding(by: str, old: MemoryRecord, at: dt.datetime, actor: Actor) -> Relation:
    """The relation by which a memory supersedes another. Its id is new each time: an undone one keeps the id that it had."""
    return Relation(
        id=new_id(RELATION, at),
        namespace=old.namespace,
        source=by,
        target=old.id,
        type=str(RelationType.SUPERSEDES),
        recorded_at=at,
        actor=actor,
    )


def end_at(memory: MemoryRecord, end: dt.datetime) -> dt.datetime | None:
    """When a memory ends that is to end at an instant: not before it began; None where it has ended by then."""
    if memory.valid_to is not None and memory.valid_to <= end:
        return None
    return max(end, memory.valid_from) if memory.valid_from is not None else end


def judged(memory: MemoryRecord, verdict: Verdict, last: Feedback | None) -> tuple[float, float]:
    """The confidence of a memory as it was given, and as it is after a verdict. `last` is the newest feedback before.

    A confidence that was changed since the last feedback, by a revision, counts as given.
    """
    given = last.given if last is not None and last.confidence == memory.confidence else memory.confidence
    if verdict is Verdict.WITHDRAWN:
        return given, given
    lowest = min(given, max(given - LEAST_MOVED, LEAST_CONFIDENCE))
    highest = min(given + MOST_MOVED, 1.0)
    return given, round(min(max(memory.confidence + MOVES[verdict], lowest), highest), 6)
