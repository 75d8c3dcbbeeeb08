"""Decode values into their declared types, safely from any thread.

msgspec learns a class's fields when the class is first decoded, and a second thread that comes meanwhile reads what is only
half written and ends the process (0.22: a NULL type in `convert`). So one thread at a time makes a type known, and from then
on nothing is waited for. Every decoding into a type goes through here; encoding needs none of it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)
"""The escapes in JSON: a surrogate pair, half of one (the group), any other, such as an escaped backslash."""

_known: set[Any] = set()
_learning = threading.Lock()


def from_json(data: bytes | str, kind: type[T]) -> T:
    """The value that JSON `data` holds, as a `kind`. Raises msgspec.DecodeError, and ValidationError for another shape."""
    if kind not in _known:
        _learn(kind)
    return msgspec.json.decode(data, type=kind)


def from_builtins(
    values: Any, kind: type[T], *, strict: bool = True, hook: Callable[[type, Any], Any] | None = None
) -> T:
    """Plain `values` (as JSON has them) as a `kind`; not `strict` reads numbers from strings, and `hook` makes a value of a type
    that msgspec does not know. Raises msgspec.ValidationError.
    """
    if kind not in _known:
        _learn(kind)
    return msgspec.convert(values, kind, strict=strict, dec_hook=hook)


def whole_characters(data: bytes) -> bytes:
    """JSON in which each half of a surrogate pair that is on its own is replaced by the escape of U+FFFD; as long as it was.

    Programs that cut a text in the middle of an emoji send such halves. No text in UTF-8 can hold one, so that decoders refuse
    the whole document for it.
    """
    if b"\\ud" not in data and b"\\uD" not in data:
        return data
    return _ESCAPES.sub(lambda found: found.group() if found.group(1) is None else b"\\ufffd", data)


_NOUNS = {
    "int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "array": "a list",
    "object": "an object", "datetime": "a date or time", "null": "null",
}  # fmt: skip
_UNITS = {"str": "characters", "array": "items", "object": "entries"}
_LIMITS = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}
_TYPE = re.compile(r"`([a-z]+)(?: \| null)?`(?: of (length))?(?: (<=|>=|<|>) ([0-9.eE+-]+))?")


def in_words(message: str) -> str:
    """What msgspec says about a wrong value, for people: `Expected `float` <= 1.0` is *expected a number of at most 1*."""
    return _TYPE.sub(_kind_in_words, message[:1].lower() + message[1:])


def _kind_in_words(found: re.Match[str]) -> str:
    name, length, limit, value = found.groups()
    if name not in _NOUNS:
        return found.group()
    number = "" if value is None else f"{float(value):,g}" if abs(float(value)) < 1e6 else f"{int(float(value)):,}"
    unit = f" {_UNITS.get(name, '')}" if length else ""
    return _NOUNS[name] + (f" of {_LIMITS[limit]} {number}{unit}" if limit else "")


def _learn(kind: Any) -> None:
    with _learning:
        msgspec.json.Decoder(kind)
        _known.add(kind)
