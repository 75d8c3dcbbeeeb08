"""Forgetting: everything about a memory leaves the graph, and a tombstone of what it said stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ai_memory.store.base import Action, Exclude, Forget, Relate, Result, Stored, Unchanged
from ai_memory.store.neo4j.graveyard import buried
from ai_memory.store.neo4j.relating import LOCATED
from ai_memory.store.neo4j.relating import carry_out as relate
from ai_memory.store.neo4j.transaction import Transaction
from ai_memory.store.rules import refuse, too_many_stores
from ai_memory.store.tombstones import Entry, Trace, is_own
from ai_memory.types import RelationType

_REVISIONS = (
    "UNWIND $rows AS row MATCH (:Node {namespace: row[0], id: row[1]})-[:HAS_REVISION]->(r:Revision) "
    "RETURN r.namespace, r.memory_id, r.key, r.revision, r.text ORDER BY r.key"
)
_PENDING = "UNWIND $rows AS row MATCH (o:Owed {key: row}) DELETE o"
_VECTORS = "UNWIND $rows AS row MATCH (:Revision {key: row})-[:HAS_VECTOR]->(v:Vector) DETACH DELETE v"
_ENTITIES = (
    "UNWIND $rows AS row MATCH (:Node {namespace: row[0], id: row[1]})--(e:Entity) RETURN DISTINCT e.namespace, e.id"
)
_EVIDENCED, _DECIDED = (
    f"UNWIND $rows AS row MATCH (l:Relation {{namespace: row[0], {which}: row[1]}}) {LOCATED} "
    "WITH DISTINCT l, x, startNode(x) AS a, endNode(x) AS b DELETE x DETACH DELETE l "
    "WITH a, b UNWIND [a, b] AS e WITH DISTINCT e WHERE e:Entity RETURN e.namespace, e.id"
    for which in ("evidence", "id")
)
_LOCATORS = (
    "UNWIND $rows AS row MATCH (:Node {namespace: row[0], id: row[1]})-[x]-(:Node) "
    "MATCH (l:Relation {key: x.key}) WITH DISTINCT l DELETE l"
)
_MEMORIES = (
    "UNWIND $rows AS row MATCH (m:Node {namespace: row[0], id: row[1]}) "
    "OPTIONAL MATCH (m)-[:HAS_REVISION]->(r:Revision) DETACH DELETE r, m"
)
_DIGESTS = (
    f"UNWIND $rows AS row MATCH (d:Node)-[:{RelationType.DIGEST_OF}]->(m:Node {{namespace: row[0], id: row[1]}}) "
    "RETURN DISTINCT m.namespace, m.id, d.id ORDER BY d.id"
)
_REQUESTS = (
    "UNWIND $rows AS row MATCH (a:Answer {namespace: row[0]}) WHERE any(each IN a.memories WHERE each IN row[1]) "
    "REMOVE a.request_digest"
)
_PROPOSALS, _OTHERS, _FEEDBACK = (
    f"UNWIND $rows AS row MATCH (p:{label} {{namespace: row[0], {which}: row[1]}}) DELETE p"
    for label, which in (("Proposal", "memory_id"), ("Proposal", "other_id"), ("Feedback", "memory_id"))
)
_UNSUPPORTED = (
    "UNWIND $rows AS row MATCH (e:Node {namespace: row[0], id: row[1]}) WHERE NOT EXISTS { (e)--(:Node) } "
    "OPTIONAL MATCH (e)-[:HAS_ALIAS]->(a:Alias) DETACH DELETE a, e"
)


def carry_out(transaction: Transaction, commands: Sequence[Forget]) -> list[Result]:
    """Carry out a run of commands that forget: each decided alone, all erased at once."""
    histories: dict[tuple[str, str], list[tuple[int, int, str]]] = {}
    named = list(dict.fromkeys((command.namespace, command.id) for command in commands))
    for namespace, memory_id, *revision in transaction.looked_up(_REVISIONS, named):
        histories.setdefault((namespace, memory_id), []).append(tuple(revision))
    repeating: dict[tuple[str, str], list[str]] = {}
    for namespace, memory_id, digest in transaction.looked_up(_DIGESTS, named):
        repeating.setdefault((namespace, memory_id), []).append(digest)
    digests: dict[tuple[str, str], list[str]] = {}
    results: list[Result] = []
    gone: dict[tuple[str, str], list[int]] = {}
    tombstones: list[Sequence[Any]] = []
    decisions: list[tuple[str, str]] = []
    left: list[Relate] = []
    for command in commands:
        name = (command.namespace, command.id)
        history = histories.get(name)
        refusal = refuse(history[-1][1] if history else None, command.id, command.if_revision)
        if refusal is not None:
            results.append(refusal)
            continue
        assert history is not None
        keys = [key for key, _, _ in histories.pop(name)]
        sequence = transaction.append(
            Action.FORGOTTEN, command.at, command.namespace, memory_id=command.id, erased=keys, reason=command.reason
        )
        gone[name] = keys
        for text in () if command.lapsed else dict.fromkeys(text for _, _, text in history):
            trace = Trace.of(text)
            row, values = buried(transaction.graveyard.secret, command.namespace, trace, sequence)
            tombstones.append(values)
            transaction.refusing.add(command.namespace, Entry(row, sequence, command.id, trace))
        decisions.extend((command.namespace, decision) for decision in command.decisions)
        left.extend(command.left)
        digests[name] = repeating.get(name, [])
        results.append(Stored(sequence=sequence, memory_id=command.id, digests=tuple(digests[name])))
    transaction.bury(tombstones)
    touched = _erase(transaction, gone)
    touched |= {tuple(row) for row in transaction.looked_up(_DECIDED, decisions)}
    if left:
        relate(transaction, left)
    transaction.in_pieces(_UNSUPPORTED, sorted(touched))
    rest = dict.fromkeys((namespace, digest) for (namespace, _), each in digests.items() for digest in each)
    more = [Forget(id=digest, namespace=namespace, at=commands[0].at, lapsed=True) for namespace, digest in rest]
    if more:
        carry_out(transaction, [each for each in more if (each.namespace, each.id) not in gone])
    return results


def exclude(transaction: Transaction, commands: Sequence[Exclude]) -> list[Result]:
    """Carry out a run of commands that bring tombstones of an archive."""
    refusing, store_id = transaction.refusing, transaction.graveyard.store_id
    results: list[Result] = []
    new: list[Sequence[Any]] = []
    for command in commands:
        brought = command.tombstone
        salt, digest = bytes.fromhex(brought.salt), bytes.fromhex(brought.digest)
        if refusing.has(brought.namespace, salt, digest) or is_own(
            brought, refusing.traces(brought.namespace), store_id
        ):
            results.append(Unchanged())
            continue
        if refusing.is_full(brought.namespace, salt):
            results.append(too_many_stores(brought.namespace))
            continue
        sequence = transaction.append(Action.EXCLUDED, command.at, brought.namespace)
        new.append((brought.namespace, brought.digest, brought.other_digest, brought.salt, sequence))
        refusing.add(brought.namespace, Entry(digest, sequence, None), salt, bytes.fromhex(brought.other_digest))
        results.append(Stored(sequence=sequence))
    transaction.bury(new)
    return results


def _erase(transaction: Transaction, gone: dict[tuple[str, str], list[int]]) -> set[tuple[str, str]]:
    """Erase memories with their relations; the entities that these led from or to."""
    names, keys = list(gone), [key for keys in gone.values() for key in keys]
    transaction.in_pieces(_PENDING, keys)
    transaction.in_pieces(_VECTORS, keys)
    touched = {tuple(row) for row in transaction.looked_up(_ENTITIES, names)}
    touched |= {tuple(row) for row in transaction.looked_up(_EVIDENCED, names)}
    transaction.in_pieces(_LOCATORS, names)
    transaction.in_pieces(_MEMORIES, names)
    for query in (_PROPOSALS, _OTHERS, _FEEDBACK):
        transaction.in_pieces(query, names)
    ids: dict[str, list[str]] = {}
    for namespace, memory_id in names:
        ids.setdefault(namespace, []).append(memory_id)
    transaction.in_pieces(_REQUESTS, list(ids.items()))
    if ids:
        transaction.reseal("Answer", "UNWIND $rows AS row MATCH (n:Answer {namespace: row})", list(ids))
    return touched
