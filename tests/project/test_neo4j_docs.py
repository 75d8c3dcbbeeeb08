"""The Cypher on the page about Neo4j runs on the servers it is said to run on, and finds what it is said to find."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ai_memory.clock import ManualClock
from ai_memory.store.base import VectorRow
from ai_memory.store.neo4j.database.address import parse_address
from ai_memory.text.analysis import analyse
from neo4j_server import LINES
from tests.support import neo4j_backend
from tests.support.store_samples import START, entity, identity, kept, one, relate, related, revise, unit

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "neo4j.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```cypher\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) == 6
    assert sum(example.startswith("CYPHER 25") for example in EXAMPLES) == 1


@pytest.mark.parametrize("line", LINES)
def test_every_example_finds_what_is_there(line: str) -> None:
    server = neo4j_backend.server(line)
    neo4j_backend.clean(server)
    connection = neo4j_backend.connect(parse_address(server.uri), server.password)
    connection.verify()
    connection.change_schema("DROP INDEX ai_memory_vectors_1 IF EXISTS")  # of another dimension, by an earlier test
    with neo4j_backend.open_on(server, ManualClock(START)) as store:
        generation = store.create_generation(identity(), activate=True)
        assert generation.id == 1
        record, thing = kept(store, "the gateway listens on port 443"), entity("Atlas")
        one(store, revise(record, "the gateway listens on port 8443"))
        kept(store, "the gateway of another", namespace="other")
        related(store, relate(record.id, thing.id, "MENTIONS", new_entities=[thing]))
        for revision in store.pending(1, limit=10):
            rows = [VectorRow(key=revision.key, passage=0, vector=unit(1, revision.key, 0, 0))]
            store.put_vectors(1, rows, [revision.key])
    connection.read("CALL db.awaitIndexes(60)")
    connection.read("CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()")
    values = {
        "namespace": "default",
        "id": record.id,
        "words": " ".join(analyse("gateway")),
        "vector": [1.0, 2.0, 0.0, 0.0],
    }
    try:
        for example in EXAMPLES:
            if connection.cypher_25 or not example.startswith("CYPHER 25"):
                found = connection.read(example, **values)
                assert found, example
                assert "another" not in str(found), example
    finally:
        connection.close()
