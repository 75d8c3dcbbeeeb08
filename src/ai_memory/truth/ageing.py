"""When memories lapse by themselves: the periods that a user sets for types and contexts; and how much the background may do.

Pure functions; nothing here reads a clock or a store.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from msgspec import Struct, field

from ai_memory.clock import NEVER, period
from ai_memory.text.caseless import caseless
from ai_memory.types import Content, MemoryType

ALWAYS_ALLOWED = 20
"""So many memories of a namespace may always be touched at once."""


class Policies(Struct, frozen=True, kw_only=True):
    """How long new memories are kept by default, by type and by context path; None for good."""

    types: dict[MemoryType, dt.timedelta | None] = field(default_factory=dict)
    contexts: dict[str, dt.timedelta | None] = field(default_factory=dict)
    """By path without case."""

    def expiry(self, content: Content, at: dt.datetime) -> dt.datetime | None:
        """When a new memory that was given no expiry lapses; None for never, as one that is pinned.

        The longest context path that it is in decides, else its type: a path is a choice of the user's own.
        """
        if content.pinned:
            return None
        path = caseless(content.context)
        inside = [each for each in self.contexts if not each or path == each or path.startswith(each + "/")]
        kept = self.contexts[max(inside, key=len)] if inside else self.types.get(content.type)
        return None if kept is None else at + kept


def policies_of(table: Mapping[str, str]) -> Policies:
    """The policies of the setting `expire_after`. Raises ValueError for what `Settings` refuses."""
    types: dict[MemoryType, dt.timedelta | None] = {}
    contexts: dict[str, dt.timedelta | None] = {}
    for name, written in table.items():
        kept = None if written.strip().lower() == NEVER else period(written)
        if name.startswith("/"):
            contexts[caseless("/".join(part.strip() for part in name.split("/") if part.strip()))] = kept
        else:
            types[MemoryType(name)] = kept
    return Policies(types=types, contexts=contexts)


class Background(Struct, frozen=True, kw_only=True):
    """What is decided in the background, each None for never, and within which limits."""

    erase_after: dt.timedelta | None = None
    """How long after it expired a memory is erased."""
    lapse_after: dt.timedelta | None = None
    """How long a proposal waits for a decision before it is laid aside."""
    share: float = 0.1
    """In [0, 1]: what would touch more of a namespace within a day waits for a person."""
    per_hour: int = 1_000
    """At most so many decisions of one kind in a namespace within an hour."""
    is_on: bool = True
    """False: nothing at all is decided in the background."""


def is_too_much(due: int, total: int, share: float) -> bool:
    """Whether touching `due` of the `total` memories of a namespace is more than `share`, in [0, 1], of them and than a few."""
    return due > ALWAYS_ALLOWED and due > share * total
