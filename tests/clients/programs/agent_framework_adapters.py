"""The providers for Microsoft's Agent Framework with the real package: in an agent with a scripted client.

Usage: agent_framework_adapters.py URL FOLDER. Prints what `harness.py` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent_framework import Agent, BaseChatClient, ChatResponse, Content, Message
from harness import check, pytest, run

from ai_memory import InvalidInputError
from ai_memory.integrations.agent_framework import MemoryContextProvider, MemoryHistoryProvider


class Scripted(BaseChatClient):
    """A client that says what it is given, and keeps what it was asked."""

    def __init__(self, *replies: str) -> None:
        super().__init__()
        self.replies = list(replies)
        self.asked: list[list[Message]] = []

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **kwargs: Any
    ) -> Any:
        self.asked.append(list(messages))

        async def answer() -> ChatResponse:
            return ChatResponse(messages=[Message("assistant", [self.replies.pop(0)])])

        return answer()


@check
async def an_agent_remembers(memory: Any, space: str) -> None:
    memory.remember("Ada is allergic to hazelnuts", user="ada", namespace=space, wait=True)
    client = Scripted("No cake.", "You asked about cake.")
    provider = MemoryContextProvider(memory, namespace=space, user="ada")
    history = MemoryHistoryProvider(memory, namespace=f"{space}-history", user="ada")
    agent = Agent(client, context_providers=[history, provider])
    session = agent.create_session()
    first = await agent.run("What hazelnuts is Ada allergic to?", session=session)
    assert first.text == "No cake."
    texts = [message.text for message in client.asked[0]]
    assert sum("[memories]" in text for text in texts) == 1, texts
    assert any("Ada is allergic to hazelnuts" in text for text in texts)
    await agent.run("What did I ask?", session=session)
    assert "No cake." in [message.text for message in client.asked[1]], "the history is not there"
    page = memory.list(namespace=space, session=session.session_id, order="oldest").memories
    assert [(each.author, each.text) for each in page] == [
        ("user", "What hazelnuts is Ada allergic to?"),
        ("assistant", "No cake."),
        ("user", "What did I ask?"),
        ("assistant", "You asked about cake."),
    ]
    kept = await history.get_messages(session.session_id)
    assert [message.text for message in kept] == [each.text for each in page], "what was recalled was kept"


@check
async def a_history_comes_back_equal(memory: Any, space: str) -> None:
    said = [
        Message("user", ["Where is my ferry?"], author_name="ada"),
        Message("assistant", [Content.from_function_call("1", "ferry", arguments={"to": "Riga"})]),
        Message("tool", [Content.from_function_result("1", result="berth 7")]),
        Message("assistant", ["At berth 7."]),
    ]
    history = MemoryHistoryProvider(memory, namespace=space, options={"store_outputs": True})
    await history.save_messages("one", said[:2])
    await history.save_messages("one", said[2:])
    assert [each.to_dict() for each in await history.get_messages("one")] == [each.to_dict() for each in said]
    assert await history.get_messages("two") == []
    found = [hit.memory.text for hit in memory.recall("At which berth?", namespace=space).hits]
    assert found[0] == "At berth 7.", found
    with pytest.raises(InvalidInputError, match="session"):
        await history.get_messages(None)


run()
