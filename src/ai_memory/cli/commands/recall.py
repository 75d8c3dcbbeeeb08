"""`recall`: an answer for reading shows the hits that are worth showing; `--all` and `--json` show every one."""

from __future__ import annotations

import argparse

from ai_memory.cli import exits
from ai_memory.cli.commands import operation as plain
from ai_memory.cli.output import show
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.operations.base import Operation, parse
from ai_memory.operations.reading import RECALL


def add(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """The request's fields, and whether every hit is shown."""
    plain.add(parser, operation)
    parser.add_argument(
        "--all",
        action="store_true",
        help="Show every hit; otherwise those at the end that are hardly likely to answer next to the best one are only counted.",
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Ask, and show the answer."""
    choices = Choices.of(arguments)
    request = parse(RECALL.request, plain.request_values(arguments, RECALL, choices))
    answer = plain.carry_out(RECALL, request, choices, screen)
    screen.value(answer, show.answer(answer, screen, every=arguments.all or request.explain))
    return exits.OK
