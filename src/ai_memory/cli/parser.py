"""The parser: global options, a sub-command for each operation with a command, and the other commands.

Building every command's options takes longer than a recall from a running service, so a parser for a given command builds only
that command's options; help, completion and the reference page build all.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from ai_memory.cli.options import add_globals, escape
from ai_memory.cli.table import COMMANDS, OPERATION_COMMANDS

PROGRAM = "ai-memory"
GLOBAL_VALUES = ("--data-dir", "--url", "--namespace", "--config")


class UsageError(Exception):
    """The command line is wrong; `usage` shows the right form."""

    def __init__(self, message: str, usage: str) -> None:
        super().__init__(message)
        self.message = message
        self.usage = usage


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UsageError instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(message, self.format_usage().strip())


def command_in(argv: Sequence[str]) -> str | None:
    """The name of the command in a command line: its first word that is neither an option nor a global option's value."""
    skip = False
    for word in argv:
        if skip:
            skip = False
        elif word in GLOBAL_VALUES:
            skip = True
        elif not word.startswith("-"):
            return word
    return None


def build_parser(only: str | None = None) -> Parser:
    """The parser; with `only`, the other commands have their names but no options."""
    parser = Parser(
        prog=PROGRAM,
        description="Long-term memory for AI agents, on this machine.",
        epilog="Exit codes and examples: ai-memory help cli",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    add_globals(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=Parser)
    for name, (summary, module) in COMMANDS.items():
        chosen = only is None or name == only
        sub = commands.add_parser(
            name, help=escape(summary), description=escape(summary) + ".", allow_abbrev=False, add_help=chosen
        )
        if chosen:
            operation = OPERATION_COMMANDS.get(name)
            implementation = import_module(module)
            implementation.add(sub, operation) if operation else implementation.add(sub)
            add_globals(sub)
    return parser
