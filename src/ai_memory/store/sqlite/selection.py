"""A Selection as SQL."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from msgspec.structs import replace

from ai_memory.clock import DAY_MICROS, edge, to_micros
from ai_memory.conditions.meaning import COMPARED, Attribute, Condition, Every, Filter, Not, is_number
from ai_memory.conditions.parsing import parse_condition
from ai_memory.errors import InvalidInputError
from ai_memory.store.values import json_text
from ai_memory.text.caseless import caseless, spellings_in
from ai_memory.types import Selection

_FACETS = ("user", "agent", "session")
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_NO_LABEL = re.compile(r'["\\\x00-\x1f]|^\.|\.\.|\.$|^$')
"""In what cannot be written as a path of SQLite's: quotes, and empty names."""
MANY = 16
"""Spellings of a context up to which each is looked up in the index, and not every row compared."""


class Spellings(NamedTuple):
    """How the store writes the tags and the context of a selection, which are compared without case."""

    tags: tuple[tuple[str, ...], ...]
    """For each of the selection's `tags`."""
    any_tags: tuple[str, ...]
    without_tags: tuple[str, ...]
    contexts: tuple[str, ...] | None
    """The paths of unretired revisions that are the selection's context; None where the index of contexts does not help: for
    retired revisions, which it does not have, and for more than `MANY` spellings.
    """


def spellings(connection: sqlite3.Connection, selection: Selection, namespace: int, *, retired: bool) -> Spellings:
    """The spellings that the store holds, by a few look-ups in its indexes for each name; `retired` as for `Store.select`."""

    def first_tag(least: str) -> str | None:
        return _text(connection, "SELECT min(tag) FROM tags WHERE tag >= :least", {"least": least})

    def first_context(least: str) -> str | None:
        sql = (
            "SELECT min(context) FROM revisions INDEXED BY revisions_by_context "
            "WHERE namespace = :namespace AND retired_at IS NULL AND context >= :least"
        )
        return _text(connection, sql, {"namespace": namespace, "least": least})

    def tags(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(spelling for name in names for spelling in spellings_in(name, first_tag))

    context = selection.context.strip("/")
    return Spellings(
        tuple(tags((name,)) for name in selection.tags),
        tags(selection.any_tags),
        tags(selection.without_tags),
        _contexts(context, first_context) if context and selection.known_at is None and not retired else None,
    )


def _contexts(context: str, first_from: Callable[[str], str | None]) -> tuple[str, ...] | None:
    found = tuple(islice(spellings_in(context, first_from), MANY + 1))
    return found if len(found) <= MANY else None


def _text(connection: sqlite3.Connection, sql: str, values: dict[str, Any]) -> str | None:
    (found,) = connection.execute(sql, values).fetchone()
    return None if found is None else str(found)


class Conditions:
    """The WHERE clause of a selection over revisions r and memories m, with its named values.

    Which revision of a memory is meant, it says only where the selection does, by `known_at`.
    """

    def __init__(self, selection: Selection, namespace: int, look: Callable[[Selection], Spellings]) -> None:
        self.clauses = ["r.namespace = :namespace", "m.namespace = :namespace"]
        self.values: dict[str, Any] = {"namespace": namespace}
        self.written = look(selection)
        self._filters(selection)
        if selection.where is not None:
            # A part of a condition finds its contexts where the selection does.
            parts = _Parts(lambda part: look(replace(part, known_at=selection.known_at)))
            self.add(parts.holds(parse_condition(selection.where)), parts.values)

    def _filters(self, selection: Selection) -> None:
        self._what(selection)
        self._labels(selection)
        self._times(selection)

    def add(self, clause: str, values: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """One more condition, joined by AND."""
        self.clauses.append(clause)
        self.values.update(values or {}, **more)

    @property
    def sql(self) -> str:
        """All conditions."""
        return " AND ".join(self.clauses)

    def _one_of(self, column: str, name: str, wanted: Sequence[str]) -> None:
        if len(wanted) == 1:
            self.add(f"{column} = :{name}", **{name: str(wanted[0])})
        elif wanted:
            self.add(f"{column} IN (SELECT value FROM json_each(:{name}))", **{name: json_text(wanted)})

    def _what(self, selection: Selection) -> None:
        for facet in _FACETS:
            self._one_of(f"m.{facet}", facet, getattr(selection, facet))
        self._one_of("r.type", "types", selection.types)
        self._one_of("r.author", "author", selection.author)
        self._one_of("r.fact_key", "keys", selection.keys)
        self._one_of("m.id", "ids", selection.ids)
        if selection.pinned is not None:
            self.add("r.pinned = :pinned", pinned=int(selection.pinned))
        context = selection.context.strip("/")
        if self.written.contexts is not None:
            self.add(*below_contexts(self.written.contexts))
        elif context:
            same = "caseless(r.context)"
            self.add(
                f"({same} = :context OR substr({same}, 1, length(:below)) = :below)",
                {"context": caseless(context), "below": caseless(context) + "/"},
            )
        if selection.min_importance > 0:
            self.add("r.importance >= :importance", importance=selection.min_importance)
        if selection.min_confidence > 0:
            self.add("r.confidence >= :confidence", confidence=selection.min_confidence)

    def _labels(self, selection: Selection) -> None:
        for number, tags in enumerate(self.written.tags):
            self._tagged("IN", f"tag{number}", tags)
        if selection.any_tags:
            self._tagged("IN", "any_tags", self.written.any_tags)
        if selection.without_tags:
            self._tagged("NOT IN", "without_tags", self.written.without_tags)

    def _tagged(self, relation: str, name: str, tags: Sequence[str]) -> None:
        if len(tags) == 1:
            self.add(f"r.key {relation} (SELECT revision FROM tags WHERE tag = :{name})", {name: tags[0]})
        else:
            tagged = f"SELECT revision FROM tags WHERE tag IN (SELECT value FROM json_each(:{name}))"
            self.add(f"r.key {relation} ({tagged})", {name: json_text(tags)})

    def _times(self, selection: Selection) -> None:
        if selection.occurred_after is not None:
            self.add(*compared("r.occurred", ">=", "occurred_after", selection.occurred_after))
        if selection.occurred_before is not None:
            self.add(*compared("r.occurred", "<", "occurred_before", selection.occurred_before))
        if selection.recorded_after is not None:
            self.add("r.recorded_at >= :recorded_after", recorded_after=to_micros(selection.recorded_after))
        if selection.recorded_before is not None:
            self.add("r.recorded_at < :recorded_before", recorded_before=to_micros(selection.recorded_before))
        if selection.as_of is not None:
            self.add(*was_valid("r", selection.as_of))
        if selection.known_at is not None:
            self.add(was_known("r", "known_at"), known_at=to_micros(selection.known_at))
        if not selection.include_ended:
            if selection.now is None:
                raise InvalidInputError("a selection that leaves out what has ended needs `now`")
            later, values = compared("r.valid_to", ">", "now", selection.now)
            self.add(f"(r.valid_to IS NULL OR ({later}))", values)
        if not selection.include_expired:
            if selection.expired_by is None:
                raise InvalidInputError("a selection that leaves out what has expired needs `now`")
            self.add("(r.expires_at IS NULL OR r.expires_at > :expired_by)", expired_by=to_micros(selection.expired_by))
        if selection.expires_before is not None:
            self.add("r.expires_at < :expires_before", expires_before=to_micros(selection.expires_before))


class _Filtered(Conditions):
    """The conditions of the filters alone, of whichever namespace."""

    def __init__(self, selection: Selection, written: Spellings) -> None:
        self.clauses = []
        self.values = {}
        self.written = written
        self._filters(selection)


class _Parts:
    """The SQL of a condition, part by part, each true or false and never NULL, with the values that all of it names."""

    def __init__(self, look: Callable[[Selection], Spellings]) -> None:
        self.values: dict[str, Any] = {}
        self._look = look
        self._count = 0

    def holds(self, condition: Condition) -> str:
        """The SQL of one condition, in parentheses."""
        if isinstance(condition, Not):
            return f"(NOT {self.holds(condition.part)})"
        if isinstance(condition, Attribute):
            return self._attribute(condition)
        if isinstance(condition, Filter):
            return self._filter(condition)
        joined = " AND " if isinstance(condition, Every) else " OR "
        return f"({joined.join(map(self.holds, condition.parts))})"

    def _filter(self, condition: Filter) -> str:
        self._count += 1
        filtered = _Filtered(condition.selection, self._look(condition.selection))
        self.values.update({f"w{self._count}_{name}": value for name, value in filtered.values.items()})
        renamed = re.sub(r":(\w+)", rf":w{self._count}_\1", filtered.sql)
        return f"coalesce(({renamed}), 0)"

    def _attribute(self, condition: Attribute) -> str:
        # Most rows have no such attribute, which their text tells; for most others SQLite finds and compares the value. Lists,
        # and names with dots, are left to the function.
        self._count += 1
        trace, asked = f"w{self._count}_trace", f"w{self._count}_asked"
        self.values |= {trace: condition.trace, asked: json_text(condition)}
        slow = f"attribute_holds(r.attributes, :{asked})"
        held = self._value(condition, slow) if not _NO_LABEL.search(condition.path) else slow
        return f"(CASE WHEN instr(r.attributes, :{trace}) > 0 THEN {held} ELSE 0 END)"

    def _value(self, condition: Attribute, slow: str) -> str:
        """The comparison of the one value that a path leads to in JSON, where it is no list."""
        path, number = condition.path.split("."), self._count
        self.values[f"w{number}_path"] = "$" + "".join(f'."{label}"' for label in path)
        kind, value = (f"json_{name}(r.attributes, :w{number}_path)" for name in ("type", "extract"))
        otherwise = "0" if len(path) == 1 else slow
        if condition.operator == "exists":
            return f"(CASE WHEN {kind} IS NOT NULL THEN 1 ELSE {otherwise} END)"
        texts = [each[:COMPARED] for each in condition.values if isinstance(each, str)]
        numbers = [each for each in condition.values if is_number(each)]
        words = [json_text(each) for each in condition.values if each is None or isinstance(each, bool)]
        text = self._compared(f"substr({value}, 1, {COMPARED})", condition.operator, f"w{number}_texts", texts)
        amount = self._compared(value, condition.operator, f"w{number}_numbers", numbers)
        self.values[f"w{number}_words"] = json_text(words)
        word = f"{kind} IN (SELECT value FROM json_each(:w{number}_words))"
        cases = [
            f"WHEN '{name}' THEN ({found} OR {otherwise})"
            for name, found in (("text", text), ("integer", amount), ("real", amount))
        ]
        cases += [f"WHEN '{name}' THEN ({word} OR {otherwise})" for name in ("true", "false", "null")]
        return f"(CASE coalesce({kind}, '') {' '.join(cases)} WHEN '' THEN {otherwise} ELSE {slow} END)"

    def _compared(self, value: str, operator: str, name: str, wanted: Sequence[Any]) -> str:
        if not wanted:
            return "0"
        if operator == "in":
            self.values[name] = json_text(wanted)
            return f"{value} IN (SELECT value FROM json_each(:{name}))"
        (self.values[name],) = wanted
        return f"{value} {_SIGNS[operator]} :{name}"


def below_contexts(contexts: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The condition that a row's context is one of these paths or below it, with its values; without a path no row has it.

    "0" is the character after "/", so a range ends after the last path below.
    """
    ranges = []
    values: dict[str, str] = {}
    for number, context in enumerate(contexts):
        path, below, beyond = (f"{name}{number}" for name in ("context", "below", "beyond"))
        ranges.append(
            f"(r.context >= :{path} AND r.context < :{beyond} AND (r.context = :{path} OR r.context >= :{below}))"
        )
        values |= {path: context, below: context + "/", beyond: context + "0"}
    return f"({' OR '.join(ranges)})" if ranges else "FALSE", values


Compared = tuple[str, dict[str, int]]
"""A condition, with its values."""


def compared(column: str, relation: str, name: str, at: dt.datetime) -> Compared:
    """The condition that a column's instant is before or after another one, plain dates as `clock.edge` says."""
    limit = edge(at)
    if not limit.shifted:
        return f"{column} {relation} :{name}", {name: limit.instant}
    nearest = max(limit) if relation.startswith("<") else min(limit)  # which an index can look for
    exact = f"{column} {relation} CASE {column} % {DAY_MICROS} WHEN 0 THEN :{name}_plain ELSE :{name} END"
    values = {name: limit.instant, f"{name}_plain": limit.plain, f"{name}_nearest": nearest}
    return f"{column} {relation} :{name}_nearest AND {exact}", values


def was_valid(alias: str, as_of: dt.datetime) -> Compared:
    """The condition that a row was true at an instant."""
    begun, values = compared(f"{alias}.valid_from", "<=", "as_of", as_of)
    going_on, more = compared(f"{alias}.valid_to", ">", "until", as_of)
    sql = f"({alias}.valid_from IS NULL OR ({begun})) AND ({alias}.valid_to IS NULL OR ({going_on}))"
    return sql, values | more


def was_known(alias: str, name: str) -> str:
    """The condition that the service held a row for true at the instant bound to `name`."""
    return f"{alias}.recorded_at <= :{name} AND ({alias}.retired_at IS NULL OR {alias}.retired_at > :{name})"
