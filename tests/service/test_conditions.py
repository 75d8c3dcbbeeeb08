"""`where`, `min_score` and `min_relevance` through the service: before ranking, and refused by name where they are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Memory
from ai_memory.errors import InvalidInputError, TooLargeError


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(data_dir=tmp_path, model="none", timezone="Europe/Riga") as opened:
        for price in range(30):
            opened.remember(
                f"green tea number {price}", attributes={"price": price}, tags=["even"] if price % 2 == 0 else []
            )
        yield opened


def prices(hits: Any) -> list[int]:
    return sorted(hit.memory.attributes["price"] for hit in hits)


def test_a_condition_applies_before_ranking(memory: Memory) -> None:
    answer = memory.recall("green tea", limit=5, where={"attributes.price": {"$gte": 25}})
    assert prices(answer.hits) == [25, 26, 27, 28, 29]
    assert answer.searched.memories == 5
    assert memory.recall("green tea", where={"attributes.price": 99}).reason == "no memory passes the filters"


def test_a_condition_selects_in_every_operation_that_filters(memory: Memory) -> None:
    where = {"$and": [{"tags": "even"}, {"$not": {"attributes.price": {"$lt": 26}}}]}
    assert sorted(each.attributes["price"] for each in memory.list(where=where).memories) == [26, 28]
    assert memory.timeline(where=where, bucket="year").buckets[0].count == 2
    assert memory.forget_many(where=where).forgotten == 2
    assert memory.forget_many(where=where, dry_run=False).forgotten == 2
    assert prices(memory.recall("green tea", where={"attributes.price": {"$gte": 26}}).hits) == [27, 29]


def test_a_condition_follows_a_revision(memory: Memory) -> None:
    (first,) = memory.list(where={"attributes.price": 3}).memories
    memory.recall("green tea")
    memory.revise(first.id, attributes={"price": 300})
    assert memory.recall("green tea", where={"attributes.price": 3}).hits == ()
    assert prices(memory.recall("green tea", where={"attributes.price": {"$gt": 100}}).hits) == [300]


def test_a_date_in_a_condition_begins_at_the_users_midnight(memory: Memory) -> None:
    memory.remember("late", valid_from="2026-03-13T22:30:00Z")
    for where in ({"occurred_after": "2026-03-14"}, {"$not": {"occurred_before": "2026-03-14"}}):
        texts = {each.text for each in memory.list(where={"$and": [where, {"occurred_before": "2026-03-15"}]}).memories}
        assert texts == {"late"}


def test_least_relevance_and_score(memory: Memory) -> None:
    every = memory.recall("green tea number 7", limit=30).hits
    best = every[0]
    answer = memory.recall("green tea number 7", limit=30, min_score=best.score)
    assert [hit.memory.id for hit in answer.hits] == [hit.memory.id for hit in every if hit.score >= best.score]
    assert any(notice.code == "below_least" for notice in answer.notices)
    relevance = sorted(hit.confidence for hit in every)[-2]
    kept = memory.recall("green tea number 7", limit=30, min_relevance=relevance).hits
    assert [hit.confidence for hit in kept] == [hit.confidence for hit in every if hit.confidence >= relevance]
    none = memory.recall("green tea", min_relevance=1.0, format="context")
    assert none.hits == ()
    assert none.abstained
    assert "min_relevance" in (none.reason or "")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({}, "where: an empty condition"),
        ("[1]", "where is not a JSON object"),
        ("{", "where is not a JSON object"),
        (7, "where: a condition is an object"),
        ({"price": 4}, r"there is no filter price"),
        ({"type": "code"}, "did you mean types"),
        ({"namespace": "other"}, "namespace cannot be part of a condition"),
        ({"known_at": "2026-01-01"}, "known_at cannot be part of a condition"),
        ({"$nor": [{"tags": "x"}]}, r"there is no \$nor here"),
        ({"$or": []}, "an empty list"),
        ({"$or": {"tags": "x"}}, "an object"),
        ({"$not": []}, "a condition is an object"),
        ({"tags": []}, "an empty filter"),
        ({"tags": None}, "expected"),
        ({"min_importance": 2}, r"where.min_importance: expected a number of at most 1"),
        ({"attributes.": {"$exists": 1}}, "true or false, not a number"),
        ({"attributes.a": {"$gt": True}}, "compares numbers or texts, not true"),
        ({"attributes.a": {"$gt": 1, "b": 2}}, "cannot be mixed"),
        ({"attributes.a": {"$like": "x"}}, r"there is no operator \$like"),
        ({"attributes.a": ["x"]}, "not a list"),
        ({"attributes.a": float("nan")}, "nan is not a number"),
        ({"attributes.a": "\ud800"}, "half of a surrogate pair"),
        ({"attributes.\ud800": 1}, "half of a surrogate pair"),
        ({"attributes": {}}, "an empty condition"),
    ],
)
def test_what_is_wrong_is_named(memory: Memory, where: Any, message: str) -> None:
    for ask in (memory.list, lambda **fields: memory.recall("tea", **fields), memory.forget_many):
        with pytest.raises(InvalidInputError, match=message):
            ask(where=where)


@pytest.mark.parametrize("size", ["many", "deep", "values", "text"])
def test_limits(memory: Memory, size: str) -> None:
    deep: dict[str, Any] = {"tags": "x"}
    for _ in range(5_000):
        deep = {"$not": deep}
    sizes: dict[str, Any] = {
        "many": {"$or": [{"attributes.a": at} for at in range(500)]},
        "deep": deep,
        "values": {"attributes.a": {"$in": list(range(1_001))}},
        "text": '{"$not":' * 5_000 + "1" + "}" * 5_000,
    }
    with pytest.raises(InvalidInputError) as refused:
        memory.list(where=sizes[size])
    assert isinstance(refused.value, TooLargeError) or size == "text"
