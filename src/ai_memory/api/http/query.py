"""From query strings to the values of a request."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_json
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import hints_of, takes_many

MAX_PARAMETERS = 1_000


def query_values(request: type[Struct], query_string: bytes) -> dict[str, Any]:
    """A request's fields from a query string; the values are still strings.

    A list is a repeated parameter, or `a,b`, or a JSON array where a value contains a comma. Any other parameter that is given
    twice raises InvalidInputError.
    """
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise InvalidInputError(
            f"the query string cannot be read: {error}",
            hint="percent-encode it as UTF-8, with at most 1,000 parameters",
        ) from None
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    hints = hints_of(request)
    values: dict[str, Any] = {}
    for name, texts in given.items():
        if name in hints and takes_many(hints[name]):
            values[name] = _as_list(texts)
        elif len(texts) > 1:
            raise InvalidInputError(
                f"{name} is given {len(texts)} times", hint="give it once; it is not a list", field=name
            )
        else:
            values[name] = texts[0]
    return values


def _as_list(texts: list[str]) -> list[str]:
    if len(texts) > 1:
        return texts
    only = texts[0]
    if only.startswith("["):
        try:
            return from_json(only.encode(), list[str])
        except (msgspec.DecodeError, UnicodeEncodeError):  # plain text that begins with a bracket
            return [only]
    return [part for part in only.split(",") if part]
