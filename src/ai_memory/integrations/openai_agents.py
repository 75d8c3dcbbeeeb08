"""Sessions and tools of OpenAI's Agents SDK over this service. Needs openai-agents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ai_memory.integrations.common.scoped import ScopedMemory
from ai_memory.integrations.common.sequence import Item, Items
from ai_memory.integrations.tools import USUAL, AgentTool, agent_tools
from ai_memory.python.methods import Methods
from ai_memory.types import DEFAULT_NAMESPACE

try:
    from agents import FunctionTool
    from agents.memory import SessionSettings
except ImportError as missing:
    raise ImportError("ai_memory.integrations.openai_agents needs: pip install openai-agents") from missing

_OF = "agents_item"
"""The attribute of an item."""
_SPOKEN = ("text", "input_text", "output_text", "refusal")


class MemorySession:
    """A session of the SDK: its items come back equal and in order, and what was said in it can be recalled.

    `Runner.run(agent, "…", session=MemorySession("chat-1", memory))`. Each item is a memory of the session; one that is popped or
    cleared is erased for good.
    """

    def __init__(
        self,
        session_id: str,
        memory: Methods,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        user: str | None = None,
        session_settings: SessionSettings | None = None,
    ) -> None:
        """`memory` is a `Memory` or a `Client`, which stays the caller's to close; `session_settings` may limit `get_items`."""
        self.session_id = session_id
        self.session_settings = session_settings
        self._items = Items(ScopedMemory(memory, namespace=namespace, user=user, session=session_id), _OF)

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """The items, oldest first; with a limit, the latest of them."""
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        return await asyncio.to_thread(self._items.all, limit if limit is None else max(limit, 0))

    async def add_items(self, items: Sequence[Any]) -> None:
        """Add items at the end."""
        await asyncio.to_thread(self._items.add, [_item(item) for item in items])

    async def pop_item(self) -> Any | None:
        """Erase the latest item and give it back; None where there is none."""
        return await asyncio.to_thread(self._items.pop)

    async def clear_session(self) -> None:
        """Erase all items of the session."""
        await asyncio.to_thread(self._items.clear)


def memory_tools(
    memory: Methods, names: Sequence[str] = USUAL, *, namespace: str = DEFAULT_NAMESPACE
) -> list[FunctionTool]:
    """Tools by which an agent recalls, remembers, revises and forgets: `Agent(tools=memory_tools(memory))`."""
    return [_function(tool) for tool in agent_tools(memory, names, namespace=namespace)]


def _function(tool: AgentTool) -> FunctionTool:
    async def invoke(context: Any, arguments: str) -> str:
        del context
        return await asyncio.to_thread(tool.answer, arguments)

    return FunctionTool(
        name=tool.name,
        description=tool.description,
        params_json_schema={**tool.schema, "additionalProperties": False},
        on_invoke_tool=invoke,
        strict_json_schema=False,
    )


def _item(item: Any) -> Item:
    return Item(item, _said(item), item.get("role"), str(item.get("type") or "message"))


def _said(item: Any) -> str:
    """What a message says; nothing for any other item."""
    content = item.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(
        str(part.get("text") or part.get("refusal") or "")
        for part in parts
        if isinstance(part, dict) and part.get("type") in _SPOKEN
    )
