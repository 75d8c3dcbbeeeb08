"""Putting back one memory from an archive, with its times as they were."""

from __future__ import annotations

import datetime as dt

from ai_memory.clock import to_micros
from ai_memory.store import keys
from ai_memory.store.base import Action, Duplicate, Rejected, Restore, Result, Stored, Unchanged
from ai_memory.store.chain import commitment, new_salt
from ai_memory.store.rules import forgotten, history_fault, is_same_history, is_same_period, other_history
from ai_memory.store.sqlite.line import neighbours
from ai_memory.store.sqlite.relating import is_joined, join
from ai_memory.store.sqlite.revisions import NewRevisions, end_revision
from ai_memory.store.sqlite.rows import RECORD_SOURCE, hash_column, record
from ai_memory.store.sqlite.transaction import Transaction
from ai_memory.store.values import micros
from ai_memory.types import MemoryRecord, RelationType


def restore(transaction: Transaction, command: Restore) -> Result:
    """Insert all revisions under new keys, or say why not."""
    fault = history_fault(command)
    if fault is not None:
        return Rejected(code="invalid_input", reason=fault)
    latest = command.revisions[-1]
    namespace = transaction.namespace(latest.namespace)
    present = _revisions(transaction, namespace, latest.id)
    if is_same_history(present, command.revisions):  # even if another user's memory that said the same was forgotten
        return Unchanged(record=present[-1])
    verdicts = [transaction.refusing.about(latest.namespace, revision) for revision in command.revisions]
    if any(verdict.said for verdict in verdicts):
        return forgotten()
    if present:
        return other_history(latest.id)
    if latest.retired_at is None:
        for key, _, ends, retired_at in transaction.saying([command.dedup_key]):
            if retired_at is None and is_same_period(ends, micros(latest.ends), to_micros(command.at)):
                return Duplicate(record=transaction.by_key(key))
    _insert(transaction, command)
    record = _into_line(transaction, latest, command.at)
    return Stored(
        sequence=transaction.sequence,
        memory_id=latest.id,
        revision=record.revision,
        record=record,
        contains_forgotten=tuple(dict.fromkeys(each for verdict in verdicts for each in verdict.forgotten_ids)),
    )


def _revisions(transaction: Transaction, namespace: int, memory_id: str) -> list[MemoryRecord]:
    rows = transaction.connection.execute(
        f"{RECORD_SOURCE} WHERE m.namespace = ? AND m.id = ? ORDER BY r.key", (namespace, memory_id)
    )
    return [record(row) for row in rows]


def _into_line(transaction: Transaction, latest: MemoryRecord, at: dt.datetime) -> MemoryRecord:
    """Give a restored value of a key the time that its neighbours in this store leave it, and end the one that it follows."""
    if not keys.is_value(latest) or latest.valid_from is None:
        return latest
    line = neighbours(transaction, latest.namespace, latest.user, latest.key, latest.valid_from, without=latest.id)
    before, after = keys.ends(latest.valid_from, line), keys.ended_by(latest.valid_to, line)
    if before is not None:
        _end(transaction, before, latest.valid_from, at, latest)
    if after is None:
        return latest
    return _end(transaction, latest, after.valid_from, at, after)


def _end(
    transaction: Transaction, record: MemoryRecord, end: dt.datetime | None, at: dt.datetime, by: MemoryRecord
) -> MemoryRecord:
    """The memory's new revision, which ends where the one `by` begins; a relation says so."""
    held = transaction.current(record.namespace, record.id)
    assert held is not None
    if not is_joined(transaction, record.namespace, by.id, record.id, RelationType.SUPERSEDES):
        join(transaction, record.namespace, by.id, record.id, RelationType.SUPERSEDES, at)
    return end_revision(transaction, held, end, at, by.id)


def _insert(transaction: Transaction, command: Restore) -> None:
    new = NewRevisions(transaction)
    memory: int | None = None
    latest = command.revisions[-1]
    for revision in command.revisions:
        salt = new_salt()
        committed = commitment(revision.content_hash, salt)
        key = transaction.append(
            Action.RESTORED,
            command.at,
            revision.namespace,
            memory_id=revision.id,
            committed=committed,
            actor=revision.actor,
        )
        memory = memory or key
        # The dedup key finds what is current, so only the last revision has one.
        dedup_key = command.dedup_key if revision is latest else None
        content_hash = hash_column(revision.content_hash)
        new.add(key, memory, revision, to_micros(revision.created_at), content_hash, dedup_key, salt)
    new.flush()
