"""What the adapters of frameworks share, over a store in this process and over HTTP: scopes, documents, items of conversations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import AsyncClient, AsyncMemory, Client, InvalidInputError, Memory
from ai_memory.integrations.common.documents import Document, Documents, metadata_condition
from ai_memory.integrations.common.scoped import ScopedMemory
from ai_memory.integrations.common.sequence import Item, Items
from ai_memory.integrations.common.shown import facts_of
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods
from tests.support.rest_server import serving

RECALLED = "Where does Ada live?"


@pytest.fixture(params=["in process", "over HTTP", "asynchronous", "asynchronous over HTTP"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Methods | AsyncMethods]:
    if "HTTP" in request.param:
        with serving(tmp_path) as served:
            opened = (AsyncClient if "async" in request.param else Client)(served.url)
            yield opened
            Methods(opened.caller).close()
        return
    local = (AsyncMemory if "async" in request.param else Memory)(data_dir=tmp_path, model="hashing")
    yield local
    Methods(local.caller).close()


def test_a_scope_is_written_and_read(memory: Methods | AsyncMethods) -> None:
    scopes = [
        ScopedMemory(memory, namespace="n", user=user, context=context) for user, context in (("a", "x"), ("b", "x"))
    ]
    for scope in scopes:
        Documents(scope).put([Document("1", f"of {scope.facets['user']}", {})])
    assert [document.text for document in Documents(scopes[0]).all()] == ["of a"]
    assert [record.text for record, _ in scopes[1].find("of", 5)] == ["of b"]
    wider = ScopedMemory(memory, namespace="n", context=None, user="")
    assert sorted(document.text for document in Documents(wider).all()) == ["of a", "of b"]
    assert list(Documents(ScopedMemory(memory)).all()) == [], "another namespace"
    with pytest.raises(TypeError, match="unknown: usr; a scope has namespace, user, agent, session, context"):
        ScopedMemory(memory, usr="a")  # type: ignore[call-arg]


def test_documents_come_back_and_are_revised(memory: Methods | AsyncMethods) -> None:
    documents = Documents(ScopedMemory(memory, user="ada"))
    first = Document("ß/1", "  spaced \n text ", {"n": 1, "deep": {"list": [1, None]}, "none": None}, {"kept": [1]})
    documents.put([first, Document("2", "twice", {}), Document("2", "said", {"last": True})])
    assert documents.get(["2", "none", "ß/1"]) == [Document("2", "said", {"last": True}), first]
    documents.put([first, Document("2", "revised", {})])
    scope = documents.scope
    records = {record.text: record for record in scope.memory.list(user="ada").memories}
    assert (records[first.text].revision, records["revised"].revision) == (1, 2)
    assert documents.delete(["2", "none"]) == 1
    documents.put([Document("2", "revised", {})])
    assert documents.get(["2"]) == [Document("2", "revised", {})], "what was erased can be put again"
    assert [found.id for found, _ in documents.search("spaced", 1)] == ["ß/1"]
    assert documents.search(" ", 3) == []
    scope.memory.remember("no document", user="ada")
    assert documents.delete_all() == 2
    assert [record.text for record in scope.memory.list(user="ada").memories] == ["no document"]
    with pytest.raises(InvalidInputError, match="text is empty"):
        documents.put([Document("3", " ", {})])


def test_documents_with_one_text_are_each_found(memory: Methods | AsyncMethods) -> None:
    documents = Documents(ScopedMemory(memory))
    documents.put(Document(str(n), "the very same words", {"n": n}) for n in range(4))
    assert sorted(found.id for found, _ in documents.search("same words", 9)) == ["0", "1", "2", "3"]
    assert len(documents.search("same words", 3)) == 3
    odd = metadata_condition({"$or": [{"n": 1}, {"n": {"$gte": 3}}], "$not": {"n": 0}})
    assert sorted(found.id for found, _ in documents.search("same words", 9, where=odd)) == ["1", "3"]
    assert sorted(document.id for document in documents.all(odd)) == ["1", "3"]
    assert documents.delete_all(odd) == 2


def test_what_was_recalled_is_not_remembered_again(memory: Methods | AsyncMethods) -> None:
    scope = ScopedMemory(memory, user="ada")
    scope.memory.remember("Ada lives in Riga", user="ada", wait=True)
    block = scope.block(RECALLED)
    assert "Ada lives in Riga" in block
    said = [
        {"role": "user", "content": f"{block}\n{RECALLED}"},
        {"role": "tool", "content": "a result"},
        {"role": "assistant", "content": "In Riga."},
    ]
    for _ in range(2):
        scope.remember(said, session="one")
    texts = [record.text for record in scope.memory.list(session="one", order="oldest").memories]
    assert texts == [RECALLED, "In Riga."]
    assert scope.block(" ") == ""
    assert ScopedMemory(memory, user="nobody").block(RECALLED) == ""
    assert scope.remember([]) == []


def test_items_come_back_equal_and_in_order(memory: Methods | AsyncMethods) -> None:
    items = Items(ScopedMemory(memory, session="one"), "item")
    values: list[Any] = [{"n": 1, "text": "said"}, {"n": 2}, {"n": 3, "long": "ж" * 70_000}, {"n": 1, "text": "said"}]
    items.add([Item(values[0], "said", "user"), *map(Item, values[1:3])])
    items.add([Item(values[3], "said", "user")])
    assert items.all() == values
    assert len(items.scope.memory.recall("said").hits[:1]) == 1
    assert Items(ScopedMemory(memory, session="two"), "item").all() == []
    items.clear()
    assert items.all() == []
    with pytest.raises(InvalidInputError, match="no session is given"):
        Items(ScopedMemory(memory), "item")


def test_facts_are_values_of_json(memory: Methods | AsyncMethods) -> None:
    methods = ScopedMemory(memory).memory
    receipt = methods.remember(
        "Ada lives in Riga", tags=["home"], valid_from="2026-01-01T00:00:00Z", attributes={"n": 1}
    )
    assert receipt.memory_id is not None
    facts = facts_of(methods.get(receipt.memory_id))
    assert facts.pop("created_at").endswith("Z")
    expected = {"type": "semantic", "importance": 0.5, "confidence": 1.0}
    assert facts == {**expected, "tags": ["home"], "valid_from": "2026-01-01T00:00:00Z", "attributes": {"n": 1}}
