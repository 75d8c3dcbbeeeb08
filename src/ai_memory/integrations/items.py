"""What the adapters share: items of another program that are kept as memories with keys of their own.

An item has a path, such as a namespace and a name. Its parts are an attribute, each under its place as name, so that each can be
compared; its key is a digest of the path, since a key is shorter than a path may be, and knows no case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from ai_memory.errors import ConflictError, InvalidInputError
from ai_memory.python.methods import Methods
from ai_memory.types import MemoryRecord, Outcome, Receipt

PAGE = 1_000
MAX_QUESTION = 20_000
"""Of a longer question the beginning is asked."""
ANY = "*"
"""In a path, any one part."""


def key_of(kind: str, *parts: str) -> str:
    """The key of the item with this path among the items of one kind."""
    path = "\0".join(parts).encode("utf-8", "surrogatepass")
    return f"{kind}:{hashlib.blake2b(path, digest_size=16).hexdigest()}"


def placed(path: Sequence[str]) -> dict[str, str]:
    """The parts of a path by their places, as an attribute keeps them."""
    return {str(place): part for place, part in enumerate(path)}


def path_in(kept: dict[str, str]) -> tuple[str, ...]:
    """The path whose parts `placed` has put into an attribute."""
    return tuple(kept[str(place)] for place in range(len(kept)))


def below(attribute: str, path: Sequence[str]) -> list[dict[str, Any]]:
    """The conditions that a path, kept as the attribute, begins with this one."""
    base = f"attributes.{attribute}"
    return [{f"{base}.{place}": {"$exists": True} if part == ANY else part} for place, part in enumerate(path)]


def listed(
    memory: Methods,
    namespace: str,
    *,
    limit: int | None = None,
    order: Literal["newest", "oldest"] = "oldest",
    **filters: Any,
) -> Iterator[MemoryRecord]:
    """Current memories by filter, the oldest first unless `order` says otherwise, page by page; at most `limit` of them."""
    cursor: str | None = None
    given = 0
    while limit is None or given < limit:
        size = PAGE if limit is None else min(PAGE, limit - given)
        page = memory.list(namespace=namespace, limit=size, cursor=cursor, order=order, include_ended=False, **filters)
        yield from page.memories
        given += len(page.memories)
        cursor = page.cursor
        if cursor is None:
            return


def by_key(memory: Methods, namespace: str, keys: Sequence[str]) -> dict[str, MemoryRecord]:
    """The current memories of some keys, by key."""
    found: dict[str, MemoryRecord] = {}
    for start in range(0, len(keys), 500):
        for record in listed(memory, namespace, keys=list(keys[start : start + 500])):
            found[str(record.key)] = record
    return found


def ranked(
    memory: Methods, namespace: str, question: str, limit: int, **options: Any
) -> list[tuple[MemoryRecord, float]]:
    """At most `limit` memories that answer a question, the best first, each with its confidence, from 0 to 1.

    Memories that say the same are one hit of recall; here each of them is given. `options` are those of `recall`.
    """
    hits = memory.recall(question[:MAX_QUESTION], namespace=namespace, limit=min(max(limit, 1), PAGE), **options).hits
    folded = [other for hit in hits if hit.copies is not None for other in hit.copies.ids]
    copies = {record.id: record for record in listed(memory, namespace, ids=folded)} if folded else {}
    found: list[tuple[MemoryRecord, float]] = []
    for hit in hits:
        others = () if hit.copies is None else hit.copies.ids
        same = (hit.memory, *(copies[other] for other in others if other in copies))
        found += [(record, hit.confidence) for record in same]
    return found[: max(limit, 0)]


def write(memory: Methods, namespace: str, drafts: Sequence[dict[str, Any]], *, wait: bool = False) -> list[Receipt]:
    """Store drafts; one whose text was forgotten before is wanted again. Raises InvalidInputError for one that is refused.

    With `wait`, at most 30 seconds for each thousand, until they can be found semantically too.
    """
    receipts: list[Receipt] = []
    for start in range(0, len(drafts), PAGE):
        given = drafts[start : start + PAGE]
        part = memory.remember_many(given, namespace=namespace, reinstate=True, wait=wait).receipts
        for receipt in part:
            if receipt.outcome is Outcome.REJECTED:
                raise InvalidInputError(f"an item was refused: {receipt.reason}", code=receipt.code)
        receipts += part
    return receipts


def revise(
    memory: Methods,
    namespace: str,
    record: MemoryRecord,
    draft: dict[str, Any],
    fields: Sequence[str],
    *,
    wait: bool = False,
) -> None:
    """Give a memory these fields of a draft. Where its new text was forgotten before, the draft takes its place."""
    try:
        memory.revise(record.id, namespace=namespace, wait=wait, **{name: draft[name] for name in fields})
    except ConflictError:
        memory.retire(record.id, namespace=namespace)
        write(memory, namespace, [draft], wait=wait)
