"""What docs/filters.md says about `where`, in as little plain Python as says it, and records and conditions made up."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from ai_memory.types import MemoryRecord, MemoryType

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NAMES = st.sampled_from(["city", "price", "tags", "a", "b", "a.b", "ключ", 'q"uote', ""])
SCALARS = st.sampled_from(
    [None, True, False, 0, 1, 1.0, 2.5, -3, 10**15, "", "1", "Riga", "riga", "мир", 'q"', "z" * 501, "z" * 502]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
ATTRIBUTES = st.dictionaries(NAMES, VALUES, max_size=4)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
LIMITS = SCALARS.filter(lambda value: isinstance(value, str) or type(value) in (int, float))
OPERATIONS = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne"]), SCALARS),
    st.tuples(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), LIMITS),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(SCALARS, min_size=1, max_size=3)),
    st.tuples(st.just("$exists"), st.booleans()),
)
ON_ATTRIBUTES = st.one_of(
    st.builds(lambda path, value: {f"attributes.{path}": value}, PATHS, SCALARS),
    st.builds(
        lambda path, asked: {f"attributes.{path}": dict(asked)}, PATHS, st.lists(OPERATIONS, min_size=1, max_size=2)
    ),
)
FILTERS = st.one_of(
    st.builds(lambda tags: {"tags": tags}, st.lists(st.sampled_from(["x", "Y", "z"]), min_size=1, max_size=2)),
    st.builds(lambda tags: {"without_tags": tags}, st.lists(st.sampled_from(["x", "Y"]), min_size=1, max_size=2)),
    st.sampled_from([{"context": "work"}, {"context": "WORK/a"}, {"types": ["code", "insight"]}, {"pinned": True}]),
    st.sampled_from([{"user": ["ann"]}, {"author": ["ann", "bo"]}, {"min_importance": 0.5}]),
    st.sampled_from([{name: START + dt.timedelta(days=2)} for name in ("occurred_after", "occurred_before")]),
)
CONDITIONS = st.recursive(
    ON_ATTRIBUTES | FILTERS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"$and": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"$or": parts}),
        inner.map(lambda part: {"$not": part}),
        st.builds(lambda one, other: {**one, **other}, inner, inner),
    ),
    max_leaves=5,
)
CONTENT = st.fixed_dictionaries(
    {
        "attributes": ATTRIBUTES,
        "tags": st.sampled_from([(), ("x",), ("X", "y"), ("z",)]),
        "context": st.sampled_from(["", "work", "work/a", "works"]),
        "type": st.sampled_from([MemoryType.CODE, MemoryType.SEMANTIC]),
        "author": st.sampled_from([None, "ann", "eve"]),
        "importance": st.sampled_from([0.2, 0.5, 0.9]),
        "pinned": st.booleans(),
        "valid_from": st.none() | st.integers(0, 4).map(lambda days: START + dt.timedelta(days=days)),
    }
)
USERS = st.sampled_from([None, "ann", "bo"])

_COMPARE = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}


def holds(where: dict[str, Any], record: MemoryRecord) -> bool:
    """Whether a condition holds for a record."""
    return all(_entry(name, value, record) for name, value in where.items())


def _entry(name: str, value: Any, record: MemoryRecord) -> bool:
    if name == "$and":
        return all(holds(part, record) for part in value)
    if name == "$or":
        return any(holds(part, record) for part in value)
    if name == "$not":
        return not holds(value, record)
    if name.startswith("attributes."):
        found = [each for path, each in _pairs(record.attributes) if path == name.removeprefix("attributes.")]
        asked = value if isinstance(value, dict) else {"$eq": value}
        return all(_asked(operation, wanted, found) for operation, wanted in asked.items())
    occurred = record.valid_from or record.created_at
    tags = {tag.lower() for tag in record.tags}
    path = f"{record.context}/".lower()
    checks: dict[str, Callable[[], object]] = {
        "tags": lambda: {tag.lower() for tag in value} <= tags,
        "without_tags": lambda: not {tag.lower() for tag in value} & tags,
        "context": lambda: path.startswith(f"{value}/".lower()),
        "types": lambda: record.type in value,
        "user": lambda: record.user in value,
        "author": lambda: record.author in value,
        "pinned": lambda: record.pinned is value,
        "min_importance": lambda: record.importance >= value,
        "occurred_after": lambda: occurred >= value,
        "occurred_before": lambda: occurred < value,
    }
    return bool(checks[name]())


def _pairs(value: Any, path: str | None = None) -> Iterator[tuple[str | None, Any]]:
    """Every value with its path; a list's items have the list's."""
    yield path, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _pairs(inner, name if path is None else f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from _pairs(item, path)


def _asked(operation: str, wanted: Any, found: list[Any]) -> bool:
    if operation == "$exists":
        return bool(found) is wanted
    if operation == "$eq":
        return any(_same(value, wanted) for value in found)
    if operation == "$in":
        return any(_same(value, each) for value in found for each in wanted)
    if operation in ("$ne", "$nin"):
        return not _asked({"$ne": "$eq", "$nin": "$in"}[operation], wanted, found)
    return any(_kind(value) == _kind(wanted) and _COMPARE[operation](_cut(value), _cut(wanted)) for value in found)


def _same(value: Any, wanted: Any) -> bool:
    return bool(_kind(value) == _kind(wanted) and _cut(value) == _cut(wanted))


def _kind(value: Any) -> str:
    """Values of different kinds are different, and neither greater nor less."""
    return "number" if type(value) in (int, float) else type(value).__name__


def _cut(value: Any) -> Any:
    return value[:500] if isinstance(value, str) else value
