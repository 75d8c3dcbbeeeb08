"""JSON that other memory and chat programs export, as the lines of drafts.

Known are the knowledge graph of MCP's reference memory server (JSON lines of entities and relations) and the conversations of
ChatGPT. An object of any other form stays as it is: `operations.imported` reads the fields that it knows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec

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
        return list(_messages(values))
    name = values.get("name")
    if isinstance(values.get("observations"), list) and isinstance(name, str):
        return _observations(values, name)
    ends = [values.get(end) for end in ("from", "relationType", "to")]
    if all(isinstance(end, str) and end for end in ends):
        return [{"text": " ".join(_spaced(str(end)) for end in ends) + ".", "attributes": _without_type(values)}]
    return None


def _observations(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """One draft per observation about an entity; without any, one that says what the entity is."""
    kind = values.get("entityType")
    said = [str(text) for text in values["observations"] if str(text).strip()] or [str(kind or "an entity")]
    attributes = {key: value for key, value in _without_type(values).items() if key != "observations"}
    return [{"text": f"{_spaced(name)}: {text}", "attributes": attributes} for text in said]


def _messages(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One draft per message with a text, in the order in which they were written."""
    session = values.get("conversation_id") or values.get("id") or values.get("title")
    nodes = [node for node in values["mapping"].values() if isinstance(node, dict)]
    messages = [node["message"] for node in nodes if isinstance(node.get("message"), dict)]
    for message in sorted(messages, key=lambda message: _seconds(message.get("create_time")) or float("inf")):
        content = message.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        text = "\n".join(part for part in parts or () if isinstance(part, str)).strip()
        if text:
            author = message.get("author")
            yield {
                "text": text,
                "type": "conversation",
                "title": values.get("title"),
                "session": session,
                "author": author.get("role") if isinstance(author, dict) else None,
                "valid_from": _instant(message.get("create_time")) or _instant(values.get("create_time")),
            }


def _without_type(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != "type"}


def _spaced(name: str) -> str:
    """A name with blanks for the underscores that the program asks for in names."""
    return " ".join(name.replace("_", " ").split())


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _instant(value: Any) -> str | None:
    """Seconds since 1970 as RFC 3339; None where they are none, or out of range."""
    seconds = _seconds(value)
    if seconds is None or not 0 < seconds < 253_402_214_400:  # the last day of the year 9999
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()
