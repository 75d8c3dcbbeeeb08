"""`doctor`: does what is derived agree with what is canonical?"""

from __future__ import annotations

import argparse

from ai_memory.cli import exits
from ai_memory.cli.output import show
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for
from ai_memory.errors import StoreError


def add(parser: argparse.ArgumentParser) -> None:
    """Whether to mend."""
    parser.add_argument("--rebuild", action="store_true", help="make everything derived anew from the canonical rows")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show each finding; the code of a store problem where there is one."""
    settings = settings_for(Choices.of(arguments))
    from ai_memory.wiring import doctor

    found = doctor(settings, rebuild=arguments.rebuild)
    screen.value({"problems": found}, show.problems(found, screen))
    return exits.exit_code(StoreError("")) if found else exits.OK
