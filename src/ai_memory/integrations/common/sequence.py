"""The items of a conversation in another framework, such as messages with calls of tools: they come back equal and in order."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ai_memory.errors import InvalidInputError
from ai_memory.integrations.common.scoped import ScopedMemory
from ai_memory.integrations.items import listed, write
from ai_memory.recall.context_block import without_blocks
from ai_memory.types import MemoryRecord, MemoryType

_PART = 30_000
"""Characters of JSON in one memory, whose attributes take 64 KiB."""


class Item(NamedTuple):
    """One item: what comes back, and what is searched of it."""

    value: Any
    """Values of JSON."""
    said: str = ""
    """What somebody says in it; empty where nobody does, as in the result of a tool."""
    role: str | None = None
    """Who says it."""
    kind: str = "item"
    """What it is, which is its text where nobody says anything."""


class Items:
    """The items of one session, which the scope has to name. Recall finds what is said in them; the rest is only kept."""

    def __init__(self, scope: ScopedMemory, of: str) -> None:
        """`of` is the name of the attribute that holds an item. Raises InvalidInputError where the scope has no session."""
        if "session" not in scope.facets:
            raise InvalidInputError("no session is given", hint="name the conversation: session=…", field="session")
        self.scope = scope
        self.of = of
        self._where = {f"attributes.{of}": {"$exists": True}}

    def add(self, items: Iterable[Item]) -> None:
        """Add items at the end."""
        write(self.scope.memory, self.scope.namespace, [draft for item in items for draft in self._drafts(item)])

    def all(self, limit: int | None = None) -> list[Any]:
        """The items, oldest first; with a limit, the latest of them."""
        return [value for value, _ in itertools.islice(self.latest(), limit)][::-1]

    def latest(self) -> Iterator[tuple[Any, list[MemoryRecord]]]:
        """The items with their memories, newest first."""
        found = listed(self.scope.memory, self.scope.namespace, order="newest", where=self._where, **self.scope.facets)
        for newest in found:
            others = itertools.islice(found, newest.attributes[self.of]["parts"] - 1)
            records = sorted((newest, *others), key=lambda record: record.attributes[self.of]["part"])
            yield json.loads("".join(record.attributes[self.of]["json"] for record in records)), records

    def pop(self) -> Any | None:
        """Erase the latest item for good and give it back; None where there is none."""
        for value, records in self.latest():
            for record in records:
                self.scope.memory.forget(record.id, namespace=self.scope.namespace)
            return value
        return None

    def clear(self) -> None:
        """Erase all items of the session for good."""
        self.scope.forget_all(self._where)

    def _drafts(self, item: Item) -> Iterator[dict[str, Any]]:
        """One draft for an item, or several for a long one. Their keys are new, since the same may be said twice."""
        written = json.dumps(item.value)
        said = without_blocks(item.said).strip()  # what was recalled from here is not remembered once more
        starts = range(0, len(written), _PART)
        for part, start in enumerate(starts):
            yield {
                "text": said if said and part == 0 else f"({item.kind})",
                "type": MemoryType.CONVERSATION,
                "author": item.role,
                "key": f"{self.of}:{uuid.uuid4().hex}",
                "attributes": {self.of: {"json": written[start : start + _PART], "part": part, "parts": len(starts)}},
                **self.scope.facets,
            }
