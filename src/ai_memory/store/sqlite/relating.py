"""What the commands about relations do inside a transaction."""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from ai_memory.clock import to_micros
from ai_memory.store.base import Action, Relate, Result, Stored, Unchanged, Unrelate
from ai_memory.store.chain import commitment, new_salt, relation_hash
from ai_memory.store.ids import relation_id
from ai_memory.store.rules import is_same_relation, relation_taken, unknown_end, unknown_relation, written_by
from ai_memory.store.sqlite.rows import (
    RELATION_COLUMNS,
    RELATION_ROW,
    RELATION_SOURCE,
    insert_into,
    relation,
    relation_row,
)
from ai_memory.store.sqlite.rows.seals import insert_sealed, reseal
from ai_memory.store.sqlite.transaction import Transaction
from ai_memory.store.values import micros
from ai_memory.types import Entity, Relation

INSERT_RELATION = insert_into("relations", (*RELATION_ROW, "seal"))


def relate(transaction: Transaction, command: Relate) -> Result:
    """Add a relation, making the entities it needs, or return the equal current one."""
    asked = command.relation
    known = {entity.id: _entity_id(transaction, asked.namespace, entity) for entity in command.new_entities}
    new = {entity.id: entity for entity in command.new_entities if known[entity.id] is None}
    source, target = (known.get(end) or end for end in (asked.source, asked.target))
    for end in (source, target, asked.evidence):
        if end is not None and end not in new and not _exists(transaction, asked.namespace, end):
            return unknown_end(end)
    wanted = written_by(replace(asked, source=source, target=target), transaction.actor)
    current = _equal(transaction, wanted) or _same_id(transaction, wanted)
    if current is not None:
        if current.id == wanted.id and not is_same_relation(current, wanted):
            return relation_taken(asked.id)
        return Unchanged(relation=current)
    for end in (source, target):
        if end in new:
            _insert_entity(transaction, asked.namespace, new.pop(end))
    return Stored(sequence=insert_relation(transaction, wanted), relation=wanted)


def join(
    transaction: Transaction, namespace: str, source: str, target: str, relation_type: str, at: dt.datetime
) -> None:
    """Add a relation that the store makes by itself between two existing memories."""
    made = Relation(
        id=relation_id(source, target, relation_type, at),
        namespace=namespace,
        source=source,
        target=target,
        type=str(relation_type),
        recorded_at=at,
        actor=transaction.actor,
    )
    insert_relation(transaction, made)


def is_joined(transaction: Transaction, namespace: str, source: str, target: str, relation_type: str) -> bool:
    """Whether two memories are joined by such a relation, unretired."""
    found = transaction.connection.execute(
        "SELECT 1 FROM relations WHERE namespace = ? AND source = ? AND target = ? AND type = ? AND retired_at IS NULL",
        (transaction.known_namespace(namespace), source, target, str(relation_type)),
    )
    return found.fetchone() is not None


def part(
    transaction: Transaction, namespace: str, source: str, target: str, relation_type: str, at: dt.datetime
) -> None:
    """Retire the relations of this type from one memory to another."""
    found = transaction.connection.execute(
        "SELECT id FROM relations WHERE namespace = ? AND source = ? AND target = ? AND type = ? AND retired_at IS NULL",
        (transaction.known_namespace(namespace), source, target, str(relation_type)),
    )
    for (joined,) in found.fetchall():
        unrelate(transaction, Unrelate(id=joined, namespace=namespace, at=at))


def insert_relation(transaction: Transaction, made: Relation) -> int:
    """Insert a relation with its log entry; the entry's sequence."""
    salt = new_salt()
    key = transaction.append(
        Action.RELATED,
        made.recorded_at,
        made.namespace,
        relation_id=made.id,
        committed=commitment(relation_hash(made), salt),
        actor=made.actor,
    )
    row = relation_row(key, transaction.namespace(made.namespace), salt, made)
    transaction.connection.execute(INSERT_RELATION, (*row, transaction.seals.of("relations")(row)))
    return key


def unrelate(transaction: Transaction, command: Unrelate) -> Result:
    """Retire a relation."""
    namespace = transaction.known_namespace(command.namespace)
    row = transaction.connection.execute(
        f"SELECT {RELATION_COLUMNS}, l.salt FROM relations l JOIN namespaces n ON n.number = l.namespace "
        "WHERE l.namespace = ? AND l.id = ?",
        (namespace, command.id),
    ).fetchone()
    if row is None:
        return unknown_relation(command.id)
    current = relation(row)
    *_, salt = row
    if current.retired_at is not None:
        return Unchanged(relation=current)
    moment = max(command.at, current.recorded_at)
    committed = commitment(relation_hash(current), salt)
    sequence = transaction.append(
        Action.UNRELATED, moment, command.namespace, relation_id=command.id, committed=committed
    )
    transaction.connection.execute(
        "UPDATE relations SET retired_at = ? WHERE namespace = ? AND id = ?",
        (to_micros(moment), namespace, command.id),
    )
    reseal(transaction.connection, "relations", "namespace = ? AND id = ?", (namespace, command.id))
    return Stored(sequence=sequence, relation=replace(current, retired_at=moment))


def _entity_id(transaction: Transaction, namespace: str, entity: Entity) -> str | None:
    """The id under which an entity exists already: its own, or that of one with its name and kind."""
    found = transaction.connection.execute(
        "SELECT id FROM entities WHERE namespace = ?1 AND id = ?2 UNION ALL "
        "SELECT id FROM entities WHERE namespace = ?1 AND folded = ?3 AND kind = ?4",
        (transaction.known_namespace(namespace), entity.id, entity.name.casefold(), entity.kind),
    ).fetchone()
    return None if found is None else str(*found)


def _insert_entity(transaction: Transaction, namespace: str, entity: Entity) -> None:
    number = transaction.connection.execute(
        "INSERT INTO entities (id, namespace, name, folded, kind, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (
            entity.id,
            transaction.namespace(namespace),
            entity.name,
            entity.name.casefold(),
            entity.kind,
            to_micros(entity.created_at),
        ),
    ).lastrowid
    reseal(transaction.connection, "entities", "number = ?", (number,))
    transaction.connection.executemany(
        insert_sealed("aliases", verb="INSERT OR IGNORE"),
        [(number, alias, alias.casefold()) for alias in entity.aliases],
    )


def _exists(transaction: Transaction, namespace: str, end: str) -> bool:
    values = {"namespace": transaction.known_namespace(namespace), "id": end}
    row = transaction.connection.execute(
        "SELECT 1 FROM memories WHERE namespace = :namespace AND id = :id UNION ALL "
        "SELECT 1 FROM entities WHERE namespace = :namespace AND id = :id",
        values,
    ).fetchone()
    return row is not None


def _same_id(transaction: Transaction, wanted: Relation) -> Relation | None:
    row = transaction.connection.execute(
        f"{RELATION_SOURCE} WHERE l.namespace = ? AND l.id = ?",
        (transaction.known_namespace(wanted.namespace), wanted.id),
    ).fetchone()
    return None if row is None else relation(row)


def _equal(transaction: Transaction, wanted: Relation) -> Relation | None:
    """The unretired relation with the same ends, type, evidence and validity; none where the wanted one is retired itself."""
    if wanted.retired_at is not None:
        return None
    row = transaction.connection.execute(
        f"{RELATION_SOURCE} WHERE l.namespace = ? AND l.source = ? AND l.target = ? AND l.type = ? "
        "AND l.evidence IS ? AND l.valid_from IS ? AND l.valid_to IS ? AND l.retired_at IS NULL",
        (
            transaction.known_namespace(wanted.namespace),
            wanted.source,
            wanted.target,
            wanted.type,
            wanted.evidence,
            micros(wanted.valid_from),
            micros(wanted.valid_to),
        ),
    ).fetchone()
    return None if row is None else relation(row)
