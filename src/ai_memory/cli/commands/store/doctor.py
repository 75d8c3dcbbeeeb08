"""`doctor`: checks derived data against the canonical rows."""

from __future__ import annotations

import argparse

from ai_memory.cli import exits
from ai_memory.cli.output import show
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for
from ai_memory.errors import StoreError
from ai_memory.operations.watching import VECTORS_PENDING


def add(parser: argparse.ArgumentParser) -> None:
    """Whether to rebuild."""
    parser.add_argument("--rebuild", action="store_true", help="rebuild all derived data from the canonical rows")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show each problem; the exit code is that of a store error, unless all that is left is vectors to be made."""
    settings = settings_for(Choices.of(arguments))
    from ai_memory.wiring import doctor

    found = doctor(settings, rebuild=arguments.rebuild)
    screen.value({"problems": found}, show.problems(found, screen))
    wrong = any(problem.check != VECTORS_PENDING for problem in found)
    return exits.exit_code(StoreError("")) if wrong else exits.OK
