"""A LangChain agent that remembers over two conversations, and a vector store: without a key, with a scripted model.

    pip install langchain ; python examples/langchain_agent.py [FOLDER]

The model prints what it is given beyond the question: that is what was recalled.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from ai_memory import Memory
from ai_memory.integrations.langchain import MemoryVectorStore
from ai_memory.integrations.langchain.middleware import MemoryMiddleware


class Scripted(GenericFakeChatModel):
    """Says what it is given one after the other."""

    def _generate(self, messages: list[Any], *args: Any, **kwargs: Any) -> Any:
        recalled = [line for message in messages for line in message.text.splitlines() if line.startswith(">")]
        print("".join(f"    (recalled {line})\n" for line in recalled), end="")
        return super()._generate(messages, *args, **kwargs)


def talk(memory: Memory, thread: str, said: str, reply: str) -> None:
    """One turn of a conversation."""
    middleware = MemoryMiddleware(memory, user="ada", limit=1)
    agent = create_agent(
        Scripted(messages=iter([AIMessage(reply)])), middleware=[middleware], checkpointer=InMemorySaver()
    )
    print(f"  Ada:   {said}")
    done = agent.invoke({"messages": [HumanMessage(said)]}, {"configurable": {"thread_id": thread}})
    print(f"  agent: {done['messages'][-1].text}")


def main(folder: str) -> None:
    with Memory(data_dir=folder) as memory:
        print("monday")
        talk(memory, "monday", "I am allergic to hazelnuts.", "I will remember that.")
        print("tuesday")
        talk(memory, "tuesday", "To which nuts am I allergic?", "To hazelnuts.")
        store = MemoryVectorStore(memory, context="recipes")
        store.add_texts(["Walnut bread with honey", "Apple pie with cinnamon"], [{"nuts": True}, {"nuts": False}])
        (found,) = store.similarity_search("what to bake with apples?", k=1, filter={"nuts": False})
        print(f"recipe: {found.page_content}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(sys.argv[1] if len(sys.argv) > 1 else temporary)
