"""`evaluate`: the measuring harness."""

from __future__ import annotations

import argparse
from pathlib import Path

from ai_memory.cli.screen import Screen
from ai_memory.cli.target import Choices, settings_for
from ai_memory.errors import InvalidInputError


def add(parser: argparse.ArgumentParser) -> None:
    """What to measure on."""
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="folder of data sets")
    parser.add_argument(
        "--jsonl", metavar="FILE", help="one data set of your own: one group of texts and questions a line"
    )
    parser.add_argument("--pooled", action="store_true", help="put all groups into one namespace")
    parser.add_argument("--sides", action="store_true", help="measure words alone and meaning alone too")
    parser.add_argument("--only", metavar="NAME", help="only data sets whose name contains this")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Hand over to the harness."""
    if (arguments.folder is None) == (arguments.jsonl is None):
        raise InvalidInputError("give either FOLDER or --jsonl FILE", hint="see ai-memory evaluate --help")
    given = Path(arguments.folder or arguments.jsonl)
    if not given.exists():
        raise InvalidInputError(f"there is no {given}", hint="check the path")
    from ai_memory.evaluate.main import main

    folder = given if arguments.folder else None
    return main(
        folder,
        jsonl=None if folder else given,
        pooled=arguments.pooled,
        json=screen.json,
        sides=arguments.sides,
        only=arguments.only,
        settings=settings_for(Choices.of(arguments)),
    )
