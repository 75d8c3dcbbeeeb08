"""Handlers of the inbox: proposals, decisions about them, and feedback on memories."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from ai_memory.errors import ConflictError, InvalidInputError, NotFoundError
from ai_memory.inbox import Decide, Decision, Feedback, Judge, Proposal, ProposalKind, ProposalState, Propose, Verdict
from ai_memory.operations.inbox import (
    DecideRequest,
    FeedbackRequest,
    Judged,
    Proposals,
    ProposalsRequest,
    Proposed,
    ProposeRequest,
)
from ai_memory.operations.zones import in_users_zone
from ai_memory.service.handlers.lookup import memory_named, no_such_memory
from ai_memory.service.handlers.once import write
from ai_memory.service.handlers.phrases import memory_meant
from ai_memory.service.handlers.reasons import check_reason, clean_reason
from ai_memory.service.parts import Parts
from ai_memory.store.base import Rejected, Result, Stored, Unchanged
from ai_memory.store.ids import FEEDBACK, PROPOSAL, new_id
from ai_memory.store.inbox import PAIRED, SUPERSEDING, begins
from ai_memory.types import MemoryRecord
from ai_memory.wording.ways import PROPOSALS, UNDO_PROPOSAL

MAX_REASON = 2_000
"""Characters of a reason or a note."""
_DECISIONS: dict[str, Decision] = {"accept": "accepted", "reject": "rejected", "later": "later", "undo": "undone"}
_PROPOSED_BY = {Verdict.WRONG: ProposalKind.RETIREMENT, Verdict.OUTDATED: ProposalKind.EXPIRY}
"""What feedback makes the service propose."""
_SURE = 0.75
"""How sure a proposal is that feedback led to; who gave it is recorded with it."""


def proposals(parts: Parts, request: ProposalsRequest) -> Proposals:
    """Proposals, the newest first; those of memories that are gone are gone with them."""
    about = None if request.about is None else memory_named(parts, request.namespace, request.about)
    waiting = not request.states and not request.ids
    states = (ProposalState.OPEN, ProposalState.LATER) if waiting else request.states
    now = parts.clock.now()
    found = [
        each
        for each in parts.store.proposals(
            request.namespace, ids=request.ids, memories=() if about is None else (about,), states=states
        )
        if (not request.kinds or each.kind in request.kinds) and not (waiting and _is_put_off(each, now))
    ]
    return Proposals(proposals=tuple(_shown(parts, request.namespace, found[: request.limit])), total=len(found))


def propose(parts: Parts, request: ProposeRequest) -> Proposed:
    """Add a proposal; the one that is there for the same texts, whatever was decided about it, is returned as it is."""
    namespace = request.namespace
    memory = memory_meant(parts, namespace, request.id)
    other = None if request.other is None else memory_meant(parts, namespace, request.other)
    if other == memory:
        raise InvalidInputError("a memory says nothing about itself", hint="name two different ones", field="other")
    if request.kind in PAIRED and other is None:
        raise InvalidInputError(
            f"the kind {request.kind} is about two memories", hint="name the other one in `other`", field="other"
        )
    check_reason(parts, namespace, [each for each in (memory, other) if each is not None], request.reason)
    at = parts.clock.now()
    asked = Proposal(
        id=new_id(PROPOSAL, at),
        namespace=namespace,
        kind=request.kind,
        memory_id=memory,
        other_id=other,
        confidence=request.confidence,
        reason=clean_reason(request.reason) or "",
        made_at=at,
    )
    return _one(parts, namespace, _kept(write(parts, [Propose(proposal=asked)])[0], namespace))


def decide(parts: Parts, request: DecideRequest) -> Proposed:
    """Decide about a proposal; the same decision again changes nothing."""
    request = in_users_zone(request, parts.zone)
    at = parts.clock.now()
    for field, decision in (("kind", "accept"), ("valid_to", "accept"), ("until", "later")):
        if getattr(request, field) is not None and request.decision != decision:
            raise InvalidInputError(
                f"{field} goes with the decision {decision} alone", hint="leave it out", field=field
            )
    if request.decision == "later" and (request.until is None or request.until <= at):
        raise InvalidInputError("until is not in the future", hint="say until when to put it off", field="until")
    command = Decide(
        id=request.id,
        namespace=request.namespace,
        decision=_DECISIONS[request.decision],
        at=at,
        kind=request.kind,
        ends=request.valid_to,
        until=request.until,
        note=clean_reason(request.note),
    )
    return _one(parts, request.namespace, _kept(write(parts, [command])[0], request.namespace))


def feedback(parts: Parts, request: FeedbackRequest) -> Judged:
    """Keep feedback, with the confidence that follows from it; of what is wrong or outdated also propose the change."""
    memory = memory_meant(parts, request.namespace, request.id)
    at = parts.clock.now()
    asked = Feedback(
        id=new_id(FEEDBACK, at),
        namespace=request.namespace,
        memory_id=memory,
        verdict=request.verdict,
        note=clean_reason(request.note),
        at=at,
        given=0.0,
        confidence=0.0,
    )
    commands: list[Judge | Propose] = [Judge(feedback=asked)]
    kind = _PROPOSED_BY.get(request.verdict)
    if kind is not None:
        commands.append(Propose(proposal=_proposal_of(asked, kind)))
    judged, *others = write(parts, commands)
    if not isinstance(judged, Stored) or judged.feedback is None:
        raise no_such_memory(memory, request.namespace)
    made = [each.proposal for each in others if isinstance(each, Stored | Unchanged)]
    return Judged(feedback=judged.feedback, proposal=made[0] if made else None)


def _proposal_of(said: Feedback, kind: ProposalKind) -> Proposal:
    return Proposal(
        id=new_id(PROPOSAL, said.at),
        namespace=said.namespace,
        kind=kind,
        memory_id=said.memory_id,
        confidence=_SURE,
        reason=f"feedback: {said.verdict}",
        made_at=said.at,
    )


def _is_put_off(proposal: Proposal, now: dt.datetime) -> bool:
    return proposal.state is ProposalState.LATER and proposal.until is not None and proposal.until > now


def _kept(result: Result, namespace: str) -> Proposal:
    """The proposal that a command left. Raises the error that a refusal means."""
    if isinstance(result, Stored | Unchanged) and result.proposal is not None:
        return result.proposal
    assert isinstance(result, Rejected)
    if result.code == "not_found":
        raise NotFoundError(f"{result.reason} in namespace {namespace}", hint=PROPOSALS, **result.details)
    if result.code == "invalid_input":
        raise InvalidInputError(result.reason, hint="accept it as retirement or as expiry", **result.details)
    raise ConflictError(result.reason, hint=UNDO_PROPOSAL, **result.details)


def _one(parts: Parts, namespace: str, proposal: Proposal) -> Proposed:
    shown = _shown(parts, namespace, [proposal])
    if not shown:
        raise NotFoundError(f"there is no proposal {proposal.id} in namespace {namespace}", hint=PROPOSALS)
    return shown[0]


def _shown(parts: Parts, namespace: str, found: Sequence[Proposal]) -> list[Proposed]:
    """Proposals with their memories; one whose memory is forgotten meanwhile is left out."""
    ids = sorted({each for proposal in found for each in (proposal.memory_id, proposal.other_id) if each is not None})
    records = {record.id: record for record in parts.store.get(namespace, ids) if record is not None} if ids else {}
    shown = []
    for proposal in found:
        memory = records.get(proposal.memory_id)
        other = None if proposal.other_id is None else records.get(proposal.other_id)
        if memory is not None and (proposal.other_id is None or other is not None):
            accepting = _accepting(proposal, memory, other)
            shown.append(Proposed(proposal=proposal, memory=memory, other=other, accepting=accepting))
    return shown


def _accepting(proposal: Proposal, memory: MemoryRecord, other: MemoryRecord | None) -> str:
    """What accepting does, as a sentence."""
    if proposal.kind in SUPERSEDING and other is not None:
        return f"{memory.id} ends on {begins(other).date().isoformat()}, and {other.id} supersedes it"
    if proposal.kind is ProposalKind.COPY and other is not None:
        return f"{memory.id} is retired, and {other.id} stays"
    return f"{memory.id} ends" if proposal.kind is ProposalKind.EXPIRY else f"{memory.id} is retired"
