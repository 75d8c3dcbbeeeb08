"""Conformance of stores for LangGraph: ours in process and over HTTP, and LangGraph's own two.

Usage: langgraph_store.py URL FOLDER. Prints a JSON object: for each store, the checks that failed, with the reason.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import ours  # noqa: F401
from langgraph.store.base import GetOp, InvalidNamespaceError, ListNamespacesOp, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore

from ai_memory import Client, Memory
from ai_memory.integrations.langgraph import LangGraphStore

CHECKS: dict[str, Callable[[Any], None]] = {}


def check(function: Callable[[Any], None]) -> Callable[[Any], None]:
    CHECKS[function.__name__] = function
    return function


def keys(items: Any) -> list[str]:
    return [item.key for item in items]


@check
def get_put_and_delete(store: Any) -> None:
    space = ("gpd", "a")
    assert store.get(space, "k") is None
    store.put(space, "k", {"text": "hello", "n": 1, "deep": {"list": [1, {"x": None}]}})
    item = store.get(space, "k")
    assert item.value == {"text": "hello", "n": 1, "deep": {"list": [1, {"x": None}]}}
    assert (item.namespace, item.key) == (space, "k")
    store.delete(space, "k")
    assert store.get(space, "k") is None
    store.delete(space, "k")


@check
def put_replaces_the_whole_value(store: Any) -> None:
    store.put(("replace",), "k", {"a": 1, "b": 2})
    store.put(("replace",), "k", {"a": 3})
    assert store.get(("replace",), "k").value == {"a": 3}


@check
def created_stays_and_updated_moves(store: Any) -> None:
    store.put(("times",), "k", {"text": "one"})
    first = store.get(("times",), "k")
    time.sleep(1.1)
    store.put(("times",), "k", {"text": "two"})
    second = store.get(("times",), "k")
    assert second.created_at == first.created_at, "created_at moved"
    assert second.updated_at > first.updated_at, "updated_at stayed"
    assert first.created_at.tzinfo is not None, "created_at has no zone"


@check
def what_was_deleted_can_be_put_again(store: Any) -> None:
    for _ in range(2):
        store.put(("again",), "k", {"text": "the same"})
        assert store.get(("again",), "k").value == {"text": "the same"}
        store.delete(("again",), "k")
    store.put(("again",), "other", {"text": "first"})
    store.put(("again",), "other", {"text": "the same"})
    assert store.get(("again",), "other").value == {"text": "the same"}


@check
def namespaces_and_keys_are_exact(store: Any) -> None:
    for at, (space, key) in enumerate(
        [
            (("exact", "a"), "k"),
            (("exact", "A"), "k"),
            (("exact", "a/b"), "k"),
            (("exact", "a"), "K"),
            (("exact", "a "), "k"),
            (("exact", "ключ", "🙂"), "k k"),
            (("exact", "a", "k"), "k"),
        ]
    ):
        store.put(space, key, {"n": at})
    assert store.get(("exact", "a"), "k").value == {"n": 0}
    assert store.get(("exact", "A"), "k").value == {"n": 1}
    assert store.get(("exact", "a/b"), "k").value == {"n": 2}
    assert store.get(("exact", "a"), "K").value == {"n": 3}
    assert store.get(("exact", "a "), "k").value == {"n": 4}
    assert store.get(("exact", "ключ", "🙂"), "k k").value == {"n": 5}


@check
def a_prefix_is_of_labels_not_of_letters(store: Any) -> None:
    store.put(("pre", "user"), "k", {"n": 1})
    store.put(("pre", "users"), "k", {"n": 2})
    store.put(("pre", "user", "deep"), "k", {"n": 3})
    assert sorted(item.value["n"] for item in store.search(("pre", "user"))) == [1, 3]


@check
def filters_compare(store: Any) -> None:
    for n in range(5):
        store.put(("filter",), str(n), {"n": n, "name": f"item {n}", "even": n % 2 == 0, "deep": {"n": n}})
    store.put(("filter",), "none", {"other": 1})

    def found(**filter_: Any) -> list[str]:
        return sorted(keys(store.search(("filter",), filter=filter_, limit=20)))

    assert found(n=2) == ["2"]
    assert found(name="item 3") == ["3"]
    assert found(even=True) == ["0", "2", "4"]
    assert found(n={"$eq": 1}) == ["1"]
    assert found(n={"$gt": 2}) == ["3", "4"]
    assert found(n={"$gte": 2, "$lt": 4}) == ["2", "3"]
    assert found(n={"$lte": 1}, even=False) == ["1"]


@check
def not_equal_takes_what_is_missing(store: Any) -> None:
    store.put(("ne",), "a", {"n": 1})
    store.put(("ne",), "b", {"n": 2})
    store.put(("ne",), "c", {"m": 2})
    assert sorted(keys(store.search(("ne",), filter={"n": {"$ne": 1}}))) == ["b", "c"]


@check
def a_nested_filter(store: Any) -> None:
    store.put(("nested",), "a", {"deep": {"n": 1, "m": 1}})
    store.put(("nested",), "b", {"deep": {"n": 2}})
    assert keys(store.search(("nested",), filter={"deep": {"n": 1}})) == ["a"]


@check
def a_filter_on_a_name_with_a_quote(store: Any) -> None:
    store.put(("quote",), "a", {"it's": 1, 'say "x"': 2})
    assert keys(store.search(("quote",), filter={"it's": 1})) == ["a"]
    assert keys(store.search(("quote",), filter={'say "x"': 2})) == ["a"]


@check
def numbers_and_texts_are_different(store: Any) -> None:
    store.put(("kinds",), "number", {"v": 1})
    store.put(("kinds",), "text", {"v": "1"})
    assert keys(store.search(("kinds",), filter={"v": 1})) == ["number"]
    assert keys(store.search(("kinds",), filter={"v": "1"})) == ["text"]


@check
def pages_of_a_search_join(store: Any) -> None:
    for n in range(25):
        store.put(("pages",), f"{n:02}", {"n": n})
    found = [key for offset in range(0, 30, 10) for key in keys(store.search(("pages",), limit=10, offset=offset))]
    assert sorted(found) == [f"{n:02}" for n in range(25)]


@check
def a_question_finds(store: Any) -> None:
    store.put(("ask",), "tea", {"text": "Ada drinks green tea every morning"})
    store.put(("ask",), "cat", {"text": "the cat sleeps on the sofa"})
    store.put(("ask",), "hidden", {"text": "green tea that is not searched"}, index=False)
    found = store.search(("ask",), query="who drinks green tea?", limit=2)
    assert found[0].key == "tea"
    assert found[0].score is not None
    assert "hidden" not in [item.key for item in found if item.score is not None]
    assert store.get(("ask",), "hidden") is not None


@check
def a_question_searches_the_fields_named(store: Any) -> None:
    store.put(("fields",), "a", {"title": "zebra", "body": "quartz"}, index=["title"])
    store.put(("fields",), "b", {"title": "other", "body": "zebra"}, index=["title"])
    assert store.search(("fields",), query="zebra", limit=1)[0].key == "a"


@check
def equal_texts_are_two_items(store: Any) -> None:
    store.put(("twins", "x"), "a", {"text": "the very same words"})
    store.put(("twins", "y"), "a", {"text": "the very same words"})
    store.put(("twins", "x"), "b", {"text": "the very same words", "n": 1})
    assert len(store.search(("twins",), query="the very same words")) == 3
    assert len(store.search(("twins",), limit=10)) == 3
    assert keys(store.search(("twins",), query="the very same words", filter={"n": 1})) == ["b"]


@check
def list_namespaces(store: Any) -> None:
    for space in (("ls", "a", "b", "c"), ("ls", "a", "b", "d", "e"), ("ls", "a", "f"), ("ls", "z", "c")):
        store.put(space, "k", {"n": 1})
    listed = store.list_namespaces
    assert sorted(listed(prefix=("ls",))) == [
        ("ls", "a", "b", "c"),
        ("ls", "a", "b", "d", "e"),
        ("ls", "a", "f"),
        ("ls", "z", "c"),
    ]
    assert sorted(listed(prefix=("ls", "a"), max_depth=3)) == [("ls", "a", "b"), ("ls", "a", "f")]
    assert sorted(listed(prefix=("ls",), suffix=("c",))) == [("ls", "a", "b", "c"), ("ls", "z", "c")]
    assert sorted(listed(prefix=("ls", "*", "c"))) == [("ls", "z", "c")]
    both = [listed(prefix=("ls",), limit=2, offset=at) for at in (0, 2)]
    assert sorted(both[0] + both[1]) == sorted(listed(prefix=("ls",)))


@check
def an_empty_namespace_is_listed_no_more(store: Any) -> None:
    store.put(("gone", "a"), "k", {"n": 1})
    store.delete(("gone", "a"), "k")
    assert store.list_namespaces(prefix=("gone",)) == []


@check
def wrong_namespaces_are_refused(store: Any) -> None:
    for space in ((), ("a.b",), ("",), ("langgraph", "x"), (5,)):
        try:
            store.put(space, "k", {"n": 1})
        except InvalidNamespaceError:
            continue
        raise AssertionError(f"{space} was taken")
    try:
        store.batch([PutOp(("dot.ted",), "k", {"n": 1})])
    except InvalidNamespaceError:
        return
    raise AssertionError("batch takes a label with a period")


@check
def a_batch_reads_what_was_there_and_writes_the_last(store: Any) -> None:
    space = ("batch",)
    store.put(space, "old", {"n": 0})
    got, _, listed, found, _ = store.batch(
        [
            GetOp(space, "old"),
            PutOp(space, "new", {"n": 1}),
            ListNamespacesOp(None, None, 1000, 0),
            SearchOp(space, {"n": 0}, 10, 0),
            PutOp(space, "new", {"n": 2}),
        ]
    )
    assert got.value == {"n": 0}
    assert space in listed
    assert keys(found) == ["old"]
    assert store.get(space, "new").value == {"n": 2}


@check
def coroutines_do_the_same(store: Any) -> None:
    async def run() -> None:
        await store.aput(("async",), "k", {"text": "said in a coroutine"})
        assert (await store.aget(("async",), "k")).value == {"text": "said in a coroutine"}
        assert keys(await store.asearch(("async",), filter={"text": "said in a coroutine"})) == ["k"]
        assert await store.alist_namespaces(prefix=("async",)) == [("async",)]
        await asyncio.gather(*(store.aput(("async",), f"k{n}", {"n": n}) for n in range(8)))
        assert len(await store.asearch(("async",), limit=20)) == 9
        await store.adelete(("async",), "k")
        assert await store.aget(("async",), "k") is None

    asyncio.run(run())


@check
def a_time_to_live(store: Any) -> None:
    store.put(("ttl",), "short", {"text": "short"}, ttl=0.02)
    store.put(("ttl",), "long", {"text": "long"}, ttl=60)
    store.put(("ttl",), "ever", {"text": "ever"})
    time.sleep(1.5)
    if hasattr(store, "sweep_ttl"):
        store.sweep_ttl()
    assert store.get(("ttl",), "short") is None
    assert sorted(keys(store.search(("ttl",)))) == ["ever", "long"]


@check
def what_has_expired_is_hidden_before_the_sweep(store: Any) -> None:
    store.put(("hidden",), "k", {"text": "short"}, ttl=0.02)
    time.sleep(1.5)
    assert store.get(("hidden",), "k", refresh_ttl=False) is None
    assert store.search(("hidden",), refresh_ttl=False) == []
    assert store.list_namespaces(prefix=("hidden",)) == []


@check
def a_read_renews_the_time_to_live(store: Any) -> None:
    store.put(("renew",), "read", {"text": "read"}, ttl=0.05)
    store.put(("renew",), "not", {"text": "not"}, ttl=0.05)
    for _ in range(4):
        time.sleep(1.0)
        assert store.get(("renew",), "read", refresh_ttl=True) is not None
        store.get(("renew",), "not", refresh_ttl=False)
    if hasattr(store, "sweep_ttl"):
        store.sweep_ttl()
    assert store.get(("renew",), "not", refresh_ttl=False) is None
    assert store.get(("renew",), "read") is not None


@check
def large_and_odd_values(store: Any) -> None:
    value = {
        "text": "x" * 20_000,
        "emoji": "🙂‍↔️",
        "rtl": "שלום",
        "": 0,
        "a.b": 1,
        "float": 1.5,
        "null": None,
        "list": [],
    }
    store.put(("odd",), "k", value)
    assert store.get(("odd",), "k").value == value


@check
def an_item_belongs_to_the_caller(store: Any) -> None:
    value = {"list": [1]}
    store.put(("own",), "k", value)
    value["list"].append(2)
    assert store.get(("own",), "k").value == {"list": [1]}
    store.get(("own",), "k").value["list"].append(3)
    assert store.get(("own",), "k").value == {"list": [1]}


def embed(texts: list[str]) -> list[list[float]]:
    """A vector of words, for the stores that have no embedder of their own."""
    return [
        [1.0 + sum(hash(word) % 32 == place for word in text.lower().split()) for place in range(32)] for text in texts
    ]


def stores(url: str, folder: Path) -> Iterator[tuple[str, Any]]:
    index = {"dims": 32, "embed": embed, "fields": ["$"]}
    with ExitStack() as stack:
        yield "ours, in process", LangGraphStore(stack.enter_context(Memory(data_dir=folder / "ours", model="none")))
        yield "ours, over HTTP", LangGraphStore(stack.enter_context(Client(url)))
        yield "LangGraph's InMemoryStore", InMemoryStore(index=index)
        sqlite = stack.enter_context(
            SqliteStore.from_conn_string(str(folder / "sqlite.db"), ttl={"refresh_on_read": True})
        )
        sqlite.setup()
        yield "LangGraph's SqliteStore", sqlite


def main() -> None:
    failed: dict[str, dict[str, str]] = {}
    for name, store in stores(sys.argv[1], Path(sys.argv[2])):
        failed[name] = {}
        for each, run in CHECKS.items():
            try:
                run(store)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what the table says
                failed[name][each] = f"{type(error).__name__}: {error}"[:200]
    print(json.dumps({"checks": list(CHECKS), "failed": failed}))


main()
