"""What the four Python doors (in process and over HTTP, plain and async) have in common: how a call becomes a request."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import parse
from ai_memory.operations.moving import ImportReport
from ai_memory.operations.table import BY_NAME

Response = TypeVar("Response")

Instant = dt.datetime | dt.date | str
"""An instant: a datetime, a date (its first moment in UTC), or either written as in RFC 3339. Without a zone it means UTC."""

Line = Mapping[str, Any] | str | bytes
"""One line of an import: as values, or as the JSON text of them."""

Progress = Callable[[int, dict[str, int]], None]
"""Told now and then how many lines are done, and how many had each outcome so far (empty where that is not known yet)."""


class Calls(ABC):
    """Carries out operations by name; the typed methods stand on it."""

    @abstractmethod
    def _call(self, name: str, response: type[Response], values: Mapping[str, Any]) -> Response:
        """The answer of the operation `name` to a request with these field values; UNSET ones are left out."""

    @abstractmethod
    def _export(self, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The lines of an archive, decoded."""

    @abstractmethod
    def _import(self, values: Mapping[str, Any], lines: Iterable[Line], progress: Progress | None) -> ImportReport:
        """What became of every line."""


class AsyncCalls(ABC):
    """The same as `Calls`, as coroutines."""

    @abstractmethod
    async def _call(self, name: str, response: type[Response], values: Mapping[str, Any]) -> Response:
        """The answer of the operation `name` to a request with these field values; UNSET ones are left out."""

    @abstractmethod
    def _export(self, values: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The lines of an archive, decoded."""

    @abstractmethod
    async def _import(
        self, values: Mapping[str, Any], lines: Iterable[Line] | AsyncIterable[Line], progress: Progress | None
    ) -> ImportReport:
        """What became of every line."""


def build(name: str, values: Mapping[str, Any]) -> Struct:
    """The request of the operation `name`; a plain text among memories stands for a draft of it.

    Raises InvalidInputError and TooLargeError as `operations.base.parse` does.
    """
    if name == "remember_many" and isinstance(memories := values["memories"], Iterable):
        whole = [memories] if isinstance(memories, str | Mapping) else memories
        drafts = [{"text": memory} if isinstance(memory, str) else memory for memory in whole]
        values = {**values, "memories": drafts}
    return parse(BY_NAME[name].request, values)


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
