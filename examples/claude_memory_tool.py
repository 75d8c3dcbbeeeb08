"""Claude's memory tool over this service: what the model writes into /memories is memories, with a history and a search.

    pip install anthropic ; python examples/claude_memory_tool.py [FOLDER]

With a client it is `client.beta.messages.run_tools(tools=[MemoryTool(memory)], …)`. Here the model's commands are scripted.
"""

from __future__ import annotations

import sys
import tempfile

from ai_memory import Memory
from ai_memory.integrations.anthropic import MemoryTool

PREFERENCES = "/memories/preferences/style.md"
COMMANDS = (
    {"command": "view", "path": "/memories"},
    {"command": "create", "path": PREFERENCES, "file_text": "Short sentences.\nAnswer in English.\n"},
    {"command": "str_replace", "path": PREFERENCES, "old_str": "in English", "new_str": "in Latvian"},
    {"command": "view", "path": "/memories"},
    {"command": "view", "path": PREFERENCES},
)


def main(folder: str) -> None:
    """Carry the commands out, then look at the same file as a memory."""
    with Memory(data_dir=folder) as memory:
        tool = MemoryTool(memory)
        for command in COMMANDS:
            print(f"{command['command']} {command['path']}\n{tool.call(command)}\n")
        (hit,) = memory.recall("Latvian or English?", context="memories/preferences", limit=1).hits
        print(f"recalled: {hit.memory.title}: {hit.memory.text!r}")
        print(f"revisions: {[each.text for each in memory.history(hit.memory.id).revisions]}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(sys.argv[1] if len(sys.argv) > 1 else temporary)
