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


def _learn(kind: Any) -> None:
    with _learning:
        msgspec.json.Decoder(kind)
        _known.add(kind)
