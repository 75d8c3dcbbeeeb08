"""`import`: exports of other programs, JSON lines, notes, tables and documents, from a file, a folder or standard input."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from ai_memory.cli import exits
from ai_memory.cli.commands import operation as plain
from ai_memory.cli.commands.remember import code_for
from ai_memory.cli.opening import opened
from ai_memory.cli.options import add_fields
from ai_memory.cli.output import show
from ai_memory.cli.output.arrival import Rehearsed
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.errors import InvalidInputError
from ai_memory.importers.base import Importer, Unread
from ai_memory.operations.base import Operation, parse
from ai_memory.operations.caller import Caller
from ai_memory.operations.moving import IMPORT, ImportRequest
from ai_memory.types import Actor, Outcome


class _Source(NamedTuple):
    """What is imported, and how its report names it."""

    path: str
    """A file, a folder, or - for standard input; for an archive the folder that it was unpacked to."""
    shown: str
    importer: Importer | None
    mapping: dict[str, str]


def add(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """The source, and the request's fields."""
    assert operation.command is not None
    parser.add_argument(
        "source",
        metavar="FILE|-|FOLDER|ZIP",
        help="an export of another program, found by itself; JSON lines or a JSON array (.jsonl, .json, .jsonl.gz, - for standard "
        "input), Markdown, text, a table (.csv, .tsv), a document, or a folder or .zip of them",
    )
    parser.add_argument(
        "--from",
        dest="importer",
        metavar="NAME",
        help="read it as this program's export: chatgpt, claude, mem0, graphiti …; any other word lists all",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be imported, and write nothing")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="of a table: which column is which field, such as text=Note,author=Who",
    )
    add_fields(parser, operation.request, operation.command)
    parser.set_defaults(operation=operation)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Import everything, and report each part that was rejected."""
    from ai_memory.importers.registry import importer_named

    choices = Choices.of(arguments)
    values = plain.request_values(arguments, IMPORT, choices)
    insisted = importer_named(arguments.importer) if arguments.importer else None
    mapping = _mapping(arguments.map)
    with _source(arguments.source, insisted, mapping) as source:
        if arguments.dry_run:
            return _rehearse(source, values, screen)
        with opened(choices, screen, writes=True, actor=Actor.IMPORT if _is_files(source) else Actor.PERSON) as caller:
            value, rejected = _import(source, values, caller, screen)
    screen.value(value, show.lines_of(value, screen))
    return exits.SOME_REJECTED if rejected else exits.OK


def _mapping(given: list[str]) -> dict[str, str]:
    """Columns by name, each with the field that it is."""
    found: dict[str, str] = {}
    for each in (part for text in given for part in text.split(",")):
        field, sign, column = (part.strip() for part in each.partition("="))
        if not (field and sign and column):
            raise InvalidInputError(
                f"--map {each!r} names no field and column", hint="write --map text=Note,author=Who"
            )
        found[column.casefold()] = field
    return found


@contextmanager
def _source(given: str, insisted: Importer | None, mapping: dict[str, str]) -> Iterator[_Source]:
    """What is imported, with the importer that reads it; an archive is unpacked, and removed at the end."""
    from ai_memory.cli.files.archives import is_archive, unpacked
    from ai_memory.importers.registry import importer_for

    if given == "-":
        if insisted is not None:
            raise InvalidInputError("--from needs a file or folder", hint="standard input is read as JSON lines")
        yield _Source(given, given, None, mapping)
    elif is_archive(Path(given)) and not Path(given).is_dir():
        with unpacked(Path(given)) as folder:
            place = _inner(folder)
            yield _Source(str(place), given, insisted or importer_for(place), mapping)
    else:
        yield _Source(given, given, insisted or importer_for(Path(given)), mapping)


def _inner(folder: Path) -> Path:
    """The folder itself, or the only one in it, where an archive has all its files in one."""
    inside = list(folder.iterdir())
    if len(inside) != 1:
        return folder
    from ai_memory.importers.registry import importer_for

    return inside[0] if importer_for(folder) is None and importer_for(inside[0]) is not None else folder


def _is_files(source: _Source) -> bool:
    """Whether the source is notes, tables or documents, or a folder; else it is JSON, line by line, or another program's."""
    from ai_memory.importers.files.finding import Format, format_of

    path = Path(source.path)
    return source.importer is None and source.path != "-" and (path.is_dir() or format_of(path) is not Format.JSON)


def _import(source: _Source, values: dict[str, Any], caller: Caller, screen: Screen) -> tuple[Any, bool]:
    """What became of the source, and whether some of it was rejected."""
    if source.importer is not None:
        from ai_memory.cli.files.sources import import_source

        with progress(screen, "importing", "record") as advance:
            report = import_source(source.importer, Path(source.path), values, caller, advance)
        return report, bool(report.counts.get(Outcome.REJECTED.value))
    if _is_files(source):
        receipts = _files(source, values, caller, screen)
        return receipts, code_for(receipts) != exits.OK
    lines = _lines(source.path, values, caller, screen)
    return lines, bool(lines.counts.get(Outcome.REJECTED.value))


def _rehearse(source: _Source, values: dict[str, Any], screen: Screen) -> int:
    """Read everything, and show what an import would do."""
    from ai_memory.cli.files.rehearsal import Rehearsal
    from ai_memory.cli.output.arrival import Arrival
    from ai_memory.cli.output.file_receipts import FileReceipts

    rehearsal = Rehearsal()
    value, _ = _import(source, values, rehearsal, screen)
    warnings: tuple[str, ...]
    if isinstance(value, Arrival):
        rejected = value.rejected
        warnings = tuple(f"{each.place}: {each.reason}" for each in value.warnings)
    elif isinstance(value, FileReceipts):
        refused = (each for each in value.receipts if each.outcome is Outcome.REJECTED)
        rejected, warnings = tuple(Unread("", each.reason or "") for each in refused), value.warnings
    else:
        rejected = tuple(Unread(f"line {each.line}", each.reason) for each in value.rejected)
        warnings = tuple(f"line {each.line}: {each.message}" for each in value.warnings)
    shown = Rehearsed(
        importer=source.importer.name if source.importer else None,
        memories=rehearsal.memories,
        relations=rehearsal.relations,
        types=dict(rehearsal.types.most_common()),
        samples=tuple(rehearsal.samples),
        rejected=rejected,
        rejected_count=value.counts.get(Outcome.REJECTED.value, 0),
        left=value.left if isinstance(value, Arrival) else {},
        warnings=warnings,
    )
    screen.value(shown, show.lines_of(shown, screen))
    return exits.OK


def _lines(source: str, values: dict[str, Any], caller: Caller, screen: Screen) -> Any:
    from ai_memory.cli.files.documents import resume_key
    from ai_memory.importers.files.json_lines import lines_of

    if source != "-":
        values.setdefault("resume_key", resume_key(Path(source)))
    request = parse(ImportRequest, values)
    size = None if source == "-" else Path(source).stat().st_size
    with _open_source(source) as raw, progress(screen, "importing", "B", size) as advance:
        return caller.import_lines(request, lines_of(raw, source, advance))


def _open_source(source: str) -> IO[bytes]:
    from ai_memory.importers.decoding import unreadable

    if source == "-":
        return sys.stdin.buffer
    try:
        return Path(source).open("rb")
    except OSError as error:
        raise unreadable(source, error) from None


def _files(source: _Source, values: dict[str, Any], caller: Caller, screen: Screen) -> Any:
    """Import a file or a folder."""
    from ai_memory.cli.files.documents import found_files, remember_files
    from ai_memory.importers.files.finding import Format, others_below

    if "resume_key" in values:
        raise InvalidInputError("--resume-key is for JSON lines", hint="files are recognised when sent again")
    folder = Path(source.path).is_dir()
    files = found_files(() if folder else (source.path,), (source.path,) if folder else (), Format)
    receipts = remember_files(files, {}, values, caller, screen, whole=False, mapping=source.mapping)
    others = others_below(Path(source.path)) if folder else ""
    if others:
        warnings = (*receipts.warnings, f"{source.path}: not imported: {others}")
        receipts = msgspec.structs.replace(receipts, warnings=warnings)
    return receipts if source.shown == source.path else receipts.renamed(source.path, source.shown)
