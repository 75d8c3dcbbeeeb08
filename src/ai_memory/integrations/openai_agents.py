"""Sessions and tools of OpenAI's Agents SDK over this service. Needs openai-agents."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from ai_memory.integrations.items import listed, write
from ai_memory.integrations.tools import USUAL, AgentTool, agent_tools
from ai_memory.python.methods import Methods
from ai_memory.recall.context_block import without_blocks
from ai_memory.types import DEFAULT_NAMESPACE, MemoryRecord, MemoryType

try:
    from agents import FunctionTool
    from agents.memory import SessionSettings
except ImportError as missing:
    raise ImportError("ai_memory.integrations.openai_agents needs: pip install openai-agents") from missing

_OF = "agents_item"
"""The attribute of an item: its JSON, which part of it where it is long, and how many parts there are."""
_PART = 30_000
"""Characters of JSON in one memory, whose attributes take 64 KiB."""
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
        self.memory = memory
        self.namespace = namespace
        self.user = user

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """The items, oldest first; with a limit, the latest of them."""
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        return await asyncio.to_thread(lambda: [item for item, _ in self._latest(limit)][::-1])

    async def add_items(self, items: Sequence[Any]) -> None:
        """Add items at the end."""
        drafts = [draft for item in items for draft in self._drafts(item)]
        await asyncio.to_thread(write, self.memory, self.namespace, drafts)

    async def pop_item(self) -> Any | None:
        """Erase the latest item and give it back; None where there is none."""
        return await asyncio.to_thread(self._pop)

    async def clear_session(self) -> None:
        """Erase all items of the session."""
        await asyncio.to_thread(
            self.memory.forget_many, namespace=self.namespace, dry_run=False, allow_share=1.0, **self._filters()
        )

    def _pop(self) -> Any | None:
        for item, records in self._latest(1):
            for record in records:
                self.memory.forget(record.id, namespace=self.namespace)
            return item
        return None

    def _latest(self, limit: int | None) -> Iterator[tuple[Any, list[MemoryRecord]]]:
        """The items with their memories, newest first."""
        records: list[MemoryRecord] = []
        found = listed(self.memory, self.namespace, order="newest", **self._filters())
        while limit is None or limit > 0:
            records = list(itertools.islice(found, 1))
            if not records:
                return
            records += itertools.islice(found, records[0].attributes[_OF]["parts"] - 1)
            pieces = sorted(records, key=lambda record: record.attributes[_OF]["part"])
            yield json.loads("".join(piece.attributes[_OF]["json"] for piece in pieces)), records
            limit = None if limit is None else limit - 1

    def _filters(self) -> dict[str, Any]:
        user = {} if self.user is None else {"user": self.user}
        return {"session": self.session_id, "where": {f"attributes.{_OF}": {"$exists": True}}, **user}

    def _drafts(self, item: Any) -> Iterator[dict[str, Any]]:
        """One draft for an item, or several for a long one, with keys of their own: an item may be said twice."""
        written = json.dumps(item)
        kind = str(item.get("type") or "message")
        starts = range(0, len(written), _PART)
        for part, start in enumerate(starts):
            text = without_blocks(_said(item)) if part == 0 else ""
            yield {
                "text": text if text.strip() else f"({kind})",
                "type": MemoryType.CONVERSATION,
                "author": item.get("role"),
                "session": self.session_id,
                "user": self.user,
                "key": f"{_OF}:{uuid.uuid4().hex}",
                "attributes": {_OF: {"json": written[start : start + _PART], "part": part, "parts": len(starts)}},
            }


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
