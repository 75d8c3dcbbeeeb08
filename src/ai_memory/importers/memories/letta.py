"""Letta's agent files (`.af`): the blocks of each agent's memory and what it and its user said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ai_memory.importers.base import (
    MAX_TITLE,
    Importer,
    Reading,
    Record,
    draft,
    instant,
    objects,
    path_of,
    text_in,
    texts,
)
from ai_memory.importers.json_files import beginning, document


def finds(path: Path) -> bool:
    """Whether a file is an agent file: by its ending, or by what only these have."""
    start = beginning(path)
    if path.suffix.lower() == ".af":
        return start.startswith("{")
    return (
        path.suffix.lower() == ".json"
        and '"agents"' in start
        and ('"block_ids"' in start or '"in_context_message' in start)
    )


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """The blocks of all agents, then their messages in order."""
    whole = document(path)
    if not isinstance(whole, dict):
        reading.refuse("not a JSON object", path.name)
        return
    blocks = {str(block.get("id")): block for block in objects(whole.get("blocks"))}
    used: set[str] = set()
    for number, agent in enumerate(objects(whole.get("agents")) or [whole], start=1):
        reading.place = f"{path.name}, agent {number}"
        name = text_in(agent, "name") or f"agent {number}"
        ids = [str(each) for each in agent.get("block_ids") or () if str(each) in blocks]
        used |= set(ids)
        own = objects(agent.get("blocks")) or objects(agent.get("core_memory")) or [blocks[each] for each in ids]
        yield from (record for block in own for record in _block(block, name))
        yield from _messages(agent, name, reading)
    for identity, block in blocks.items():
        if identity not in used:
            yield from _block(block, None)
    for what in ("tools", "files", "sources", "mcp_servers"):
        reading.leave({"mcp_servers": "MCP servers"}.get(what, what), len(objects(whole.get(what))))


def _block(block: dict[str, Any], agent: str | None) -> Iterator[Record]:
    text, label = text_in(block, "value"), text_in(block, "label", "name")
    if text:
        yield draft(
            text,
            title=label[:MAX_TITLE],
            agent=agent,
            context=path_of("letta", agent, label),
            tags=texts(block.get("tags") or ()),
            source=f"letta:{block.get('id')}",
            attributes={"label": label, "description": block.get("description"), "read_only": block.get("read_only")},
        )


def _messages(agent: dict[str, Any], name: str, reading: Reading) -> Iterator[Record]:
    for message in objects(agent.get("messages")):
        role = message.get("role")
        said = _said(message)
        if role not in ("user", "assistant") or said is None:
            reading.leave("messages of tools and of the system")
        elif said:
            yield draft(
                said,
                type="conversation",
                author=text_in(message, "name") or role,
                agent=name,
                session=str(message.get("group_id") or agent.get("id") or name)[:256],
                valid_from=instant(message.get("created_at")),
                source=f"letta:{message.get('id')}",
            )


def _said(message: dict[str, Any]) -> str | None:
    """What a message says; None for a note of the program itself, which is not of the conversation."""
    content = message.get("content", message.get("text"))
    parts = objects(content)
    text = content if isinstance(content, str) else "\n".join(text_in(part, "text") for part in parts)
    for call in objects(message.get("tool_calls")):  # an agent of older versions speaks through this tool
        function = call.get("function")
        if isinstance(function, dict) and function.get("name") == "send_message":
            spoken = _object(function.get("arguments"))
            return text_in(spoken, "message").strip()
    wrapped = _object(text)
    if "type" in wrapped and ("message" in wrapped or "time" in wrapped):
        return text_in(wrapped, "message").strip() if wrapped["type"] == "user_message" else None
    return text.strip()


def _object(text: object) -> dict[str, Any]:
    if not isinstance(text, str) or not text.lstrip().startswith("{"):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


IMPORTER = Importer("letta", "Letta's agent file (.af)", 1, finds, read)
