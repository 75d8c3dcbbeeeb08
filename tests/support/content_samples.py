"""A memory's content with every field set, made from the fields themselves: a new field is tested without a line here."""

from __future__ import annotations

import datetime as dt
from typing import Any, get_type_hints

from ai_memory.types import Content, MemoryType
from tests.support.store_samples import DAY, START

FIELDS = Content.__struct_fields__
_HINTS = get_type_hints(Content)


def sample(field: str, number: int) -> Any:
    """The value of a field in the content `number`, 1 to 3: different from that of the number before.

    It is different from its default, too, but for the second of what has two values.
    """
    hint = _HINTS[field]
    if hint in (str, str | None):
        return f"{field}/{number}"  # a path as well, in its one spelling
    if hint == tuple[str, ...]:
        return (f"{field}-{number}", f"{field}-b")
    if hint == dict[str, Any]:
        return {f"{field}_{number}": [number, {"deep": None}], "same": "ä"}
    if hint is float:
        return number / 8
    if hint is bool:
        return number % 2 == 1
    if hint == dt.datetime | None:
        # True from the beginning of all tests to their end; what lapses does so after the machine's own clock, too.
        ahead = {"valid_to": 1000, "expires_at": 5000}.get(field, -1000)
        return START + (ahead + number) * DAY
    if hint is MemoryType:
        return (MemoryType.INSIGHT, MemoryType.CODE, MemoryType.PREFERENCE)[number - 1]
    raise AssertionError(f"there is no sample for {field}: {hint}")


def full(number: int) -> Content:
    """A content of which no field has its default."""
    return Content(**{field: sample(field, number) for field in FIELDS})


def values(number: int) -> dict[str, Any]:
    """The same as keyword arguments."""
    return {field: sample(field, number) for field in FIELDS}
