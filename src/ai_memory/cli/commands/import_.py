"""`import`: JSON lines from a file or standard input, or a folder of Markdown."""

from __future__ import annotations

import argparse
import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from ai_memory.cli import exits
from ai_memory.cli.commands import operation as plain
from ai_memory.cli.commands.remember import code_for
from ai_memory.cli.opening import opened
from ai_memory.cli.options import add_fields
from ai_memory.cli.output import show
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import Operation, parse
from ai_memory.operations.moving import IMPORT, ImportRequest


def add(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """The source, and the request's fields."""
    assert operation.command is not None
    parser.add_argument(
        "source",
        metavar="FILE|-|FOLDER",
        help="JSON lines (.jsonl, .jsonl.gz, - for standard input), or a folder of Markdown",
    )
    add_fields(parser, operation.request, operation.command)
    parser.set_defaults(operation=operation)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Import everything, and report each line or file that was rejected."""
    choices = Choices.of(arguments)
    values = plain.request_values(arguments, IMPORT, choices)
    if arguments.source != "-" and Path(arguments.source).is_dir():
        return _folder(arguments.source, values, choices, screen)
    if arguments.source != "-":
        values.setdefault("resume_key", resume_key(Path(arguments.source)))
    request = parse(ImportRequest, values)
    size = None if arguments.source == "-" else Path(arguments.source).stat().st_size
    with (
        _open_source(arguments.source) as raw,
        opened(choices, screen, writes=True) as caller,
        progress(screen, "importing", "B", size) as advance,
    ):
        report = caller.import_lines(request, lines_of(raw, arguments.source, advance))
    screen.value(report, show.lines_of(report, screen))
    return exits.SOME_REJECTED if report.counts.get("rejected") else exits.OK


def resume_key(path: Path) -> str:
    """A key for this file and its content: a later run of the same command resumes where this one ended."""
    try:
        state = path.stat()
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}", hint="check the path") from None
    return f"{path.name[-100:]}:{state.st_size}:{state.st_mtime_ns}"


def _open_source(source: str) -> IO[bytes]:
    if source == "-":
        return sys.stdin.buffer
    try:
        return Path(source).open("rb")
    except OSError as error:
        raise InvalidInputError(f"{source} cannot be read: {error.strerror}", hint="check the path") from None


def lines_of(raw: IO[bytes], name: str, advance: Callable[[int], None]) -> Iterator[bytes]:
    """The lines of a file, decompressed if its name ends in .gz. `advance` is called with the number of bytes read."""
    if not name.endswith(".gz"):
        for line in raw:
            advance(len(line))
            yield line
        return
    before = 0
    try:
        with gzip.open(raw) as unpacked:
            for line in unpacked:
                now = raw.tell()
                advance(now - before)
                before = now
                yield line
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInputError(
            f"{name} is a damaged gzip file: {error}",
            hint="lines before the damage were imported; fix the file and run again",
        ) from None


def _folder(source: str, values: dict[str, Any], choices: Choices, screen: Screen) -> int:
    from ai_memory.cli.documents import found_files, remember_files

    if "resume_key" in values:
        raise InvalidInputError("--resume-key is for JSON lines", hint="files are recognised when sent again")
    files = found_files((), (source,))
    with opened(choices, screen, writes=True) as caller:
        receipts = remember_files(files, {}, values, caller, screen)
    screen.value(receipts, show.lines_of(receipts, screen))
    return code_for(receipts)
