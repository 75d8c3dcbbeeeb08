"""A memory's facts as metadata of other frameworks."""

from __future__ import annotations

from typing import Any

import msgspec

from ai_memory.types import MemoryRecord

_FACTS = (
    "type", "title", "author", "key", "user", "agent", "session", "context", "tags", "importance", "confidence", "source",
    "valid_from", "valid_to", "expires_at", "created_at", "attributes",
)  # fmt: skip


def facts_of(record: MemoryRecord) -> dict[str, Any]:
    """What is known of a memory besides its text and id, as values of JSON; what it does not have is left out."""
    facts = msgspec.json.decode(msgspec.json.encode({name: getattr(record, name) for name in _FACTS}))
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}
