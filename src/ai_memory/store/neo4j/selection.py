"""A Selection as Cypher."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from ai_memory.clock import DAY_MICROS, edge, to_micros
from ai_memory.conditions.meaning import Attribute, Condition, Every, Filter, Not
from ai_memory.conditions.parsing import parse_condition
from ai_memory.errors import InvalidInputError
from ai_memory.text.caseless import caseless
from ai_memory.types import Selection

KeysOf = Callable[[Attribute], list[int]]
"""The keys of the revisions of the selection's namespace for which a condition on one attribute holds."""


class Conditions:
    """The WHERE clause of a selection over revisions r, with its named values."""

    def __init__(self, selection: Selection, keys_of: KeysOf) -> None:
        self.clauses = ["r.namespace = $namespace"]
        self.values: dict[str, Any] = {"namespace": selection.namespace}
        self._filters(selection)
        if selection.where is not None:
            parts = _Parts(keys_of)
            self.add(parts.holds(parse_condition(selection.where)), **parts.values)

    def _filters(self, selection: Selection) -> None:
        self._what(selection)
        self._labels(selection)
        self._times(selection)

    @property
    def cypher(self) -> str:
        """All conditions."""
        return " AND ".join(self.clauses)

    def add(self, clause: str, **values: Any) -> None:
        """One more condition, joined by AND."""
        self.clauses.append(clause)
        self.values.update(values)

    def _what(self, selection: Selection) -> None:
        wanted = {
            "user": selection.user,
            "agent": selection.agent,
            "session": selection.session,
            "type": selection.types,
            "author": selection.author,
            "fact_key": selection.keys,
            "memory_id": selection.ids,
        }
        for name, values in wanted.items():
            if values:
                self.add(f"r.{name} IN ${name}", **{name: [str(value) for value in values]})
        if selection.pinned is not None:
            self.add("coalesce(r.pinned, false) = $pinned", pinned=selection.pinned)
        context = selection.context.strip("/")
        if context:
            context = caseless(context)
            same = "toLower(r.context)"
            self.add(f"({same} = $context OR {same} STARTS WITH $below)", context=context, below=context + "/")
        if selection.min_importance > 0:
            self.add("r.importance >= $importance", importance=selection.min_importance)
        if selection.min_confidence > 0:
            self.add("r.confidence >= $confidence", confidence=selection.min_confidence)

    def _labels(self, selection: Selection) -> None:
        having = "[each IN coalesce(r.tags, []) | toLower(each)]"
        for clause, name, tags in (
            (f"all(tag IN $tags WHERE tag IN {having})", "tags", selection.tags),
            (f"any(tag IN $any_tags WHERE tag IN {having})", "any_tags", selection.any_tags),
            (f"none(tag IN $without_tags WHERE tag IN {having})", "without_tags", selection.without_tags),
        ):
            if tags:
                self.add(clause, **{name: [caseless(tag) for tag in tags]})

    def _times(self, selection: Selection) -> None:
        if selection.occurred_after is not None:
            self._compare("r.occurred", ">=", "occurred_after", selection.occurred_after)
        if selection.occurred_before is not None:
            self._compare("r.occurred", "<", "occurred_before", selection.occurred_before)
        if selection.recorded_after is not None:
            self.add("r.recorded_at >= $recorded_after", recorded_after=to_micros(selection.recorded_after))
        if selection.recorded_before is not None:
            self.add("r.recorded_at < $recorded_before", recorded_before=to_micros(selection.recorded_before))
        if selection.as_of is not None:
            clause, values = was_valid("r", selection.as_of)
            self.add(clause, **values)
        if selection.known_at is not None:
            self.add(was_known("r"), known_at=to_micros(selection.known_at))
        if not selection.include_ended:
            if selection.now is None:
                raise InvalidInputError("a selection that leaves out what has ended needs `now`")
            later, values = compared("r.valid_to", ">", "now", selection.now)
            self.add(f"(r.valid_to IS NULL OR {later})", **values)
        if not selection.include_expired:
            if selection.expired_by is None:
                raise InvalidInputError("a selection that leaves out what has expired needs `now`")
            self.add("(r.expires_at IS NULL OR r.expires_at > $expired_by)", expired_by=to_micros(selection.expired_by))
        if selection.expires_before is not None:
            self.add("r.expires_at < $expires_before", expires_before=to_micros(selection.expires_before))

    def _compare(self, property_: str, relation: str, name: str, at: dt.datetime) -> None:
        clause, values = compared(property_, relation, name, at)
        self.add(clause, **values)


class _Filtered(Conditions):
    """The conditions of the filters alone, of whichever namespace."""

    def __init__(self, selection: Selection) -> None:
        self.clauses = []
        self.values = {}
        self._filters(selection)


class _Parts:
    """The Cypher of a condition, part by part, each true or false and never null, with the values that all of it names."""

    def __init__(self, keys_of: KeysOf) -> None:
        self.values: dict[str, Any] = {}
        self._keys_of = keys_of
        self._count = 0

    def holds(self, condition: Condition) -> str:
        """The Cypher of one condition, in parentheses."""
        if isinstance(condition, Not):
            return f"(NOT {self.holds(condition.part)})"
        if isinstance(condition, Attribute):
            self._count += 1
            self.values[f"w{self._count}_keys"] = self._keys_of(condition)
            return f"(r.key IN $w{self._count}_keys)"
        if isinstance(condition, Filter):
            self._count += 1
            filtered = _Filtered(condition.selection)
            self.values.update({f"w{self._count}_{name}": value for name, value in filtered.values.items()})
            renamed = re.sub(r"\$(\w+)", rf"$w{self._count}_\1", filtered.cypher)
            return f"coalesce(({renamed}), false)"
        joined = " AND " if isinstance(condition, Every) else " OR "
        return f"({joined.join(map(self.holds, condition.parts))})"


Compared = tuple[str, dict[str, int]]
"""A condition, with its values."""


def compared(property_: str, relation: str, name: str, at: dt.datetime) -> Compared:
    """The condition that an instant is before or after another one, plain dates as `clock.edge` says."""
    limit = edge(at)
    if not limit.shifted:
        return f"{property_} {relation} ${name}", {name: limit.instant}
    exact = f"{property_} {relation} CASE {property_} % {DAY_MICROS} WHEN 0 THEN ${name}_plain ELSE ${name} END"
    nearest = max(limit) if relation.startswith("<") else min(limit)  # which an index can look for
    values = {name: limit.instant, f"{name}_plain": limit.plain, f"{name}_nearest": nearest}
    return f"{property_} {relation} ${name}_nearest AND {exact}", values


def was_valid(name: str, as_of: dt.datetime) -> Compared:
    """The condition that something was true at an instant."""
    begun, values = compared(f"{name}.valid_from", "<=", "as_of", as_of)
    going_on, more = compared(f"{name}.valid_to", ">", "until", as_of)
    clause = f"({name}.valid_from IS NULL OR ({begun})) AND ({name}.valid_to IS NULL OR ({going_on}))"
    return clause, values | more


def was_known(name: str) -> str:
    """The condition that the service held something for true at the instant `$known_at`."""
    return f"{name}.recorded_at <= $known_at AND ({name}.retired_at IS NULL OR {name}.retired_at > $known_at)"
