"""An agent of Microsoft's Agent Framework that remembers over two sessions: without a key, with a scripted client.

pip install agent-framework-core ; python examples/agent_framework_agent.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from agent_framework import Agent, BaseChatClient, ChatResponse, Message

from ai_memory import Memory
from ai_memory.integrations.agent_framework import MemoryContextProvider


class Scripted(BaseChatClient):
    """Says one thing, and prints what it is given beyond the question: that is what was recalled."""

    def __init__(self, reply: str) -> None:
        super().__init__()
        self.reply = reply

    async def _inner_get_response(self, *, messages: Sequence[Message], **kwargs: Any) -> ChatResponse:
        recalled = [line for message in messages for line in message.text.splitlines() if line.startswith(">")]
        print("".join(f"    (recalled {line})\n" for line in recalled), end="")
        return ChatResponse(messages=[Message("assistant", [self.reply])])


async def talk(memory: Memory, said: str, reply: str) -> None:
    """A session of one turn."""
    agent = Agent(Scripted(reply), context_providers=[MemoryContextProvider(memory, user="ada", limit=1)])
    print(f"  Ada:   {said}")
    answer = await agent.run(said, session=agent.create_session())
    print(f"  agent: {answer.text}")


async def sessions(memory: Memory) -> None:
    await talk(memory, "I am allergic to hazelnuts.", "I will remember that.")
    await talk(memory, "To which nuts am I allergic?", "To hazelnuts.")


def main(folder: str) -> None:
    with Memory(data_dir=folder) as memory:
        asyncio.run(sessions(memory))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(sys.argv[1] if len(sys.argv) > 1 else temporary)
