"""`remember`: a text, standard input, files, or a folder of Markdown."""

from __future__ import annotations

import argparse
from typing import Any

from ai_memory.cli import exits
from ai_memory.cli.commands import operation as plain
from ai_memory.cli.opening import opened
from ai_memory.cli.options import add_fields
from ai_memory.cli.output import show
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import Operation, fields_of, parse
from ai_memory.operations.writing import REMEMBER, Draft, Receipts, RememberManyRequest
from ai_memory.types import Outcome


def add(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """The draft's fields, and the sources of texts."""
    assert operation.command is not None
    add_fields(parser, operation.request, operation.command)
    group = parser.add_argument_group("from files")
    group.add_argument("--file", nargs="+", action="extend", metavar="FILE", help="each file as one memory")
    group.add_argument(
        "--folder",
        action="append",
        metavar="FOLDER",
        help="each Markdown file below it as one memory: front matter gives its fields, sub-folders its context",
    )
    for action in parser._actions:
        if action.dest == "text":
            action.required = False
            action.nargs = "*"
    parser.set_defaults(operation=operation)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Remember one text, or every file."""
    given = bool(getattr(arguments, "text", None))
    files = bool(arguments.file or arguments.folder)
    if given and files:
        raise InvalidInputError("a text and files were given together", hint="give one or the other")
    if files:
        return _files(arguments, screen)
    if not given:
        raise InvalidInputError(
            "there is no text to remember", hint="give a text, - for standard input, or --file FILE"
        )
    choices = Choices.of(arguments)
    values = plain.request_values(arguments, REMEMBER, choices)
    if arguments.text == ["-"]:
        values = _with_front_matter(values, screen)
    receipt = plain.carry_out(REMEMBER, parse(REMEMBER.request, values), choices, screen)
    screen.value(receipt, show.lines_of(receipt, screen))
    return exits.REJECTED if receipt.outcome is Outcome.REJECTED else exits.OK


def code_for(receipts: Receipts) -> int:
    """The exit code: some were rejected, or not."""
    return exits.SOME_REJECTED if receipts.counts.get(Outcome.REJECTED.value) else exits.OK


def _with_front_matter(values: dict[str, Any], screen: Screen) -> dict[str, Any]:
    from ai_memory.importers.files.markdown import draft_values, has_front_matter

    if not has_front_matter(values["text"]):
        return values
    own = draft_values(values["text"])
    for warning in own.warnings:
        screen.note(f"notice: {warning}")
    return {**own.values, **values, "text": own.values["text"]}


def _files(arguments: argparse.Namespace, screen: Screen) -> int:
    from ai_memory.cli.files.documents import found_files, remember_files
    from ai_memory.importers.files.finding import NOTES

    choices = Choices.of(arguments)
    values = plain.request_values(arguments, REMEMBER, choices)
    common = {name: value for name, value in values.items() if name in fields_of(Draft)}
    options = {name: value for name, value in values.items() if name not in common}
    if "idempotency_key" in options:
        raise InvalidInputError("--idempotency-key is for a single text", hint="files are recognised when sent again")
    parse(RememberManyRequest, {**options, "memories": [{**common, "text": "x"}]})
    files = found_files(arguments.file or (), arguments.folder or (), NOTES)
    with opened(choices, screen, writes=True) as caller:
        receipts = remember_files(files, common, options, caller, screen, whole=True)
    screen.value(receipts, show.lines_of(receipts, screen))
    return code_for(receipts)
