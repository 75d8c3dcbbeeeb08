"""AutoGen's `Memory` over the service. Needs autogen-core."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Unpack

from ai_memory.integrations.common.scoped import BLOCK_HITS, BLOCK_TOKENS, Scope, ScopedMemory
from ai_memory.integrations.common.shown import facts_of
from ai_memory.integrations.items import write
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods
from ai_memory.types import MemoryRecord

try:
    from autogen_core import CancellationToken
    from autogen_core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
    from autogen_core.model_context import ChatCompletionContext
    from autogen_core.models import UserMessage
except ImportError as missing:
    raise ImportError("ai_memory.integrations.autogen needs: pip install autogen-core") from missing

_OF = "autogen"
"""The attribute of what `add` stored; its parts are named in `_draft`."""
_SOURCE = "memory"
"""From whom a model gets what was recalled."""


class AutoGenMemory(Memory):
    """Memories for agents: `AssistantAgent(..., memory=[AutoGenMemory(memory, user="ada")])`.

    Before a turn, what answers the latest message of the user is added to the context, as one fenced block. `add` takes text,
    Markdown and JSON.
    """

    def __init__(
        self,
        memory: Methods | AsyncMethods,
        *,
        limit: int = BLOCK_HITS,
        max_tokens: int = BLOCK_TOKENS,
        **scope: Unpack[Scope],
    ) -> None:
        """At most `limit` memories and `max_tokens` tokens, as estimated, are recalled."""
        self.memory = ScopedMemory(memory, **scope)
        self.limit, self.max_tokens = limit, max_tokens

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Add what answers the latest message of the user; the result has the block too, and is empty where nothing does."""
        asked = [each for each in await model_context.get_messages() if isinstance(each, UserMessage)]
        question = _text(asked[-1].content) if asked else ""
        block = ""
        if question.strip():
            block = await asyncio.to_thread(self.memory.block, question, limit=self.limit, max_tokens=self.max_tokens)
        if not block:
            return UpdateContextResult(memories=MemoryQueryResult(results=[]))
        await model_context.add_message(UserMessage(content=block, source=_SOURCE))
        content = MemoryContent(content=block, mime_type=MemoryMimeType.TEXT)
        return UpdateContextResult(memories=MemoryQueryResult(results=[content]))

    async def query(
        self, query: str | MemoryContent, cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        """What answers a question, the best first; the metadata has the memory's facts, its `id` and its `score`, from 0 to 1."""
        del cancellation_token, kwargs
        question = _text(query.content if isinstance(query, MemoryContent) else query)
        found = await asyncio.to_thread(self.memory.find, question, self.limit)
        return MemoryQueryResult(results=[_content(record, confidence) for record, confidence in found])

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Store a text or a JSON object. Raises TypeError for pictures and other bytes."""
        del cancellation_token
        await asyncio.to_thread(write, self.memory.memory, self.memory.namespace, [self._draft(content)], wait=True)

    async def clear(self) -> None:
        """Erase what `add` stored in the scope for good."""
        await asyncio.to_thread(self.memory.forget_all, {f"attributes.{_OF}": {"$exists": True}})

    async def close(self) -> None:
        """Nothing: the store or client stays the caller's to close."""

    def _draft(self, content: MemoryContent) -> dict[str, Any]:
        kept = {"mime_type": content.serialize_mime_type(content.mime_type), "metadata": content.metadata}
        return {"text": _text(content.content), "attributes": {_OF: kept}, **self.memory.facets}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return json.dumps(content, ensure_ascii=False)
    if isinstance(content, list):  # of a message: texts and pictures
        return "\n".join(each for each in content if isinstance(each, str))
    raise TypeError(f"a memory is text or JSON, not {type(content).__name__}")


def _content(record: MemoryRecord, confidence: float) -> MemoryContent:
    kept = record.attributes.get(_OF, {})
    mime_type = kept.get("mime_type", MemoryMimeType.TEXT.value)
    is_json = mime_type == MemoryMimeType.JSON.value
    return MemoryContent(
        content=json.loads(record.text) if is_json else record.text,
        mime_type=mime_type,
        metadata={**facts_of(record), **(kept.get("metadata") or {}), "id": record.id, "score": confidence},
    )
