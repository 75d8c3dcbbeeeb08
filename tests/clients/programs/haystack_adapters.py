"""Haystack's document store and retriever with the real package, and Haystack's own tests of document stores.

Usage: haystack_adapters.py URL FOLDER. Prints what `harness.py` says.
"""

from __future__ import annotations

import sys
import uuid
from dataclasses import replace
from typing import Any

import pytest
from harness import NAMES, check, opened, run  # noqa: F401
from haystack import Document, Pipeline
from haystack.dataclasses import ByteStream
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy, FilterPolicy
from haystack.testing.document_store import DocumentStoreBaseExtendedTests
from haystack.testing.document_store_async import (
    CountDocumentsAsyncTest,
    DeleteAllAsyncTest,
    DeleteByFilterAsyncTest,
    DeleteDocumentsAsyncTest,
    FilterDocumentsAsyncTest,
    UpdateByFilterAsyncTest,
    WriteDocumentsAsyncTest,
)

from ai_memory import InvalidInputError
from ai_memory.integrations.haystack import MemoryDocumentStore, MemoryRetriever

TEXTS = ("Ada drinks green tea", "the cat sleeps on the sofa", "the ferry leaves at seven")


def written(memory: Any, space: str, **scope: str) -> MemoryDocumentStore:
    store = MemoryDocumentStore(memory, namespace=space, **scope)
    store.write_documents([Document(id=str(n), content=text, meta={"n": n}) for n, text in enumerate(TEXTS)])
    return store


@check
async def a_retriever_in_a_pipeline(memory: Any, space: str) -> None:
    pipeline = Pipeline()
    pipeline.add_component("memory", MemoryRetriever(written(memory, space, user="ada"), top_k=2))
    documents = pipeline.run({"memory": {"query": "When does the ferry leave?"}})["memory"]["documents"]
    assert (documents[0].id, documents[0].content, documents[0].meta, len(documents)) == ("2", TEXTS[2], {"n": 2}, 2)
    assert all(0 <= each.score <= 1 for each in documents)
    narrow = {"field": "meta.n", "operator": "<", "value": 1}
    retriever = MemoryRetriever(
        MemoryDocumentStore(memory, namespace=space, user="ada"),
        filters={"field": "meta.n", "operator": "<", "value": 2},
        filter_policy=FilterPolicy.MERGE,
    )
    assert {each.id for each in retriever.run("the ferry")["documents"]} == {"0", "1"}
    assert [each.id for each in (await retriever.run_async("the ferry", narrow, 5))["documents"]] == ["0"]
    assert MemoryRetriever(MemoryDocumentStore(memory, namespace=space, user="bob")).run("ferry") == {"documents": []}


@check
def filters_of_ids_and_of_nothing(memory: Any, space: str) -> None:
    store = written(memory, space)

    def found(field: str, operator: str, value: Any) -> list[str]:
        return [each.id for each in store.filter_documents({"field": field, "operator": operator, "value": value})]

    assert found("id", "in", ["0", "2"]) == ["0", "2"]
    assert (found("meta.n", "in", []), found("n", "not in", [])) == ([], ["0", "1", "2"])
    for wrong in (("content", "==", "x"), ("meta.n", "like", "x")):
        with pytest.raises(Exception, match=r"text is not filtered by|no operator like"):
            found(*wrong)


@check
def what_is_not_kept_is_refused(memory: Any, space: str) -> None:
    store = MemoryDocumentStore(memory, namespace=space)
    for document in (Document(blob=ByteStream(b"x")), Document(content="x", blob=ByteStream(b"x"))):
        with pytest.raises(ValueError, match="not kept"):
            store.write_documents([document])
    with pytest.raises(DuplicateDocumentError):
        store.write_documents([Document(id="1", content="x")]) and store.write_documents(
            [Document(id="1", content="y")]
        )


@check
def a_pipeline_is_written_and_read(memory: Any, space: str) -> None:
    written(memory, space)
    with pytest.raises(InvalidInputError, match="cannot be serialised"):
        MemoryDocumentStore(memory, namespace=space).to_dict()
    with pytest.raises(InvalidInputError, match="one of memory, url and path"):
        MemoryDocumentStore(namespace=space)
    where = {"path": f"{sys.argv[2]}/{space}.db"} if space == "in process" else {"url": sys.argv[1]}
    store = MemoryDocumentStore(**where, namespace="pipeline", user=space)
    store.write_documents([Document(id="kept", content=TEXTS[2])], DuplicatePolicy.OVERWRITE)
    pipeline = Pipeline()
    pipeline.add_component("memory", MemoryRetriever(store, top_k=1))
    text = pipeline.dumps()
    store.close()
    again = Pipeline.loads(text, allowed_modules=["ai_memory.integrations.haystack"])
    assert [each.id for each in again.run({"memory": {"query": "ferry"}})["memory"]["documents"]] == ["kept"]
    again.get_component("memory").document_store.close()


class TestDocumentStore(
    DocumentStoreBaseExtendedTests,
    CountDocumentsAsyncTest,
    DeleteAllAsyncTest,
    DeleteByFilterAsyncTest,
    DeleteDocumentsAsyncTest,
    FilterDocumentsAsyncTest,
    UpdateByFilterAsyncTest,
    WriteDocumentsAsyncTest,
):
    @pytest.fixture(params=NAMES)
    def document_store(self, request: pytest.FixtureRequest, opened: dict[str, Any]) -> MemoryDocumentStore:
        return MemoryDocumentStore(opened[request.param], namespace=f"suite-{uuid.uuid4().hex[:8]}")

    @staticmethod
    def assert_documents_are_equal(received: list[Document], expected: list[Document]) -> None:
        """But for the embeddings, which are not kept."""
        assert received == [replace(each, embedding=None) for each in expected]

    def test_write_documents(self, document_store: MemoryDocumentStore) -> None:
        """Without a policy a document whose id is there is refused."""
        document = Document(content="test doc")
        assert document_store.write_documents([document]) == 1
        with pytest.raises(DuplicateDocumentError):
            document_store.write_documents([document])

    async def test_write_documents_async(self, document_store: MemoryDocumentStore) -> None:
        """As `test_write_documents`."""
        document = Document(content="test doc")
        assert await document_store.write_documents_async([document]) == 1
        with pytest.raises(DuplicateDocumentError):
            await document_store.write_documents_async([document])


if __name__ == "__main__":
    run("TestDocumentStore")
