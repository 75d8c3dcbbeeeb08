"""A Selection as SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from ai_memory.clock import to_micros
from ai_memory.errors import InvalidInputError
from ai_memory.store.values import json_text
from ai_memory.types import Selection

_FACETS = ("user", "agent", "session")


class Conditions:
    """The WHERE clause of a selection over revisions r and memories m, with its named values."""

    def __init__(self, selection: Selection, namespace: int) -> None:
        self.clauses = ["r.namespace = :namespace", "m.namespace = :namespace"]
        self.values: dict[str, Any] = {"namespace": namespace}
        self._what(selection)
        self._labels(selection)
        self._times(selection)

    def add(self, clause: str, **values: Any) -> None:
        """One more condition, joined by AND."""
        self.clauses.append(clause)
        self.values.update(values)

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
        self._one_of("m.id", "ids", selection.ids)
        context = selection.context.strip("/")
        if context:
            self.add(BELOW_CONTEXT, **context_range(context))
        if selection.min_importance > 0:
            self.add("r.importance >= :importance", importance=selection.min_importance)
        if selection.min_confidence > 0:
            self.add("r.confidence >= :confidence", confidence=selection.min_confidence)

    def _labels(self, selection: Selection) -> None:
        for number, tag in enumerate(selection.tags):
            self.add(f"r.key IN (SELECT revision FROM tags WHERE tag = :tag{number})", **{f"tag{number}": tag})
        if selection.any_tags:
            tagged = "SELECT revision FROM tags WHERE tag IN (SELECT value FROM json_each(:any_tags))"
            self.add(f"r.key IN ({tagged})", any_tags=json_text(selection.any_tags))
        if selection.without_tags:
            tagged = "SELECT revision FROM tags WHERE tag IN (SELECT value FROM json_each(:without_tags))"
            self.add(f"r.key NOT IN ({tagged})", without_tags=json_text(selection.without_tags))

    def _times(self, selection: Selection) -> None:
        for column, name in (("occurred", "occurred"), ("recorded_at", "recorded")):
            after: dt.datetime | None = getattr(selection, f"{name}_after")
            before: dt.datetime | None = getattr(selection, f"{name}_before")
            if after is not None:
                self.add(f"r.{column} >= :{name}_after", **{f"{name}_after": to_micros(after)})
            if before is not None:
                self.add(f"r.{column} < :{name}_before", **{f"{name}_before": to_micros(before)})
        if selection.as_of is not None:
            self.add(was_valid("r", "as_of"), as_of=to_micros(selection.as_of))
        if selection.known_at is None:
            self.add("r.retired_at IS NULL")
        else:
            self.add(was_known("r", "known_at"), known_at=to_micros(selection.known_at))
        if not selection.include_ended:
            if selection.now is None:
                raise InvalidInputError("a selection that leaves out what has ended needs `now`")
            self.add("(r.valid_to IS NULL OR r.valid_to > :now)", now=to_micros(selection.now))


BELOW_CONTEXT = "r.context >= :context AND r.context < :beyond AND (r.context = :context OR r.context >= :below)"
"""The condition that a row's context is the given one or below it; see `context_range`."""


def context_range(context: str) -> dict[str, str]:
    """The values of `BELOW_CONTEXT`. "0" is the character after "/", so the range ends after the last path below."""
    return {"context": context, "below": context + "/", "beyond": context + "0"}


def was_valid(alias: str, name: str) -> str:
    """The condition that a row was true at the instant bound to `name`."""
    begun = f"({alias}.valid_from IS NULL OR {alias}.valid_from <= :{name})"
    return f"{begun} AND ({alias}.valid_to IS NULL OR {alias}.valid_to > :{name})"


def was_known(alias: str, name: str) -> str:
    """The condition that the service held a row for true at the instant bound to `name`."""
    return f"{alias}.recorded_at <= :{name} AND ({alias}.retired_at IS NULL OR {alias}.retired_at > :{name})"
