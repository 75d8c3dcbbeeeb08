"""What is read from a memory holds as long as the memory does, in every answer about the graph."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory import Memory


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(data_dir=tmp_path / "data", model="none", timezone="UTC") as opened:
        yield opened


def day(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def jobs(memory: Memory, as_of: str | None = None) -> set[str]:
    """Where Anna works, by neighbours, by the graph and by paths, which agree."""
    near = memory.neighbours("entity:Anna Petrova", types=["WORKS_AT"], as_of=as_of).neighbours
    found = {each.label for each in near}
    around = memory.graph("entity:Anna Petrova", types=["WORKS_AT"], as_of=as_of)
    labels = {node.id: node.label for node in around.nodes}
    assert {labels[edge.target] for edge in around.edges} == found
    for label in {"Initech", "Hooli"} & set(labels.values()):
        assert memory.path("entity:Anna Petrova", f"entity:{label}", types=["WORKS_AT"], as_of=as_of).paths
    return found


def test_a_job_that_ended_is_not_beside_the_new_one(memory: Memory) -> None:
    first = memory.remember("Anna Petrova works at Initech.", valid_from="2020-01-01")
    memory.remember("Anna Petrova works at Hooli.", valid_from="2024-06-01", supersedes=[str(first.memory_id)])
    assert jobs(memory, "2019-12-31") == set()
    assert jobs(memory, "2022-01-01") == {"Initech"}
    assert jobs(memory, "2024-05-31") == {"Initech"}
    assert jobs(memory, "2024-06-01") == {"Hooli"}
    assert jobs(memory) == {"Initech", "Hooli"}
    spans = {
        each.label: (each.relation.valid_from, each.relation.valid_to)
        for each in memory.neighbours("entity:Anna Petrova", types=["WORKS_AT"]).neighbours
    }
    assert spans == {"Initech": (day("2020-01-01"), day("2024-06-01")), "Hooli": (day("2024-06-01"), None)}


def test_mentions_hold_as_long_as_the_memory(memory: Memory) -> None:
    memory.remember("Anna Petrova met Boris Ivanov.", valid_from="2020-01-01", valid_to="2021-01-01")
    found = memory.neighbours("entity:Boris Ivanov", types=["MENTIONS"]).neighbours
    assert [(each.relation.valid_from, each.relation.valid_to) for each in found] == [
        (day("2020-01-01"), day("2021-01-01"))
    ]
    assert memory.neighbours("entity:Boris Ivanov", types=["MENTIONS"], as_of="2020-06-01").neighbours
    assert not memory.neighbours("entity:Boris Ivanov", types=["MENTIONS"], as_of="2021-06-01").neighbours


@pytest.mark.parametrize(
    ("text", "valid_from", "valid_to", "held"),
    [
        ("Anna Petrova works at Acme.", None, None, (None, None)),
        ("Anna Petrova works at Acme since May 2019.", "2024-01-01", None, ("2019-05-01", None)),
        ("Anna Petrova works at Acme since May 2019.", "2024-01-01", "2025-01-01", ("2019-05-01", "2025-01-01")),
        ("Anna Petrova worked at Acme from 2015 to 2019.", "2024-01-01", None, ("2015-01-01", "2020-01-01")),
        ("Anna Petrova worked at Acme from 2015 to 2019.", "2024-01-01", "2025-01-01", ("2015-01-01", "2020-01-01")),
        ("Anna Petrova no longer works at Acme.", "2024-01-01", None, (None, "2024-01-01")),
    ],
)
def test_a_statements_own_dates_come_first(
    memory: Memory, text: str, valid_from: str | None, valid_to: str | None, held: tuple[str | None, str | None]
) -> None:
    memory.remember(text, valid_from=valid_from, valid_to=valid_to)
    (works,) = [each.relation for each in memory.neighbours("entity:Anna Petrova", types=["WORKS_AT"]).neighbours]
    assert (works.valid_from, works.valid_to) == tuple(None if at is None else day(at) for at in held)


def test_kinds_are_compared_without_case(memory: Memory) -> None:
    memory.remember("Anna Petrova works at Acme.")
    assert {each.entity.name for each in memory.entities(kinds=["PERSON"]).entities} == {"Anna Petrova"}
    assert [each.label for each in memory.neighbours("entity:Acme", kinds=["Person"]).neighbours] == ["Anna Petrova"]
    assert "Anna Petrova" in {node.label for node in memory.graph("entity:Acme", kinds=["pErson"]).nodes}
