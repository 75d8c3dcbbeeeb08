"""Writes a file like ChatGPT's data export, of any size: to measure what an import of a large one takes.

python scripts/big_export.py 1000000000 conversations.json
/usr/bin/time -v ai-memory import conversations.json --dry-run
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

WORDS = (
    *(
        "bridge",
        "gate",
        "river",
        "pipeline",
        "deploy",
        "index",
        "garden",
        "window",
        "letter",
        "invoice",
        "flour",
        "proof",
    ),
    *(
        "oven",
        "train",
        "ticket",
        "harbour",
        "museum",
        "planet",
        "keyboard",
        "battery",
        "branch",
        "merge",
        "release",
        "review",
    ),
    *("meeting", "budget", "summer", "winter", "answer", "question", "number", "colour", "engine"),
)


def sentence(chance: random.Random) -> str:
    """Some words, never twice the same in one file."""
    words = " ".join(chance.choices(WORDS, k=chance.randint(40, 160)))
    return f"{words} {chance.getrandbits(40):010x}."


def conversation(number: int, chance: random.Random) -> dict[str, Any]:
    """A conversation with a branch that was left."""
    start = 1_700_000_000.0 + number * 60
    mapping: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None, "children": ["0"]}}
    parent = "root"
    for index in range(chance.randint(4, 40)):
        role = ("user", "assistant")[index % 2]
        for key in (str(index), f"{index}x") if index == 3 else (str(index),):
            message = {
                "id": f"{number}-{key}",
                "author": {"role": role, "name": None, "metadata": {}},
                "create_time": start + index,
                "content": {"content_type": "text", "parts": [sentence(chance)]},
                "metadata": {},
            }
            mapping[key] = {"id": key, "message": message, "parent": parent, "children": []}
        parent = str(index)
    return {
        "title": sentence(chance)[:60],
        "create_time": start,
        "update_time": start + 100,
        "mapping": mapping,
        "current_node": parent,
        "conversation_id": f"conversation-{number}",
    }


def main() -> None:
    """Write conversations until the file has its size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bytes", type=int)
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    chance = random.Random(1)
    with arguments.file.open("w", encoding="utf-8") as out:
        out.write("[")
        number = size = 0
        while size < arguments.bytes:
            text = json.dumps(conversation(number, chance))
            size += out.write((", " if number else "") + text)
            number += 1
        out.write("]")
    print(f"{number:,} conversations, {size:,} bytes")


if __name__ == "__main__":
    main()
