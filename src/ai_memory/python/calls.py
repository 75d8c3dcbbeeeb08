"""How a call of a typed method becomes a request that a caller carries out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import Struct

from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import Operation, Request, Response, fields_of, hints_of, parse, struct_in
from ai_memory.operations.caller import Caller, Progress
from ai_memory.operations.moving import EXPORT, IMPORT, ImportReport
from ai_memory.operations.upkeep.events import EVENTS, Event, EventKind

Instant = dt.datetime | dt.date | str
"""An instant: a datetime, a date, or either written as in RFC 3339. Without a zone it is the user's time (setting `timezone`)."""

FOLLOW_SECONDS = 5.0
"""How long one request of `follow` waits for an event; shorter than the shortest sensible timeout."""

Line = Mapping[str, Any] | str | bytes
"""One line of an import: as values, or as the JSON text of them."""


class Calls:
    """The base of the typed methods: turns their arguments into requests for `caller`, which is closed with it."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        """What carries the operations out."""

    def close(self) -> None:
        """Finish what was acknowledged and release everything. May be called twice."""
        self.caller.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def follow(
        self, *, namespace: str | None = None, kinds: Sequence[EventKind | str] = (), cursor: str | None = None
    ) -> Iterator[Event]:
        """What happens from now on, or behind a cursor, as it happens; it ends when it is closed, or the service is.

        The arguments are those of `events`. Where it is cut off, go on with the cursor of the last event.
        """
        while True:
            page = self._carry_out(EVENTS, following(namespace, kinds, cursor, FOLLOW_SECONDS))
            yield from page.events
            cursor = page.cursor

    def _carry_out(self, operation: Operation[Request, Response], values: Mapping[str, Any]) -> Response:
        """The response to a request with these field values; UNSET ones are left out."""
        return self.caller.carry_out(operation, build(operation, values))

    def _export(self, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The lines of an archive, decoded."""
        for line in self.caller.export(build(EXPORT, values)):
            yield msgspec.json.decode(line)

    def _import(self, values: Mapping[str, Any], lines: Iterable[Line], progress: Progress | None) -> ImportReport:
        """What became of each line."""
        return self.caller.import_lines(build(IMPORT, values), map(encode_line, lines), progress)


def following(
    namespace: str | None, kinds: Sequence[EventKind | str], cursor: str | None, wait: float
) -> dict[str, Any]:
    """The fields of the next request of one who follows."""
    return {"namespace": namespace, "kinds": kinds, "cursor": cursor, "wait": wait}


def build(operation: Operation[Request, Response], values: Mapping[str, Any]) -> Request:
    """The operation's request; in a list of memories, a plain text is read as a memory with that text.

    Raises InvalidInputError and TooLargeError as `operations.base.parse` does.
    """
    for name, only in _short_forms(operation.request).items():
        if isinstance(given := values[name], Iterable):
            items = [given] if isinstance(given, str | Mapping) else given
            values = {**values, name: [{only: item} if isinstance(item, str) else item for item in items]}
    return parse(operation.request, values)


@cache
def _short_forms(request: type[Struct]) -> dict[str, str]:
    """For each list of structs that need a text only, the name of that field, which can be given without the rest."""
    found: dict[str, str] = {}
    for name, hint in hints_of(request).items():
        item = struct_in(hint)
        required = [] if item is None else [field.name for field in fields_of(item).values() if field.required]
        if required == ["text"]:
            found[name] = "text"
    return found


def encode_line(line: Line) -> bytes:
    """One line of an import in UTF-8, without its end. Raises InvalidInputError for what JSON cannot hold."""
    try:
        if isinstance(line, str):
            line = line.encode()
        elif isinstance(line, Mapping):
            line = msgspec.json.encode(dict(line))
    except (TypeError, UnicodeEncodeError, msgspec.MsgspecError) as error:
        raise InvalidInputError(f"a line cannot be written as JSON: {error}", hint="give a dict or JSON text") from None
    if not isinstance(line, bytes | bytearray):
        raise InvalidInputError(f"a line is a {type(line).__name__}", hint="give a dict, or JSON text as str or bytes")
    line = bytes(line).rstrip(b"\r\n")
    if b"\n" in line:
        raise InvalidInputError("a line has a line break inside", hint="give one JSON object at a time")
    return line
