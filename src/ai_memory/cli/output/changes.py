"""What changed, as a digest for people: by kind, dated, with the words that changed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from ai_memory.cli.output.layout import cut, day, visible_line, wrap
from ai_memory.cli.output.screen import Screen
from ai_memory.operations.changes import Change, Changes
from ai_memory.types import Actor, Relation, RelationType

_INDENT = "    "
_HEADINGS = {
    "new": "New",
    "began": "True now",
    "revised": "Revised",
    "superseded": "Replaced",
    "ended": "Ended",
    "retired": "Retired",
    "expired": "Expired",
    "decided": "Decided who is who",
}
"""In the order in which they are shown."""


def changes(value: Changes, screen: Screen) -> Iterable[str]:
    """A heading for each kind of change with its number, and under it the changes from the earliest on."""
    begin, end = day(value.since, screen.zone), day(value.until, screen.zone)
    asked = "true" if value.axis == "valid" else "known"
    yield screen.bold(f"What changed in what was {asked} from {begin} to {end}")
    order = list(_HEADINGS)
    for kind, found in groupby(sorted(value.changes, key=lambda each: order.index(each.kind)), lambda each: each.kind):
        listed = list(found)
        yield ""
        yield screen.bold(f"{_HEADINGS[kind]} ({len(listed)})")
        for change in listed:
            yield from _change(change, screen)
    gone = value.counts.get("forgotten", 0)
    if gone:
        yield ""
        yield screen.bold(f"Forgotten ({gone})") + ", of which nothing is kept"
    if not value.changes and not gone:
        yield "nothing"
    if value.cursor is not None:
        yield ""
        yield screen.dim(f"more: --cursor {value.cursor}")


def _change(change: Change, screen: Screen) -> Iterable[str]:
    head = f"  {day(change.at, screen.zone)}  "
    by = "" if change.actor in (Actor.PERSON, Actor.UNKNOWN) else f"  (by {change.actor})"
    if change.decision is not None:
        yield from wrap(visible_line(head + _decision(change.decision) + by), screen.width)
        return
    if change.memory is None:
        return
    memory, before = change.memory, change.before
    yield head + cut(memory.title or memory.text, screen.width - len(head) - len(by)) + by
    if before is not None and before.text != memory.text:
        yield screen.dim(f"{_INDENT}before: " + cut(before.text, screen.width - len(_INDENT) - 8))
    others = [name for name in change.differs if name != "text"]
    if change.kind == "revised" and others:
        yield screen.dim(f"{_INDENT}changed: {', '.join(others)}")
    if change.superseded_by is not None:
        yield screen.dim(f"{_INDENT}replaced by {change.superseded_by}")
    reason = memory.retired_reason if change.kind == "retired" else before.retired_reason if before else None
    if reason and change.superseded_by is None:
        yield from (screen.dim(line) for line in wrap(visible_line(f"why: {reason}"), screen.width, _INDENT))
    yield screen.dim(f"{_INDENT}{memory.id}")


def _decision(decision: Relation) -> str:
    what = "is the same as" if decision.type == RelationType.MERGED_INTO else "is also another:"
    undone = ", undone" if decision.retired_at is not None else ""
    return f"{decision.source} {what} {decision.target}{undone}"
