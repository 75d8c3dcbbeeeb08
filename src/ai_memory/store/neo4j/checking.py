"""Comparing the store with itself, and repairing its derived parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import neo4j.exceptions
import numpy as np

from ai_memory.store.base import Action
from ai_memory.store.chain import GENESIS, agrees, chain_digest, log_entry, relation_hash
from ai_memory.store.neo4j.database.sealing import broken_vectors, seal_all, seals_broken
from ai_memory.store.neo4j.graveyard import fill, unopened
from ai_memory.store.neo4j.nodes import EDGE, LOG, RECORD, logged, record, record_key, relation
from ai_memory.store.neo4j.relating import LOCATED
from ai_memory.store.neo4j.transaction import Transaction
from ai_memory.store.rules import MEND, PUT_BACK, RESTORE, SEALED_OTHERWISE, UNOPENED
from ai_memory.store.seals import Seals
from ai_memory.store.tombstones import Secret, Tombstones, come_back
from ai_memory.types import LENGTH_TOLERANCE, Problem

Read = Callable[..., list[list[Any]]]

PAGE = 5_000

_MAKING = f"['{Action.REMEMBERED}', '{Action.REVISED}', '{Action.RESTORED}']"

_COUNTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "current_revision",
        "memories have two current revisions, or a current one that is not the latest",
        RESTORE,
        "MATCH (m:Memory)-[:HAS_REVISION]->(r:Revision) WITH m, max(r.key) AS newest, "
        "[key IN collect(CASE WHEN r.retired_at IS NULL THEN r.key END) WHERE key IS NOT NULL] AS current "
        "WHERE size(current) > 1 OR (size(current) = 1 AND current[0] < newest) RETURN count(*)",
    ),
    (
        "current_label",
        "revisions are filed as current that are not, or the other way round",
        RESTORE,
        "MATCH (r:Revision) WHERE (r.retired_at IS NULL) <> (r:Current) RETURN count(*)",
    ),
    (
        "memory_without_revision",
        "memories have no revision",
        RESTORE,
        "MATCH (m:Memory) WHERE NOT EXISTS { (m)-[:HAS_REVISION]->(:Revision) } RETURN count(*)",
    ),
    (
        "revision_intervals",
        "revisions begin before the one before them has ended, or end before they begin",
        RESTORE,
        "MATCH (m:Memory)-[:HAS_REVISION]->(r:Revision) WITH m, r ORDER BY r.key WITH m, collect(r) AS history "
        "UNWIND range(0, size(history) - 1) AS at WITH history[at] AS r, "
        "CASE at WHEN 0 THEN null ELSE history[at - 1] END AS before "
        "WHERE r.retired_at < r.recorded_at OR (before IS NOT NULL AND (before.retired_at IS NULL "
        "OR before.retired_at > r.recorded_at)) RETURN count(*)",
    ),
    (
        "revision_without_log",
        "revisions do not agree with the log entry that made them, or with their memory",
        RESTORE,
        "MATCH (r:Revision) OPTIONAL MATCH (g:LogEntry {sequence: r.key}) OPTIONAL MATCH (m:Memory)-[:HAS_REVISION]->(r) "
        f"WITH r, g, m WHERE g IS NULL OR NOT g.action IN {_MAKING} OR g.memory_id <> r.memory_id "
        "OR g.namespace <> r.namespace "
        "OR coalesce(g.actor, 'unknown') <> coalesce(r.actor, 'unknown') "
        "OR m IS NULL OR m.id <> r.memory_id OR m.namespace <> r.namespace OR m.created_at <> r.created_at "
        "RETURN count(*)",
    ),
    (
        "relation_ends",
        "relations lead from or to something that is gone, or state what a memory said that is gone",
        RESTORE,
        "MATCH (l:Relation) WHERE NOT EXISTS { "
        f"{LOCATED} WHERE type(x) = l.type AND x.id = l.id AND coalesce(x.evidence, '') = coalesce(l.evidence, '') }} "
        "OR (l.evidence IS NOT NULL AND NOT EXISTS { (:Node {namespace: l.namespace, id: l.evidence}) }) RETURN count(*)",
    ),
    (
        "proposal_ends",
        "proposals or feedback are about a memory that is gone",
        RESTORE,
        "MATCH (p:Proposal|Feedback) WHERE NOT EXISTS { (:Node {namespace: p.namespace, id: p.memory_id}) } "
        "OR (p.other_id IS NOT NULL AND NOT EXISTS { (:Node {namespace: p.namespace, id: p.other_id}) }) RETURN count(*)",
    ),
    (
        "relation_stray",
        "relationships in the graph belong to no relation of the store",
        RESTORE,
        "MATCH (:Node)-[x]->(:Node) WHERE NOT EXISTS { (:Relation {key: x.key}) } RETURN count(*)",
    ),
    (
        "occurred",
        "revisions are filed under a wrong instant",
        RESTORE,
        "MATCH (r:Revision) WHERE r.occurred <> coalesce(r.valid_from, r.created_at) RETURN count(*)",
    ),
    (
        "pending",
        "revisions have no vector and are not pending",
        MEND,
        "MATCH (g:Generation) WHERE g.state <> 'retired' MATCH (r:Revision) "
        "WHERE NOT EXISTS { (:Vector {generation: g.number, key: r.key}) } "
        "AND NOT EXISTS { (:Owed {generation: g.number, key: r.key}) } RETURN count(*)",
    ),
    (
        "pending_stray",
        "pending entries belong to revisions that do not exist",
        MEND,
        "MATCH (o:Owed) WHERE NOT EXISTS { (:Revision {key: o.key}) } RETURN count(*)",
    ),
    (
        "vectors_stray",
        "vectors belong to revisions or generations that are gone",
        MEND,
        "MATCH (v:Vector) WHERE NOT EXISTS { (:Revision {key: v.key})-[:HAS_VECTOR]->(v) } "
        "OR NOT EXISTS { (:Generation {number: v.generation}) } RETURN count(*)",
    ),
)
"""Each check's name, what it means when the count is above 0, how to fix it, and the query that counts."""


def check(read: Read, secret: Secret, seals: Seals, progress: Callable[[str], None] | None) -> list[Problem]:
    """As `Store.check`, while no other process writes. `progress` gets the name of each check before it runs."""
    steps: list[tuple[str, Callable[[], Iterator[Problem]]]] = [
        ("chain", lambda: _chain(read)),
        ("seals", lambda: seals_broken(read, seals)),
        ("commitments", lambda: _commitments(read)),
        ("relations", lambda: _relations(read)),
        ("forgotten_present", lambda: _come_back(read, secret)),
        ("tombstones_unopened", lambda: _unopened(read, secret)),
        ("vectors_length", lambda: _lengths(read)),
    ]
    steps += [(each[0], lambda each=each: _counting(read, *each)) for each in _COUNTS]  # type: ignore[misc]
    problems: list[Problem] = []
    for name, step in steps:
        if progress is not None:
            progress(name)
        try:
            problems.extend(step())
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, msgspec.MsgspecError) as error:
            # What a node holds cannot be read as what it should be.
            problems.append(Problem(check=name, message=f"nodes are damaged: {error}", mend=RESTORE))
        except neo4j.exceptions.ClientError as error:  # the server ends the transaction with it
            problems.append(Problem(check=name, message=f"nodes are damaged: {error.message}", mend=RESTORE))
            break
    return problems


def _counting(read: Read, name: str, message: str, mend: str, query: str) -> Iterator[Problem]:
    ((found,),) = read(query)
    if found:
        yield Problem(check=name, message=message, count=found, mend=mend)


def _pages(read: Read, query: str, **values: Any) -> Iterator[list[Any]]:
    """The rows of a query in pages, by the number that each row begins with."""
    after = 0
    while rows := read(query, after=after, limit=PAGE, **values):
        yield from rows
        after = rows[-1][0]


def _chain(read: Read) -> Iterator[Problem]:
    """Recompute every digest of the log, and look for the revisions that it says were made."""
    before, newest = GENESIS, 0
    made: set[int] = set()
    query = f"MATCH (g:LogEntry) WHERE g.sequence > $after RETURN {LOG} ORDER BY g.sequence LIMIT $limit"
    for newest, row in enumerate(_pages(read, query), start=1):
        entry, digest = logged(row)
        expected = chain_digest(before, entry)
        if entry.sequence != newest or digest != expected.hex():
            yield _broken(f"log entry {entry.sequence} was changed, or one before it is missing")
            return
        before = expected
        change = log_entry(entry, digest)
        if change.action in (Action.FORGOTTEN, Action.UNDONE):
            made.difference_update(change.keys)
        else:
            made.update(change.keys)
    ((sequence, end),) = read("MATCH (s:Store {only: true}) RETURN s.sequence, s.digest")
    if (sequence, end) != (newest, before.hex()):
        yield _broken(f"the log ends at entry {newest}, and the store says {sequence}")
    keys = {
        key
        for (key,) in _pages(read, "MATCH (r:Revision) WHERE r.key > $after RETURN r.key ORDER BY r.key LIMIT $limit")
    }
    if lost := made - keys:
        message = "log entries made revisions that are neither there nor forgotten"
        yield Problem(check="log_without_revision", message=message, count=len(lost), mend=RESTORE)


def _broken(message: str) -> Problem:
    return Problem(check="chain", message=message, mend=RESTORE)


def _commitments(read: Read) -> Iterator[Problem]:
    """Revisions against what the log says they were."""
    query = (
        "MATCH (r:Revision) WHERE r.key > $after WITH r ORDER BY r.key LIMIT $limit "
        "OPTIONAL MATCH (g:LogEntry {sequence: r.key}) RETURN r.key, r.content_hash, r.salt, g.content_hash ORDER BY r.key"
    )
    wrong = sum(
        not agrees(_bytes(committed), str(known), _bytes(salt)) for _, known, salt, committed in _pages(read, query)
    )
    if wrong:
        message = "revisions are not what the log says they were"
        yield Problem(check="revision_without_log", message=message, count=wrong, mend=RESTORE)


def _bytes(digits: str | None) -> bytes | None:
    """What hexadecimal digits say; None where there are none."""
    try:
        return bytes.fromhex(digits or "") or None
    except (TypeError, ValueError):
        return None


def _come_back(read: Read, secret: Secret) -> Iterator[Problem]:
    known = Tombstones()
    fill(known, read, secret)
    if not known:
        return
    query = (
        "MATCH (m:Memory) WHERE m.number > $after WITH m ORDER BY m.number LIMIT $limit "
        f"MATCH (m)-[:HAS_REVISION]->(r:Revision) RETURN m.number, {RECORD} ORDER BY m.number, r.key"
    )
    revisions = (
        (record_key(values), number, made.namespace, made)
        for number, *values in _pages(read, query)
        for made in [record(values)]
    )
    if wrong := come_back(revisions, known):
        message = "revisions say what was forgotten before they were made"
        yield Problem(check="forgotten_present", message=message, count=wrong, mend="ai-memory forget")


def _unopened(read: Read, secret: Secret) -> Iterator[Problem]:
    if count := unopened(read, secret):
        yield Problem(check="tombstones_unopened", message=UNOPENED, count=count, mend=PUT_BACK)


def _relations(read: Read) -> Iterator[Problem]:
    """Relations against what the log says they were."""
    query = (
        "MATCH (l:Relation) WHERE l.key > $after WITH l ORDER BY l.key LIMIT $limit "
        f"{LOCATED} OPTIONAL MATCH (g:LogEntry {{sequence: l.key}}) RETURN l.key, g.content_hash, l.salt, {EDGE} ORDER BY l.key"
    )
    wrong = sum(
        not agrees(_bytes(known), relation_hash(relation(values)), _bytes(salt))
        for _, known, salt, *values in _pages(read, query)
    )
    if wrong:
        yield Problem(check="relations", message="relations differ from their log entries", count=wrong, mend=RESTORE)


def _lengths(read: Read) -> Iterator[Problem]:
    wrong = len(_unfit(read))
    if wrong:
        message = (
            "vectors do not have length 1, or not their generation's dimension, or differ from their list of numbers"
        )
        yield Problem(check="vectors_length", message=message, count=wrong, mend=MEND)


def _unfit(read: Read) -> list[tuple[int, int]]:
    """Generation and position of the vectors that are not as they should be."""
    found = []
    for generation, dimension in read("MATCH (g:Generation) RETURN g.number, g.dimension"):
        query = (
            "MATCH (v:Vector) WHERE v.generation = $generation AND v.position > $after WITH v ORDER BY v.position LIMIT $limit "
            "RETURN v.position, v.vector, size(v.embedding), v.embedding[0] ORDER BY v.position"
        )
        for position, blob, size, first in _pages(read, query, generation=generation):
            numbers = np.frombuffer(blob[: len(blob) // 4 * 4], dtype="<f4")
            length = float(np.linalg.norm(numbers.astype(np.float64)))
            if (
                len(blob) != 4 * dimension
                or size != dimension
                or not abs(length - 1) <= LENGTH_TOLERANCE
                or first != numbers[0]
            ):
                found.append((generation, position))
    return found


def repair(transaction: Transaction) -> list[Problem]:
    """As `Store.repair`, inside a write transaction."""
    secret = transaction.graveyard.secret
    seals = transaction.seals
    found = [
        problem
        for problem in check(transaction.rows, secret, seals, None)
        if problem.mend == MEND or problem.check == SEALED_OTHERWISE
    ]
    if not found:
        return []
    seal_all(transaction.rows, seals, others_only=True)
    broken = "UNWIND $rows AS row MATCH (v:Vector) WHERE elementId(v) = row DETACH DELETE v"
    transaction.in_pieces(broken, broken_vectors(transaction.rows, seals))
    transaction.in_pieces(
        "UNWIND $rows AS row MATCH (v:Vector {generation: row[0], position: row[1]}) DETACH DELETE v",
        _unfit(transaction.rows),
    )
    for statement in _REPAIRS:
        transaction.rows(statement)
    left = {(problem.check, problem.message) for problem in check(transaction.rows, secret, seals, None)}
    return [problem for problem in found if (problem.check, problem.message) not in left]


_REPAIRS = (
    "MATCH (v:Vector) WHERE NOT EXISTS { (:Revision {key: v.key})-[:HAS_VECTOR]->(v) } "
    "OR NOT EXISTS { (:Generation {number: v.generation}) } DETACH DELETE v",
    "MATCH (o:Owed) WHERE NOT EXISTS { (:Revision {key: o.key}) } OR NOT EXISTS { (:Generation {number: o.generation}) } "
    "DELETE o",
    "MATCH (g:Generation) WHERE g.state <> 'retired' MATCH (r:Revision) "
    "WHERE NOT EXISTS { (:Vector {generation: g.number, key: r.key}) } MERGE (:Owed {generation: g.number, key: r.key})",
)
