"""How commands carry a memory's content over into a new revision, the same on every backend and for every field."""

from __future__ import annotations

from msgspec.structs import asdict, replace

from ai_memory.store.base import Remember, Revise
from ai_memory.store.mapping import writer
from ai_memory.types import Content, MemoryRecord

content_row = writer(Content, Content.__struct_fields__)
"""The stored values of a content or a record: equal for equal contents. Raises InvalidInputError for what cannot be stored."""


def first_revision(command: Remember) -> MemoryRecord:
    """The first revision of a new memory."""
    return MemoryRecord(
        id=command.id,
        namespace=command.namespace,
        user=command.user,
        agent=command.agent,
        session=command.session,
        created_at=command.at,
        recorded_at=command.at,
        content_hash=command.content_hash,
        **asdict(command.content),
    )


def revised(current: MemoryRecord, command: Revise) -> MemoryRecord:
    """The record with the command's content; its revision and times are still those of `current`."""
    return replace(current, content_hash=command.content_hash, **asdict(command.content))
