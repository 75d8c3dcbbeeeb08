"""AutoGen's `Memory` with the real packages: alone, and in an agent with a scripted model.

Usage: autogen_adapters.py URL FOLDER. Prints what `harness.py` says.
"""

from __future__ import annotations

from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_core import Image
from autogen_core.memory import MemoryContent, MemoryMimeType
from autogen_core.model_context import BufferedChatCompletionContext
from autogen_core.models import SystemMessage
from autogen_ext.models.replay import ReplayChatCompletionClient
from harness import check, pytest, run
from PIL import Image as Picture

from ai_memory.integrations.autogen import AutoGenMemory


@check
async def what_is_added_is_found(memory: Any, space: str) -> None:
    ada = AutoGenMemory(memory, namespace=space, user="ada")
    bob = AutoGenMemory(memory, namespace=space, user="bob")
    await ada.add(MemoryContent(content="Ada drinks tea", mime_type=MemoryMimeType.TEXT, metadata={"since": 2024}))
    await ada.add(MemoryContent(content={"city": "Riga", "from": "Ada"}, mime_type=MemoryMimeType.JSON))
    await bob.add(MemoryContent(content="*Bob* drinks coffee", mime_type="text/markdown"))
    (first, *_) = (await ada.query("Who drinks tea?")).results
    assert (first.content, first.mime_type, first.metadata["since"]) == ("Ada drinks tea", "text/plain", 2024)
    assert 0 <= first.metadata["score"] <= 1
    question = MemoryContent(content="city Riga", mime_type=MemoryMimeType.TEXT)
    assert {"city": "Riga", "from": "Ada"} in [each.content for each in (await ada.query(question)).results]
    memory.remember("Ada reads novels", user="ada", namespace=space, wait=True)
    await ada.clear()
    assert [each.content for each in (await ada.query("Ada")).results] == ["Ada reads novels"], (
        "only what was added goes"
    )
    assert len((await bob.query("coffee")).results) == 1
    picture = MemoryContent(content=Image(Picture.new("RGB", (1, 1))), mime_type=MemoryMimeType.IMAGE)
    with pytest.raises(TypeError, match="text or JSON, not Image"):
        await ada.add(picture)
    await ada.close()


@check
async def an_agent_recalls(memory: Any, space: str) -> None:
    memory.remember("Ada is allergic to hazelnuts", user="ada", namespace=space, wait=True)
    model = ReplayChatCompletionClient(["No cake."])
    agent = AssistantAgent("clerk", model, memory=[AutoGenMemory(memory, namespace=space, user="ada")])
    result = await agent.run(task="What hazelnuts is Ada allergic to?")
    asked = model.create_calls[0]["messages"]
    assert "Ada is allergic to hazelnuts" in str(asked[-1].content), asked
    assert asked[-1].source == "memory"
    assert result.messages[-1].content == "No cake."
    context = BufferedChatCompletionContext(5, initial_messages=[SystemMessage(content="be kind")])
    assert (await AutoGenMemory(memory, namespace=space).update_context(context)).memories.results == []


run()
