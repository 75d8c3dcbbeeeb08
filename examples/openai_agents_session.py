"""An agent of OpenAI's Agents SDK whose session is kept by this service, and who recalls from it. The model is scripted.

pip install openai-agents ; python examples/openai_agents_session.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import uuid
from typing import Any

from agents import Agent, Model, ModelResponse, Runner, Usage, set_tracing_disabled
from openai.types.responses import ResponseOutputMessage, ResponseOutputText

from ai_memory import Memory
from ai_memory.integrations.openai_agents import MemorySession, memory_tools


class Echo(Model):
    """Repeats the first thing that the user said in this session."""

    async def get_response(self, **given: Any) -> ModelResponse:
        first = next(item["content"] for item in given["input"] if item.get("role") == "user")
        part = ResponseOutputText(type="output_text", text=f"You said: {first}", annotations=[])
        said = ResponseOutputMessage(
            id=uuid.uuid4().hex, type="message", role="assistant", status="completed", content=[part]
        )
        return ModelResponse(output=[said], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError("this model answers at once")


async def main(folder: str) -> None:
    """Two runs, each with a store opened again, then a question to the memory."""
    set_tracing_disabled(True)
    for prompt in ("My name is Ada.", "What is my name?"):
        with Memory(data_dir=folder) as memory:
            agent = Agent(name="helper", model=Echo(), tools=list(memory_tools(memory)))
            result = await Runner.run(agent, prompt, session=MemorySession("chat-1", memory, user="ada"))
            print(f"Ada:   {prompt}\nagent: {result.final_output}")
    with Memory(data_dir=folder) as memory:
        print("recalled:", memory.recall("name", user="ada", author="user").hits[0].memory.text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else temporary))
