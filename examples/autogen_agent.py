"""An AutoGen agent that recalls what it was told before: without a key, with a scripted model.

pip install autogen-agentchat autogen-ext ; python examples/autogen_agent.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile

from autogen_agentchat.agents import AssistantAgent
from autogen_core.memory import MemoryContent, MemoryMimeType
from autogen_ext.models.replay import ReplayChatCompletionClient

from ai_memory import Memory
from ai_memory.integrations.autogen import AutoGenMemory


async def talk(opened: Memory) -> None:
    memory = AutoGenMemory(opened, user="ada", limit=1)
    await memory.add(MemoryContent(content="Ada is allergic to hazelnuts", mime_type=MemoryMimeType.TEXT))
    await memory.add(MemoryContent(content="the ferry to Riga leaves at seven", mime_type=MemoryMimeType.TEXT))
    model = ReplayChatCompletionClient(["No hazelnut cake for Ada."])
    agent = AssistantAgent("cook", model, memory=[memory])
    result = await agent.run(task="To which nuts is Ada allergic?")
    for line in str(model.create_calls[0]["messages"][-1].content).splitlines():
        print(f"recalled {line}" if line.startswith(">") else "", end="")
    print(f"\nagent: {result.messages[-1].content}")


def main(folder: str) -> None:
    with Memory(data_dir=folder) as memory:
        asyncio.run(talk(memory))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(sys.argv[1] if len(sys.argv) > 1 else temporary)
