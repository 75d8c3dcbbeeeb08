"""LlamaIndex's chat memory with long-term memory behind it, and an index over the service: without a key or a language model.

pip install llama-index-core ; python examples/llamaindex_memory.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile

from llama_index.core import Document, MockEmbedding, StorageContext, VectorStoreIndex
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import Memory as ChatMemory

from ai_memory import Memory
from ai_memory.integrations.llamaindex import MemoryBlock, MemoryVectorStore


async def monday(memory: Memory) -> None:
    """A conversation, whose messages are stored when it ends."""
    block = MemoryBlock(memory, user="ada")
    said = [
        ChatMessage(role="user", content="I am allergic to hazelnuts."),
        ChatMessage(role="assistant", content="Noted."),
    ]
    await block.aput(said, session_id="monday")


async def tuesday(memory: Memory) -> None:
    """Another one, whose system message has what was recalled."""
    block = MemoryBlock(memory, user="ada", base={"limit": 1})
    chat = ChatMemory.from_defaults(session_id="tuesday", memory_blocks=[block])
    messages = await chat.aget(input="To which nuts am I allergic?")
    print("\n".join(line for line in str(messages[0].content).splitlines() if line.startswith(">")))


def index(memory: Memory) -> None:
    """The service embeds by itself, so the index needs no embedding model."""
    store = MemoryVectorStore(memory, context="recipes")
    made = VectorStoreIndex.from_documents(
        [Document(text="Walnut bread with honey"), Document(text="Apple pie with cinnamon")],
        storage_context=StorageContext.from_defaults(vector_store=store),
        embed_model=MockEmbedding(embed_dim=1),
    )
    (found,) = made.as_retriever(similarity_top_k=1).retrieve("what to bake with apples?")
    print(f"recipe: {found.node.get_content()}")


def main(folder: str) -> None:
    with Memory(data_dir=folder) as memory:
        asyncio.run(monday(memory))
        asyncio.run(tuesday(memory))
        index(memory)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(sys.argv[1] if len(sys.argv) > 1 else temporary)
