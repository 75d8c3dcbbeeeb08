"""A CrewAI crew whose memory is the service: without a key, with a scripted model.

pip install crewai ; python examples/crewai_memory.py [FOLDER]
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

os.environ |= {"CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true", "CREWAI_TRACING_ENABLED": "false"}

from crewai import Agent, BaseLLM, Crew, Task

from ai_memory import Memory
from ai_memory.integrations.crewai import crew_memory


class Scripted(BaseLLM):
    """Says one thing, and prints what it is given of the memory."""

    answer: str = ""

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
        lines = [line for message in messages for line in str(message["content"]).splitlines()]
        print("".join(f"recalled {line.strip()}\n" for line in lines if "hazelnuts" in line), end="")
        return self.answer


def main(folder: str) -> None:
    with Memory(data_dir=folder) as memory:
        reader = Scripted(model="scripted", answer='{"memories": ["Ada was offered apple pie"]}')
        kitchen = crew_memory(memory, context="kitchen", base={"llm": reader})
        # With all fields given, CrewAI asks no model what they may be.
        kitchen.remember("Ada is allergic to hazelnuts", scope="/guests", categories=["food"], importance=0.9)
        model = Scripted(model="scripted", answer="Thought: no nuts.\nFinal Answer: Apple pie.")
        cook = Agent(role="cook", goal="feed Ada", backstory="a careful cook", llm=model)
        task = Task(
            description="Which cake may Ada eat, given her allergy to nuts?", expected_output="a cake", agent=cook
        )
        print(f"crew: {Crew(agents=[cook], tasks=[task], memory=kitchen).kickoff().raw}")
        kitchen.drain_writes()
        print("\n".join(f"kept: {each.text}" for each in memory.list(context="kitchen", order="oldest").memories))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(sys.argv[1] if len(sys.argv) > 1 else temporary)
