"""Memory for Microsoft's Agent Framework, the successor of AutoGen and Semantic Kernel. Needs agent-framework-core."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Unpack

from ai_memory.integrations.common.scoped import BLOCK_HITS, BLOCK_TOKENS, Scope, ScopedMemory
from ai_memory.integrations.common.sequence import Item, Items
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods

try:
    from agent_framework import AgentSession, ContextProvider, HistoryProvider, Message, SessionContext
except ImportError as missing:
    raise ImportError("ai_memory.integrations.agent_framework needs: pip install agent-framework-core") from missing

SOURCE = "ai_memory"
_SPEAKERS = ("user", "assistant")


class MemoryContextProvider(ContextProvider):
    """An agent that remembers: `Agent(client, context_providers=[MemoryContextProvider(memory, user="ada")])`.

    Before a run, what answers its input is added as one fenced block, for the model alone. After it, what was said is stored,
    by `remember_messages`: the session is that of the run, unless the scope names one.
    """

    def __init__(
        self,
        memory: Methods | AsyncMethods,
        *,
        source_id: str = SOURCE,
        limit: int = BLOCK_HITS,
        max_tokens: int = BLOCK_TOKENS,
        remember: bool = True,
        **scope: Unpack[Scope],
    ) -> None:
        """At most `limit` memories and `max_tokens` tokens, as estimated, are recalled; nothing is stored without `remember`."""
        super().__init__(source_id)
        self.memory = ScopedMemory(memory, **scope)
        self.limit, self.max_tokens, self.remember = limit, max_tokens, remember

    async def before_run(
        self, *, agent: Any, session: AgentSession, context: SessionContext, state: dict[str, Any]
    ) -> None:
        """Recall what answers the input."""
        del agent, session, state
        question = "\n".join(message.text for message in context.input_messages if message.role == "user")
        if not question.strip():
            return
        block = await asyncio.to_thread(self.memory.block, question, limit=self.limit, max_tokens=self.max_tokens)
        if block:
            context.extend_messages(self, [Message("user", [block])])

    async def after_run(
        self, *, agent: Any, session: AgentSession, context: SessionContext, state: dict[str, Any]
    ) -> None:
        """Store what was said in the run."""
        del agent, session, state
        answered = context.response.messages if context.response is not None else []
        said = [{"role": each.role, "content": each.text} for each in (*context.input_messages, *answered)]
        if self.remember and said:
            await asyncio.to_thread(self.memory.remember, said, session=context.session_id)


class MemoryHistoryProvider(HistoryProvider):
    """All messages of each session, which come back equal and in order; recall finds what people and models said in them."""

    def __init__(
        self,
        memory: Methods | AsyncMethods,
        *,
        source_id: str = f"{SOURCE}_history",
        options: dict[str, Any] | None = None,
        **scope: Unpack[Scope],
    ) -> None:
        """`options` are those of `HistoryProvider`, such as `store_outputs`. The session is that of a run."""
        super().__init__(source_id, **options or {})
        self._memory, self._scope = memory, scope

    async def get_messages(
        self, session_id: str | None, *, state: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Message]:
        """The messages of a session, oldest first. Raises InvalidInputError where the run has none."""
        del state, kwargs
        return [Message.from_dict(value) for value in await asyncio.to_thread(self._items(session_id).all)]

    async def save_messages(
        self,
        session_id: str | None,
        messages: Sequence[Message],
        *,
        state: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Add messages at the end of a session. Raises InvalidInputError where the run has none."""
        del state, kwargs
        items = [
            Item(message.to_dict(), message.text if message.role in _SPEAKERS else "", message.role)
            for message in messages
        ]
        await asyncio.to_thread(self._items(session_id).add, items)

    def _items(self, session_id: str | None) -> Items:
        scope: Scope = {**self._scope, "session": self._scope.get("session") or session_id}
        return Items(ScopedMemory(self._memory, **scope), "agent_framework_message")
