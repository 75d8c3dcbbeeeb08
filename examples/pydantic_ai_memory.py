"""An agent of Pydantic AI that is given what it remembers before each prompt, and remembers each run. The model is scripted.

pip install pydantic-ai-slim ; python examples/pydantic_ai_memory.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile

from pydantic_ai import Agent
from pydantic_ai.capabilities import ProcessHistory
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from ai_memory import Memory
from ai_memory.integrations.pydantic_ai import memory_toolset, recalling, remember_run


def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Repeat what was recalled for the prompt, where anything was."""
    del info
    lines = [line for part in messages[-1].parts for line in str(getattr(part, "content", "")).splitlines()]
    recalled = next((line.removeprefix("> ") for line in lines if line.startswith("> ")), None)
    return ModelResponse([TextPart(f"I recall: {recalled}" if recalled else "I will remember that.")])


async def main(folder: str) -> None:
    """Two runs that share nothing but the memory."""
    with Memory(data_dir=folder) as memory:
        agent = Agent(
            FunctionModel(answer),
            toolsets=[memory_toolset(memory)],
            capabilities=[ProcessHistory(recalling(memory, user="ada"))],
        )
        for number, prompt in enumerate(("Ada is allergic to hazelnuts.", "What is Ada allergic to?")):
            result = await agent.run(prompt)
            print(f"Ada:   {prompt}\nagent: {result.output}")
            await remember_run(memory, result.new_messages(), session=f"run-{number}", user="ada")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else temporary))
