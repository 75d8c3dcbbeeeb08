"""Proposals, decisions and feedback for the tests of stores."""

from __future__ import annotations

from typing import Any

from ai_memory.inbox import Decide, Decision, Feedback, Judge, Proposal, ProposalKind, Verdict
from ai_memory.store.base import Result, Store, Stored
from ai_memory.store.ids import FEEDBACK, PROPOSAL, new_id
from ai_memory.types import Actor, MemoryRecord
from tests.support.store_samples import CLOCK


def proposal(
    memory: MemoryRecord, other: MemoryRecord | None = None, kind: ProposalKind = ProposalKind.UPDATE, **fields: Any
) -> Proposal:
    at = CLOCK.now()
    return Proposal(
        id=new_id(PROPOSAL, at),
        namespace=memory.namespace,
        kind=kind,
        memory_id=memory.id,
        other_id=None if other is None else other.id,
        confidence=0.875,
        reason="the same subject has another value",
        made_at=at,
        **fields,
    )


def decide(store: Store, about: Proposal, decision: Decision, actor: Actor = Actor.PERSON, **fields: Any) -> Result:
    command = Decide(id=about.id, namespace=about.namespace, decision=decision, at=CLOCK.now(), **fields)
    (result,) = store.write([command], actor=actor)
    return result


def judge(store: Store, memory: MemoryRecord, verdict: Verdict, note: str | None = None) -> Feedback:
    at = CLOCK.now()
    asked = Feedback(
        id=new_id(FEEDBACK, at),
        namespace=memory.namespace,
        memory_id=memory.id,
        verdict=verdict,
        note=note,
        at=at,
        given=0.0,
        confidence=0.0,
    )
    (result,) = store.write([Judge(feedback=asked)], actor=Actor.PERSON)
    assert isinstance(result, Stored), result
    assert result.feedback is not None
    return result.feedback
