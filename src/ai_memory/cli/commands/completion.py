"""`completion`: a script that completes commands and options in a shell."""

from __future__ import annotations

import argparse

from ai_memory.cli import exits
from ai_memory.cli.output.screen import Screen
from ai_memory.errors import InvalidInputError


def add(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", metavar="SHELL", help="bash, zsh or tcsh")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Print the script."""
    import shtab

    from ai_memory.cli.parser import build_parser

    if arguments.shell not in shtab.SUPPORTED_SHELLS:
        raise InvalidInputError(
            f"no completion for {arguments.shell!r}", hint=f"supported: {', '.join(shtab.SUPPORTED_SHELLS)}"
        )
    screen.line(shtab.complete(build_parser(), shell=arguments.shell))
    return exits.OK
