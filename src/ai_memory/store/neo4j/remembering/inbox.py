"""What the commands about proposals and feedback do inside a transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from ai_memory.inbox import Decide, InboxCommand, Judge, Proposal, ProposalKind, ProposalState, Propose
from ai_memory.store import keys
from ai_memory.store.base import Action, Rejected, Result, Retire, Revise, Stored, Unchanged, Unrelate
from ai_memory.store.inbox import (
    RETIRING,
    SUPERSEDING,
    begins,
    decided,
    end_at,
    judged,
    made_before,
    proposed,
    sealed_pair,
    superseding,
)
from ai_memory.store.neo4j.memories import line_of_record
from ai_memory.store.neo4j.nodes import FEEDBACK, PROPOSAL, Held, proposal, proposal_properties
from ai_memory.store.neo4j.nodes import feedback as feedback_of
from ai_memory.store.neo4j.relating import Joined, is_joined, join
from ai_memory.store.neo4j.relating import carry_out as carry_out_relations
from ai_memory.store.neo4j.remembering import Run
from ai_memory.store.neo4j.transaction import Transaction
from ai_memory.store.rules import is_decided, is_same_period, not_undone, undecidable, unknown, unknown_proposal
from ai_memory.store.values import micros
from ai_memory.types import Content, MemoryRecord, RelationType

_FOUND = (
    "MATCH (p:Proposal {namespace: $namespace}) WHERE p.id = $id OR p.pair = $pair "
    f"RETURN {PROPOSAL} ORDER BY p.id = $id DESC, p.key DESC"
)
_ONE = f"MATCH (p:Proposal {{namespace: $namespace, id: $id}}) RETURN {PROPOSAL}, p.key, p.pair"
_CHANGED = "MATCH (p:Proposal {namespace: $row.namespace, id: $row.id}) SET p = $row"
_ABOUT = f"MATCH (f:Feedback {{namespace: $namespace, memory_id: $id}}) RETURN {FEEDBACK} ORDER BY f.key"


def carry_out(transaction: Transaction, commands: Sequence[InboxCommand]) -> list[Result]:
    """Carry out commands one by one: people decide few at a time."""
    return [_DOING[type(command)](transaction, command) for command in commands]


class _Memories:
    """The memories that one command reads, and the run that changes them."""

    def __init__(self, transaction: Transaction, namespace: str, ids: Sequence[str | None], at: dt.datetime) -> None:
        named = [Retire(id=each, namespace=namespace, at=at) for each in ids if each is not None]
        self.run = Run(transaction, named)
        self._namespace = namespace

    def latest(self, memory_id: str | None) -> Held | None:
        """The newest revision of a memory, even if it is retired."""
        return None if memory_id is None else self.run.memories.history(self._namespace, memory_id).latest


def _propose(transaction: Transaction, command: Propose) -> Result:
    asked = command.proposal
    memories = _Memories(transaction, asked.namespace, (asked.memory_id, asked.other_id), asked.made_at)
    memory, other = memories.latest(asked.memory_id), memories.latest(asked.other_id)
    if memory is None:
        return unknown(asked.memory_id)
    if other is None and asked.other_id is not None:
        return unknown(asked.other_id)
    second = None if other is None else other.record
    pair = sealed_pair(transaction.graveyard.secret, asked, memory.record, second)
    rows = transaction.rows(_FOUND, namespace=asked.namespace, id=asked.id, pair=pair.hex())
    before = made_before(map(proposal, rows), asked)
    if before is not None:
        return Unchanged(proposal=before)
    made = proposed(asked, transaction.actor)
    key = transaction.append(
        Action.PROPOSED,
        made.made_at,
        made.namespace,
        memory_id=made.memory_id,
        relation_id=made.id,
        reason=str(made.state),
        actor=made.made_by,
    )
    transaction.keep_proposals([(key, pair, made)])
    return Stored(sequence=key, proposal=made)


def _decide(transaction: Transaction, command: Decide) -> Result:
    found = transaction.rows(_ONE, namespace=command.namespace, id=command.id)
    if not found:
        return unknown_proposal(command.id)
    *_, key, pair = found[0]
    before = proposal(found[0])
    if is_decided(before, command):
        return Unchanged(proposal=before)
    memories = _Memories(transaction, command.namespace, (before.memory_id, before.other_id), command.at)
    memory, other = memories.latest(before.memory_id), memories.latest(before.other_id)
    assert memory is not None  # a forget erases the proposal with it
    second = None if other is None else other.record
    refusal = undecidable(before, command, memory.record, second)
    if refusal is not None:
        return refusal
    after = decided(before, command, transaction.actor)
    record: MemoryRecord | None = None
    if after.state is ProposalState.ACCEPTED:
        after, record = _accepted(transaction, memories.run, after, command, memory, second)
    elif before.state is ProposalState.ACCEPTED:
        put_back = _put_back(transaction, before, memory, command.at)
        if isinstance(put_back, Rejected):
            return put_back
        record = put_back
    sequence = transaction.append(
        Action.DECIDED,
        command.at,
        command.namespace,
        memory_id=after.memory_id,
        relation_id=after.id,
        reason=str(after.state),
        actor=command.actor,
    )
    changed = transaction.sealed("Proposal", proposal_properties(key, bytes.fromhex(pair), after))
    transaction.rows(_CHANGED, row=changed)
    return Stored(sequence=sequence, proposal=after, revision=None if record is None else record.revision)


def _accepted(
    transaction: Transaction,
    run: Run,
    after: Proposal,
    command: Decide,
    memory: Held,
    other: MemoryRecord | None,
) -> tuple[Proposal, MemoryRecord | None]:
    """Carry out an accepted proposal; with what it changed, and the memory where it was changed."""
    record = memory.record
    reason = f"proposal {after.id} accepted"
    if after.kind in SUPERSEDING or after.kind is ProposalKind.EXPIRY:
        starts = command.at if other is None or after.kind is ProposalKind.EXPIRY else begins(other)
        end = end_at(record, command.ends or starts)
        made = None
        if end is not None:
            assert memory.dedup_key is not None  # only a retired revision has none
            made = run.replace(memory, replace(record, valid_to=end), memory.dedup_key, command.at, reason)
            run.memories.flush()
        relation = None
        if other is not None and after.kind in SUPERSEDING:
            relation = _join(transaction, other.id, record, command.at)
        return replace(after, revision=None if made is None else made.revision, relation_id=relation), made
    run.retire(Retire(id=record.id, namespace=record.namespace, at=command.at, reason=reason))
    run.memories.flush()
    return replace(after, revision=record.revision), record


def _join(transaction: Transaction, by: str, old: MemoryRecord, at: dt.datetime) -> str | None:
    """The id of the new relation by which a memory supersedes another; None where it does already."""
    if is_joined(transaction, old.namespace, by, old.id, RelationType.SUPERSEDES):
        return None
    made = superseding(by, old, at, transaction.actor)
    join(transaction, [Joined.logged(transaction, made)])
    return made.id


def _put_back(
    transaction: Transaction, before: Proposal, memory: Held, at: dt.datetime
) -> MemoryRecord | Rejected | None:
    """Make a memory again what it was before a proposal was accepted; the memory where that changes it."""
    record: MemoryRecord | None = None
    if before.revision is not None:
        if memory.record.revision != before.revision:
            return not_undone(before, f"it has revision {memory.record.revision} by now; revise that one")
        retired = memory.record.retired_at is not None
        if retired is not (before.kind in RETIRING):
            return not_undone(before, "it was retired since" if retired else "it is not retired any longer")
        run = _run_with_rivals(transaction, memory, at)
        history = run.memories.history(before.namespace, before.memory_id).held
        was = history[-1] if retired else history[-2] if len(history) > 1 else None
        if was is None:
            return not_undone(before, "the revision before is gone")
        now = replace(was.record, retired_at=None, retired_reason=None)
        refusal = _clash(run, before, now, memory.dedup_key, at)
        if refusal is not None:
            return refusal
        gone = () if retired else (memory.key,)
        transaction.append(Action.UNDONE, at, now.namespace, memory_id=now.id, erased=gone, retired=(was.key,))
        run.memories.take_back(was, now, memory.dedup_key, gone)
        record = now
    if before.relation_id is not None:
        carry_out_relations(transaction, [Unrelate(id=before.relation_id, namespace=before.namespace, at=at)])
    return record


def _run_with_rivals(transaction: Transaction, memory: Held, at: dt.datetime) -> Run:
    """A run that knows the memory and all that say the same or are values of its key: those that a revision would look at."""
    record = memory.record
    content = Content(**{name: getattr(record, name) for name in Content.__struct_fields__})
    looked_at = Revise(
        id=record.id,
        namespace=record.namespace,
        content=content,
        content_hash=record.content_hash,
        dedup_key=memory.dedup_key or b"",
        at=at,
    )
    return Run(transaction, [looked_at])


def _clash(run: Run, before: Proposal, now: MemoryRecord, dedup_key: bytes | None, at: dt.datetime) -> Rejected | None:
    """What keeps a memory from being again what it was: another one that says the same by now, or has its key."""
    for held in () if dedup_key is None else run.memories.unretired(dedup_key):
        same = is_same_period(micros(held.record.valid_to), micros(now.valid_to), micros(at) or 0)
        if held.record.id != now.id and same:
            return not_undone(before, f"memory {held.record.id} says the same by now")
    if keys.is_value(now) and now.valid_from is not None:
        line = run.memories.neighbours(line_of_record(now), now.valid_from, without=now.id)
        overlapped = keys.overlapping(now, line)
        if overlapped is not None:
            return keys.taken(now, overlapped)
    return None


def _judge(transaction: Transaction, command: Judge) -> Result:
    asked = command.feedback
    memories = _Memories(transaction, asked.namespace, (asked.memory_id,), asked.at)
    memory = memories.latest(asked.memory_id)
    if memory is None:
        return unknown(asked.memory_id)
    before = [feedback_of(row) for row in transaction.rows(_ABOUT, namespace=asked.namespace, id=asked.memory_id)]
    for each in before:
        if each.id == asked.id:
            return Unchanged(feedback=each)
    made, record = asked, memory.record
    if not command.restored:
        given, now = judged(record, asked.verdict, before[-1] if before else None)
        made = replace(asked, given=given, confidence=now, actor=transaction.actor)
        if now != record.confidence and record.retired_at is None:
            assert memory.dedup_key is not None  # only a retired revision has none
            changed = replace(record, confidence=now)
            record = memories.run.replace(memory, changed, memory.dedup_key, asked.at, f"feedback: {asked.verdict}")
            memories.run.memories.flush()
    key = transaction.append(
        Action.JUDGED,
        made.at,
        made.namespace,
        memory_id=made.memory_id,
        relation_id=made.id,
        reason=str(made.verdict),
        actor=made.actor,
    )
    transaction.keep_feedback([(key, made)])
    return Stored(sequence=key, feedback=made, revision=record.revision)


_DOING: dict[type[Any], Callable[[Transaction, Any], Result]] = {
    Propose: _propose,
    Decide: _decide,
    Judge: _judge,
}
