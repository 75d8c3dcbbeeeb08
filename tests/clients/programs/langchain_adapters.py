"""LangChain's adapters with the real packages, and its own suites of tests for vector stores and retrievers.

Usage: langchain_adapters.py URL FOLDER. Prints what `harness.py` says.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from harness import NAMES, check, opened, run  # noqa: F401
from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langchain_tests.integration_tests import RetrieversIntegrationTests, VectorStoreIntegrationTests
from langgraph.checkpoint.memory import InMemorySaver

from ai_memory.integrations.langchain import MemoryChatHistory, MemoryRetriever, MemoryVectorStore
from ai_memory.integrations.langchain.middleware import MemoryMiddleware


class Scripted(GenericFakeChatModel):
    """A model that says what it is given, and keeps what it was asked."""

    asked: list[Any] = []  # noqa: RUF012 - a field of pydantic, which copies it

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        self.asked.append(messages)
        return super()._generate(messages, *args, **kwargs)

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self


def scripted(*replies: Any) -> Scripted:
    return Scripted(
        messages=iter([each if isinstance(each, AIMessage) else AIMessage(each) for each in replies]), asked=[]
    )


@check
def filters_of_a_vector_store(memory: Any, space: str) -> None:
    store = MemoryVectorStore(memory, namespace=space)
    store.add_documents(
        [Document(f"note {n} about tea", metadata={"n": n, "deep": {"even": n % 2 == 0}}) for n in range(6)],
        ids=[str(n) for n in range(6)],
    )

    def found(filter_: dict[str, Any]) -> list[str]:
        return sorted(each.id for each in store.similarity_search("tea", k=10, filter=filter_))

    assert found({"n": 2}) == ["2"]
    assert found({"n": {"$gte": 4}}) == ["4", "5"]
    assert found({"deep.even": True, "n": {"$lt": 3}}) == ["0", "2"]
    assert found({"$or": [{"n": 1}, {"$not": {"n": {"$lt": 5}}}]}) == ["1", "5"]
    store.add_texts(["the ferry leaves at seven"], ids=["ferry"])
    scored = store.similarity_search_with_score("When does the ferry leave?", k=6)
    assert scored[0][0].id == "ferry"
    assert all(0 <= score <= 1 for _, score in scored)
    assert store.similarity_search_with_relevance_scores("the ferry", k=2, score_threshold=0.0)
    store.delete()
    assert store.similarity_search("tea") == []


@check
def a_vector_store_keeps_scopes_apart(memory: Any, space: str) -> None:
    ada, bob = (MemoryVectorStore(memory, namespace=space, user=user, context="notes") for user in ("ada", "bob"))
    ada.add_texts(["the same text", "only of Ada"], ids=["1", "2"])
    bob.add_texts(["the same text"], [{"of": "bob"}], ids=["1"])
    assert [each.metadata for each in bob.get_by_ids(["1", "2"])] == [{"of": "bob"}]
    assert len(ada.similarity_search("text", k=5)) == 2
    bob.delete(["1"])
    assert len(ada.get_by_ids(["1", "2"])) == 2
    retriever = ada.as_retriever(search_kwargs={"k": 1})
    assert [each.page_content for each in retriever.invoke("only of Ada")] == ["only of Ada"]
    made = MemoryVectorStore.from_texts(["made"], None, memory=memory, namespace=space, user="cy")
    assert [each.page_content for each in made.similarity_search("made")] == ["made"]


@check
def a_retriever_shows_the_facts(memory: Any, space: str) -> None:
    memory.remember(
        "Ada lives in Riga", tags=["home"], user="ada", attributes={"city": "Riga"}, namespace=space, wait=True
    )
    memory.remember("Bob lives in Oslo", user="bob", namespace=space, wait=True)
    (found,) = MemoryRetriever(memory, namespace=space, user="ada").invoke("Where does Ada live?")
    assert (found.page_content, found.metadata["tags"], found.metadata["user"]) == (
        "Ada lives in Riga",
        ["home"],
        "ada",
    )
    assert 0 <= found.metadata["score"] <= 1
    assert MemoryRetriever(memory, namespace=space, where={"attributes.city": "Oslo"}).invoke("Who lives where?") == []


@check
async def a_history_comes_back_equal(memory: Any, space: str) -> None:
    said = [
        SystemMessage("be kind"),
        HumanMessage("Where is my ferry?", name="ada"),
        AIMessage("", tool_calls=[{"name": "ferry", "args": {"to": "Riga"}, "id": "1"}]),
        ToolMessage("berth 7", tool_call_id="1"),
        AIMessage([{"type": "text", "text": "At berth 7."}]),
        HumanMessage("Where is my ferry?", name="ada"),
        HumanMessage("long " * 20_000),
    ]
    history = MemoryChatHistory(memory, namespace=space, session="one")
    history.add_messages(said[:3])
    await history.aadd_messages(said[3:])
    assert await history.aget_messages() == said
    other = MemoryChatHistory(memory, namespace=space, session="two")
    assert other.messages == []
    hits = memory.recall("berth", namespace=space, limit=3).hits
    assert [hit.memory.text for hit in hits][:1] == ["At berth 7."]
    other.add_user_message("hello")
    history.clear()
    assert (history.messages, len(other.messages)) == ([], 1)
    try:
        MemoryChatHistory(memory, namespace=space)
    except Exception as error:  # noqa: BLE001 - its text is what is looked at
        assert "session" in str(error)
    else:
        raise AssertionError("a history without a session was made")


@check
def an_agent_remembers(memory: Any, space: str) -> None:
    memory.remember("Ada is allergic to hazelnuts", user="ada", namespace=space, wait=True)

    @tool
    def menu() -> str:
        """What there is to eat."""
        return "hazelnut cake"

    call = AIMessage("", tool_calls=[{"name": "menu", "args": {}, "id": "1"}])
    model = scripted(call, "No cake for you.", "You asked about cake.")
    agent = create_agent(
        model,
        tools=[menu],
        middleware=[MemoryMiddleware(memory, namespace=space, user="ada")],
        checkpointer=InMemorySaver(),
    )
    config = {"configurable": {"thread_id": "thread-1"}}
    done = agent.invoke({"messages": [HumanMessage("What hazelnuts is Ada allergic to?")]}, config)
    blocks = [message for message in model.asked[0] if "[memories]" in message.text]
    assert len(blocks) == 1, model.asked[0]
    assert "hazelnuts" in blocks[0].text
    assert model.asked[0][-1].text == "What hazelnuts is Ada allergic to?"
    assert sum("[memories]" in message.text for message in model.asked[1]) == 1, "recalled twice in a turn"
    assert not any("[memories]" in message.text for message in done["messages"]), (
        "what was recalled is in the conversation"
    )
    agent.invoke({"messages": [HumanMessage("What did I ask?")]}, config)
    page = memory.list(namespace=space, session="thread-1", order="oldest").memories
    assert [(each.author, each.text) for each in page] == [
        ("user", "What hazelnuts is Ada allergic to?"),
        ("assistant", "No cake for you."),
        ("user", "What did I ask?"),
        ("assistant", "You asked about cake."),
    ]
    assert {each.user for each in page} == {"ada"}


@check
async def an_agent_remembers_in_coroutines(memory: Any, space: str) -> None:
    memory.remember("The ferry to Riga leaves at seven", namespace=space, wait=True)
    model = scripted("At seven.", "As I said, at seven.")
    agent = create_agent(model, tools=[], middleware=[MemoryMiddleware(memory, namespace=space, agent="clerk")])
    question = HumanMessage("When does the ferry to Riga leave?")
    done = await agent.ainvoke({"messages": [question]})
    assert not any("[memories]" in message.text for message in model.asked[0]), "another agent's memory was recalled"
    await agent.ainvoke({"messages": [*done["messages"], HumanMessage(question.text)]})
    assert any("[memories]" in message.text for message in model.asked[1])
    texts = [each.text for each in memory.list(namespace=space, agent="clerk", order="oldest").memories]
    assert texts == [question.text, "At seven.", question.text, "As I said, at seven."], texts


class TestVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture(params=NAMES)
    def vectorstore(self, request: pytest.FixtureRequest, opened: dict[str, Any]) -> MemoryVectorStore:
        return MemoryVectorStore(opened[request.param], namespace=f"suite-{uuid.uuid4().hex[:8]}")


class _Retriever(RetrieversIntegrationTests):
    name = ""

    @pytest.fixture(autouse=True)
    def with_memories(self, opened: dict[str, Any]) -> None:
        self.memory = opened[self.name]
        for number in range(5):
            self.memory.remember(f"note {number} about tea", namespace="retriever", wait=True)

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return MemoryRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"memory": self.memory, "namespace": "retriever"}

    @property
    def retriever_query_example(self) -> str:
        return "tea"


class TestRetrieverInProcess(_Retriever):
    name = NAMES[0]


class TestRetrieverOverHTTP(_Retriever):
    name = NAMES[1]


if __name__ == "__main__":
    run("TestVectorStore", "TestRetrieverInProcess", "TestRetrieverOverHTTP")
