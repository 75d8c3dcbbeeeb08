"""What an operation is: one typed definition from which every surface is made.

An operation names its request and response types, its REST route, and how it appears on the command line and in MCP. A caller
(`operations.caller`) carries it out; `service.table` binds it to the function that does the work.

What a field means is said once, in the `Meta` of its annotation: `description` for people (REST, OpenAPI, command line,
Python, reference pages) and, where a model needs fewer words, `extra={"short": …}` for MCP.
"""

from __future__ import annotations

import datetime as dt
import re
import types as builtin_types
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from ai_memory.clock import EPOCH, NEVER, period
from ai_memory.conditions.parsing import normal_condition, parse_condition
from ai_memory.decoding import from_builtins, from_json, in_words
from ai_memory.errors import InvalidInputError, MemoryServiceError, TooLargeError
from ai_memory.wording.spelling import did_you_mean

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Request = TypeVar("Request", bound=Struct, default=Any)
    Response = TypeVar("Response", default=Any)
else:  # at run time a default would take Python 3.13, or a package that the client need not import
    from typing import TypeVar

    Request = TypeVar("Request", bound=Struct)
    Response = TypeVar("Response")
Value = TypeVar("Value")

PREFIX = "/v1"
"""The prefix of every route; a change that breaks callers would get a new one."""

Effect = Literal["read", "write", "erase"]
"""`read` changes nothing, `write` adds or ends something, `erase` cannot be undone."""


class Route(Struct, frozen=True):
    """The HTTP method and path of an operation under `/v1`. `{name}` in the path is the request's field of that name.

    GET and DELETE take the other fields from the query string, the other methods from a JSON body.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str


class Command(Struct, frozen=True, kw_only=True):
    """How an operation shows on the command line: `positional` fields in order; every other field is an option."""

    name: str
    positional: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    also: tuple[str, str] | None = None
    """Another command and an option of it that mean this one: `forget --about NAME` is `forget-about NAME`."""


class Tool(Struct, frozen=True, kw_only=True):
    """How an operation shows in MCP: the tool's name, its description for the model, and the fields that a model needs."""

    name: str
    description: str
    fields: tuple[str, ...]


class Operation(Struct, Generic[Request, Response], frozen=True, kw_only=True):
    """One operation of the service, defined once. `Operation` without parameters means any of them."""

    name: str
    """The Python method, and the operation id in OpenAPI."""
    summary: str
    request: type[Request]
    response: type[Response]
    """A struct type, or `bytes` for an operation that streams JSON lines out."""
    effect: Effect
    idempotent: bool
    """Whether repeating the same request leaves the same state."""
    route: Route
    command: Command | None
    tool: Tool | None = None
    stream: Literal["in", "out"] | None = None
    """`in`: takes JSON lines in addition to its request. `out`: gives JSON lines instead of a value."""
    whole_store: bool = False
    """Whether it concerns all namespaces at once; if so, it needs a key that opens all of them."""
    created: Callable[[Response], bool] | None = None
    """Whether a response reports something new, for which REST answers 201 in place of 200; None where none does."""
    refusal: Callable[[Response], MemoryServiceError | None] | None = None
    """The error behind a response that reports a refusal, with which REST and MCP answer; None where none does."""
    leniently: Callable[[Mapping[str, Any]], Request] | None = None
    """Reads the plain values of a request in which a wrong part stops only itself, as `parse` does not; None where there are no
    such parts. For callers that send a request whole and read an outcome for each part."""
    visible: Callable[[Response, frozenset[str]], Response] | None = None
    """The part of a response that a key which opens only these namespaces may see; None where that is all of it."""


def cached_by_type(read: Callable[[type[Struct]], Value]) -> Callable[[type[Struct]], Value]:
    """`functools.cache`, for which `type[Any]`, the request type of any operation, would not count as hashable."""
    return cache(read)


@cached_by_type
def fields_of(request: type[Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """A request type's fields by name."""
    return {field.name: field for field in msgspec.structs.fields(request)}


@cached_by_type
def hints_of(request: type[Struct]) -> dict[str, Any]:
    """The resolved annotations of a request type's fields, without `Annotated`."""
    return {name: hint for name, hint in get_type_hints(request).items() if get_origin(hint) is not ClassVar}


@cached_by_type
def meanings_of(request: type[Struct]) -> dict[str, Meta]:
    """By field name the `Meta` that describes the field; a field without a description is left out.

    Nested `Annotated` types are flattened from the inside out. The last description is the field's, as it is in
    msgspec's JSON Schema: a field may describe a shared type in its own words.
    """
    meanings: dict[str, Meta] = {}
    for name, hint in get_type_hints(request, include_extras=True).items():
        for meta in getattr(hint, "__metadata__", ()):
            if isinstance(meta, Meta) and meta.description:
                meanings[name] = meta
    return meanings


def short_of(meaning: Meta) -> str:
    """A field's description in few words, for a language model; the full description where no short one is given."""
    return str((meaning.extra or {}).get("short", meaning.description))


def takes_many(annotation: Any) -> bool:
    """Whether a field is a list of scalars; a single value may be given for such a list."""
    return get_origin(without_none(annotation)) in (tuple, list) and struct_in(annotation) is None


def struct_in(annotation: Any) -> type[Struct] | None:
    """The struct type of a field that is a list of structs; None for any other field."""
    annotation = without_none(annotation)
    item = get_args(annotation)[0] if get_origin(annotation) in (tuple, list) else None
    return item if isinstance(item, type) and issubclass(item, Struct) else None


def without_none(annotation: Any) -> Any:
    """`X` for `X | None` and for `X | UnsetType`; other annotations as they are."""
    if get_origin(annotation) in (Union, builtin_types.UnionType):
        rest = [arg for arg in get_args(annotation) if arg not in (type(None), UnsetType)]
        if len(rest) == 1:
            return rest[0]
    return annotation


def instant(value: str | dt.date, name: str | None = None) -> dt.datetime:
    """An instant in UTC from RFC 3339, a plain date, or a datetime; a missing zone means UTC.

    `name` is the field that an error names. Raises InvalidInputError for anything else.
    """
    return _parsed(value, name, as_utc=True)


def _parsed(value: str | dt.date, name: str | None, *, as_utc: bool) -> dt.datetime:
    """As `instant`; unless `as_utc`, with the zone that it was given in, which may be none."""
    try:
        if isinstance(value, str):
            value = dt.datetime.fromisoformat(value)
        elif not isinstance(value, dt.datetime):
            value = dt.datetime(value.year, value.month, value.day)
        in_utc = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
        return in_utc if as_utc else value
    except (ValueError, OverflowError):
        raise InvalidInputError(
            f"{f'{name}: ' if name else ''}{str(value)[:80]!r} is not a date or time",
            hint="write 2026-03-14, or 2026-03-14T09:30:00+01:00",
            **({"field": name} if name else {}),
        ) from None


Reader = Callable[[Any, str], Any]

NEVER_EMPTY = frozenset({"namespace", "idempotency_key"})
"""Optional fields in which an empty string is an error, never "not given": it would lead to the wrong place, or leave a repeated
request unprotected, where a caller's variable happens to be empty."""


class _Blanks(NamedTuple):
    """What null and an empty string mean, by the names of a request's optional fields."""

    null: frozenset[str]
    """For these null means that the field is not given; in the others it clears what is stored."""
    empty: frozenset[str]
    """The same for an empty string; in the others it is a value."""
    refused: frozenset[str]
    """For these an empty string is refused."""


def empty_refused(request: type[Struct]) -> frozenset[str]:
    """The fields of a request in which an empty value is an error: those that its class names in `EMPTY_REFUSED`."""
    return frozenset(getattr(request, "EMPTY_REFUSED", ()))


@cached_by_type
def _blanks(request: type[Struct]) -> _Blanks:
    null: set[str] = set()
    empty: set[str] = set()
    for field in structs.fields(request):
        if field.required:
            continue
        options = get_args(hints_of(request)[field.name])
        changes = UnsetType in options  # a field of a change, such as `revise`: its value replaces what is stored
        if not (changes and type(None) in options):
            null.add(field.name)
        if not (changes and str in options):
            empty.add(field.name)
    return _Blanks(frozenset(null), frozenset(empty) - NEVER_EMPTY, empty_refused(request))


@cached_by_type
def _readers(request: type[Struct]) -> dict[str, Reader]:
    """For each field that takes more than one spelling, the function that normalises it."""
    readers: dict[str, Reader] = {}
    for name, hint in hints_of(request).items():
        wanted = without_none(hint)
        if wanted is dt.datetime:
            readers[name] = _read_fact if name.startswith("valid_") else _read_filter
        elif takes_many(wanted):
            readers[name] = _read_many
        elif (item := struct_in(wanted)) is not None:
            readers[name] = partial(_read_structs, item)
        elif isinstance(wanted, type) and issubclass(wanted, Struct):
            readers[name] = partial(_read_struct, wanted)
    for name, hint in get_type_hints(request, include_extras=True).items():
        for meta in getattr(hint, "__metadata__", ()):
            if isinstance(meta, Meta) and meta.extra and "normal" in meta.extra:
                readers[name] = partial(_read_normal, meta.extra["normal"], readers.get(name))
            if isinstance(meta, Meta) and meta.extra and "condition" in meta.extra:
                readers[name] = partial(_read_condition, request)
            if isinstance(meta, Meta) and meta.extra and "read" in meta.extra:
                readers[name] = meta.extra["read"]
    return readers


def _read_normal(normal: Callable[[str, str], str], before: Reader | None, value: Any, name: str) -> Any:
    """A name, or each of a list of names, as `normal` spells it; `before` is the field's own reader."""
    if before is not None:
        value = before(value, name)
    if isinstance(value, list):
        return [normal(item, name) if isinstance(item, str) else item for item in value]
    return normal(value, name) if isinstance(value, str) else value


def read_period(value: Any, name: str) -> Any:
    """A length of time as text: a number means seconds. Raises InvalidInputError for text that is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    elif isinstance(value, dt.timedelta):
        value = f"{value.total_seconds():f}"
    if isinstance(value, str) and value.strip().lower() != NEVER:
        try:
            period(value)
        except ValueError as error:
            raise InvalidInputError(f"{name}: {error}", field=name) from None
    return value


def read_time(value: Any, name: str) -> Any:
    """A date or time that is stored, also as seconds since 1970. Raises InvalidInputError for a number that is no such time."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return EPOCH + dt.timedelta(seconds=value)
        except (OverflowError, ValueError):
            raise InvalidInputError(f"{name}: {value} is no number of seconds since 1970", field=name) from None
    return _read_fact(value, name)


def _read_fact(value: Any, name: str) -> Any:
    """A date or time that is stored: in UTC, or as it is where it has no zone, which the service then gives it."""
    given = _read_filter(value, name)
    return given.astimezone(dt.UTC) if isinstance(given, dt.datetime) and given.tzinfo is not None else given


def _read_filter(value: Any, name: str) -> Any:
    """An instant that others are compared with keeps its zone: the days that are meant are the days of that zone."""
    return _parsed(value, name, as_utc=False) if isinstance(value, str | dt.date) else value


def _read_condition(request: type[Struct], value: Any, name: str) -> Any:
    """A condition, also from JSON text, with its filters spelt as those of a request."""
    if isinstance(value, str):
        try:
            value = from_json(value, dict[str, Any])
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            raise InvalidInputError(
                f"{name} is not a JSON object", hint="""write '{"attributes.city": "Riga"}'""", field=name
            ) from None
    readers = _readers(request)
    found = normal_condition(
        value, lambda filter_, given: readers[filter_](given, f"{name}.{filter_}") if filter_ in readers else given
    )
    parse_condition(found, name)
    return found


def _read_many(value: Any, name: str) -> Any:
    del name
    if isinstance(value, str | int | float):
        value = (value,)
    elif not isinstance(value, list | tuple | set | frozenset):
        return value
    return [item.value if isinstance(item, Enum) else item for item in value]


def _read_structs(item_type: type[Struct], value: Any, name: str) -> Any:
    if not isinstance(value, list | tuple):
        return value
    return [
        _read(item_type, structs.asdict(item) if isinstance(item, Struct) else item, f"{name}[{index}].")
        for index, item in enumerate(value)
    ]


def _read_struct(kind: type[Struct], value: Any, name: str) -> Any:
    return _read(kind, structs.asdict(value) if isinstance(value, Struct) else value, f"{name}.")


def _read(request: type[Struct], values: Any, prefix: str = "") -> Any:
    """The values in the one spelling that msgspec converts; `prefix` is the path of `values` in the request."""
    if not isinstance(values, Mapping):
        return values
    readers = _readers(request)
    blanks = _blanks(request)
    read: dict[str, Any] = {}
    for name, value in values.items():
        if value is UNSET or (value is None and name in blanks.null):
            continue
        if isinstance(value, str) and not value:
            if name in blanks.refused:
                field = prefix + name
                raise InvalidInputError(f"{field} is empty", hint="give a value, or leave the field out", field=field)
            if name in blanks.empty:
                continue
        if name in readers:
            read[name] = readers[name](value, prefix + name)
        elif isinstance(value, Enum):
            read[name] = value.value
        else:
            read[name] = value
    return read


def parse(request: type[Request], values: Mapping[str, Any], *, strict: bool = True) -> Request:
    """Build a request from plain values (decoded JSON, keyword arguments, query strings when not `strict`).

    A single value is read as a list of one; a plain date, or a time without a zone, is for the service to read in the user's
    zone. `null`, and an empty string, mean that an optional field is not given, except where they clear a field of a change or
    are refused. Unknown fields, wrong types and values out of range raise InvalidInputError, which names the field; a text or
    list over its limit raises TooLargeError with the limit.
    """
    known = fields_of(request)
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise unknown_names("field", unknown, known)
    given = _read(request, values)
    try:
        return from_builtins(given, request, strict=strict)
    except msgspec.ValidationError as error:
        raise validation_error(error, request) from None


def unknown_names(what: str, unknown: Sequence[str], known: Iterable[str], inside: str = "") -> InvalidInputError:
    """The error for fields or arguments that do not exist, with the ones that were probably meant; `inside` is where they are."""
    known = list(known)
    names = ", ".join(map(str, unknown))
    meant = did_you_mean(str(unknown[0]), known)
    where = f"{inside}: " if inside else ""
    return InvalidInputError(
        f"{where}unknown {what}{'s' if len(unknown) > 1 else ''}: {names}{meant}",
        hint=f"known {what}s: {', '.join(known)}",
        fields=list(unknown),
    )


def validation_error(error: msgspec.ValidationError, request: type[Struct]) -> InvalidInputError:
    """The error for one of msgspec's about a `request`: in words, with a readable path, what may be given there, and what it means.

    TooLargeError where a length was over its limit.
    """
    message, _, path = str(error).partition(" - at `")
    where = path.rstrip("`").removeprefix("$").lstrip(".") or "request"
    owner, name = _place(request, where)
    if found := _UNKNOWN_FIELD.fullmatch(message):
        holder = struct_in(hints_of(owner)[name]) or without_none(hints_of(owner)[name]) if name else owner
        return unknown_names("field", [found.group(1)], fields_of(holder), where if name else "")
    meaning = meanings_of(owner).get(name) if name else None
    allowed = names_of(hints_of(owner)[name]) if name else ()
    if allowed and (found := _WRONG_NAME.fullmatch(message)):
        message = f"there is no {found.group(1)}{did_you_mean(found.group(1).strip(chr(39)), allowed)}"
        hint: str | None = f"choose one of {', '.join(allowed)}"
    else:
        hint = None if meaning is None else f"{name}: {meaning.description}"
    too_long = "of length <=" in message
    cls = TooLargeError if too_long else InvalidInputError
    details: dict[str, Any] = {"field": where}
    if too_long:
        details["limit"] = int(message.rsplit("<=", 1)[1].strip())
    return cls(f"{where}: {in_words(message)}", hint=hint, **details)


_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.+)`")
_WRONG_NAME = re.compile(r"Invalid enum value (.+)")


def _place(request: type[Struct], path: str) -> tuple[type[Struct], str]:
    """The struct type and the field that a path such as `memories[0].type` leads to; an empty field for the request itself."""
    owner, name = request, ""
    for each in re.findall(r"\w+", re.sub(r"\[[^]]*\]", "", path)):
        inner = struct_in(hints_of(owner)[name]) or without_none(hints_of(owner)[name]) if name else owner
        if not (isinstance(inner, type) and issubclass(inner, Struct)) or each not in hints_of(inner):
            break
        owner, name = inner, each
    return owner, name


def names_of(annotation: Any) -> tuple[str, ...]:
    """The names that a field, or each item of a list field, may have; empty where it is no enumeration."""
    kind = without_none(annotation)
    if get_origin(kind) in (tuple, list):
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return tuple(map(str, get_args(kind)))
    return tuple(str(member.value) for member in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()


to_json: Callable[[Any], bytes] = msgspec.json.encode
"""A response as JSON in UTF-8; datetimes as RFC 3339 in UTC with `Z`."""
