"""How commands carry a memory's content over into a new revision, the same on every backend and for every field."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import asdict, replace

from ai_memory.store.base import Remember, Revise
from ai_memory.store.mapping import maker, writer
from ai_memory.types import Actor, Content, MemoryRecord

content_row = writer(Content, Content.__struct_fields__)
"""The stored values of a content or a record: equal for equal contents. Raises InvalidInputError for what cannot be stored."""


first_revision: Callable[[Remember, Actor], MemoryRecord] = maker(
    MemoryRecord,
    {name: name for name in ("id", "namespace", "user", "agent", "session", "content_hash")}
    | {name: f"content.{name}" for name in Content.__struct_fields__}
    | {"created_at": "at", "recorded_at": "at"},
    "actor",
)
"""The first revision of a new memory, and who wrote it."""


def revised(current: MemoryRecord, command: Revise) -> MemoryRecord:
    """The record with the command's content; its revision, times and actor are still those of `current`."""
    return replace(current, content_hash=command.content_hash, **asdict(command.content))
