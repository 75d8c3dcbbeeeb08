"""Reading memories, relations, entities and counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Any

from ai_memory.clock import to_micros
from ai_memory.conditions.meaning import Attribute
from ai_memory.decoding import from_json
from ai_memory.errors import InvalidInputError
from ai_memory.inbox import Feedback, Proposal, ProposalState
from ai_memory.store.cursors import cursor_of, position_of
from ai_memory.store.neo4j.database.connection import Connection
from ai_memory.store.neo4j.nodes import (
    EDGE,
    ENTITY,
    FEEDBACK,
    JOB,
    PROPOSAL,
    RECORD,
    entity,
    feedback,
    job,
    proposal,
    record,
    relation,
)
from ai_memory.store.neo4j.relating import LOCATED
from ai_memory.store.neo4j.selection import Conditions, was_known, was_valid
from ai_memory.types import DECISIONS, Entity, Job, MemoryRecord, Page, Relation, Selection, StoreStats

_LATEST = (
    "UNWIND $ids AS id MATCH (m:Node {namespace: $namespace, id: id}) "
    "CALL (m) { MATCH (m)-[:HAS_REVISION]->(r:Revision) RETURN r ORDER BY r.key DESC LIMIT 1 } "
    f"RETURN {RECORD}"
)
_KNOWN = (
    "UNWIND $ids AS id MATCH (:Node {namespace: $namespace, id: id})-[:HAS_REVISION]->(r:Revision) "
    f"WHERE {was_known('r')} RETURN {RECORD}"
)
_HEAVIEST = (
    "WITH x ORDER BY x.weight DESC WITH collect(x) AS found UNWIND found AS x WITH found, x "
    "WHERE x.weight >= coalesce(found[$heaviest - 1].weight, x.weight) "  # beyond the end of a list is null
)

_NONE_LATER = "NOT EXISTS { (r)<-[:HAS_REVISION]-(:Memory)-[:HAS_REVISION]->(later:Revision) WHERE later.key > r.key }"


def get(
    connection: Connection, namespace: str, ids: Sequence[str], *, known_at: dt.datetime | None = None
) -> list[MemoryRecord | None]:
    """As `Store.get`."""
    if not ids:
        return []
    values = {"namespace": namespace, "ids": list(dict.fromkeys(ids))}
    rows = (
        connection.read(_LATEST, **values)
        if known_at is None
        else connection.read(_KNOWN, known_at=to_micros(known_at), **values)
    )
    found = {made.id: made for made in map(record, rows)}
    return [found.get(memory_id) for memory_id in ids]


def revisions(connection: Connection, namespace: str, memory_id: str) -> list[MemoryRecord]:
    """As `Store.revisions`."""
    rows = connection.read(
        "MATCH (:Node {namespace: $namespace, id: $id})-[:HAS_REVISION]->(r:Revision) "
        f"RETURN {RECORD} ORDER BY r.key",
        namespace=namespace,
        id=memory_id,
    )
    return [record(row) for row in rows]


def select(
    connection: Connection,
    selection: Selection,
    *,
    limit: int,
    cursor: str | None = None,
    newest_first: bool = True,
    retired: bool = False,
) -> Page:
    """As `Store.select`."""
    if limit < 1:
        raise InvalidInputError(f"limit must be at least 1, not {limit}")
    conditions = Conditions(selection, partial(_keys_with, connection, selection.namespace))
    beyond, order = ("<", "DESC") if newest_first else (">", "ASC")
    if cursor is not None:
        occurred, memory_id = position_of(cursor, selection, newest_first, retired)
        conditions.add(
            f"r.occurred {beyond}= $occurred AND (r.occurred {beyond} $occurred OR r.memory_id {beyond} $id)",
            occurred=occurred,
            id=memory_id,
        )
    if retired and selection.known_at is None:
        conditions.add(_NONE_LATER)
    label = "Current" if selection.known_at is None and not retired else "Revision"
    rows = connection.read(
        f"MATCH (r:{label}) WHERE {conditions.cypher} RETURN {RECORD}, r.occurred "
        f"ORDER BY r.occurred {order}, r.memory_id {order} LIMIT $limit",
        **conditions.values,
        limit=limit + 1,
    )
    memories = tuple(map(record, rows[:limit]))
    if len(rows) <= limit:
        return Page(memories=memories)
    *_, occurred = rows[limit - 1]
    return Page(memories=memories, cursor=cursor_of(selection, newest_first, retired, occurred, memories[-1].id))


def _keys_with(connection: Connection, namespace: str, condition: Attribute) -> list[int]:
    """The keys of all revisions for which a condition on an attribute holds.

    Cypher cannot look into JSON text: what may have the attribute is read, and decided here, as everywhere.
    """
    rows = connection.read(
        "MATCH (r:Revision {namespace: $namespace}) WHERE r.attributes CONTAINS $trace RETURN r.key, r.attributes",
        namespace=namespace,
        trace=condition.trace,
    )
    return [key for key, attributes in rows if condition.holds(from_json(attributes, dict[str, Any]))]


def relations(
    connection: Connection,
    namespace: str,
    ids: Sequence[str],
    *,
    types: Sequence[str] = (),
    as_of: dt.datetime | None = None,
    known_at: dt.datetime | None = None,
    heaviest: int | None = None,
) -> list[Relation]:
    """As `Store.relations`."""
    clauses = ["x.retired_at IS NULL" if known_at is None else was_known("x")]
    limits: dict[str, int] = {}
    if as_of is not None:
        clause, limits = was_valid("x", as_of)
        clauses.append(clause)
    if types:
        clauses.append("type(x) IN $types")
    rows = connection.read(
        "UNWIND $ids AS id MATCH (:Node {namespace: $namespace, id: id})-[x]-(:Node) "
        f"WHERE {' AND '.join(clauses)} {'' if heaviest is None else _HEAVIEST}"
        f"WITH DISTINCT x RETURN {EDGE} ORDER BY x.key",
        namespace=namespace,
        ids=list(dict.fromkeys(ids)),
        types=[str(kind) for kind in types],
        **limits,
        known_at=None if known_at is None else to_micros(known_at),
        heaviest=heaviest,
    )
    return [relation(row) for row in rows]


def one_relation(connection: Connection, namespace: str, relation_id: str) -> Relation | None:
    """As `Store.relation`."""
    rows = connection.read(
        f"MATCH (l:Relation {{namespace: $namespace, id: $id}}) {LOCATED} RETURN {EDGE}",
        namespace=namespace,
        id=relation_id,
    )
    return relation(rows[0]) if rows else None


def decisions(connection: Connection, namespace: str) -> list[Relation]:
    """As `Store.decisions`."""
    rows = connection.read(
        "UNWIND $types AS type MATCH (l:Relation {namespace: $namespace, type: type}) "
        f"{LOCATED} RETURN {EDGE} ORDER BY x.key",
        namespace=namespace,
        types=[str(kind) for kind in DECISIONS],
    )
    return [relation(row) for row in rows]


def entities(
    connection: Connection, namespace: str, *, names: Sequence[str] = (), ids: Sequence[str] = ()
) -> list[Entity]:
    """As `Store.entities`."""
    found = []
    if names:
        found.append(
            "UNWIND $names AS name MATCH (:Alias {namespace: $namespace, folded: name})<-[:HAS_ALIAS]-(e:Entity) RETURN e"
        )
    if ids:
        found.append("UNWIND $ids AS id MATCH (e:Node {namespace: $namespace, id: id}) WHERE e:Entity RETURN e")
    source = " UNION ".join(found) or "MATCH (e:Entity {namespace: $namespace}) RETURN e"
    rows = connection.read(
        f"CALL () {{ {source} }} WITH DISTINCT e RETURN {ENTITY} ORDER BY e.number",
        namespace=namespace,
        names=[name.casefold() for name in names],
        ids=list(ids),
    )
    return [entity(row) for row in rows]


def contexts(connection: Connection, namespace: str) -> list[tuple[str, int]]:
    """As `Store.contexts`."""
    rows = connection.read("MATCH (r:Current {namespace: $namespace}) RETURN r.context, count(*)", namespace=namespace)
    return sorted((context, count) for context, count in rows)


def namespaces(connection: Connection) -> list[tuple[str, int]]:
    """As `Store.namespaces`."""
    named = connection.read("MATCH (m:Memory) RETURN DISTINCT m.namespace")
    counted = connection.read("MATCH (r:Current) RETURN r.namespace, count(*)")
    counts: dict[str, int] = {str(name): int(count) for name, count in counted}
    return sorted((namespace, counts.get(namespace, 0)) for (namespace,) in named)


def stats(connection: Connection, namespace: str | None = None) -> StoreStats:
    """As `Store.stats`."""
    here = "" if namespace is None else " {namespace: $namespace}"
    pending = "MATCH (o:Owed {generation: active})"
    if namespace is not None:
        pending += " MATCH (:Revision {key: o.key, namespace: $namespace})"
    counts = {
        "revisions": f"MATCH (n:Revision{here})",
        "all": f"MATCH (n:Memory{here})",
        "entities": f"MATCH (n:Entity{here})",
        "tombstones": f"MATCH (n:Tombstone{here})",
        "relations": f"MATCH (:Node{here})-[x]->(:Node) WHERE x.retired_at IS NULL",
        "pending": pending,
    }
    asked = ", ".join(f"COUNT {{ {source} }}" for source in counts.values())
    # The generation first: a statement sees what others commit while it runs, and a first one comes with all its pending
    # revisions.
    ((active, *counted),) = connection.read(
        f"OPTIONAL MATCH (g:Generation {{state: 'active'}}) WITH g.number AS active RETURN active, {asked}",
        namespace=namespace,
    )
    found = dict(zip(counts, counted, strict=True))
    types = connection.read(f"MATCH (r:Current{here}) RETURN r.type, count(*) ORDER BY r.type", namespace=namespace)
    by_type = {str(name): int(count) for name, count in types}
    unretired = sum(by_type.values())
    return StoreStats(
        memories=unretired,
        revisions=found["revisions"],
        retired=found["all"] - unretired,
        relations=found["relations"],
        entities=found["entities"],
        tombstones=found["tombstones"],
        pending=found["revisions"] if active is None else found["pending"],
        by_type=by_type,
    )


def jobs(
    connection: Connection, *, kind: str | None = None, states: Sequence[str] = (), since: dt.datetime | None = None
) -> list[Job]:
    """As `Store.jobs`."""
    rows = connection.read(
        "MATCH (j:Job) WHERE ($kind IS NULL OR j.kind = $kind) AND (size($states) = 0 OR j.state IN $states) "
        "AND ($since IS NULL OR j.updated_at >= $since) "
        f"RETURN {JOB} ORDER BY j.created_at DESC, j.id DESC",
        kind=kind,
        states=list(states),
        since=None if since is None else to_micros(since),
    )
    return [job(row) for row in rows]


def proposals(
    connection: Connection,
    namespace: str,
    *,
    ids: Sequence[str] = (),
    memories: Sequence[str] = (),
    states: Sequence[ProposalState] = (),
) -> list[Proposal]:
    """As `Store.proposals`."""
    rows = connection.read(
        "MATCH (p:Proposal {namespace: $namespace}) WHERE (size($ids) = 0 OR p.id IN $ids) "
        "AND (size($states) = 0 OR p.state IN $states) "
        "AND (size($memories) = 0 OR p.memory_id IN $memories OR p.other_id IN $memories) "
        f"RETURN {PROPOSAL} ORDER BY p.key DESC",
        namespace=namespace,
        ids=list(ids),
        memories=list(memories),
        states=[str(state) for state in states],
    )
    return [proposal(row) for row in rows]


def all_feedback(connection: Connection, namespace: str, memories: Sequence[str] = ()) -> list[Feedback]:
    """As `Store.feedback`."""
    rows = connection.read(
        "MATCH (f:Feedback {namespace: $namespace}) WHERE size($memories) = 0 OR f.memory_id IN $memories "
        f"RETURN {FEEDBACK} ORDER BY f.key",
        namespace=namespace,
        memories=list(memories),
    )
    return [feedback(row) for row in rows]
