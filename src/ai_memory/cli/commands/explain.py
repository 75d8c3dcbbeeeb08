"""`explain`: an answer with the trace of how it was found."""

from __future__ import annotations

import argparse

import msgspec

from ai_memory.cli import exits
from ai_memory.cli.commands import operation as plain
from ai_memory.cli.options import add_fields
from ai_memory.cli.output import show
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.operations.base import parse
from ai_memory.operations.reading import RECALL, RecallRequest

USUAL_LIMIT = 5
"""Hits; each takes a dozen lines."""


def add(parser: argparse.ArgumentParser) -> None:
    """The fields of a recall, without those that `explain` sets."""
    assert RECALL.command is not None
    hidden = (*RECALL.command.hidden, "explain", "format", "layers", "limit")
    add_fields(parser, RecallRequest, msgspec.structs.replace(RECALL.command, hidden=hidden))
    parser.add_argument(
        "--limit", type=int, metavar="N", default=USUAL_LIMIT, help=f"At most this many hits. Default: {USUAL_LIMIT}."
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Ask, and show the answer with the trace of every hit."""
    choices = Choices.of(arguments)
    values = plain.request_values(arguments, RECALL, choices) | {"explain": True, "layers": ["semantic"]}
    answer = plain.carry_out(RECALL, parse(RecallRequest, values), choices, screen)
    screen.value(answer, show.lines_of(answer, screen))
    return exits.OK
