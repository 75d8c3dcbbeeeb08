"""`migrate`: copies a whole store to another place, of the same or another kind."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ai_memory.cli import exits
from ai_memory.cli.output.layout import table
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_memory.store.copying import OnPage, Part


def add(parser: argparse.ArgumentParser) -> None:
    """The source and the target."""
    places = "a file, or neo4j://USER@HOST:PORT/DATABASE with the password in AI_MEMORY_STORE_PASSWORD"
    parser.add_argument("--from", dest="source", required=True, metavar="PLACE", help=f"the store to copy: {places}")
    parser.add_argument(
        "--to",
        dest="goal",
        required=True,
        metavar="PLACE",
        help="an empty store, or one that an interrupted migration left",
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Copy, compare, and show what was copied. After an interruption, the same command resumes."""
    settings = settings_for(Choices.of(arguments))
    from ai_memory.wiring import migrate

    with ExitStack() as stack:
        done = migrate(settings, arguments.source, arguments.goal, _shown(screen, stack))
    rows = [(part, f"{count:,}") for part, count in done.counts.items()]
    lines = [*table(("part", "rows"), rows, screen.width), f"both stores export the same: sha256 {done.digest}"]
    screen.value({"target": done.target, "counts": done.counts, "sha256": done.digest}, lines)
    return exits.OK


def _shown(screen: Screen, stack: ExitStack) -> OnPage:
    """A bar for each part."""
    bars: dict[Part, tuple[Callable[[int], None], int]] = {}

    def report(part: Part, done: int, total: int) -> None:
        if part not in bars:
            bars[part] = (stack.enter_context(progress(screen, part.label, "row", total)), 0)
        advance, before = bars[part]
        advance(done - before)
        bars[part] = (advance, done)

    return report
