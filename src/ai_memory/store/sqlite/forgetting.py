"""Forgetting: everything about a memory leaves the tables, and a tombstone of what it said stays."""

from __future__ import annotations

from itertools import chain

from ai_memory.store.base import Action, Exclude, Forget, Result, Stored, Unchanged
from ai_memory.store.rules import refuse, too_many_stores
from ai_memory.store.sqlite.relating import relate
from ai_memory.store.sqlite.revisions import erase_revisions
from ai_memory.store.sqlite.rows.seals import insert_sealed
from ai_memory.store.sqlite.transaction import Transaction, chunks
from ai_memory.store.sqlite.transaction.graveyard import bury
from ai_memory.store.tombstones import Entry, Trace, is_own
from ai_memory.types import RelationType


def forget(transaction: Transaction, command: Forget) -> Result:
    """Erase a memory with all that hangs on it, and mark the store for a wipe of the write-ahead log."""
    held = transaction.current(command.namespace, command.id)
    refusal = refuse(None if held is None else held.record.revision, command.id, command.if_revision)
    if refusal is not None:
        return refusal
    assert held is not None
    connection = transaction.connection
    namespace = transaction.namespace(command.namespace)
    revisions = connection.execute(
        "SELECT key, text FROM revisions WHERE memory = ? ORDER BY key", (held.memory,)
    ).fetchall()
    keys = [key for key, _ in revisions]
    sequence = transaction.append(
        Action.FORGOTTEN, command.at, command.namespace, memory_id=command.id, erased=keys, reason=command.reason
    )
    for text in () if command.lapsed else dict.fromkeys(text for _, text in revisions):
        trace = Trace.of(text)
        row = bury(connection, transaction.graveyard.secret, namespace, trace, sequence)
        transaction.refusing.add(command.namespace, Entry(row, sequence, command.id, trace))
    erase_revisions(transaction, keys)
    connection.execute("DELETE FROM memories WHERE number = ?", (held.memory,))
    digests = _digests_of(transaction, namespace, command.id)
    ends = _erase_edges(transaction, namespace, command)
    _erase_inbox(transaction, namespace, command.id)
    for each in command.left:
        relate(transaction, each)
    _erase_unsupported(transaction, namespace, ends)
    transaction.forgotten_ids.setdefault(command.namespace, []).append(command.id)
    for digest in digests:
        forget(transaction, Forget(id=digest, namespace=command.namespace, at=command.at, lapsed=True))
    return Stored(sequence=sequence, memory_id=command.id, digests=digests)


def exclude(transaction: Transaction, command: Exclude) -> Result:
    """Keep a tombstone of an archive."""
    brought, refusing = command.tombstone, transaction.refusing
    salt, digest, other = map(bytes.fromhex, (brought.salt, brought.digest, brought.other_digest))
    if refusing.has(brought.namespace, salt, digest) or is_own(
        brought, refusing.traces(brought.namespace), transaction.graveyard.store_id
    ):
        return Unchanged()
    if refusing.is_full(brought.namespace, salt):
        return too_many_stores(brought.namespace)
    sequence = transaction.append(Action.EXCLUDED, command.at, brought.namespace)
    transaction.connection.execute(
        insert_sealed("tombstones"),
        (transaction.namespace(brought.namespace), digest, other, salt, sequence),
    )
    refusing.add(brought.namespace, Entry(digest, sequence, None), salt, other)
    return Stored(sequence=sequence)


def _digests_of(transaction: Transaction, namespace: int, memory_id: str) -> tuple[str, ...]:
    """The digests that repeat words of a memory, those that have ended too."""
    found = transaction.connection.execute(
        "SELECT DISTINCT source FROM relations WHERE namespace = ? AND target = ? AND type = ? ORDER BY source",
        (namespace, memory_id, str(RelationType.DIGEST_OF)),
    )
    return tuple(source for (source,) in found)


def _erase_edges(transaction: Transaction, namespace: int, command: Forget) -> set[str]:
    """Erase relations that touch the memory, and the decisions that go with it; the ends of all of them."""
    connection = transaction.connection
    ends: set[str] = set()
    for ids, which in (
        ([command.id], "(source = :id OR target = :id OR evidence = :id)"),
        (command.decisions, "id = :id"),
    ):
        for each in ids:
            values = {"namespace": namespace, "id": each}
            where = f"namespace = :namespace AND {which}"
            ends.update(
                chain.from_iterable(connection.execute(f"SELECT source, target FROM relations WHERE {where}", values))
            )
            connection.execute(f"DELETE FROM relations WHERE {where}", values)
    return ends


def _erase_inbox(transaction: Transaction, namespace: int, memory_id: str) -> None:
    """Erase the proposals and the feedback about a memory."""
    values = {"namespace": namespace, "id": memory_id}
    for table, which in (("proposals", "memory_id"), ("proposals", "other_id"), ("feedback", "memory_id")):
        sql = f"DELETE FROM {table} WHERE namespace = :namespace AND {which} = :id"
        transaction.connection.execute(sql, values)


def _erase_unsupported(transaction: Transaction, namespace: int, ends: set[str]) -> None:
    """Erase those entities that no relation leads from or to."""
    connection = transaction.connection
    entities: set[int] = set()
    for marks, ids in chunks(sorted(ends)):
        found = connection.execute(
            f"SELECT number FROM entities WHERE namespace = ? AND id IN ({marks})", (namespace, *ids)
        )
        entities.update(number for (number,) in found)
    for entity in entities:
        supported = connection.execute(
            "SELECT 1 FROM entities e JOIN relations l ON l.namespace = e.namespace AND l.source = e.id "
            "WHERE e.number = :entity UNION ALL "
            "SELECT 1 FROM entities e JOIN relations l ON l.namespace = e.namespace AND l.target = e.id "
            "WHERE e.number = :entity LIMIT 1",
            {"entity": entity},
        ).fetchone()
        if supported is None:
            connection.execute("DELETE FROM aliases WHERE entity = ?", (entity,))
            connection.execute("DELETE FROM entities WHERE number = ?", (entity,))
