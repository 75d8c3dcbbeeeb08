"""What a condition is, and what it means for the values of a memory's attributes.

Stores and indexes ask `Attribute.test` about each value, and so agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from ai_memory.decoding import from_json
from ai_memory.types import Selection

COMPARED = 500
"""So many characters of a text are compared; an index holds no more of it."""


class Container:
    """The value of a path that leads to an object or a list: it exists, and equals nothing."""


CONTAINER: Final = Container()


class Attribute(NamedTuple):
    """What one of the values at a path must be."""

    path: str
    operator: str
    """`in`, `exists`, `gt`, `gte`, `lt` or `lte`."""
    values: tuple[Any, ...] = ()

    def test(self, value: Any) -> bool:
        """Whether one value at the path, as `expand` gives it, is meant."""
        if self.operator == "exists":
            return True
        if self.operator == "in":
            return any(_equal(value, wanted) for wanted in self.values)
        (limit,) = self.values
        if not (is_number(value) and is_number(limit)) and not (isinstance(value, str) and isinstance(limit, str)):
            return False
        return bool(_COMPARISONS[self.operator](value, limit[:COMPARED] if isinstance(limit, str) else limit))

    def holds(self, attributes: Mapping[str, Any]) -> bool:
        """Whether it holds for some attributes."""
        return any(map(self.test, _at(attributes, self.path)))

    @property
    def trace(self) -> str:
        """What the JSON text of all attributes that have this path contains: the end of the last name in it."""
        last = self.path.rpartition(".")[2]
        return msgspec.json.encode(last).decode()[1:] + ":"


class Filter(NamedTuple):
    """One filter of a selection by its name; the rest of `selection` is at its defaults."""

    selection: Selection


class Every(NamedTuple):
    """That all parts hold."""

    parts: tuple[Condition, ...]


class Some(NamedTuple):
    """That at least one part holds."""

    parts: tuple[Condition, ...]


class Not(NamedTuple):
    """That a part does not hold: what has no such attribute is among it."""

    part: Condition


Condition = Attribute | Filter | Every | Some | Not

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, limit: value > limit,
    "gte": lambda value, limit: value >= limit,
    "lt": lambda value, limit: value < limit,
    "lte": lambda value, limit: value <= limit,
}


def expand(attributes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """All values of some attributes, each with its path; a list has each of its items, and is a `CONTAINER` itself."""
    for name, value in attributes.items():
        for path, each in _below(value):
            yield (f"{name}.{path}" if path is not None else name), each


def _below(value: Any) -> Iterator[tuple[str | None, Any]]:
    if isinstance(value, Mapping):
        yield None, CONTAINER
        yield from expand(value)
    elif isinstance(value, list | tuple):
        yield None, CONTAINER
        for item in value:
            yield from _below(item)
    else:
        yield None, value[:COMPARED] if isinstance(value, str) else value


def _at(value: Any, path: str) -> Iterator[Any]:
    """The values at one path, as `expand` gives them."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _at(item, path)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name == path:
                yield from (each for below, each in _below(inner) if below is None)
            elif path.startswith(f"{name}."):
                yield from _at(inner, path[len(name) + 1 :])


def same(value: Any) -> tuple[Any, ...]:
    """What a value of a condition equals, each as the type that an attribute may have it in: 4 is 4.0."""
    if isinstance(value, str):
        return (value[:COMPARED],)
    if isinstance(value, int) and not isinstance(value, bool):
        return (value, float(value)) if abs(value) < 2**1023 and float(value) == value else (value,)
    return (value, int(value)) if isinstance(value, float) and value.is_integer() else (value,)


def is_number(value: Any) -> bool:
    """Whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(value: Any, wanted: Any) -> bool:
    """Whether two values are the same; a number is none of true and false, though Python compares them equal."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(wanted, str):
        return bool(value == wanted[:COMPARED])
    return bool(value == wanted)


def attribute_holds(attributes: str, asked: str) -> bool:
    """Whether a condition on one attribute, itself as JSON, holds for attributes as JSON text: for stores that call it by row."""
    return _asked(asked).holds(from_json(attributes, dict[str, Any]))


@lru_cache(maxsize=64)
def _asked(text: str) -> Attribute:
    return from_json(text, Attribute)
