"""Long-term memory as a block of LlamaIndex's `Memory`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import groupby
from typing import Any, Unpack

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.memory import BaseMemoryBlock

from ai_memory.integrations.common.scoped import BLOCK_HITS, BLOCK_TOKENS, Scope, ScopedMemory
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods

_SESSION = "session_id"
"""Where `Memory` notes in a message which conversation it is from."""


class MemoryBlock(BaseMemoryBlock[str]):
    """Recalls what answers the latest message of the user, and stores the messages that leave the short-term memory.

    `Memory.from_defaults(memory_blocks=[MemoryBlock(memory, user="ada")])`. What `Memory` still holds when a conversation ends
    gets here only by `await block.aput(messages)`.
    """

    name: str = Field(default="long_term_memory", description="The name of the memory block.")
    limit: int = Field(default=BLOCK_HITS, description="At most this many memories.")
    max_tokens: int = Field(default=BLOCK_TOKENS, description="At most this many tokens, as estimated.")
    _memory: ScopedMemory = PrivateAttr()

    def __init__(
        self, memory: Methods | AsyncMethods, *, base: dict[str, Any] | None = None, **scope: Unpack[Scope]
    ) -> None:
        """`base` has fields of the block: `name`, `priority`, `limit`, `max_tokens` and the like; `scope` is where it works."""
        super().__init__(**base or {})
        self._memory = ScopedMemory(memory, **scope)

    async def _aget(self, messages: list[ChatMessage] | None = None, **block_kwargs: Any) -> str:
        del block_kwargs
        asked = [message for message in messages or () if message.role == "user" and (message.content or "").strip()]
        if not asked:
            return ""
        question = str(asked[-1].content)
        return await asyncio.to_thread(self._memory.block, question, limit=self.limit, max_tokens=self.max_tokens)

    async def _aput(self, messages: list[ChatMessage]) -> None:
        for session, together in groupby(messages, lambda message: message.additional_kwargs.get(_SESSION)):
            await asyncio.to_thread(self._memory.remember, list(_said(together)), session=session)


def _said(messages: Iterable[ChatMessage]) -> Iterable[dict[str, Any]]:
    return ({"role": message.role.value, "content": message.content} for message in messages)
