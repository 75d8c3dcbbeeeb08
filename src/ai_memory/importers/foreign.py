"""JSON that other memory and chat programs export, as lines within a stream, where no file can be looked at first.

Known are the knowledge graph of MCP's reference memory server and the conversations of ChatGPT. An object of any other form stays
as it is: `operations.imported` reads the fields that it knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ai_memory.importers.base import Reading, without
from ai_memory.importers.chats import chatgpt
from ai_memory.importers.memories import mcp_memory

MARKS = (b'"observations"', b'"relationType"', b'"mapping"')
"""One of these is in every line that is read here, so that no other line needs to be decoded."""


def drafts_in(line: bytes) -> Iterator[bytes]:
    """The drafts in one line of JSON; the line itself where it is of no form known here."""
    if not any(mark in line for mark in MARKS):
        yield line
        return
    try:
        values = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        values = None
    drafts = _drafts(values) if isinstance(values, dict) and "text" not in values else None
    if drafts is None:
        yield line
    else:
        yield from map(msgspec.json.encode, drafts)


def _drafts(values: dict[str, Any]) -> list[dict[str, Any]] | None:
    if isinstance(values.get("mapping"), dict):
        return [without(record, "record") for record in chatgpt.messages(values, Reading())]
    name = values.get("name")
    if isinstance(values.get("observations"), list) and isinstance(name, str):
        return mcp_memory.observations(values, name)
    said = mcp_memory.sentence(values)
    return None if said is None else [said]
