"""A Selection as SQL, and the cursors of its pages."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from ai_memory.clock import to_micros
from ai_memory.errors import InvalidInputError
from ai_memory.store.sqlite.rows import json_text
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
            self.add(valid_at("r", "as_of"), as_of=to_micros(selection.as_of))
        if selection.known_at is None:
            self.add("r.retired_at IS NULL")
        else:
            self.add(known_at("r", "known_at"), known_at=to_micros(selection.known_at))
        if not selection.include_ended:
            if selection.now is None:
                raise InvalidInputError("a selection that leaves out what has ended needs `now`")
            self.add("(r.valid_to IS NULL OR r.valid_to > :now)", now=to_micros(selection.now))


BELOW_CONTEXT = "r.context >= :context AND r.context < :beyond AND (r.context = :context OR r.context >= :below)"
"""The condition that a row's context is a given one or lies below it; see `context_range`."""


def context_range(context: str) -> dict[str, str]:
    """The values of `BELOW_CONTEXT`. "0" is the character after "/", so the range ends after the last path below."""
    return {"context": context, "below": context + "/", "beyond": context + "0"}


def valid_at(alias: str, name: str) -> str:
    """The condition that a row was true at the instant bound to `name`."""
    begun = f"({alias}.valid_from IS NULL OR {alias}.valid_from <= :{name})"
    return f"{begun} AND ({alias}.valid_to IS NULL OR {alias}.valid_to > :{name})"


def known_at(alias: str, name: str) -> str:
    """The condition that the service held a row for true at the instant bound to `name`."""
    return f"{alias}.recorded_at <= :{name} AND ({alias}.retired_at IS NULL OR {alias}.retired_at > :{name})"


def cursor_of(selection: Selection, newest_first: bool, occurred: int, memory_id: str) -> str:
    """A cursor that stands behind one memory of this selection: base64url of JSON, no padding."""
    position = msgspec.json.encode([occurred, memory_id, _digest(selection, newest_first)])
    return base64.urlsafe_b64encode(position).rstrip(b"=").decode()


def position_of(cursor: str, selection: Selection, newest_first: bool) -> tuple[int, str]:
    """The place (occurred, memory id) that a cursor stands behind.

    Raises InvalidInputError for one that was changed, or that belongs to another selection or direction.
    """
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        occurred, memory_id, digest = msgspec.json.decode(packed, type=tuple[int, str, str])
    except ValueError as error:
        raise InvalidInputError(
            "the cursor is damaged", hint="pass the cursor of the page before, unchanged, or none", cursor=cursor[:100]
        ) from error
    if digest != _digest(selection, newest_first):
        raise InvalidInputError(
            "the cursor belongs to another selection", hint="keep the filters and the order while paging"
        )
    return occurred, memory_id


def _digest(selection: Selection, newest_first: bool) -> str:
    # `now` moves from page to page and only decides what has ended
    encoded = msgspec.json.encode([replace(selection, now=None), newest_first])
    return hashlib.sha256(encoded).hexdigest()[:16]
