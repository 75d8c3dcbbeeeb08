"""Dates and times that came without a zone: the user's.

A date in a filter begins at the user's midnight. A date in what is stored is kept as it is (`clock.is_plain_date`): it is the same
day in every zone, and comparisons with a filter take it for that day in the filter's zone (`clock.edge`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar, get_args

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from ai_memory.operations.base import cached_by_type, hints_of

FACTS = ("valid_from", "valid_to")
"""The instants that are stored; all others of a request are compared with them."""

Request = TypeVar("Request", bound=Struct)


def in_users_zone(request: Request, zone: dt.tzinfo) -> Request:
    """The request with a zone for each of its instants: that of `zone` where it has none, UTC for a date that is stored."""
    found: dict[str, Any] = {}
    for name in _instants(type(request)):
        given = getattr(request, name)
        if given is not None and given is not UNSET and given.tzinfo is None:
            plain = name in FACTS and given.time() == dt.time()
            found[name] = given.replace(tzinfo=dt.UTC if plain else zone)
    if (where := getattr(request, "where", None)) is not None:
        found["where"] = _in_zone(where, zone)
    return replace(request, **found) if found else request


def _in_zone(condition: Any, zone: dt.tzinfo) -> Any:
    """A condition in which each instant has a zone."""
    if isinstance(condition, dict):
        return {name: _in_zone(value, zone) for name, value in condition.items()}
    if isinstance(condition, list):
        return [_in_zone(part, zone) for part in condition]
    if isinstance(condition, dt.datetime) and condition.tzinfo is None:
        return condition.replace(tzinfo=zone)
    return condition


@cached_by_type
def _instants(request: type[Struct]) -> tuple[str, ...]:
    """The fields that are instants."""
    return tuple(name for name, hint in hints_of(request).items() if _plain(hint) is dt.datetime)


def _plain(hint: Any) -> Any:
    """A field's type without None and "not given"."""
    rest = [each for each in get_args(hint) if each not in (type(None), UnsetType)]
    return rest[0] if len(rest) == 1 else hint
