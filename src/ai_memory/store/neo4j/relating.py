"""What the commands about relations do: relate, unrelate, and the relations that the store makes by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ai_memory.clock import to_micros
from ai_memory.store.base import Action, Relate, Result, Stored, Unchanged, Unrelate
from ai_memory.store.chain import commitment, new_salt, relation_hash
from ai_memory.store.ids import relation_id
from ai_memory.store.neo4j.database.sealing import RELATIONSHIP
from ai_memory.store.neo4j.nodes import EDGE, entity_properties, locator_properties, relation, relation_properties
from ai_memory.store.neo4j.transaction import Transaction
from ai_memory.store.rules import is_same_relation, relation_taken, unknown_end, unknown_relation, written_by
from ai_memory.types import Entity, Relation, RelationType

RelationCommand = Relate | Unrelate
Named = tuple[str, str]
"""A namespace and an id."""

LOCATED = "MATCH (:Node {namespace: l.namespace, id: l.source})-[x {key: l.key}]->(:Node {namespace: l.namespace, id: l.target})"
"""The relationship x of a locator l."""

_NODES = "UNWIND $rows AS row MATCH (n:Node {namespace: row[0], id: row[1]}) RETURN n.namespace, n.id"
_ENTITIES = (
    "UNWIND $rows AS row MATCH (e:Entity {namespace: row[0], folded: row[1], kind: row[2]}) "
    "RETURN e.namespace, e.folded, e.kind, e.id"
)
_BY_ID = f"UNWIND $rows AS row MATCH (l:Relation {{namespace: row[0], id: row[1]}}) {LOCATED} RETURN {EDGE}, l.salt"
_BETWEEN = (
    "UNWIND $rows AS row MATCH (:Node {namespace: row[0], id: row[1]})-[x]->(:Node {namespace: row[0], id: row[2]}) "
    f"WHERE x.retired_at IS NULL RETURN {EDGE} ORDER BY x.key"
)

_NEW_ENTITIES = "UNWIND $rows AS row CREATE (e:Node:Entity) SET e = row"
_NEW_ALIASES = (
    "UNWIND $rows AS row MATCH (e:Node {namespace: row[0], id: row[1]}) "
    "CREATE (e)-[:HAS_ALIAS]->(a:Alias) SET a = row[2]"
)
_NEW_RELATIONS = (
    "UNWIND $rows AS row MATCH (a:Node {namespace: row[0].namespace, id: row[0].source}) "
    "MATCH (b:Node {namespace: row[0].namespace, id: row[0].target}) "
    "CREATE (a)-[x:$(row[0].type)]->(b) SET x = row[1] CREATE (l:Relation) SET l = row[0]"
)
_RETIRED = (
    f"UNWIND $rows AS row MATCH (l:Relation {{namespace: row[0], id: row[1]}}) {LOCATED} SET x.retired_at = row[2]"
)
_ENDED = (
    "UNWIND $rows AS row MATCH (l:Relation {namespace: row[0], id: row[1]}) "
    "MATCH (:Node {namespace: l.namespace, id: l.source})-[n {key: l.key}]->(:Node {namespace: l.namespace, id: l.target})"
)


class Joined(Struct, frozen=True):
    """A new relation with the sequence of its log entry and the salt of its commitment."""

    key: int
    relation: Relation
    salt: bytes

    @classmethod
    def between(
        cls, transaction: Transaction, namespace: str, source: str, target: str, relation_type: str, at: dt.datetime
    ) -> Joined:
        """A relation that the store makes by itself between two memories that are there."""
        made = Relation(
            id=relation_id(source, target, relation_type, at),
            namespace=namespace,
            source=source,
            target=target,
            type=str(relation_type),
            recorded_at=at,
            actor=transaction.actor,
        )
        return cls.logged(transaction, made)

    @classmethod
    def logged(cls, transaction: Transaction, made: Relation) -> Joined:
        """A relation with its entry in the log."""
        salt = new_salt()
        key = transaction.append(
            Action.RELATED,
            made.recorded_at,
            made.namespace,
            relation_id=made.id,
            committed=commitment(relation_hash(made), salt),
            actor=made.actor,
        )
        return cls(key, made, salt)


def is_joined(transaction: Transaction, namespace: str, source: str, target: str, relation_type: str) -> bool:
    """Whether two memories are joined by such a relation, unretired."""
    found = transaction.rows(_BETWEEN, rows=[(namespace, source, target)])
    return any(relation(values).type == relation_type for values in found)


def join(transaction: Transaction, joined: Sequence[Joined]) -> None:
    """Write new relations, whose ends are there."""
    rows = [
        (
            transaction.sealed("Relation", locator_properties(each.key, each.salt, each.relation)),
            transaction.sealed(RELATIONSHIP, relation_properties(each.key, each.relation)),
        )
        for each in joined
    ]
    transaction.in_pieces(_NEW_RELATIONS, rows)


def part(transaction: Transaction, pairs: Sequence[tuple[str, str, str, dt.datetime]]) -> None:
    """Retire the relations SUPERSEDES from one memory to another: namespace, source, target, and when."""
    retiring = []
    for namespace, source, target, at in pairs:
        for values in transaction.rows(_BETWEEN, rows=[(namespace, source, target)]):
            found = relation(values)
            if found.type == RelationType.SUPERSEDES:
                retiring.append(Unrelate(id=found.id, namespace=namespace, at=at))
    if retiring:
        carry_out(transaction, retiring)


def insert_entities(transaction: Transaction, new: Sequence[tuple[int, int, Entity]]) -> None:
    """Write new entities, each with its number and the sequence of the log entry it was made with."""
    transaction.in_pieces(_NEW_ENTITIES, [transaction.sealed("Entity", entity_properties(*each)) for each in new])
    names = [
        (made.namespace, made.id, transaction.sealed("Alias", {"namespace": made.namespace, "folded": folded}))
        for _, _, made in new
        for folded in _folded(made)
    ]
    transaction.in_pieces(_NEW_ALIASES, names)


def carry_out(transaction: Transaction, commands: Sequence[RelationCommand]) -> list[Result]:
    """Carry out a run of commands about relations."""
    run = _Run(transaction, commands)
    results = [run.relate(each) if isinstance(each, Relate) else run.unrelate(each) for each in commands]
    run.flush()
    return results


class _Run:
    """The nodes, entities and relations that a run of commands touches: looked up at once, written at once."""

    def __init__(self, transaction: Transaction, commands: Sequence[RelationCommand]) -> None:
        self.transaction = transaction
        self._nodes: set[Named] = set()
        self._entities: dict[tuple[str, str, str], str] = {}
        self._by_id: dict[Named, Relation] = {}
        self._salts: dict[Named, bytes] = {}
        self._between: dict[tuple[str, str, str], list[Relation]] = {}
        self._new_entities: list[tuple[int, int, Entity]] = []
        self._joined: list[Joined] = []
        self._retired: list[tuple[str, str, int]] = []
        self._look_up(commands)

    def _look_up(self, commands: Sequence[RelationCommand]) -> None:
        look, asked = self.transaction.looked_up, [each for each in commands if isinstance(each, Relate)]
        ends = {(each.relation.namespace, end) for each in asked for end in _ends(each)}
        self._nodes = {(namespace, node) for namespace, node in look(_NODES, sorted(ends))}
        named = {_name(each.relation.namespace, entity) for each in asked for entity in each.new_entities}
        self._entities = {
            (namespace, folded, kind): node for namespace, folded, kind, node in look(_ENTITIES, sorted(named))
        }
        self._nodes.update((namespace, node) for (namespace, _, _), node in self._entities.items())
        ids = {(each.relation.namespace, each.relation.id) for each in asked}
        ids |= {(each.namespace, each.id) for each in commands if isinstance(each, Unrelate)}
        for values in look(_BY_ID, sorted(ids)):
            found = relation(values)
            self._by_id[found.namespace, found.id] = found
            self._salts[found.namespace, found.id] = bytes.fromhex(values[-1])
        pairs = {(each.relation.namespace, *self._resolved(each)) for each in asked}
        for values in look(_BETWEEN, sorted(pairs)):
            found = relation(values)
            self._between.setdefault((found.namespace, found.source, found.target), []).append(found)

    def _resolved(self, command: Relate) -> tuple[str, str]:
        """Source and target, where an entity to be made exists already under another id."""
        known = {
            entity.id: self._existing_entity(command.relation.namespace, entity) for entity in command.new_entities
        }
        asked = command.relation
        return known.get(asked.source) or asked.source, known.get(asked.target) or asked.target

    def _existing_entity(self, namespace: str, entity: Entity) -> str | None:
        if (namespace, entity.id) in self._nodes:
            return entity.id
        return self._entities.get(_name(namespace, entity))

    def relate(self, command: Relate) -> Result:
        """Add a relation, making the entities it needs, or return the equal current one."""
        asked = command.relation
        namespace = asked.namespace
        new = {e.id: e for e in command.new_entities if self._existing_entity(namespace, e) is None}
        source, target = self._resolved(command)
        for end in (source, target, asked.evidence):
            if end is not None and end not in new and (namespace, end) not in self._nodes:
                return unknown_end(end)
        wanted = written_by(replace(asked, source=source, target=target), self.transaction.actor)
        current = self._equal(wanted) or self._by_id.get((namespace, wanted.id))
        if current is not None:
            if current.id == wanted.id and not is_same_relation(current, wanted):
                return relation_taken(asked.id)
            return Unchanged(relation=current)
        joined = Joined.logged(self.transaction, wanted)
        for end in (source, target):
            if end in new:
                self._make_entity(namespace, new.pop(end), joined.key)
        self._joined.append(joined)
        self._by_id[namespace, wanted.id] = wanted
        self._salts[namespace, wanted.id] = joined.salt
        self._between.setdefault((namespace, source, target), []).append(wanted)
        return Stored(sequence=joined.key, relation=wanted)

    def _make_entity(self, namespace: str, entity: Entity, sequence: int) -> None:
        made = replace(entity, namespace=namespace)
        self._new_entities.append((self.transaction.next_entity(), sequence, made))
        self._nodes.add((namespace, entity.id))
        self._entities[_name(namespace, entity)] = entity.id

    def _equal(self, wanted: Relation) -> Relation | None:
        """The unretired relation with the same ends, type, evidence and validity; none where the wanted one is retired itself."""
        if wanted.retired_at is not None:
            return None
        for found in self._between.get((wanted.namespace, wanted.source, wanted.target), ()):
            if found.retired_at is None and _what(found) == _what(wanted):
                return found
        return None

    def unrelate(self, command: Unrelate) -> Result:
        """Retire a relation."""
        current = self._by_id.get((command.namespace, command.id))
        if current is None:
            return unknown_relation(command.id)
        if current.retired_at is not None:
            return Unchanged(relation=current)
        moment = max(command.at, current.recorded_at)
        sequence = self.transaction.append(
            Action.UNRELATED,
            moment,
            command.namespace,
            relation_id=command.id,
            committed=commitment(relation_hash(current), self._salts[command.namespace, command.id]),
        )
        ended = replace(current, retired_at=moment)
        self._by_id[command.namespace, command.id] = ended
        between = self._between.get((command.namespace, current.source, current.target), [])
        between[:] = [each for each in between if each.id != current.id]
        self._retired.append((command.namespace, command.id, to_micros(moment)))
        return Stored(sequence=sequence, relation=ended)

    def flush(self) -> None:
        """Write all that changed."""
        transaction = self.transaction
        insert_entities(transaction, self._new_entities)
        join(transaction, self._joined)
        transaction.in_pieces(_RETIRED, self._retired)
        if self._retired:
            transaction.reseal(RELATIONSHIP, _ENDED, self._retired)


def _ends(command: Relate) -> Iterable[str]:
    asked = command.relation
    yield asked.source
    yield asked.target
    if asked.evidence is not None:
        yield asked.evidence
    yield from (entity.id for entity in command.new_entities)


def _what(made: Relation) -> tuple[object, ...]:
    return made.type, made.evidence, made.valid_from, made.valid_to


def _name(namespace: str, entity: Entity) -> tuple[str, str, str]:
    return namespace, entity.name.casefold(), entity.kind


def _folded(entity: Entity) -> list[str]:
    """Every name an entity is found by."""
    return sorted({name.casefold() for name in (entity.name, *entity.aliases)})
