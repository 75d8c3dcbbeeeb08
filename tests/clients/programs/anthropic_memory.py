"""Claude's memory tool over the service and over the package's own files: the same commands, the same answers.

Usage: anthropic_memory.py URL FOLDER. Prints a JSON object: how many commands ran, and by tool those that were answered otherwise.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import ours  # noqa: F401
from anthropic.lib.tools import ToolError
from anthropic.lib.tools._beta_builtin_memory_tool import BetaLocalFilesystemMemoryTool

from ai_memory import Client, Memory
from ai_memory.integrations.anthropic import AsyncMemoryTool, MemoryTool

Command = dict[str, Any]


def view(path: str, *view_range: int) -> Command:
    return {"command": "view", "path": path, **({"view_range": list(view_range)} if view_range else {})}


def create(path: str, text: str) -> Command:
    return {"command": "create", "path": path, "file_text": text}


def replace(path: str, old: str, new: str) -> Command:
    return {"command": "str_replace", "path": path, "old_str": old, "new_str": new}


def insert(path: str, line: int, text: str) -> Command:
    return {"command": "insert", "path": path, "insert_line": line, "insert_text": text}


def delete(path: str) -> Command:
    return {"command": "delete", "path": path}


def rename(old: str, new: str) -> Command:
    return {"command": "rename", "old_path": old, "new_path": new}


NOTES = "/memories/notes.md"
COMMANDS: list[Command] = [
    view("/memories"),
    create(NOTES, "first\nsecond\nthird\n"),
    view(NOTES),
    view(NOTES, 2, 3),
    view(NOTES, 2, -1),
    view(NOTES, 0, 99),
    create(NOTES, "again"),
    replace(NOTES, "second", "zweite"),
    replace(NOTES, "absent", "x"),
    create("/memories/twice.txt", "a b\na c\na d"),
    replace("/memories/twice.txt", "a ", "the "),
    insert(NOTES, 0, "zeroth\n"),
    insert(NOTES, 2, "between"),
    insert(NOTES, 99, "beyond"),
    insert(NOTES, -1, "before"),
    insert("/memories/twice.txt", 3, "at the end"),
    view(NOTES),
    view("/memories/twice.txt"),
    create("/memories/empty.txt", ""),
    view("/memories/empty.txt"),
    insert("/memories/empty.txt", 0, "no longer"),
    view("/memories/empty.txt"),
    create("/memories/blank.txt", " \n\n"),
    view("/memories/blank.txt"),
    create("/memories/Ünïcode 漢字.md", "Zażółć\tgęślą\r\njaźń"),
    view("/memories/Ünïcode 漢字.md"),
    create("/memories/Notes.md", "another case"),
    view("/memories/Notes.md"),
    create("/memories/a/b/c/deep.md", "deep"),
    create("/memories/a/b/second.md", "x" * 1536),
    create("/memories/a/same.md", "deep"),
    create("/memories/.hidden", "secret"),
    view("/memories"),
    view("/memories/a"),
    view("/memories/a/b/c"),
    view("/memories/a/b/c/deep.md"),
    view("/memories/nowhere"),
    create("/memories/a", "a folder is there"),
    replace("/memories/a", "x", "y"),
    replace("/memories/nowhere", "x", "y"),
    insert("/memories/a", 0, "y"),
    insert("/memories/nowhere", 0, "y"),
    rename(NOTES, "/memories/twice.txt"),
    rename(NOTES, "/memories/kept/notes.md"),
    view(NOTES),
    view("/memories/kept/notes.md"),
    rename("/memories/a/b", "/memories/moved"),
    view("/memories/moved"),
    view("/memories/moved/c/deep.md"),
    rename("/memories/nowhere", "/memories/x"),
    rename("/memories", "/memories/x"),
    delete("/memories/kept/notes.md"),
    create("/memories/kept/notes.md", "first\nsecond\nthird\n"),
    view("/memories/kept/notes.md"),
    delete("/memories/moved"),
    delete("/memories/moved"),
    delete("/memories/nowhere"),
    delete("/memories"),
    view("/memories"),
    view("/etc/passwd"),
    view("/memories/../etc/passwd"),
    view("/memories/../../etc/passwd"),
    create("/memories/a/../../out.txt", "out"),
    create("../memories/x", "out"),
    delete("/memories/a/../../.."),
    rename("/memories/twice.txt", "/memories/../out.txt"),
    view("/memories/a/../twice.txt"),
]


def answer(tool: Any, command: Command) -> str:
    try:
        return shown(tool.call(command))
    except ToolError as error:
        return "error: " + shown(error.content)


async def answer_later(tool: Any, command: Command) -> str:
    try:
        return shown(await tool.call(command))
    except ToolError as error:
        return "error: " + shown(error.content)


def shown(text: Any) -> str:
    """Without the sizes of folders, which a file system makes up."""
    text = re.sub(r"(?m)^\S+\t(/\S*/)$", r"\1", text)
    return re.sub(r"(?m)(excluding hidden items:\n)\S+\t", r"\1", text)


def run(folder: Path, url: str) -> dict[str, dict[str, list[str]]]:
    reference = BetaLocalFilesystemMemoryTool(str(folder / "files"))
    expected = [answer(reference, command) for command in COMMANDS]
    with Memory(data_dir=folder / "memory", model="none") as memory, Client(url) as client:
        answers = {
            "in process": [answer(MemoryTool(memory), command) for command in COMMANDS],
            "over HTTP": [answer(MemoryTool(client), command) for command in COMMANDS],
            "for one user, later": asyncio.run(all_later(AsyncMemoryTool(memory, user="ada"))),
        }
        texts = {record.text for record in memory.list(context="memories/kept").memories}
        assert texts == {"first\nsecond\nthird\n"}, texts
        hits = memory.recall("deep", context="memories").hits
        assert [hit.memory.title for hit in hits][:1] == ["same.md"], hits
        MemoryTool(memory).clear_all_memory()
        assert [record.user for record in memory.list(limit=1).memories] == ["ada"]
    return {
        name: {
            json.dumps(command): [wanted, given]
            for command, wanted, given in zip(COMMANDS, expected, found, strict=True)
            if wanted != given
        }
        for name, found in answers.items()
    }


async def all_later(tool: Any) -> list[str]:
    return [await answer_later(tool, command) for command in COMMANDS]


if __name__ == "__main__":
    print(json.dumps({"commands": len(COMMANDS), "differ": run(Path(sys.argv[2]), sys.argv[1])}))
