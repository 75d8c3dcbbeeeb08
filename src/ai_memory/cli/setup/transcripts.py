"""What was said in a session of Claude Code or Codex, from the transcript that the program keeps of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TAIL = 2_000_000
"""Bytes of a transcript that are read, from its end."""
SHORTEST, LONGEST = 12, 4_000
"""Characters of a message that is kept: a shorter one says nothing alone, a longer one is a pasted file."""
MOST = 200
_MACHINE = re.compile(r"\s*(?:<[a-z][\w-]*>|Caveat: |\[Request interrupted|# AGENTS\.md)")
"""How texts begin that a program puts into the user's mouth."""


def said_in(transcript: Path, agent: str) -> list[dict[str, Any]]:
    """What the user wrote, and the last text of each answer by `agent`, oldest first, as `remember_messages` takes messages.

    What was recalled is still in them: `remember_messages` leaves it out.
    """
    with transcript.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        lines = file.read().splitlines()[1 if size > TAIL else 0 :]
    found: list[dict[str, Any]] = []
    for line in lines:
        for each in _message(line, agent):
            if found and each["role"] == found[-1]["role"] == "assistant":
                found[-1] = each
            else:
                found.append(each)
    return found[-MOST:]


def _message(line: bytes, agent: str) -> Iterator[dict[str, Any]]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return
    if not isinstance(values, dict) or values.get("isMeta") or values.get("isSidechain"):
        return
    message = values.get("payload") if values.get("type") == "response_item" else values.get("message")
    if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
        return
    text = _text(message.get("content")).strip()
    if SHORTEST <= len(text) <= LONGEST and not _MACHINE.match(text):
        role = message["role"]
        name = {"name": agent} if role == "assistant" else {}
        yield {"role": role, "content": text, "time": values.get("timestamp"), **name}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    spoken = ("text", "input_text", "output_text")
    return "\n".join(
        part["text"]
        for part in parts
        if isinstance(part, dict) and part.get("type") in spoken and isinstance(part.get("text"), str)
    )
