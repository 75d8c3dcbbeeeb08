"""Results as text for a model: short, dated, with ids to act on.

Whatever comes from a memory is quoted line by line (`text.shown.quoted`), or is folded onto one line behind its own label: no
field can end its place and begin a hit, a notice or a line of the answer itself. That a model wrote something is said first, and
what it gives as author is shown as its claim.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from ai_memory.clock import day_in, in_zone, is_plain_date
from ai_memory.errors import MemoryServiceError
from ai_memory.operations.graph import Neighbours
from ai_memory.operations.reading import History
from ai_memory.operations.writing import Forgotten
from ai_memory.recall.answer import Answer
from ai_memory.recall.marks import marks
from ai_memory.text.shown import one_line, quoted
from ai_memory.types import Actor, MemoryRecord, Page, Receipt, Relation, Similar

LISTED_CHARACTERS = 300
"""How much of a text a listing shows, in characters; recall shows the whole passage."""
_INDENT = "   "


def text_of(value: Any, zone: dt.tzinfo) -> str:
    """The text of a response; days are those of `zone`."""
    return "\n".join(_RENDERERS[type(value)](value, zone))


def error_text(error: MemoryServiceError) -> str:
    """The text of an error: what was wrong, and how to fix it. What it quotes of the input cannot begin another line."""
    return f"{error.code}: {one_line(error.message)}" + (f"\nhint: {one_line(error.hint)}" if error.hint else "")


def _when(instant: dt.datetime, zone: dt.tzinfo) -> str:
    """A day; with the hour and its offset from UTC where that is not a plain date of any zone."""
    if is_plain_date(instant):
        return day_in(instant, zone)
    return in_zone(instant, zone).isoformat(" ", "minutes")


def _head(memory: MemoryRecord, zone: dt.tzinfo) -> str:
    """What the service itself knows of a memory, then what the memory says, each under its name and without double spaces."""
    facts = [_when(memory.valid_from or memory.created_at, zone), memory.type.value, memory.id]
    if memory.actor is not Actor.UNKNOWN:
        facts.append(f"by {memory.actor}")
    author, claimed = memory.author and one_line(memory.author), memory.actor is not Actor.PERSON
    if author:
        facts.append(f"{'author claimed' if claimed else 'author'}: {author}")
    context = one_line(memory.context)
    return "  ".join([*facts, *([f"context: {context}"] if context else [])])


def _quoted(text: str) -> Iterable[str]:
    return (_INDENT + line for line in quoted(text))


def short(text: str) -> str:
    """The beginning of a text, on one line; it ends in an ellipsis where it was cut."""
    text = one_line(text)
    return text if len(text) <= LISTED_CHARACTERS else text[:LISTED_CHARACTERS].rstrip() + "…"


def _answer(answer: Answer, zone: dt.tzinfo) -> Iterable[str]:
    for hit in answer.hits:
        validity = (hit.validity,) if hit.validity in ("ended", "expired", "future") else ()
        facts = (f"{hit.confidence:.0%}", *validity, *marks(hit, lambda instant: day_in(instant, zone)))
        yield f"{hit.rank}. {'  '.join(facts)}  {_head(hit.memory, zone)}"
        if hit.memory.title:
            yield f"{_INDENT}title: {one_line(hit.memory.title)}"
        yield from _quoted(hit.passage.text)
        for near in hit.surroundings:
            yield f"{_INDENT}{one_line(near.how)} {near.memory.id}:"
            yield from _quoted(short(near.memory.text))
    if answer.reason:
        yield one_line(answer.reason)
    elif not answer.hits:
        yield "nothing found"
    for notice in answer.notices:
        yield f"notice: {one_line(notice.message)}" + (f" ({one_line(notice.mend)})" if notice.mend else "")


def _page(page: Page, zone: dt.tzinfo) -> Iterable[str]:
    for memory in page.memories:
        yield _head(memory, zone)
        yield from _quoted(one_line(memory.title or "") or short(memory.text))
    if not page.memories:
        yield "no memories"
    if page.cursor:
        yield f"more: cursor {page.cursor}"


def _history(history: History, zone: dt.tzinfo) -> Iterable[str]:
    for memory in history.revisions:
        until = f" to {_when(memory.retired_at, zone)}" if memory.retired_at else ""
        yield f"revision {memory.revision}, current from {_when(memory.recorded_at, zone)}{until}, by {memory.actor}"
        if memory.retired_reason:
            yield f"{_INDENT}why it was replaced: {one_line(memory.retired_reason)}"
        yield from _quoted(memory.text)


def _neighbours(found: Neighbours, zone: dt.tzinfo) -> Iterable[str]:
    for node in found.neighbours:
        edge = node.relation
        by = "" if edge.actor is Actor.UNKNOWN else f", by {edge.actor}"
        yield f"{node.depth}. {edge.source} {one_line(edge.type)} {edge.target}: {node.id}{_span(edge, zone)}{by}"
        yield from _quoted(short(node.label))
    if not found.neighbours:
        yield "no neighbours"


def _span(edge: Relation, zone: dt.tzinfo) -> str:
    """When a relation held, where that is known."""
    begin = f", from {_when(edge.valid_from, zone)}" if edge.valid_from else ""
    return begin + (f", until {_when(edge.valid_to, zone)}" if edge.valid_to else "")


def _receipt(receipt: Receipt, zone: dt.tzinfo) -> Iterable[str]:
    line = f"{receipt.outcome.value} {receipt.memory_id or ''}".rstrip()
    if receipt.revision is not None and receipt.revision > 1:
        line += f" revision {receipt.revision}"
    if receipt.supersedes:
        line += f", replacing {', '.join(receipt.supersedes)}"
    if receipt.reason:
        line += f": {one_line(receipt.reason)}"
    yield line
    if receipt.expires_at is not None:
        yield f"expires {_when(receipt.expires_at, zone)}"
    if receipt.warning:
        yield one_line(receipt.warning)
    if receipt.was_retired is not None and receipt.was_retired.reason:
        yield f"{_INDENT}retired because: {short(receipt.was_retired.reason)}"
    for each in receipt.similar:
        yield touches(each)
        yield from _quoted(short(each.text or ""))
    if receipt.differs:
        yield f"unchanged although {', '.join(receipt.differs)} differ; use revise"


def touches(similar: Similar) -> str:
    """What a new memory does to a stored one, in one line, which the stored text follows."""
    proposed = f", proposed as {similar.proposal}" if similar.proposal else ""
    return f"{similar.kind} {similar.id} ({similar.confidence:.0%}: {one_line(similar.reason)}{proposed}):"


def _relation(relation: Relation, zone: dt.tzinfo) -> Iterable[str]:
    yield f"{relation.id}: {relation.source} {one_line(relation.type)} {relation.target}{_span(relation, zone)}"


def _forgotten(forgotten: Forgotten, zone: dt.tzinfo) -> Iterable[str]:
    del zone
    states = ", ".join(f"{count} {state}" for state, count in forgotten.states.items())
    shown = f" ({states})" if forgotten.states.keys() - {"current"} else ""
    yield f"erased {forgotten.forgotten}{shown}: {', '.join(forgotten.ids)}"
    if forgotten.wipe_pending is not None:
        yield f"the bytes are still on disk and are wiped as soon as this ends: {one_line(forgotten.wipe_pending.why)}"


_RENDERERS: dict[type, Callable[[Any, dt.tzinfo], Iterable[str]]] = {
    Answer: _answer,
    Page: _page,
    History: _history,
    Neighbours: _neighbours,
    Receipt: _receipt,
    Relation: _relation,
    Forgotten: _forgotten,
}
"""By response type of a tool; a test checks that none is missing."""
