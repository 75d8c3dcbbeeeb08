"""Events for people: a line for each."""

from __future__ import annotations

from collections.abc import Iterable

from ai_memory.cli.output.layout import moment, visible_line, wrap
from ai_memory.cli.output.screen import Screen
from ai_memory.operations.upkeep.events import Event, Events
from ai_memory.types import Actor


def events(value: Events, screen: Screen) -> Iterable[str]:
    """The events, the earliest first, and the cursor to go on from."""
    for each in value.events:
        yield from event(each, screen)
    yield screen.dim(f"cursor {value.cursor}")


def event(value: Event, screen: Screen) -> Iterable[str]:
    """When, what, and to what it was done."""
    facts = [moment(value.at, screen.zone) or "", value.kind, value.state or value.action]
    if value.job is not None:
        facts.append(value.job.kind)
    facts += [
        each for each in (value.id, f"of {value.memory_id}" if value.memory_id not in (None, value.id) else "") if each
    ]
    if value.namespace is not None:
        facts.append(f"in {value.namespace}")
    if value.actor is not Actor.UNKNOWN:
        facts.append(f"by {value.actor}")
    yield from wrap(visible_line("  ".join(facts)), screen.width)
