"""Putting back one memory from an archive, with its times as they were."""

from __future__ import annotations

from itertools import pairwise

from ai_memory.clock import to_micros
from ai_memory.store.base import Action, Duplicate, Rejected, Restore, Result, Stored, Unchanged
from ai_memory.store.sqlite.refusals import forgotten
from ai_memory.store.sqlite.revisions import NewRevisions
from ai_memory.store.sqlite.rows import content_of, content_row, hash_column, micros, record
from ai_memory.store.sqlite.transaction import RECORD_SOURCE, Transaction
from ai_memory.types import MemoryRecord


def restore(transaction: Transaction, command: Restore) -> Result:
    """Insert all revisions under new keys, or say why not."""
    fault = _fault(command)
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
        return Rejected(
            code="conflict", reason=f"memory {latest.id} exists with other revisions", details={"id": latest.id}
        )
    if latest.retired_at is None:
        for _, key, _, valid_to in transaction.standing([command.dedup_key]):
            if _same_stretch(valid_to, micros(latest.valid_to), to_micros(command.at)):
                return Duplicate(record=record(transaction.by_key(key)))
    sequence = _insert(transaction, command, namespace)
    return Stored(sequence=sequence, memory_id=latest.id, revision=latest.revision, record=latest)


def _same_stretch(standing_end: int | None, restored_end: int | None, at: int) -> bool:
    """Whether two memories of equal text are one and the same: both hold still, or both ended at the same instant.

    A history may hold a text several times, each ended at another instant (see `stands_in_the_way`).
    """
    holds = [end is None or end > at for end in (standing_end, restored_end)]
    return all(holds) or standing_end == restored_end


def _fault(command: Restore) -> str | None:
    """What makes these revisions no history of one memory."""
    revisions = command.revisions
    if not revisions:
        return "there is no revision to restore"
    if len(command.value_digests) != len(revisions):
        return f"{len(revisions)} revisions need as many value digests, not {len(command.value_digests)}"
    first = revisions[0]
    for before, after in pairwise(revisions):
        if (after.id, after.namespace, after.created_at) != (first.id, first.namespace, first.created_at):
            return "the revisions belong to different memories"
        if after.revision <= before.revision:
            return "the revisions are not in order"
        if before.retired_at is None or before.retired_at > after.recorded_at:
            return f"revision {before.revision} does not end before revision {after.revision} begins"
    return None


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
