"""What the commands about proposals and feedback do inside a transaction, and reading both."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from ai_memory.clock import to_micros
from ai_memory.inbox import Decide, Feedback, Judge, Proposal, ProposalKind, ProposalState, Propose
from ai_memory.store import keys
from ai_memory.store.base import Action, Rejected, Result, Stored, Unchanged, Unrelate
from ai_memory.store.chain import commitment
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
from ai_memory.store.rules import is_decided, is_same_period, not_undone, undecidable, unknown, unknown_proposal
from ai_memory.store.sqlite.line import neighbours
from ai_memory.store.sqlite.relating import insert_relation, is_joined, unrelate
from ai_memory.store.sqlite.revisions import erase_revisions, replace_revision, retire_revision
from ai_memory.store.sqlite.rows import (
    FEEDBACK_SOURCE,
    PROPOSAL_SOURCE,
    Held,
    feedback,
    feedback_row,
    proposal,
    proposal_row,
)
from ai_memory.store.sqlite.rows.seals import insert_sealed, reseal
from ai_memory.store.sqlite.transaction import Transaction
from ai_memory.store.values import json_text, micros
from ai_memory.types import MemoryRecord, RelationType

INSERT_PROPOSAL = insert_sealed("proposals")
INSERT_FEEDBACK = insert_sealed("feedback")


def propose(transaction: Transaction, command: Propose) -> Result:
    """Add a proposal, unless there is one for the same texts."""
    asked = command.proposal
    found: list[MemoryRecord] = []
    for memory_id in (asked.memory_id, asked.other_id):
        held = None if memory_id is None else transaction.current(asked.namespace, memory_id)
        if memory_id is not None and held is None:
            return unknown(memory_id)
        if held is not None:
            found.append(held.record)
    memory, other = found[0], found[1] if len(found) > 1 else None
    pair = sealed_pair(transaction.graveyard.secret, asked, memory, other)
    namespace = transaction.namespace(asked.namespace)
    rows = transaction.connection.execute(
        f"{PROPOSAL_SOURCE} WHERE p.namespace = ?1 AND (p.id = ?2 OR p.pair = ?3) ORDER BY p.id = ?2 DESC, p.key DESC",
        (namespace, asked.id, pair),
    )
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
    transaction.connection.execute(INSERT_PROPOSAL, proposal_row(key, namespace, pair, made))
    return Stored(sequence=key, proposal=made)


def decide(transaction: Transaction, command: Decide) -> Result:
    """Decide about a proposal, and carry out what was decided."""
    row = transaction.connection.execute(
        f"{PROPOSAL_SOURCE} WHERE p.namespace = ? AND p.id = ?",
        (transaction.known_namespace(command.namespace), command.id),
    ).fetchone()
    if row is None:
        return unknown_proposal(command.id)
    before = proposal(row)
    if is_decided(before, command):
        return Unchanged(proposal=before)
    memory = transaction.current(command.namespace, before.memory_id)
    other = None if before.other_id is None else transaction.current(command.namespace, before.other_id)
    assert memory is not None  # a forget erases the proposal with it
    second = None if other is None else other.record
    refusal = undecidable(before, command, memory.record, second)
    if refusal is not None:
        return refusal
    after = decided(before, command, transaction.actor)
    record: MemoryRecord | None = None
    if after.state is ProposalState.ACCEPTED:
        after, record = _accepted(transaction, after, command, memory, second)
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
    _update(transaction, after)
    return Stored(sequence=sequence, proposal=after, revision=None if record is None else record.revision)


def _update(transaction: Transaction, made: Proposal) -> None:
    namespace = transaction.namespace(made.namespace)
    changed = ("state", "kind", "until", "decided_at", "decided_by", "note", "revision", "relation_id")
    values = dict(zip(_NAMES, proposal_row(0, namespace, b"", made), strict=True))
    transaction.connection.execute(
        f"UPDATE proposals SET {', '.join(f'{name} = :{name}' for name in changed)} "
        "WHERE namespace = :namespace AND id = :id",
        {name: values[name] for name in (*changed, "namespace", "id")},
    )
    reseal(transaction.connection, "proposals", "namespace = ? AND id = ?", (namespace, made.id))


_NAMES = ("key", "namespace", "pair", *(name for name in Proposal.__struct_fields__ if name != "namespace"))


def _accepted(
    transaction: Transaction, after: Proposal, command: Decide, memory: Held, other: MemoryRecord | None
) -> tuple[Proposal, MemoryRecord | None]:
    """Carry out an accepted proposal; with what it changed, and the memory where it was changed."""
    record = memory.record
    if after.kind in SUPERSEDING or after.kind is ProposalKind.EXPIRY:
        starts = command.at if other is None or after.kind is ProposalKind.EXPIRY else begins(other)
        end = end_at(record, command.ends or starts)
        reason = f"proposal {after.id} accepted"
        made = None
        if end is not None:
            ended = replace(record, valid_to=end)
            made = replace_revision(transaction, memory, ended, memory.dedup_key, command.at, reason)
        relation = None
        if other is not None and after.kind in SUPERSEDING:
            relation = _join(transaction, other.id, record, command.at)
        return replace(after, revision=None if made is None else made.revision, relation_id=relation), made
    moment = max(command.at, record.recorded_at)
    transaction.append(
        Action.RETIRED,
        moment,
        record.namespace,
        memory_id=record.id,
        retired=(memory.key,),
        committed=commitment(record.content_hash, memory.salt),
    )
    retire_revision(transaction, memory.key, moment, f"proposal {after.id} accepted")
    return replace(after, revision=record.revision), record


def _join(transaction: Transaction, by: str, old: MemoryRecord, at: dt.datetime) -> str | None:
    """The id of the new relation by which a memory supersedes another; None where it does already."""
    if is_joined(transaction, old.namespace, by, old.id, RelationType.SUPERSEDES):
        return None
    made = superseding(by, old, at, transaction.actor)
    insert_relation(transaction, made)
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
        was = memory if retired else _revision_before(transaction, memory)
        if was is None:
            return not_undone(before, "the revision before is gone")
        now = replace(was.record, retired_at=None, retired_reason=None)
        refusal = _clash(transaction, before, now, memory.dedup_key, at)
        if refusal is not None:
            return refusal
        gone = () if retired else (memory.key,)
        transaction.append(Action.UNDONE, at, now.namespace, memory_id=now.id, erased=gone, retired=(was.key,))
        erase_revisions(transaction, gone)
        transaction.connection.execute(
            "UPDATE revisions SET retired_at = NULL, retired_reason = NULL, dedup_key = ? WHERE key = ?",
            (memory.dedup_key, was.key),
        )
        reseal(transaction.connection, "revisions", "revisions.key = ?", (was.key,))
        record = now
    if before.relation_id is not None:
        unrelate(transaction, Unrelate(id=before.relation_id, namespace=before.namespace, at=at))
    return record


def _revision_before(transaction: Transaction, memory: Held) -> Held | None:
    row = transaction.connection.execute(
        "SELECT max(key) FROM revisions WHERE memory = ? AND key < ?", (memory.memory, memory.key)
    ).fetchone()
    return None if row[0] is None else transaction.held_by_key(int(row[0]))


def _clash(
    transaction: Transaction, before: Proposal, now: MemoryRecord, dedup_key: bytes | None, at: dt.datetime
) -> Rejected | None:
    """What keeps a memory from being again what it was: another one that says the same by now, or has its key."""
    for key, _, valid_to, retired_at in transaction.saying([] if dedup_key is None else [dedup_key]):
        other = transaction.by_key(key)
        if other.id != now.id and retired_at is None and is_same_period(valid_to, micros(now.valid_to), to_micros(at)):
            return not_undone(before, f"memory {other.id} says the same by now")
    if keys.is_value(now) and now.valid_from is not None:
        line = neighbours(transaction, now.namespace, now.user, now.key, now.valid_from, without=now.id)
        overlapped = keys.overlapping(now, line)
        if overlapped is not None:
            return keys.taken(now, overlapped)
    return None


def judge(transaction: Transaction, command: Judge) -> Result:
    """Keep feedback, and move the memory's confidence."""
    asked = command.feedback
    memory = transaction.current(asked.namespace, asked.memory_id)
    if memory is None:
        return unknown(asked.memory_id)
    namespace = transaction.namespace(asked.namespace)
    before = [feedback(row) for row in _feedback_rows(transaction.connection, namespace, (asked.memory_id,))]
    for each in before:
        if each.id == asked.id:
            return Unchanged(feedback=each)
    made, record = asked, memory.record
    if not command.restored:
        given, now = judged(record, asked.verdict, before[-1] if before else None)
        made = replace(asked, given=given, confidence=now, actor=transaction.actor)
        if now != record.confidence and record.retired_at is None:
            changed = replace(record, confidence=now)
            reason = f"feedback: {asked.verdict}"
            record = replace_revision(transaction, memory, changed, memory.dedup_key, asked.at, reason)
    key = transaction.append(
        Action.JUDGED,
        made.at,
        made.namespace,
        memory_id=made.memory_id,
        relation_id=made.id,
        reason=str(made.verdict),
        actor=made.actor,
    )
    transaction.connection.execute(INSERT_FEEDBACK, feedback_row(key, namespace, made))
    return Stored(sequence=key, feedback=made, revision=record.revision)


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def proposals(
    connection: sqlite3.Connection,
    namespace: str,
    *,
    ids: Sequence[str] = (),
    memories: Sequence[str] = (),
    states: Sequence[ProposalState] = (),
) -> list[Proposal]:
    """As `Store.proposals`."""
    rows = connection.execute(
        f"{PROPOSAL_SOURCE} WHERE n.name = :namespace "
        "AND (:ids = '[]' OR p.id IN (SELECT value FROM json_each(:ids))) "
        "AND (:states = '[]' OR p.state IN (SELECT value FROM json_each(:states))) "
        "AND (:memories = '[]' OR p.memory_id IN (SELECT value FROM json_each(:memories)) "
        "OR p.other_id IN (SELECT value FROM json_each(:memories))) ORDER BY p.key DESC",
        {
            "namespace": namespace,
            "ids": json_text(list(ids)),
            "memories": json_text(list(memories)),
            "states": json_text(list(states)),
        },
    )
    return [proposal(row) for row in rows]


def all_feedback(connection: sqlite3.Connection, namespace: str, memories: Sequence[str] = ()) -> list[Feedback]:
    """As `Store.feedback`."""
    found = connection.execute("SELECT number FROM namespaces WHERE name = ?", (namespace,)).fetchone()
    return [] if found is None else [feedback(row) for row in _feedback_rows(connection, found[0], memories)]


def _feedback_rows(connection: sqlite3.Connection, namespace: int, memories: Sequence[str]) -> sqlite3.Cursor:
    return connection.execute(
        f"{FEEDBACK_SOURCE} WHERE f.namespace = ?1 "
        "AND (?2 = '[]' OR f.memory_id IN (SELECT value FROM json_each(?2))) ORDER BY f.key",
        (namespace, json_text(list(memories))),
    )


def exported(connection: sqlite3.Connection, namespace: int | None, *, here: bool) -> Iterator[Proposal | Feedback]:
    """All proposals and all feedback, only those of a namespace, by its number, where they are to be from `here`."""
    where, values = ("WHERE {}.namespace = ?", (namespace,)) if here else ("", ())
    for row in connection.execute(f"{PROPOSAL_SOURCE} {where.format('p')} ORDER BY p.key", values):
        yield proposal(row)
    for row in connection.execute(f"{FEEDBACK_SOURCE} {where.format('f')} ORDER BY f.key", values):
        yield feedback(row)
