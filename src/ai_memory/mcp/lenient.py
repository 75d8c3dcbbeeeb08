"""Reads tool arguments as models write them, in the forms that their operation takes.

Models, and the bridges before them, write lists as `"a, b"` or `'["a", "b"]'`, numbers as `"3"` or `3.0`, and names of a fixed list
in any letter case; fields that they do not need they fill with `""` or null. Each of these has one meaning, and gets it. Anything
else is passed on unchanged, and the operation refuses it with an error that names the field.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import Any, Literal, get_args, get_origin

from msgspec import Struct

from ai_memory.operations.base import cached_by_type, fields_of, hints_of, without_none

Reader = Callable[[Any], Any]

_LISTS = (tuple, list)


def read_arguments(request: type[Struct], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A tool call's arguments as `request`'s fields take them; optional ones that are null or empty are left out.

    `[]` stays, since it may clear what is stored.
    """
    fields = fields_of(request)
    readers = _readers(request)
    read: dict[str, Any] = {}
    for name, given in arguments.items():
        value = readers[name](given)
        if value is not None and value != "":
            read[name] = value
        elif fields[name].required and given is not None:
            read[name] = given
    return read


@cached_by_type
def _readers(request: type[Struct]) -> dict[str, Reader]:
    return {name: _reader(without_none(hint)) for name, hint in hints_of(request).items()}


def _reader(hint: Any) -> Reader:
    if get_origin(hint) in _LISTS:
        return partial(_read_list, _reader(get_args(hint)[0]))
    names = _names_of(hint)
    if names:
        return partial(_read_name, {_plain(name): name for name in names})
    if hint in (int, float):
        return partial(_read_number, hint)
    if hint is bool:
        return _read_bool
    return _read_stripped if hint is dt.datetime else _unchanged


def _names_of(hint: Any) -> tuple[str, ...]:
    """The values of an enumeration; empty for any other type."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(str(member.value) for member in hint) if isinstance(hint, type) and issubclass(hint, Enum) else ()


def _plain(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")


def _unchanged(value: Any) -> Any:
    return value


def _read_stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _read_name(names: Mapping[str, str], value: Any) -> Any:
    return names.get(_plain(value), value.strip()) if isinstance(value, str) else value


def _read_bool(value: Any) -> Any:
    text = value.strip().casefold() if isinstance(value, str) else value
    return {"true": True, "false": False}.get(text, text) if isinstance(text, str) else value


def _read_number(kind: type[int] | type[float], value: Any) -> Any:
    """A number; `3.0` for a whole number is 3. Text that is no number, and a fraction for a whole number, stay as they are."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    try:
        number = int(value) if kind is int and isinstance(value, str) else float(value)
    except (ValueError, OverflowError):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return value
    if not math.isfinite(number):
        return value
    if kind is int:
        return int(number) if number == int(number) else value
    return number


def _read_list(item: Reader, value: Any) -> Any:
    """A list of what `item` reads, without nulls and empty texts; None where nothing else was in it. `[]` stays."""
    values = _split(value) if isinstance(value, str) else value
    if not isinstance(values, _LISTS):
        return value
    found = [read for read in map(item, values) if read is not None and read != ""]
    return None if values and not found else found


def _split(text: str) -> list[Any] | None:
    """The values in one text: a JSON list, or values between commas. None for what looks like a JSON list and is none."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return values if isinstance(values, list) else None
    return [part.strip() for part in text.split(",")]
