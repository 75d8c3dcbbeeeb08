"""Conditions on attributes, and AND, OR and NOT over all filters: the field `where` of a selection.

A condition is a JSON object. `{"attributes.address.city": "Riga"}` compares an attribute, by its path with dots;
`{"tags": ["x"]}` is the filter of that name; `$and`, `$or` and `$not` join conditions, and the entries of one object are joined by
AND. docs/filters.md has the whole language.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ai_memory.conditions.meaning import Attribute, Condition, Every, Filter, Not, Some, is_number
from ai_memory.decoding import from_builtins, in_words
from ai_memory.errors import InvalidInputError, TooLargeError
from ai_memory.types import Selection
from ai_memory.wording.spelling import did_you_mean

ATTRIBUTES = "attributes"
MAX_CONDITIONS = 200
"""Conditions in one `where` at most, those inside others included."""
MAX_DEPTH = 12
MAX_VALUES = 1_000
"""Values of one `$in` or `$nin` at most."""

NOT_IN_CONDITIONS = ("namespace", "as_of", "known_at", "include_ended", "include_expired", "now", "where")
"""What a selection has that no condition may: it says which revision is looked at, or it is the same for a whole request."""
FILTERS = tuple(name for name in Selection.__struct_fields__ if name not in NOT_IN_CONDITIONS)
_JOINS = ("$and", "$or", "$not")
_OPERATORS = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists")
_HINT = "docs/filters.md has the conditions and examples"

ReadFilter = Callable[[str, Any], Any]
"""Brings the value of a filter, by the filter's name, into its one spelling."""


def parse_condition(where: Any, place: str = "where") -> Condition:
    """What a `where` means. Raises InvalidInputError, which names the part that is wrong, and TooLargeError."""
    return _Parser().object(where, place, 0)


def normal_condition(where: Any, read: ReadFilter, depth: int = 0) -> Any:
    """The same `where` with each of its filters as `read` spells it; what is no condition stays for `parse_condition`."""
    if depth > 2 * MAX_DEPTH:  # lists and objects take turns
        return where
    if isinstance(where, list | tuple):
        return [normal_condition(part, read, depth + 1) for part in where]
    if not isinstance(where, Mapping):
        return where
    return {name: _normal_entry(name, value, read, depth) for name, value in where.items()}


def _normal_entry(name: Any, value: Any, read: ReadFilter, depth: int) -> Any:
    if name in _JOINS:
        return normal_condition(value, read, depth + 1)
    return read(name, value) if name in FILTERS else value


class _Parser:
    """Reads one `where`, and counts its conditions."""

    def __init__(self) -> None:
        self._count = 0

    def object(self, where: Any, place: str, depth: int) -> Condition:
        """The entries of one object, joined by AND."""
        if not isinstance(where, Mapping) or not all(isinstance(name, str) for name in where):
            raise _wrong(place, f'a condition is an object, such as {{"attributes.city": "Riga"}}, not {_kind(where)}')
        if not where:
            raise _wrong(place, "an empty condition says nothing", hint="give a condition, or leave the field out")
        if depth > MAX_DEPTH:
            raise TooLargeError(f"{place}: conditions are more than {MAX_DEPTH} deep", field=place, limit=MAX_DEPTH)
        parts = tuple(self._entry(name, value, f"{place}.{name}", depth) for name, value in where.items())
        return parts[0] if len(parts) == 1 else Every(parts)

    def _entry(self, name: str, value: Any, place: str, depth: int) -> Condition:
        self._count += 1
        if self._count > MAX_CONDITIONS:
            raise TooLargeError(
                f"where: more than {MAX_CONDITIONS} conditions",
                field="where",
                limit=MAX_CONDITIONS,
                hint="use $in for many values",
            )
        if name == "$not":
            return Not(self.object(value, place, depth + 1))
        if name in _JOINS:
            if not isinstance(value, list | tuple) or not value:
                raise _wrong(place, f"{name} takes a list of at least one condition, not {_kind(value)}")
            parts = tuple(self.object(part, f"{place}[{at}]", depth + 1) for at, part in enumerate(value))
            return Every(parts) if name == "$and" else Some(parts)
        if name in FILTERS:
            return _filter(name, value, place)
        if name == ATTRIBUTES and isinstance(value, Mapping):
            return self._nested("", value, place, depth)
        if name.startswith(f"{ATTRIBUTES}."):
            return self._attribute(name[len(ATTRIBUTES) + 1 :], value, place, depth)
        raise _unknown(name, place)

    def _attribute(self, path: str, value: Any, place: str, depth: int) -> Condition:
        """What is said about one path: a value that it equals, operators, or conditions on the paths below it."""
        _checked_text(path, place)
        if not isinstance(value, Mapping):
            return Attribute(path, "in", (_scalar(value, place),))
        operators = [name for name in value if isinstance(name, str) and name.startswith("$")]
        if not operators:
            return self._nested(f"{path}.", value, place, depth)
        if len(operators) != len(value):
            raise _wrong(place, "operators such as $gt and names of attributes cannot be mixed in one object")
        self._count += len(operators) - 1
        parts = tuple(_operation(path, name, operand, f"{place}.{name}") for name, operand in value.items())
        return parts[0] if len(parts) == 1 else Every(parts)

    def _nested(self, prefix: str, values: Mapping[str, Any], place: str, depth: int) -> Condition:
        if not values:
            raise _wrong(place, "an empty condition says nothing", hint="give a condition, or leave the field out")
        if depth > MAX_DEPTH:
            raise TooLargeError(f"{place}: conditions are more than {MAX_DEPTH} deep", field=place, limit=MAX_DEPTH)
        self._count += len(values) - 1
        for name in values:
            if not isinstance(name, str) or name.startswith("$"):
                raise _wrong(place, f"{name} is not the name of an attribute")
        parts = tuple(
            self._attribute(prefix + name, value, f"{place}.{name}", depth + 1) for name, value in values.items()
        )
        return parts[0] if len(parts) == 1 else Every(parts)


def _operation(path: str, operator: str, operand: Any, place: str) -> Condition:
    if operator in ("$eq", "$ne"):
        equal = Attribute(path, "in", (_scalar(operand, place),))
        return equal if operator == "$eq" else Not(equal)
    if operator in ("$in", "$nin"):
        if not isinstance(operand, list | tuple) or not operand:
            raise _wrong(place, f"{operator} takes a list of at least one value, not {_kind(operand)}")
        if len(operand) > MAX_VALUES:
            raise TooLargeError(
                f"{place}: more than {MAX_VALUES} values", field=place, limit=MAX_VALUES, actual=len(operand)
            )
        among = Attribute(path, "in", tuple(_scalar(value, f"{place}[{at}]") for at, value in enumerate(operand)))
        return among if operator == "$in" else Not(among)
    if operator == "$exists":
        if not isinstance(operand, bool):
            raise _wrong(place, f"$exists takes true or false, not {_kind(operand)}")
        exists = Attribute(path, "exists")
        return exists if operand else Not(exists)
    if operator not in _OPERATORS:
        raise _wrong(
            place,
            f"there is no operator {operator}{did_you_mean(operator, _OPERATORS)}",
            hint=f"operators: {', '.join(_OPERATORS)}",
        )
    limit = _scalar(operand, place)
    if not (is_number(limit) or isinstance(limit, str)):
        raise _wrong(place, f"{operator} compares numbers or texts, not {_kind(operand)}")
    return Attribute(path, operator[1:], (limit,))


def _scalar(value: Any, place: str) -> Any:
    if isinstance(value, str):
        _checked_text(value, place)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _wrong(place, f"{value} is not a number that an attribute can have")
    elif not (value is None or isinstance(value, bool | int | float)):
        raise _wrong(
            place,
            f"an attribute is compared with a text, a number, true, false or null, not {_kind(value)}",
            hint="use $in for several values, and a path with dots for what is inside an object",
        )
    return value


def _checked_text(text: str, place: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _wrong(place, "a text has half of a surrogate pair, which no memory can contain") from None


def _filter(name: str, value: Any, place: str) -> Filter:
    try:
        found = from_builtins({name: value}, Selection)
    except msgspec.ValidationError as error:
        message = str(error).partition(" - at `")[0]
        raise _wrong(place, in_words(message)) from None
    if found == Selection():
        raise _wrong(place, "an empty filter says nothing", hint="give a value, or leave the filter out")
    return Filter(found)


def _unknown(name: str, place: str) -> InvalidInputError:
    if name in NOT_IN_CONDITIONS:
        return _wrong(place, f"{name} cannot be part of a condition", hint=f"give {name} next to where, not inside it")
    if name.startswith("$"):
        return _wrong(place, f"there is no {name} here", hint=f"conditions are joined by {', '.join(_JOINS)}")
    known = (*FILTERS, *_JOINS)
    return _wrong(
        place,
        f"there is no filter {name}{did_you_mean(name, known)}",
        hint=f"an attribute is written attributes.{name}; filters: {', '.join(FILTERS)}",
    )


def _wrong(place: str, message: str, hint: str = _HINT) -> InvalidInputError:
    return InvalidInputError(f"{place}: {message}", hint=hint, field=place)


def _kind(value: Any) -> str:
    """A value's kind for a message; never the value, which may be private or long."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    kinds = {str: "a text", int: "a number", float: "a number", list: "a list", tuple: "a list"}
    if isinstance(value, list | tuple) and not value:
        return "an empty list"
    return "an object" if isinstance(value, Mapping) else kinds.get(type(value), type(value).__name__)
