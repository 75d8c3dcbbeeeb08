"""`main`: read the command line, run the command, turn errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from ai_memory import __version__
from ai_memory.cli import exits
from ai_memory.cli.output.layout import visible_line
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.parser import UsageError, as_defined, build_parser, command_in, parse_line
from ai_memory.cli.table import COMMANDS, LOCAL
from ai_memory.cli.target import Choices, zone
from ai_memory.environment import setting_variable
from ai_memory.errors import InternalError, InvalidInputError, MemoryServiceError
from ai_memory.installation import require_service
from ai_memory.wording.ways import speaking


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (see `exits.EXITS`)."""
    argv = sys.argv[1:] if argv is None else list(argv)
    screen = Screen(json="--json" in argv, quiet="--quiet" in argv)
    with speaking("cli"):
        return _guarded(argv, screen)


def _guarded(argv: list[str], screen: Screen) -> int:
    try:
        return _run(argv, screen)
    except UsageError as error:
        return _usage(error, screen)
    except MemoryServiceError as error:
        screen.error(error)
        return exits.exit_code(error)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        return _reader_closed()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else exits.INTERNAL
    except Exception as error:  # noqa: BLE001 - the one place that turns unexpected exceptions into a message
        return _unexpected(error, screen)


def _run(argv: list[str], screen: Screen) -> int:
    argv = as_defined(argv)
    command = command_in(argv)
    for word in argv:
        if any("\udc80" <= character <= "\udcff" for character in word):
            raise InvalidInputError(f"{word!r} is not UTF-8", hint="set the terminal to UTF-8, or use a file or -")
    arguments = parse_line(argv, command)
    if arguments.version:
        screen.line(f"ai-memory {__version__}")
        return exits.OK
    if arguments.command is None:
        build_parser().print_help()
        return exits.USAGE
    screen = Screen(
        json=getattr(arguments, "json", False),
        quiet=getattr(arguments, "quiet", False),
        zone=lambda: zone(Choices.of(arguments)),
    )
    if arguments.command in LOCAL:
        require_service(f"ai-memory {arguments.command}")
    code: int = import_module(COMMANDS[arguments.command][1]).run(arguments, screen)
    sys.stdout.flush()
    return code


def _usage(error: UsageError, screen: Screen) -> int:
    if screen.json:
        screen.error(InvalidInputError(error.message, hint=error.usage))
    elif error.usage.startswith("usage:"):
        print(f"{error.usage}\nerror: {visible_line(error.message)}", file=sys.stderr)
    else:
        print(f"error: {visible_line(error.message)} ({error.usage})", file=sys.stderr)
    return exits.USAGE


def _reader_closed() -> int:
    # The interpreter flushes standard output once more at its end; into a closed pipe that would print a warning.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exits.OK


def _unexpected(error: Exception, screen: Screen) -> int:
    if setting_variable("log_level").lower() == "debug":
        import traceback

        traceback.print_exception(error)
    screen.error(
        InternalError(
            f"unexpected {type(error).__name__}: {error}",
            hint="set AI_MEMORY_LOG_LEVEL=debug to see where it happened, and report it",
        )
    )
    return exits.INTERNAL
