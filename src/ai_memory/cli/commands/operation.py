"""Any operation that is plain request and response."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from ai_memory.cli import exits
from ai_memory.cli.opening import opened
from ai_memory.cli.options import add_fields, fields_for, values_from
from ai_memory.cli.output import show
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import Operation, Request, Response, parse
from ai_memory.operations.zones import in_users_zone


def add(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """The operation's fields as arguments."""
    assert operation.command is not None
    add_fields(parser, operation.request, operation.command)
    parser.set_defaults(operation=operation)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Carry the operation out and show its response."""
    operation: Operation = arguments.operation
    choices = Choices.of(arguments)
    request = parse(operation.request, request_values(arguments, operation, choices))
    response = carry_out(operation, request, choices, screen)
    screen.value(response, show.lines_of(response, screen))
    refused = operation.refusal is not None and operation.refusal(response) is not None
    return exits.REJECTED if refused else exits.OK


def request_values(arguments: argparse.Namespace, operation: Operation, choices: Choices) -> dict[str, Any]:
    """The request's values: those of the command line, the text from standard input for `-`, and the namespace."""
    assert operation.command is not None
    values = values_from(arguments, operation.request, operation.command)
    if values.get("text") == "-":
        values["text"] = read_standard_input()
    for field in fields_for(operation.request):
        if field.kind == "objects" and field.name in values:
            values[field.name] = objects_in(values[field.name])
    if choices.namespace is not None and "namespace" in operation.request.__struct_fields__:
        values["namespace"] = choices.namespace
    return values


def read_standard_input() -> str:
    """All of standard input as text. Raises InvalidInputError where it is not UTF-8."""
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"standard input is not UTF-8 (byte {error.start})", hint="convert it: iconv -f WINDOWS-1252 -t UTF-8"
        ) from None


def objects_in(file: str) -> Any:
    """The values in a file of JSON or JSON lines, or on standard input for `-`. Raises InvalidInputError where it is neither."""
    try:
        text = read_standard_input() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{file} is not UTF-8 (byte {error.start})", hint="convert it to UTF-8") from None
    except OSError as error:
        raise InvalidInputError(
            f"{file} cannot be read: {error.strerror or error}", hint="give a file, or - for standard input"
        ) from None
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        try:
            return [msgspec.json.decode(line) for line in text.splitlines() if line.strip()]
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise InvalidInputError(
                f"{file} is neither JSON nor JSON lines: {error}", hint='write [{"role": "user", "content": "…"}]'
            ) from None
    return [value] if isinstance(value, dict) else value


def carry_out(operation: Operation[Request, Response], request: Request, choices: Choices, screen: Screen) -> Response:
    """The response of a service that is opened and closed around the call; its user's days may be others than the service's."""
    request = in_users_zone(request, screen.zone)
    with opened(choices, screen, writes=operation.effect == "write") as caller:
        return caller.carry_out(operation, request)
