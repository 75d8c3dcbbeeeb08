"""What became of an import from another program, and what one would do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from ai_memory.cli.output.layout import visible_line
from ai_memory.cli.output.screen import Screen
from ai_memory.importers.base import Unread

SHOWN = 20
SAMPLE = 300
"""Characters of a sample's text that are shown."""


class Arrival(Struct, frozen=True, kw_only=True):
    """What became of a source: its records by outcome, and what of it is not in the store."""

    importer: str
    records: int
    """Memories and relations that were read."""
    counts: dict[str, int]
    rejected: tuple[Unread, ...]
    """The first 1,000 parts that could not be read or were refused."""
    left: dict[str, int]
    """What no memory can hold, by kind."""
    skipped: int = 0
    """Records that an earlier, interrupted run had already imported."""
    state: str = "done"
    warnings: tuple[Unread, ...] = ()


class Sample(Struct, frozen=True, kw_only=True):
    """One memory that an import would make."""

    text: str
    type: str
    title: str | None = None
    author: str | None = None
    session: str | None = None
    context: str = ""
    tags: tuple[str, ...] = ()
    valid_from: str | None = None
    source: str | None = None


class Rehearsed(Struct, frozen=True, kw_only=True):
    """What an import would do. Whether a text is there already, or was forgotten, only the import itself can say."""

    importer: str | None
    """The format that was recognised; None for files of notes, tables and JSON."""
    memories: int
    relations: int
    types: dict[str, int]
    samples: tuple[Sample, ...]
    rejected: tuple[Unread, ...]
    rejected_count: int
    left: dict[str, int]
    warnings: tuple[str, ...] = ()


def arrival(value: Arrival, screen: Screen) -> Iterable[str]:
    """What was rejected and left out, then the counts."""
    del screen
    yield from _unread("", value.rejected)
    yield from _unread("warning: ", value.warnings)
    yield from _left(value.left)
    counts = ", ".join(f"{count:,} {name}" for name, count in value.counts.items() if count) or "nothing to do"
    skipped = f", {value.skipped:,} from an earlier run" if value.skipped else ""
    yield f"{value.importer}: {value.records:,} records{skipped}: {counts}"
    if value.state != "done":
        yield "interrupted; the same command resumes here"


def rehearsed(value: Rehearsed, screen: Screen) -> Iterable[str]:
    """What would be imported, with samples, and what would not."""
    del screen
    yield from _unread("", value.rejected)
    yield from (visible_line(f"warning: {warning}") for warning in value.warnings[:SHOWN])
    yield from _left(value.left)
    for sample in value.samples:
        about = ", ".join(filter(None, (sample.type, sample.author, sample.valid_from, sample.context, *sample.tags)))
        yield visible_line(f"[{about}] {sample.title or ''}".rstrip())
        text = " ".join(sample.text.split())
        yield visible_line(f"    {text[:SAMPLE]}{'…' if len(text) > SAMPLE else ''}")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in value.types.items())
    yield (
        f"would import {value.memories:,} memories{f' ({kinds})' if kinds else ''} and {value.relations:,} relations"
        + (f"; {value.rejected_count:,} parts cannot be read" if value.rejected_count else "")
    )
    yield "nothing was written; run it again without --dry-run"


def _unread(before: str, parts: Sequence[Unread]) -> Iterable[str]:
    for part in parts[:SHOWN]:
        yield visible_line(f"{before}{part.place}: {part.reason}" if part.place else f"{before}{part.reason}")
    if len(parts) > SHOWN:
        yield f"{before}and more; --json names each of the first 1,000"


def _left(left: dict[str, int]) -> Iterable[str]:
    if left:
        yield "left out: " + ", ".join(f"{count:,} {what}" for what, count in left.items())
