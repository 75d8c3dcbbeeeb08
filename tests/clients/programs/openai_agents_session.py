"""OpenAI's Agents SDK over the service: its session against the SDK's own, and a scripted agent that uses the tools.

Usage: openai_agents_session.py URL FOLDER. Prints a JSON object: by place, what each step gave.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from pathlib import Path
from typing import Any

import ours  # noqa: F401
from agents import Agent, Model, ModelResponse, Runner, SQLiteSession, Usage, set_tracing_disabled
from agents.memory import Session, SessionSettings
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from ai_memory import Client, Memory
from ai_memory.integrations.openai_agents import MemorySession, memory_tools

SUNNY = {"type": "output_text", "text": "Sunny.", "annotations": []}
ITEMS: list[Any] = [
    {"role": "user", "content": "What is the capital of Latvia?"},
    {"role": "assistant", "content": "Riga."},
    {"role": "user", "content": "ok"},
    {"role": "user", "content": "ok"},
    {"role": "user", "content": ""},
    {
        "content": [{"type": "input_text", "text": "Zażółć 漢字 \u2028"}, {"type": "input_image", "image_url": "x"}],
        "role": "user",
    },
    {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Riga"}'},
    {"type": "function_call_output", "call_id": "c1", "output": "\x00sunny\n" * 40_000},
    {"type": "reasoning", "id": "r1", "summary": [], "encrypted_content": None, "score": 1.5},
    {
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "id": "m1",
        "content": [SUNNY],
    },
]


async def steps(session: Session) -> list[Any]:
    """What a session gives, step by step."""
    found: list[Any] = [isinstance(session, Session), await session.get_items(), await session.pop_item()]
    await session.add_items(ITEMS[:4])
    await session.add_items([])
    await session.add_items(ITEMS[4:])
    found += [await session.get_items(), await session.get_items(limit=3), await session.get_items(0)]
    found += [await session.pop_item(), await session.pop_item(), await session.pop_item(), await session.get_items(2)]
    await session.add_items([ITEMS[-1], ITEMS[0]])
    found.append(await session.get_items())
    await session.clear_session()
    found.append(await session.get_items())
    await session.add_items([ITEMS[0]])
    found += [await session.get_items(), await session.pop_item(), await session.pop_item()]
    return found


class Scripted(Model):
    """A model that says what it is told to, and keeps what it was given."""

    def __init__(self, *outputs: Any) -> None:
        self.outputs = list(outputs)
        self.given: list[Any] = []

    async def get_response(self, **given: Any) -> ModelResponse:
        self.given.append(given["input"])
        return ModelResponse(output=[self.outputs.pop(0)], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


def call(name: str, **arguments: Any) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        type="function_call", call_id=uuid.uuid4().hex, name=name, arguments=json.dumps(arguments)
    )


def say(text: str) -> ResponseOutputMessage:
    part = ResponseOutputText(type="output_text", text=text, annotations=[])
    return ResponseOutputMessage(
        id=uuid.uuid4().hex, type="message", role="assistant", status="completed", content=[part]
    )


async def agent(memory: Any, name: str) -> dict[str, Any]:
    """Two sessions of an agent: it remembers through a tool, and recalls in the next."""
    model = Scripted(
        call("remember", text="Mira is allergic to hazelnuts"),
        say("Noted."),
        call("recall", query="What can Mira not eat?"),
        call("recall", question="x"),
        call("forget", id="mem_nothing"),
        say("No hazelnuts."),
    )
    helper = Agent(name="helper", model=model, tools=list(memory_tools(memory, namespace=name)))
    session = MemorySession(name, memory, namespace=name)
    await Runner.run(helper, "Mira is allergic to hazelnuts.", session=session)
    result = await Runner.run(helper, "What can Mira not eat?", session=session)
    outputs = [item["output"] for item in model.given[-1] if item.get("type") == "function_call_output"]
    said = memory.recall("What can Mira not eat?", session=name, namespace=name).hits[0].memory
    return {
        "final": result.final_output,
        "outputs": outputs,
        "items": len(await session.get_items()),
        "kept": [said.text, said.author],
    }


async def main(url: str, folder: Path) -> dict[str, Any]:
    set_tracing_disabled(True)
    expected = await steps(SQLiteSession("s", folder / "sessions.db"))
    found: dict[str, Any] = {"steps": len(expected)}
    with Memory(data_dir=folder / "ours", model="none") as memory, Client(url) as client:
        for place, opened in (("in process", memory), ("over HTTP", client)):
            given = await steps(MemorySession("s", opened))
            found[place] = {
                "differ": [n for n, (a, b) in enumerate(zip(expected, given, strict=True)) if a != b],
                **await agent(opened, "agents"),
            }
            limited = MemorySession("limited", opened, session_settings=SessionSettings(limit=2))
            await limited.add_items(ITEMS[:3])
            found[place]["limited"] = await limited.get_items() == ITEMS[1:3]
    return found


print(json.dumps(asyncio.run(main(sys.argv[1], Path(sys.argv[2])))))
