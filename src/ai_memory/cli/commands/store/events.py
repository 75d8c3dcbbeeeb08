"""`events`: the newest changes, or with `--follow` each as it happens."""

from __future__ import annotations

import argparse

from ai_memory.cli.commands import operation as plain
from ai_memory.cli.opening import opened
from ai_memory.cli.output import show
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.operations.base import Operation, parse
from ai_memory.operations.upkeep.events import EVENTS, EventsRequest

WAIT_SECONDS = 10.0
SHOWN = 20
"""How many of the newest writes are shown where nothing else is asked for."""


def add(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """The request's fields, and whether to go on."""
    plain.add(parser, operation)
    parser.add_argument("--follow", action="store_true", help="go on until interrupted; with --json, a line for each")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show one page, or each event as it comes."""
    if not arguments.follow:
        if getattr(arguments, "last", None) is None and getattr(arguments, "cursor", None) is None:
            arguments.last = SHOWN
        return plain.run(arguments, screen)
    choices = Choices.of(arguments)
    values = plain.request_values(arguments, EVENTS, choices) | {"wait": WAIT_SECONDS}
    with opened(choices, screen, writes=False) as caller:
        while True:
            page = caller.carry_out(EVENTS, parse(EventsRequest, values))
            for event in page.events:
                screen.value(event, show.lines_of(event, screen))
            values = {name: value for name, value in values.items() if name != "last"} | {"cursor": page.cursor}
