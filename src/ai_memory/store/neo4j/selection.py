"""A Selection as Cypher."""

from __future__ import annotations

from typing import Any

from ai_memory.clock import to_micros
from ai_memory.errors import InvalidInputError
from ai_memory.text.caseless import caseless
from ai_memory.types import Selection


class Conditions:
    """The WHERE clause of a selection over revisions r, with its named values."""

    def __init__(self, selection: Selection) -> None:
        self.clauses = ["r.namespace = $namespace"]
        self.values: dict[str, Any] = {"namespace": selection.namespace}
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
            "memory_id": selection.ids,
        }
        for name, values in wanted.items():
            if values:
                self.add(f"r.{name} IN ${name}", **{name: [str(value) for value in values]})
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
        bounds = {
            "r.occurred >= $occurred_after": selection.occurred_after,
            "r.occurred < $occurred_before": selection.occurred_before,
            "r.recorded_at >= $recorded_after": selection.recorded_after,
            "r.recorded_at < $recorded_before": selection.recorded_before,
        }
        for clause, instant in bounds.items():
            if instant is not None:
                self.add(clause, **{clause.partition("$")[2]: to_micros(instant)})
        if selection.as_of is not None:
            self.add(was_valid("r"), as_of=to_micros(selection.as_of))
        if selection.known_at is not None:
            self.add(was_known("r"), known_at=to_micros(selection.known_at))
        if not selection.include_ended:
            if selection.now is None:
                raise InvalidInputError("a selection that leaves out what has ended needs `now`")
            self.add("(r.valid_to IS NULL OR r.valid_to > $now)", now=to_micros(selection.now))


def was_valid(name: str) -> str:
    """The condition that something was true at the instant `$as_of`."""
    begun = f"({name}.valid_from IS NULL OR {name}.valid_from <= $as_of)"
    return f"{begun} AND ({name}.valid_to IS NULL OR {name}.valid_to > $as_of)"


def was_known(name: str) -> str:
    """The condition that the service held something for true at the instant `$known_at`."""
    return f"{name}.recorded_at <= $known_at AND ({name}.retired_at IS NULL OR {name}.retired_at > $known_at)"
