"""From the fields of a request to options of a command, and back to the request's values."""

from __future__ import annotations

import argparse
import datetime as dt
import enum
import types as builtin_types
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct, UnsetType

from ai_memory.decoding import from_json
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import Command, cached_by_type, empty_refused, meanings_of

Kind = Literal["text", "integer", "number", "flag", "instant", "choice", "object", "objects"]


PLURALS = frozenset({"tags", "types", "layers", "ids", "any_tags", "without_tags"})


class Field(NamedTuple):
    """One field of a request as the command line sees it."""

    name: str
    kind: Kind
    many: bool
    choices: tuple[str, ...]
    help: str
    default: Any
    required: bool
    clearable: bool
    """Whether it may be set to `null`, where leaving it out means "unchanged"."""

    @property
    def option(self) -> str:
        """Its option, such as `--occurred-after`."""
        return "--" + self.name.replace("_", "-")

    @property
    def options(self) -> tuple[str, ...]:
        """The option, and for a list its singular too: `--tags a,b` is `--tag a --tag b`. `-n` is the limit."""
        if self.name == "limit":
            return (self.option, "-n")
        singular = self.option.removesuffix("s")
        return (self.option, singular) if self.many and self.name in PLURALS else (self.option,)


@cached_by_type
def fields_for(request: type[Struct]) -> tuple[Field, ...]:
    """The fields of a request type in their order, without `namespace`, which is a global option."""
    hints = get_type_hints(request, include_extras=True)
    meanings = meanings_of(request)
    return tuple(
        _field(field, hints[field.name], meanings[field.name].description or "" if field.name in meanings else "")
        for field in msgspec.structs.fields(request)
        if field.name != "namespace"
    )


def _field(field: msgspec.structs.FieldInfo, annotation: Any, description: str) -> Field:
    inner, absent = _unwrap(annotation)
    many = get_origin(inner) in (tuple, list)
    if many:
        inner, _ = _unwrap(get_args(inner)[0])
    kind, choices = _kind(inner)
    default = field.default if field.default is not msgspec.NODEFAULT else None
    return Field(
        field.name,
        kind,
        many,
        choices,
        description,
        default,
        field.required,
        type(None) in absent and UnsetType in absent,
    )


def _unwrap(annotation: Any) -> tuple[Any, set[type]]:
    """The bare type behind Annotated and optional unions, and which types mean that no value is given."""
    absent: set[type] = set()
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, builtin_types.UnionType):
            rest = [arg for arg in get_args(annotation) if arg not in (type(None), UnsetType)]
            absent |= {arg for arg in get_args(annotation) if arg in (type(None), UnsetType)}
            if len(rest) != 1:
                raise TypeError(f"{annotation} has no single type for the command line")
            annotation = rest[0]
        else:
            return annotation, absent


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", tuple(map(str, get_args(annotation)))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return "choice", tuple(str(member.value) for member in annotation)
    kinds: dict[Any, Kind] = {bool: "flag", int: "integer", float: "number", dt.datetime: "instant", str: "text"}
    if annotation in kinds:
        return kinds[annotation], ()
    if annotation is dict or get_origin(annotation) is dict:
        return "object", ()
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return "objects", ()
    raise TypeError(f"{annotation} has no form on the command line")


def add_fields(parser: argparse.ArgumentParser, request: type[Struct], command: Command) -> None:
    """Add a request's fields to a command's parser: its positional ones in order, then one option for each of the others."""
    fields = {field.name: field for field in fields_for(request)}
    for name in command.positional:
        _add_positional(parser, fields[name], last=name == command.positional[-1])
    group = parser.add_argument_group("fields")
    for field in fields.values():
        if field.name not in command.positional and field.name not in command.hidden:
            _add_option(group, field)
    clearable = tuple(field.name for field in fields.values() if field.clearable)
    if clearable:
        group.add_argument(
            "--clear",
            action="append",
            choices=clearable,
            metavar="FIELD",
            help="Empty a field: " + ", ".join(clearable),
        )


def _add_positional(parser: argparse.ArgumentParser, field: Field, *, last: bool) -> None:
    words = last and field.kind == "text" and field.name in ("query", "text")
    help_text = escape(field.help)
    if words:
        nargs = "+" if field.required else "*"
        help_text += " Several words are joined by spaces; - reads standard input." if field.name == "text" else ""
        parser.add_argument(field.name, nargs=nargs, default=argparse.SUPPRESS, help=help_text)
    else:
        more: dict[str, Any] = {"nargs": "?", "default": argparse.SUPPRESS} if last and not field.required else {}
        if field.kind == "objects":
            help_text = f"A file of JSON, or of JSON lines; - reads standard input. {help_text}"
        elif last and field.many:
            more = {"nargs": "+"}
        parser.add_argument(field.name, metavar=field.name.upper(), help=help_text, **more)


def _add_option(group: Any, field: Field) -> None:
    if field.kind == "flag":
        group.add_argument(
            field.option, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=_help(field)
        )
        return
    metavars: dict[Kind, str] = {
        "integer": "N",
        "number": "X",
        "instant": "DATE",
        "object": "JSON|KEY=VALUE",
        "text": "TEXT",
        "choice": field.name.upper(),
    }
    several = field.many or field.kind == "object"
    group.add_argument(
        *field.options,
        dest=field.name,
        action="append" if several else "store",
        type=_converter(field),
        choices=field.choices if field.choices and not field.many else None,
        metavar=None if field.choices and not field.many else metavars[field.kind],
        default=argparse.SUPPRESS,
        help=_help(field),
    )


def _help(field: Field) -> str:
    text = field.help
    if field.many:
        if field.choices:
            text += f" One of {', '.join(field.choices)}."
        text += " Repeat it, or separate by commas."
    default = field.default
    if isinstance(default, enum.Enum):
        default = default.value
    if isinstance(default, bool):
        text += f" Default: {'yes' if default else 'no'}."
    elif isinstance(default, str | int | float) and default != "":
        text += f" Default: {default}."
    return escape(text)


def escape(text: str) -> str:
    """Help text with percent signs doubled, since argparse expands single ones."""
    return text.replace("%", "%%")


def _converter(field: Field) -> Callable[[str], Any]:
    simple: dict[Kind, Callable[[str], Any]] = {"integer": int, "number": float}
    if field.many:
        return split
    return simple.get(field.kind, str)


def split(text: str) -> list[str]:
    """The values in one use of a list option: separated by commas, or a JSON list where a value contains a comma."""
    if text.startswith("["):
        try:
            return from_json(text, list[str])
        except msgspec.DecodeError as error:
            raise InvalidInputError(
                f"{text!r} is not a JSON list of strings: {error}", hint="""write '["a", "b"]' or a,b"""
            ) from None
    return [part.strip() for part in text.split(",") if part.strip()]


def object_from(parts: list[str]) -> dict[str, Any]:
    """One object from JSON objects and KEY=VALUE pairs; later ones win. A value that is valid JSON is read as JSON."""
    result: dict[str, Any] = {}
    for part in parts:
        if part.lstrip().startswith("{"):
            try:
                result.update(from_json(part, dict[str, Any]))
            except msgspec.DecodeError as error:
                raise InvalidInputError(
                    f"{part!r} is not a JSON object: {error}", hint="""write '{"key": "value"}' or key=value"""
                ) from None
            continue
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise InvalidInputError(f"{part!r} is neither a JSON object nor KEY=VALUE", hint="write key=value")
        try:
            result[key] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            result[key] = value
    return result


def values_from(arguments: argparse.Namespace, request: type[Struct], command: Command) -> dict[str, Any]:
    """The request's values from the command line, without those that were not given."""
    values: dict[str, Any] = {}
    for field in fields_for(request):
        given = getattr(arguments, field.name, None)
        if given is None or (given == [] and field.name in command.positional):
            continue
        if field.kind == "object":
            values[field.name] = object_from(given)
        elif field.many and field.name not in command.positional:
            several = [value for part in given for value in part]
            values[field.name] = several if several or field.name not in empty_refused(request) else ""
        elif isinstance(given, list) and not field.many:
            values[field.name] = " ".join(given)
        else:
            values[field.name] = given
    for name in getattr(arguments, "clear", None) or ():
        values[name] = None
    return values


def add_globals(parser: argparse.ArgumentParser) -> None:
    """The options that every command takes, before or after its name."""
    group = parser.add_argument_group("global options")
    absent = argparse.SUPPRESS
    group.add_argument("--json", action="store_true", default=absent, help="print the response as JSON, errors too")
    group.add_argument("--data-dir", metavar="DIR", default=absent, help="folder of the store and models")
    group.add_argument("--url", metavar="URL", default=absent, help="address of a running service to use")
    group.add_argument(
        "--namespace", metavar="NAME", default=absent, help="the namespace to work in (default: default)"
    )
    group.add_argument("--config", metavar="FILE", default=absent, help="settings file (TOML)")
    group.add_argument("--offline", action="store_true", default=absent, help="refuse every network call")
    group.add_argument("--quiet", action="store_true", default=absent, help="no progress bars or notices")
