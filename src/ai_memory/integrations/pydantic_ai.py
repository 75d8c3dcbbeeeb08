"""Tools, recall and remembering for agents of Pydantic AI over this service. Needs pydantic-ai-slim."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ai_memory.integrations.tools import USUAL, AgentTool, agent_tools
from ai_memory.operations.writing import RememberedMessages
from ai_memory.python.methods import Methods
from ai_memory.recall.context_block import without_blocks
from ai_memory.types import DEFAULT_NAMESPACE

try:
    from pydantic_ai import FunctionToolset, Tool
    from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, UserPromptPart
except ImportError as missing:
    raise ImportError("ai_memory.integrations.pydantic_ai needs: pip install pydantic-ai-slim") from missing

Processor = Callable[[list[ModelMessage]], Awaitable[list[ModelMessage]]]


def memory_toolset(
    memory: Methods, names: Sequence[str] = USUAL, *, namespace: str = DEFAULT_NAMESPACE
) -> FunctionToolset[Any]:
    """Tools by which an agent recalls, remembers, revises and forgets: `Agent(toolsets=[memory_toolset(memory)])`."""
    return FunctionToolset([_tool(tool) for tool in agent_tools(memory, names, namespace=namespace)], id="ai-memory")


def recalling(
    memory: Methods, *, namespace: str = DEFAULT_NAMESPACE, max_tokens: int = 700, limit: int = 6, **filters: Any
) -> Processor:
    """A processor of the history, for the capability `ProcessHistory`: before the latest prompt it puts what answers it.

    Earlier blocks of recalled memories are taken out. Nothing is put in where recall abstains. `filters` are those of `recall`.
    """

    async def process(messages: list[ModelMessage]) -> list[ModelMessage]:
        cleaned = [_without_recalled(message) for message in messages]
        place = next((at for at in range(len(cleaned) - 1, -1, -1) if _asked(cleaned[at])), None)
        if place is None:
            return cleaned
        answer = await asyncio.to_thread(
            partial(
                memory.recall,
                _asked(cleaned[place])[:20_000],
                namespace=namespace,
                limit=limit,
                max_tokens=max_tokens,
                format="context",
                **filters,
            )
        )
        if not answer.abstained and answer.hits and answer.context:
            request = cleaned[place]
            cleaned[place] = replace(request, parts=[UserPromptPart(answer.context), *request.parts])
        return cleaned

    return process


async def remember_run(memory: Methods, messages: Sequence[ModelMessage], **where: Any) -> RememberedMessages | None:
    """Store what the user and the agent said, as `remember_messages` does; None where nobody said anything.

    `messages` are a result's `new_messages()`; `where` is `session`, `user`, `agent`, `context`, `namespace` and the like.
    """
    said = [each for message in messages for each in _said(message)]
    return await asyncio.to_thread(partial(memory.remember_messages, said, **where)) if said else None


def _tool(tool: AgentTool) -> Tool[Any]:
    async def call(**arguments: Any) -> str:
        return await asyncio.to_thread(tool.answer, arguments)

    return Tool.from_schema(call, tool.name, tool.description, {**tool.schema, "additionalProperties": False})


def _texts(part: UserPromptPart) -> str:
    content = [part.content] if isinstance(part.content, str) else part.content
    return "\n".join(text for text in (getattr(each, "content", each) for each in content) if isinstance(text, str))


def _asked(message: ModelMessage) -> str:
    """What the user asks in a message; empty where it is another kind of message."""
    parts = message.parts if isinstance(message, ModelRequest) else []
    return "\n".join(_texts(part) for part in parts if isinstance(part, UserPromptPart)).strip()


def _without_recalled(message: ModelMessage) -> ModelMessage:
    """The message without prompts that are a block of recalled memories."""
    if not isinstance(message, ModelRequest):
        return message
    kept = [
        part
        for part in message.parts
        if not (isinstance(part, UserPromptPart) and isinstance(part.content, str) and _is_block(part.content))
    ]
    return replace(message, parts=kept) if len(kept) < len(message.parts) else message


def _is_block(text: str) -> bool:
    return bool(text.strip()) and not without_blocks(text).strip()


def _said(message: ModelMessage) -> list[dict[str, Any]]:
    """The message as `remember_messages` takes messages."""
    if isinstance(message, ModelResponse):
        texts = [part.content for part in message.parts if isinstance(part, TextPart) and part.content.strip()]
        return [{"role": "assistant", "content": "\n".join(texts), "time": message.timestamp}] if texts else []
    return [
        {"role": "user", "content": _texts(part), "time": part.timestamp}
        for part in message.parts
        if isinstance(part, UserPromptPart) and _texts(part).strip()
    ]
