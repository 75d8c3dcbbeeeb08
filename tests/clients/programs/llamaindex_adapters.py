"""LlamaIndex's adapters with the real package.

Usage: llamaindex_adapters.py URL FOLDER. Prints what `harness.py` says.
"""

from __future__ import annotations

from typing import Any

from harness import check, run
from llama_index.core import MockEmbedding, StorageContext, VectorStoreIndex
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import Memory as ChatMemory
from llama_index.core.schema import Document, NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)

from ai_memory import InvalidInputError
from ai_memory.integrations.llamaindex import MemoryBlock, MemoryRetriever, MemoryVectorStore


def nodes() -> list[TextNode]:
    texts = {"tea": "Ada drinks green tea", "cat": "the cat sleeps on the sofa", "ferry": "the ferry leaves at seven"}
    return [
        TextNode(
            id_=name,
            text=text,
            metadata={"n": n, "kind": name, "tags": [name, "all"], **({"extra": n} if n else {})},
            relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"doc-{n % 2}")},
        )
        for n, (name, text) in enumerate(texts.items())
    ]


@check
def nodes_come_back_equal(memory: Any, space: str) -> None:
    store = MemoryVectorStore(memory, namespace=space)
    assert store.add(nodes()) == ["tea", "cat", "ferry"]
    assert {node.node_id: node for node in store.get_nodes()} == {node.node_id: node for node in nodes()}
    found = store.query(VectorStoreQuery(query_str="When does the ferry leave?", similarity_top_k=2))
    assert (found.ids[0], found.nodes[0], len(found.similarities)) == ("ferry", nodes()[2], 2)
    assert all(0 <= each <= 1 for each in found.similarities)
    store.add([TextNode(id_="tea", text="Ada drinks black tea")])
    assert [node.text for node in store.get_nodes(["tea"])] == ["Ada drinks black tea"]
    store.delete("doc-0")
    assert {node.node_id for node in store.get_nodes()} == {"tea", "cat"}, "the new tea has no source"
    store.delete_nodes(["cat"])
    assert [node.node_id for node in store.get_nodes()] == ["tea"]
    store.clear()
    assert store.get_nodes() == []


@check
def filters(memory: Any, space: str) -> None:
    store = MemoryVectorStore(memory, namespace=space)
    store.add(nodes())

    def fits(*given: Any, condition: FilterCondition = FilterCondition.AND) -> list[str]:
        filters = [each if isinstance(each, MetadataFilters) else MetadataFilter(**each) for each in given]
        wanted = MetadataFilters(filters=filters, condition=condition)
        asked = store.query(VectorStoreQuery(query_str="anything", similarity_top_k=9, filters=wanted))
        listed = sorted(node.node_id for node in store.get_nodes(filters=wanted))
        assert sorted(asked.ids) == listed
        return listed

    operator = FilterOperator
    assert fits({"key": "n", "value": 1}) == ["cat"]
    assert fits({"key": "n", "value": 1, "operator": operator.NE}) == ["ferry", "tea"]
    assert fits({"key": "n", "value": 1, "operator": operator.GTE}) == ["cat", "ferry"]
    assert fits({"key": "n", "value": 1, "operator": operator.LT}) == ["tea"]
    assert fits({"key": "kind", "value": ["tea", "cat"], "operator": operator.IN}) == ["cat", "tea"]
    assert fits({"key": "kind", "value": ["tea", "cat"], "operator": operator.NIN}) == ["ferry"]
    assert fits({"key": "tags", "value": ["tea", "cat"], "operator": operator.ANY}) == ["cat", "tea"]
    assert fits({"key": "tags", "value": ["tea", "all"], "operator": operator.ALL}) == ["tea"]
    assert fits({"key": "tags", "value": "all", "operator": operator.CONTAINS}) == ["cat", "ferry", "tea"]
    assert fits({"key": "extra", "value": None, "operator": operator.IS_EMPTY}) == ["tea"]
    either = ({"key": "n", "value": 0}, {"key": "n", "value": 2})
    assert fits(*either, condition=FilterCondition.OR) == ["ferry", "tea"]
    assert fits(*either, condition=FilterCondition.NOT) == ["cat"]
    nested = MetadataFilters(filters=[MetadataFilter(**each) for each in either], condition=FilterCondition.OR)
    assert fits(nested, {"key": "n", "value": 0, "operator": operator.GT}) == ["ferry"]
    sources = store.query(
        VectorStoreQuery(query_str="anything", similarity_top_k=9, doc_ids=["doc-1"], node_ids=["cat"])
    )
    assert sources.ids == ["cat"]
    for wrong in (
        lambda: fits({"key": "kind", "value": "te", "operator": operator.TEXT_MATCH}),
        lambda: store.query(VectorStoreQuery(query_embedding=[1.0])),
        lambda: store.delete_nodes(),
        lambda: store.query(VectorStoreQuery(query_str="x", mode="mmr")),
    ):
        try:
            wrong()
        except InvalidInputError:
            continue
        raise AssertionError("it was taken")


@check
async def an_index_over_the_store(memory: Any, space: str) -> None:
    store = MemoryVectorStore(memory, namespace=space, context="index")
    made = VectorStoreIndex.from_documents(
        [Document(text="Ada lives in Riga", doc_id="a"), Document(text="the ferry leaves at seven", doc_id="b")],
        storage_context=StorageContext.from_defaults(vector_store=store),
        embed_model=MockEmbedding(embed_dim=1),
    )
    found = made.as_retriever(similarity_top_k=1).retrieve("When does the ferry leave?")
    assert [each.node.ref_doc_id for each in found] == ["b"]
    again = VectorStoreIndex.from_vector_store(store, embed_model=MockEmbedding(embed_dim=1))
    found = await again.as_retriever(similarity_top_k=1).aretrieve("Where does Ada live?")
    assert [each.node.get_content() for each in found] == ["Ada lives in Riga"]
    again.delete_ref_doc("a")
    assert [node.ref_doc_id for node in await store.aget_nodes()] == ["b"]


@check
async def a_retriever_shows_the_facts(memory: Any, space: str) -> None:
    memory.remember("Ada lives in Riga", tags=["home"], user="ada", namespace=space, wait=True)
    memory.remember("Bob lives in Oslo", user="bob", namespace=space, wait=True)
    retriever = MemoryRetriever(memory, namespace=space, user="ada")
    (found,) = retriever.retrieve("Where does Ada live?")
    assert (found.node.text, found.node.metadata["tags"]) == ("Ada lives in Riga", ["home"])
    assert await retriever.aretrieve("Where does Ada live?") == [found]


@check
async def a_block_of_long_term_memory(memory: Any, space: str) -> None:
    memory.remember("Ada is allergic to hazelnuts", user="ada", namespace=space, wait=True)
    block = MemoryBlock(memory, namespace=space, user="ada", base={"limit": 3, "priority": 1})
    chat = ChatMemory.from_defaults(session_id="chat-1", token_limit=400, memory_blocks=[block])
    seen = await chat.aget(input="What hazelnuts is Ada allergic to?")
    assert "Ada is allergic to hazelnuts" in str(seen[0].content), seen
    said = [
        ChatMessage(role=role, content=f"{role} speaks of ferry number {n}, which leaves at seven from berth {n}")
        for n in range(12)
        for role in ("user", "assistant")
    ]
    for message in said:
        await chat.aput(message)
    stored = memory.list(namespace=space, session="chat-1", limit=100).memories
    assert 0 < len(stored) < len(said), f"{len(stored)} stored: not what left the short-term memory, and nothing else"
    await block.aput([*said, seen[0], ChatMessage(role="tool", content="a result")], session_id="chat-1")
    stored = memory.list(namespace=space, session="chat-1", limit=100).memories
    assert sorted(each.text for each in stored) == sorted(str(message.content) for message in said)
    assert {(each.user, each.author) for each in stored} == {("ada", "user"), ("ada", "assistant")}


run()
