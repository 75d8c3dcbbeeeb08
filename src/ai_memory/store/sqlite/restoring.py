"""Putting back one memory from an archive, with its times as they were."""

from __future__ import annotations

from ai_memory.clock import to_micros
from ai_memory.store.base import Action, Duplicate, Rejected, Restore, Result, Stored, Unchanged
from ai_memory.store.chain import commitment, new_salt
from ai_memory.store.rules import forgotten, history_fault, is_same_history, is_same_period, other_history
from ai_memory.store.sqlite.revisions import NewRevisions
from ai_memory.store.sqlite.rows import RECORD_SOURCE, hash_column, record
from ai_memory.store.sqlite.transaction import Transaction
from ai_memory.store.values import micros
from ai_memory.types import MemoryRecord


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
        for key, _, valid_to, retired_at in transaction.saying([command.dedup_key]):
            if retired_at is None and is_same_period(valid_to, micros(latest.valid_to), to_micros(command.at)):
                return Duplicate(record=transaction.by_key(key))
    return Stored(
        sequence=_insert(transaction, command),
        memory_id=latest.id,
        revision=latest.revision,
        record=latest,
        contains_forgotten=tuple(dict.fromkeys(each for verdict in verdicts for each in verdict.forgotten_ids)),
    )


def _revisions(transaction: Transaction, namespace: int, memory_id: str) -> list[MemoryRecord]:
    rows = transaction.connection.execute(
        f"{RECORD_SOURCE} WHERE m.namespace = ? AND m.id = ? ORDER BY r.key", (namespace, memory_id)
    )
    return [record(row) for row in rows]


def _insert(transaction: Transaction, command: Restore) -> int:
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
    return transaction.sequence
