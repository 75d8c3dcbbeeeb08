"""Results as text for a model: short, dated, with ids to act on. Memory texts are indented, to mark them as data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from ai_memory.errors import MemoryServiceError
from ai_memory.operations.graph import Neighbours
from ai_memory.operations.reading import History
from ai_memory.operations.writing import Forgotten
from ai_memory.recall.answer import Answer
from ai_memory.types import MemoryRecord, Page, Receipt, Relation

LISTED_CHARACTERS = 300
"""How much of a text a listing shows, in characters; recall shows the whole passage."""


def text_of(value: Any) -> str:
    """The text of a response."""
    return "\n".join(_RENDERERS[type(value)](value))


def error_text(error: MemoryServiceError) -> str:
    """The text of an error: what was wrong, and how to fix it."""
    return f"{error.code}: {error.message}" + (f"\nhint: {error.hint}" if error.hint else "")


def day(instant: dt.datetime | None) -> str:
    """An instant's day in UTC; empty for None."""
    return "" if instant is None else instant.astimezone(dt.UTC).strftime("%Y-%m-%d")


def _head(memory: MemoryRecord) -> str:
    facts = [day(memory.valid_from or memory.created_at), memory.type.value, memory.author, memory.context]
    return "  ".join([*(fact for fact in facts if fact), memory.id])


def _indented(text: str) -> str:
    return "\n".join("   " + line for line in text.strip().splitlines())


def short(text: str) -> str:
    """The beginning of a text, on one line; it ends in an ellipsis where it was cut."""
    text = " ".join(text.split())
    return text if len(text) <= LISTED_CHARACTERS else text[:LISTED_CHARACTERS].rstrip() + "…"


def _answer(answer: Answer) -> Iterable[str]:
    for hit in answer.hits:
        ended = "" if hit.validity == "current" else f"  {hit.validity}"
        yield f"{hit.rank}. {hit.confidence:.0%}  {_head(hit.memory)}{ended}"
        if hit.memory.title:
            yield f"   {hit.memory.title}"
        yield _indented(hit.passage.text)
        for near in hit.surroundings:
            yield f"   {near.how}: {short(near.memory.text)}"
    if answer.reason:
        yield answer.reason
    elif not answer.hits:
        yield "nothing found"
    for notice in answer.notices:
        yield f"notice: {notice.message}" + (f" ({notice.mend})" if notice.mend else "")


def _page(page: Page) -> Iterable[str]:
    for memory in page.memories:
        yield _head(memory)
        yield _indented(memory.title or short(memory.text))
    if not page.memories:
        yield "no memories"
    if page.cursor:
        yield f"more: cursor {page.cursor}"


def _history(history: History) -> Iterable[str]:
    for memory in history.revisions:
        until = f" to {day(memory.retired_at)}" if memory.retired_at else ""
        why = f"  {memory.retired_reason}" if memory.retired_reason else ""
        yield f"revision {memory.revision}, current from {day(memory.recorded_at)}{until}{why}"
        yield _indented(memory.text)


def _neighbours(found: Neighbours) -> Iterable[str]:
    for node in found.neighbours:
        edge = node.relation
        yield f"{node.depth}. {edge.source} {edge.type} {edge.target}: {node.id}"
        yield _indented(short(node.label))
    if not found.neighbours:
        yield "no neighbours"


def _receipt(receipt: Receipt) -> Iterable[str]:
    line = f"{receipt.outcome.value} {receipt.memory_id or ''}".rstrip()
    if receipt.revision is not None and receipt.revision > 1:
        line += f" revision {receipt.revision}"
    if receipt.supersedes:
        line += f", replacing {', '.join(receipt.supersedes)}"
    if receipt.reason:
        line += f": {receipt.reason}"
    yield line
    if receipt.warning:
        yield receipt.warning
    if receipt.was_retired is not None and receipt.was_retired.reason:
        yield _indented(f"retired because: {short(receipt.was_retired.reason)}")
    if receipt.differs:
        yield f"unchanged although {', '.join(receipt.differs)} differ; use revise"


def _relation(relation: Relation) -> Iterable[str]:
    yield f"{relation.id}: {relation.source} {relation.type} {relation.target}"


def _forgotten(forgotten: Forgotten) -> Iterable[str]:
    states = ", ".join(f"{count} {state}" for state, count in forgotten.states.items())
    shown = f" ({states})" if forgotten.states.keys() - {"current"} else ""
    yield f"erased {forgotten.forgotten}{shown}: {', '.join(forgotten.ids)}"


_RENDERERS: dict[type, Callable[[Any], Iterable[str]]] = {
    Answer: _answer,
    Page: _page,
    History: _history,
    Neighbours: _neighbours,
    Receipt: _receipt,
    Relation: _relation,
    Forgotten: _forgotten,
}
"""By response type of a tool; a test checks that none is missing."""
