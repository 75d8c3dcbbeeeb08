"""`doctor` finds a changed property of any node or relationship of the graph, and one that was added or removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ai_memory.store.neo4j.database.sealing import KINDS, RELATIONSHIP
from ai_memory.store.neo4j.store import Neo4jStore
from neo4j_server import LINES
from tests.support import neo4j_backend
from tests.support.full_store import another, fill
from tests.support.store_samples import CLOCK

DERIVED = ("LogEntry", "Owed")
"""What has no seals: the chain, and the vectors that are there, show what was changed."""
LOCKED_BY = "turn"
"""Set by every transaction that takes the store's lock, so by the check as well."""
WITH_OTHERS = ("Node", "Current")
"""Labels that a node has in addition to the one of its kind."""


@pytest.fixture(scope="module", params=LINES)
def store(request: pytest.FixtureRequest) -> Iterator[Neo4jStore]:
    server = neo4j_backend.server(request.param)
    neo4j_backend.clean(server)
    with neo4j_backend.open_on(server, CLOCK) as opened:
        fill(opened)
        assert opened.check() == []
        yield opened
    neo4j_backend.clean(server)


def _pattern(kind: str) -> str:
    return KINDS[kind].pattern if kind in KINDS else f"(n:{kind})"


def _write(store: Neo4jStore, query: str, **values: Any) -> None:
    store._connection.write(lambda transaction: transaction.run(query, values).consume())


def test_every_label_is_among_the_kinds(store: Neo4jStore) -> None:
    found = {label for (label,) in store._connection.read("MATCH (n) UNWIND labels(n) AS l RETURN DISTINCT l")}
    known = {*KINDS, *DERIVED, *WITH_OTHERS} - {RELATIONSHIP}
    assert {label for label in found if not label.startswith("Vector_")} == known


@pytest.mark.parametrize("kind", [*KINDS, *DERIVED])
def test_a_changed_property_is_found(store: Neo4jStore, kind: str) -> None:
    """One member for each property that any has: changed, removed, and with one that was added."""
    members = store._connection.read(f"MATCH {_pattern(kind)} RETURN elementId(n), properties(n)")
    assert members, f"the sample has no {kind}"
    of: dict[str, tuple[str, dict[str, Any]]] = {}
    for element, properties in members:
        for name in properties:
            if name != LOCKED_BY:
                of.setdefault(name, (element, properties))
    pattern = "()-[n]->()" if kind == RELATIONSHIP else "(n)"
    missed = []
    for name, (element, properties) in of.items():
        for value in (another(properties[name]), None):
            if value is None and kind not in KINDS:
                continue
            at = f"MATCH {pattern} WHERE elementId(n) = $element SET n += $values"
            _write(store, at, element=element, values={name: value})
            if not store.check():
                missed.append((name, value))
            _write(store, at, element=element, values={name: properties[name]})
    assert missed == []
    assert store.check() == [], "all was put back"


def test_a_changed_node_is_named_and_an_added_property_is_found(store: Neo4jStore) -> None:
    (memory,) = {memory for (memory,) in store._connection.read("MATCH (r:Revision {text: 'six'}) RETURN r.memory_id")}
    _write(store, "MATCH (r:Revision {text: 'six'}) SET r.planted = 1")
    (problem,) = store.check()
    assert (problem.check, problem.count, problem.mend) == ("seals", 1, "restore a backup")
    assert memory in problem.message
    assert "Revision" in problem.message
    _write(store, "MATCH (r:Revision {text: 'six'}) REMOVE r.planted")
    assert store.check() == []


def test_a_changed_vector_is_made_again_by_a_rebuild(store: Neo4jStore) -> None:
    pending = sum(store.pending_count(generation.id) for generation in store.generations())
    ((element, embedding),) = store._connection.read("MATCH (v:Vector) RETURN elementId(v), v.embedding LIMIT 1")
    at = "MATCH (v:Vector) WHERE elementId(v) = $element SET v.embedding = $embedding"
    _write(store, at, element=element, embedding=embedding[::-1])
    assert next(problem.check for problem in store.check()) == "seals"
    assert store.repair() != []
    assert store.check() == []
    assert sum(store.pending_count(generation.id) for generation in store.generations()) == pending + 1
