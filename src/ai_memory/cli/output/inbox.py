"""Proposals and feedback for people: both texts, why, and what accepting does."""

from __future__ import annotations

from collections.abc import Iterable

from ai_memory.cli.output.layout import day, visible_line, wrap
from ai_memory.cli.output.screen import Screen
from ai_memory.inbox import ProposalState
from ai_memory.operations.inbox import Judged, Proposals, Proposed
from ai_memory.types import MemoryRecord

INDENT = "    "
SHOWN = 300
"""So many characters of a text are shown."""


def proposed(value: Proposed, screen: Screen) -> Iterable[str]:
    """A proposal: its id and kind, both texts with their dates, why, and what accepting does."""
    about = value.proposal
    facts = [
        about.id,
        about.kind.value,
        f"{about.confidence:.0%} sure",
        f"by {about.made_by}",
        day(about.made_at, screen.zone),
    ]
    if about.state is not ProposalState.OPEN:
        until = f" until {day(about.until, screen.zone)}" if about.until else ""
        by = f" by {about.decided_by} on {day(about.decided_at, screen.zone)}" if about.decided_by else ""
        facts.append(f"{about.state}{until}{by}")
    yield screen.bold(visible_line("  ".join(facts)))
    yield from _text("memory", value.memory, screen)
    if value.other is not None:
        yield from _text("other", value.other, screen)
    for label, words in (("why", about.reason), ("note", about.note), ("accepting", value.accepting)):
        if words:
            yield from map(screen.dim, wrap(visible_line(f"{label}: {words}"), screen.width, INDENT))


def _text(label: str, memory: MemoryRecord, screen: Screen) -> Iterable[str]:
    since = day(memory.valid_from or memory.created_at, screen.zone)
    text = visible_line(memory.text[:SHOWN]) + ("…" if len(memory.text) > SHOWN else "")
    yield from wrap(f"{label} {memory.id} ({since}): {text}", screen.width, INDENT)


def proposals(value: Proposals, screen: Screen) -> Iterable[str]:
    """Each proposal, the newest first, and how many there are."""
    for each in value.proposals:
        yield from proposed(each, screen)
        yield ""
    if not value.proposals:
        yield "no proposals"
    elif value.total > len(value.proposals):
        yield screen.dim(f"{len(value.proposals)} of {value.total}")


def judged(value: Judged, screen: Screen) -> Iterable[str]:
    """What became of the memory's confidence, and what is proposed."""
    said = value.feedback
    moved = "stays" if said.given == said.confidence else f"was given as {said.given:g} and is now"
    parts = [said.id, said.verdict.value, f"{said.memory_id}: its confidence {moved} {said.confidence:g}"]
    if value.proposal is not None:
        parts.append(f"proposed: {value.proposal.kind} ({value.proposal.id}, {value.proposal.state})")
    yield from wrap(visible_line("  ".join(parts)), screen.width)
