"""Putting back one memory from an archive, with its times as they were."""

from __future__ import annotations

from ai_memory.clock import to_micros
from ai_memory.store.base import Action, Duplicate, Rejected, Restore, Result, Stored, Unchanged
from ai_memory.store.rules import forgotten, history_fault, other_history, same_stretch
from ai_memory.store.sqlite.revisions import NewRevisions
from ai_memory.store.sqlite.rows import hash_column, record
from ai_memory.store.sqlite.transaction import RECORD_SOURCE, Transaction
from ai_memory.store.values import content_of, content_row, micros
from ai_memory.types import MemoryRecord


def restore(transaction: Transaction, command: Restore) -> Result:
    """Insert all revisions under new keys, or say why not."""
    fault = history_fault(command)
    if fault is not None:
        return Rejected(code="invalid_input", reason=fault)
    latest = command.revisions[-1]
    namespace = transaction.namespace(latest.namespace)
    present = _revisions(transaction, namespace, latest.id)
    if present == list(command.revisions):  # even if another user's memory that said the same was forgotten
        return Unchanged(record=present[-1])
    if transaction.forgotten(namespace, command.value_digests):
        return forgotten()
    if present:
        return other_history(latest.id)
    if latest.retired_at is None:
        for _, key, _, valid_to in transaction.standing([command.dedup_key]):
            if same_stretch(valid_to, micros(latest.valid_to), to_micros(command.at)):
                return Duplicate(record=record(transaction.by_key(key)))
    sequence = _insert(transaction, command, namespace)
    return Stored(sequence=sequence, memory_id=latest.id, revision=latest.revision, record=latest)


def _revisions(transaction: Transaction, namespace: int, memory_id: str) -> list[MemoryRecord]:
    rows = transaction.connection.execute(
        f"{RECORD_SOURCE} WHERE m.namespace = ? AND m.id = ? ORDER BY r.key", (namespace, memory_id)
    )
    return [record(row) for row in rows]


def _insert(transaction: Transaction, command: Restore, namespace: int) -> int:
    new = NewRevisions(transaction)
    number = 0
    for revision, value_digest in zip(command.revisions, command.value_digests, strict=True):
        content_hash = hash_column(revision.content_hash)
        key = transaction.append(
            Action.RESTORED, command.at, revision.namespace, memory_id=revision.id, content_hash=content_hash
        )
        created_at = to_micros(revision.created_at)
        if number == 0:
            number = key
            facets = (revision.user, revision.agent, revision.session)
            new.add_memory(number, revision.id, namespace, facets, created_at)
        new.add(
            key,
            number,
            namespace,
            revision.revision,
            recorded_at=to_micros(revision.recorded_at),
            created_at=created_at,
            content=content_row(content_of(revision)),
            tags=revision.tags,
            content_hash=content_hash,
            dedup_key=command.dedup_key if revision is command.revisions[-1] else None,
            value_digest=value_digest,
            retired_at=micros(revision.retired_at),
            retired_reason=revision.retired_reason,
        )
    new.flush()
    return transaction.sequence
