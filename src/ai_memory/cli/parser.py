"""The parser: global options, a sub-command for each operation with a command, and the other commands.

Building every command's options takes longer than a recall from a running service, so a parser for a given command builds only
that command's options; help, completion and the reference page build all.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, NoReturn

from ai_memory.cli.examples import ALIASES, shown
from ai_memory.cli.options import add_globals, escape
from ai_memory.cli.table import COMMANDS, OPERATION_COMMANDS
from ai_memory.wording.spelling import did_you_mean

PROGRAM = "ai-memory"
GLOBAL_VALUES = ("--data-dir", "--url", "--namespace", "--config")


class UsageError(Exception):
    """The command line is wrong; `usage` shows the right form, or where it is shown."""

    def __init__(self, message: str, usage: str) -> None:
        super().__init__(message)
        self.message = message
        self.usage = usage


class _Help(argparse.HelpFormatter):
    """Help whose last part keeps its lines: the examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("examples:"):
            return text
        return super()._fill_text(text, width, indent)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UsageError instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(message, self.format_usage().strip())

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As argparse's, with the choice that was probably meant."""
        choices = None if action.choices is None else list(action.choices)
        if choices is None or value in choices:
            return
        meant = did_you_mean(str(value), choices)
        what = argparse.ArgumentError(action, f"there is no {value!r}{meant}")
        raise UsageError(str(what), f"choose one of {', '.join(choices)}")

    def options(self) -> Iterator[str]:
        """The options of this command, and of the commands below it."""
        for action in self._actions:
            yield from action.option_strings
            if isinstance(action, argparse._SubParsersAction):
                for below in action.choices.values():
                    yield from below.options()


def parse_line(argv: list[str], command: str | None) -> argparse.Namespace:
    """The arguments in a command line whose command is `command`. Raises UsageError that names what was probably meant."""
    if command is not None and command not in COMMANDS:
        meant = did_you_mean(command, (*COMMANDS, *ALIASES))
        raise UsageError(f"there is no command {command!r}{meant}", f"{PROGRAM} --help lists them")
    parser = build_parser(command)
    arguments, left = parser.parse_known_args(argv)
    if left:
        chosen = _below(parser, command) or parser
        option = next((word for word in left if word.startswith("-")), None)
        if option is None:
            chosen.error(f"unexpected {left[0]!r}; put a text with spaces into quotes")
        name = option.partition("=")[0]
        meant = did_you_mean(name, chosen.options())
        raise UsageError(f"there is no option {name}{meant}", f"{chosen.prog} --help lists them")
    return arguments


def _below(parser: Parser, command: str | None) -> Parser | None:
    """The parser of a command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) and command is not None:
            found = action.choices.get(command)
            return found if isinstance(found, Parser) else None
    return None


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


def as_defined(argv: Sequence[str]) -> list[str]:
    """A command line with each command by its own name, where it has another, or an option of another command means it."""
    words = list(argv)
    given = command_in(words)
    if given in ALIASES:
        words[words.index(given)] = ALIASES[given]
    for name, operation in OPERATION_COMMANDS.items():
        command = operation.command
        if command is None or command.also is None or command_in(words) != command.also[0]:
            continue
        at = words.index(command.also[0])
        options = itertools.takewhile("--".__ne__, words[at:])
        option = next((n for n, word in enumerate(options, at) if word.partition("=")[0] == command.also[1]), None)
        if option is not None:
            words[at] = name
            words[option : option + 1] = words[option].split("=", 1)[1:]
    return words


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
            name,
            help=escape(summary),
            description=escape(summary) + ".",
            epilog=escape(shown(name, PROGRAM)) if chosen else None,
            formatter_class=_Help,
            allow_abbrev=False,
            add_help=chosen,
        )
        if chosen:
            operation = OPERATION_COMMANDS.get(name)
            implementation = import_module(module)
            implementation.add(sub, operation) if operation else implementation.add(sub)
            add_globals(sub)
    return parser
