"""`export`: memories as JSON lines, or in another program's format, to standard output, a file or a folder."""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ai_memory.cli import exits
from ai_memory.cli.commands import operation as plain
from ai_memory.cli.files.leaving import FORMATS, write_markdown
from ai_memory.cli.files.written import written
from ai_memory.cli.opening import opened
from ai_memory.cli.options import add_fields
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import Operation, parse
from ai_memory.operations.moving import EXPORT, ExportRequest


def add(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """The request's fields, and where to write."""
    assert operation.command is not None
    add_fields(parser, operation.request, operation.command)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write to FILE instead of standard output, with gzip if it ends in .gz; it appears when it is complete",
    )
    parser.add_argument(
        "--to",
        choices=("archive", "markdown", "mem0", "memory-jsonl", "csv"),
        default="archive",
        help="the current memories in another program's format; markdown needs a folder with -o (default: archive)",
    )
    parser.set_defaults(operation=operation)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Write all lines."""
    choices = Choices.of(arguments)
    values = plain.request_values(arguments, EXPORT, choices)
    if arguments.to != "archive":
        # The graph is needed for one of them, and nothing but current memories for the others.
        values |= {"current_only": arguments.to != "memory-jsonl", "tombstones": False}
    if arguments.to == "markdown" and arguments.output is None:
        raise InvalidInputError("--to markdown writes a folder, and none is named", hint="name it with -o FOLDER")
    request = parse(ExportRequest, values)
    with opened(choices, screen, writes=False) as caller:
        lines = caller.export(request)
        if arguments.to == "markdown":
            screen.note(f"wrote {write_markdown(lines, Path(arguments.output)):,} files below {arguments.output}")
            return exits.OK
        shown = FORMATS[arguments.to](lines) if arguments.to in FORMATS else lines
        if arguments.output is None:
            for line in shown:
                screen.bytes(line)
        else:
            _write(Path(arguments.output), shown, screen)
    return exits.OK


def _write(path: Path, lines: Iterator[bytes], screen: Screen) -> None:
    count = 0
    with written(path, "choose another file with -o FILE") as raw, progress(screen, "exporting", "line") as advance:
        packed: IO[bytes] = gzip.GzipFile(fileobj=raw, mode="wb") if path.suffix == ".gz" else raw  # type: ignore[assignment]
        for line in lines:
            packed.write(line)
            count += 1
            advance(1)
        if packed is not raw:
            packed.close()
    screen.note(f"wrote {count:,} lines to {path}")
