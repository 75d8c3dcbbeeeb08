"""`import`: JSON lines from a file or standard input, a file of notes or rows, or a folder or zip archive of any of these."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import IO, Any

import msgspec

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
from ai_memory.types import Actor


def add(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """The source, and the request's fields."""
    assert operation.command is not None
    parser.add_argument(
        "source",
        metavar="FILE|-|FOLDER|ZIP",
        help="JSON lines or a JSON array (.jsonl, .json, .jsonl.gz, - for standard input), Markdown, text, a table (.csv, .tsv), "
        "or a folder or .zip of them",
    )
    add_fields(parser, operation.request, operation.command)
    parser.set_defaults(operation=operation)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Import everything, and report each line or file that was rejected."""
    from ai_memory.cli.files.archives import is_archive, unpacked
    from ai_memory.cli.files.finding import Format, format_of

    choices = Choices.of(arguments)
    values = plain.request_values(arguments, IMPORT, choices)
    source = arguments.source
    if source != "-" and is_archive(Path(source)) and not Path(source).is_dir():
        with unpacked(Path(source)) as folder:
            return _files(str(folder), values, choices, screen, shown=source)
    if source != "-" and (Path(source).is_dir() or format_of(Path(source)) is not Format.JSON):
        return _files(source, values, choices, screen)
    return _lines(source, values, choices, screen)


def _lines(source: str, values: dict[str, Any], choices: Choices, screen: Screen) -> int:
    from ai_memory.cli.files.documents import resume_key
    from ai_memory.cli.files.json_lines import lines_of

    if source != "-":
        values.setdefault("resume_key", resume_key(Path(source)))
    request = parse(ImportRequest, values)
    size = None if source == "-" else Path(source).stat().st_size
    with (
        _open_source(source) as raw,
        opened(choices, screen, writes=True) as caller,
        progress(screen, "importing", "B", size) as advance,
    ):
        report = caller.import_lines(request, lines_of(raw, source, advance))
    screen.value(report, show.lines_of(report, screen))
    return exits.SOME_REJECTED if report.counts.get("rejected") else exits.OK


def _open_source(source: str) -> IO[bytes]:
    from ai_memory.cli.files.decoding import unreadable

    if source == "-":
        return sys.stdin.buffer
    try:
        return Path(source).open("rb")
    except OSError as error:
        raise unreadable(source, error) from None


def _files(source: str, values: dict[str, Any], choices: Choices, screen: Screen, *, shown: str | None = None) -> int:
    """Import a file or a folder; `shown` is its name in the report, where it is not its path."""
    from ai_memory.cli.files.documents import found_files, remember_files
    from ai_memory.cli.files.finding import Format, others_below

    if "resume_key" in values:
        raise InvalidInputError("--resume-key is for JSON lines", hint="files are recognised when sent again")
    folder = Path(source).is_dir()
    files = found_files(() if folder else (source,), (source,) if folder else (), Format)
    with opened(choices, screen, writes=True, actor=Actor.IMPORT) as caller:
        receipts = remember_files(files, {}, values, caller, screen, whole=False)
    others = others_below(Path(source)) if folder else ""
    if others:
        warnings = (*receipts.warnings, f"{source}: not imported: {others}")
        receipts = msgspec.structs.replace(receipts, warnings=warnings)
    if shown is not None:
        receipts = receipts.renamed(source, shown)
    screen.value(receipts, show.lines_of(receipts, screen))
    return code_for(receipts)
