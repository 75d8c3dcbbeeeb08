"""The reasons that are given for a change: what can be kept, and what must not be, as it would keep what is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ai_memory.errors import InvalidInputError
from ai_memory.service.parts import Parts
from ai_memory.text.normal import clean_text
from ai_memory.text.repetition import Remark
from ai_memory.types import MemoryRecord


def check_reason(parts: Parts, namespace: str, ids: Sequence[str], reason: str | None) -> None:
    """Raise InvalidInputError if `reason` repeats any revision of these memories, as `text/repetition.py` defines it.

    A memory is erased with all its revisions, so all of them are compared: text and title, and parts of the source and of
    the attributes. Tags, context and people's names are not, because a reason may well name them. The error says which
    memory and which field, but nothing of what they contain. Ids that do not exist are left to the command itself.
    """
    if reason is None:
        return
    remark = Remark(reason)
    for memory_id in ids:
        for record in parts.store.revisions(namespace, memory_id):
            field = _repeated_field(remark, record)
            if field is not None:
                raise InvalidInputError(
                    f"the reason repeats the {field} of memory {memory_id}, and the log keeps reasons forever",
                    hint="say why without the memory's words, or give no reason",
                    field="reason",
                    memory_id=memory_id,
                )


def _repeated_field(remark: Remark, record: MemoryRecord) -> str | None:
    if remark.repeats(record.text):
        return "text"
    if record.title is not None and remark.repeats(record.title):
        return "title"
    if record.source is not None and remark.repeats_part(record.source):
        return "source"
    if any(remark.repeats_part(text) for text in texts_in(record.attributes)):
        return "attributes"
    return None


def texts_in(value: Any) -> Iterator[str]:
    """The strings in a JSON value, without the names of its fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)


def clean_reason(reason: str | None) -> str | None:
    """The reason given for a change, once it is known to be storable."""
    return None if reason is None else clean_text(reason, "reason")
