"""What changed between two instants: in what the service knew, or in what was true."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from ai_memory.clock import period
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import Command, Operation, Route
from ai_memory.operations.reading import MAX_LIMIT
from ai_memory.types import Actor, Facets, MemoryRecord, Relation


def read_moment(value: Any, name: str) -> Any:
    """An instant, or how long ago it was, as text. Raises InvalidInputError for text that is neither."""
    if isinstance(value, dt.date):
        value = value.isoformat()
    if isinstance(value, str) and value.strip():
        try:
            dt.datetime.fromisoformat(value.strip())
        except ValueError:
            try:
                period(value)
            except ValueError:
                raise InvalidInputError(
                    f"{name}: {value[:80]!r} is neither a date or time nor a length of time",
                    hint="write 2026-03-14, 2026-03-14T09:30:00+01:00, or how long ago: 1 week, 12h",
                    field=name,
                ) from None
    return value


class ChangesRequest(Facets, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The two instants, and the memories that are meant. A memory is meant if it matches after the change or before it."""

    since: Annotated[
        str,
        Meta(
            description="From when on: an instant, or how long ago, such as 1 week, 36h or 30d.",
            extra={"read": read_moment, "python": "Instant"},
        ),
    ] = "1 week"
    until: Annotated[
        str | None,
        Meta(
            description="Until just before when, as an instant or how long ago. Default: now.",
            extra={"read": read_moment, "python": "Instant"},
        ),
    ] = None
    axis: Annotated[
        Literal["known", "valid"],
        Meta(
            description="known: what was stored, revised, superseded, ended, retired, expired, forgotten or decided in that time. "
            "valid: how what was true at `until` differs from what was true at `since`, as it is known now."
        ),
    ] = "known"
    limit: Annotated[
        int, Meta(ge=1, le=MAX_LIMIT, description="At most this many changes per page, the earliest first.")
    ] = 200
    cursor: Annotated[
        str | None, Meta(description="The cursor from the previous page; the other fields must be the same.")
    ] = None


ChangeKind = Literal["new", "revised", "superseded", "ended", "retired", "expired", "decided", "began"]


class Change(Struct, frozen=True, kw_only=True):
    """One change of one memory, or one decision about who is who."""

    kind: ChangeKind
    """`began` and `ended` where it became or stopped being true; `decided` for a merge or a split, or its end."""
    at: dt.datetime
    """When the service learned it; on the axis `valid`, when it happened in the world."""
    actor: Actor = Actor.UNKNOWN
    """Who wrote it; nobody where it happened by itself."""
    memory: MemoryRecord | None = None
    """The memory as the change left it; None for a decision."""
    before: MemoryRecord | None = None
    """The memory before the change, with the reason that was given as its `retired_reason`; None where there was none."""
    differs: tuple[str, ...] = ()
    """The fields that the change gave another value."""
    superseded_by: str | None = None
    """The memory that replaced it."""
    decision: Relation | None = None
    """The decision that was made, or with `retired_at` undone."""


class Changes(Struct, frozen=True, kw_only=True):
    """A page of changes, the earliest first. Of memories that are forgotten by now nothing is shown."""

    since: dt.datetime
    until: dt.datetime
    axis: str
    counts: dict[str, int] = field(default_factory=dict)
    """How many of each kind this page has; with `forgotten`, of which nothing else is known, where no filter is given."""
    changes: tuple[Change, ...] = ()
    cursor: str | None = None


CHANGES = Operation(
    name="changes",
    summary="Show what changed between two instants",
    request=ChangesRequest,
    response=Changes,
    effect="read",
    idempotent=True,
    route=Route("GET", "/changes"),
    command=Command(name="changes"),
)
