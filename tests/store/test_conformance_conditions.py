"""The store's contract on every backend: conditions on attributes, and AND, OR and NOT over all filters."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ai_memory.errors import InvalidInputError
from ai_memory.store.base import Store, Stored
from ai_memory.store.ids import new_id
from ai_memory.types import MemoryRecord, Selection
from tests.support.condition_oracle import CONDITIONS, CONTENT, USERS, holds
from tests.support.store_samples import START, kept, remember, retire, revise, texts

pytest_plugins = ["tests.support.store_backends"]

POPULATION = 40


def listed(store: Store, where: dict[str, Any], **more: Any) -> set[str]:
    return {each.id for each in store.select(Selection(where=where, **more), limit=POPULATION * 2).memories}


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(st.lists(st.tuples(CONTENT, USERS), min_size=POPULATION, max_size=POPULATION), st.data())
def test_a_condition_means_what_the_page_says(
    store: Store, backend: str, contents: list[Any], data: st.DataObject
) -> None:
    namespace = new_id("ns_", START)
    written = store.write(
        [
            remember(f"text {at}", namespace=namespace, user=user, **content)
            for at, (content, user) in enumerate(contents)
        ]
    )
    records = [result.record for result in written if isinstance(result, Stored) and result.record is not None]
    assert len(records) == POPULATION
    count = 60 if backend == "sqlite" else 6  # Neo4j plans each condition anew
    for where in data.draw(st.lists(CONDITIONS, min_size=count, max_size=count)):
        assert listed(store, where, namespace=namespace) == {each.id for each in records if holds(where, each)}, where


@pytest.fixture
def shop(store: Store) -> list[MemoryRecord]:
    """Three memories: an old price, a list, and no attributes at all."""
    return [
        kept(store, "tea", attributes={"price": 4, "address": {"city": "Riga"}}, tags=("x",), at=START),
        kept(store, "cup", attributes={"price": 9.5, "colours": ["red", "blue"]}, at=START),
        kept(store, "shop", user="ann", at=START),
    ]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"attributes.price": 4.0}, ["tea"]),
        ({"attributes.price": {"$gt": 4}}, ["cup"]),
        ({"attributes.price": {"$gte": 4, "$lt": 9}}, ["tea"]),
        ({"attributes.price": "4"}, []),
        ({"attributes.address.city": {"$in": ["Oslo", "Riga"]}}, ["tea"]),
        ({"attributes": {"address": {"city": "Riga"}}}, ["tea"]),
        ({"attributes.colours": "blue"}, ["cup"]),
        ({"attributes.address": {"$exists": True}}, ["tea"]),
        ({"attributes.address": {"$exists": False}}, ["cup", "shop"]),
        ({"attributes.price": {"$ne": 4}}, ["cup", "shop"]),
        ({"$or": [{"user": ["ann"]}, {"attributes.price": 4}]}, ["tea", "shop"]),
        ({"$not": {"tags": ["X"]}}, ["cup", "shop"]),
        ({"$not": {"author": ["eve"]}}, ["tea", "cup", "shop"]),
        ({"$and": [{"tags": ["x"]}, {"$not": {"attributes.price": {"$gt": 5}}}]}, ["tea"]),
        ({"tags": ["x"], "attributes.price": 9.5}, []),
    ],
)
def test_conditions(store: Store, shop: list[MemoryRecord], where: dict[str, Any], expected: list[str]) -> None:
    assert sorted(texts(store, Selection(where=where))) == sorted(expected)


def test_the_revision_that_is_looked_at_decides(store: Store, shop: list[MemoryRecord]) -> None:
    tea, cup, _ = shop
    store.write([revise(tea, "tea", attributes={"price": 5}), retire(cup)])
    assert texts(store, Selection(where={"attributes.price": {"$exists": True}})) == ["tea"]
    assert texts(store, Selection(where={"attributes.price": 4})) == []
    assert texts(store, Selection(where={"attributes.price": 4}, known_at=START)) == ["tea"]
    assert texts(store, Selection(where={"$not": {"context": "work"}, "attributes.price": 9.5}, known_at=START)) == [
        "cup"
    ]
    page = store.select(Selection(where={"attributes.price": 9.5}), limit=5, retired=True)
    assert [each.text for each in page.memories] == ["cup"]


def test_pages_of_a_condition_join_without_a_gap(store: Store) -> None:
    chosen = random.Random(5)
    prices = [chosen.randrange(4) for _ in range(60)]
    for at, price in enumerate(prices):
        kept(store, f"text {at}", attributes={"price": price})
    selection = Selection(where={"attributes.price": {"$in": [1, 3]}})
    found, cursor = [], None
    while True:
        page = store.select(selection, limit=7, cursor=cursor, newest_first=False)
        found += [each.attributes["price"] for each in page.memories]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [price for price in prices if price in (1, 3)]
    first = store.select(selection, limit=7)
    with pytest.raises(InvalidInputError, match="another selection"):
        store.select(Selection(where={"attributes.price": 1}), limit=7, cursor=first.cursor)


def test_nothing_crosses_the_namespace(store: Store) -> None:
    mine = kept(store, "mine", attributes={"price": 1})
    kept(store, "theirs", namespace="other", attributes={"price": 1})
    assert listed(store, {"attributes.price": 1}) == {mine.id}
    assert listed(store, {"$not": {"attributes.price": 2}}) == {mine.id}
