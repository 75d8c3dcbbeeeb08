"""Pydantic AI over the service: the toolset, the processor of the history, and what a run leaves behind.

Usage: pydantic_ai_memory.py URL FOLDER. Prints a JSON object: by place, what was seen.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import ours  # noqa: F401
from pydantic_ai import Agent
from pydantic_ai.capabilities import ProcessHistory
from pydantic_ai.messages import ImageUrl, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from ai_memory import Client, Memory
from ai_memory.integrations.pydantic_ai import memory_toolset, recalling, remember_run


async def session(memory: Any, session: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    calls = [
        ToolCallPart("remember", {"text": "Mira is allergic to hazelnuts", "tags": ["health"]}),
        TextPart("Noted."),
        ToolCallPart("recall", json.dumps({"query": "What is Mira allergic to?"})),
        ToolCallPart("recall", {"question": "x"}),
        TextPart("Hazelnuts."),
        TextPart("Once more: hazelnuts."),
    ]

    def model(messages: list[Any], info: AgentInfo) -> ModelResponse:
        seen["tools"] = [tool.name for tool in info.function_tools]
        seen.setdefault("prompts", []).append(
            [part.content for message in messages for part in message.parts if part.part_kind == "user-prompt"]
        )
        seen["returns"] = [p.content for m in messages for p in m.parts if p.part_kind == "tool-return"]
        return ModelResponse([calls.pop(0)])

    agent = Agent(
        FunctionModel(model),
        toolsets=[memory_toolset(memory, namespace=session)],
        capabilities=[ProcessHistory(recalling(memory, namespace=session, types=["semantic"]))],
    )
    first = await agent.run("Mira is allergic to hazelnuts.")
    await remember_run(memory, first.new_messages(), session=session, namespace=session)
    second = await agent.run("What is Mira allergic to?", message_history=first.all_messages())
    third = await agent.run(
        ["What is Mira allergic to, again?", ImageUrl("https://example.org/x.png")],
        message_history=second.all_messages(),
    )
    kept = await remember_run(
        memory, [*second.new_messages(), *third.new_messages()], session=session, namespace=session
    )
    said = [
        [each.author, each.text] for each in memory.list(session=session, namespace=session, order="oldest").memories
    ]
    blocks = [[str(text).startswith("[memories") for text in prompts] for prompts in seen["prompts"]]
    return {
        "tools": seen["tools"],
        "blocks": blocks,
        "block": next(text for text in seen["prompts"][-1] if str(text).startswith("[memories")),
        "returns": seen["returns"],
        "counts": None if kept is None else kept.counts,
        "said": said,
        "nothing": await remember_run(memory, []),
    }


async def main(url: str, folder: Path) -> dict[str, Any]:
    with Memory(data_dir=folder / "ours", model="none") as memory, Client(url) as client:
        return {
            "in process": await session(memory, "pydantic"),
            "over HTTP": await session(client, "pydantic"),
        }


print(json.dumps(asyncio.run(main(sys.argv[1], Path(sys.argv[2]))), default=str))
