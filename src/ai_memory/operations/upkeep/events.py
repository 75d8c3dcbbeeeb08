"""What happens in a store, as it happens: writes, proposals and background jobs, for those who follow it with a cursor."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from ai_memory.operations.base import Command, Operation, Route
from ai_memory.operations.watching import JobView
from ai_memory.types import Actor

START = "start"
"""In place of a cursor: from the first change of the store on."""
LONGEST_WAIT = 30.0
MOST_EVENTS = 1_000


class EventKind(StrEnum):
    """What an event is about."""

    MEMORY = "memory"
    RELATION = "relation"
    PROPOSAL = "proposal"
    FEEDBACK = "feedback"
    TOMBSTONE = "tombstone"
    """What another store forgot, and an import had this one refuse."""
    JOB = "job"


class EventsRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where on to read, and what. Without a cursor: from now on, or with `last` from a little before.

    Where nothing has happened since, the answer comes after `wait` seconds, empty and with a cursor to go on from.
    """

    namespace: Annotated[
        str | None,
        Meta(description="Only what happens in this namespace. Default: in all, with the jobs of the whole store."),
    ] = None
    kinds: Annotated[
        tuple[EventKind, ...],
        Meta(description="Only events of these kinds: memory, relation, proposal, feedback, tombstone or job."),
    ] = ()
    cursor: Annotated[
        Annotated[str, Meta(max_length=1_000)] | None,
        Meta(
            description="The cursor of an event or of an answer: what happened behind it. `start` is the first change of the store."
        ),
    ] = None
    last: Annotated[
        int, Meta(ge=0, le=MOST_EVENTS, description="Without a cursor: begin with this many of the newest writes.")
    ] = 0
    wait: Annotated[
        float, Meta(ge=0, le=LONGEST_WAIT, description="Wait so many seconds where nothing has happened yet.")
    ] = 0.0
    limit: Annotated[int, Meta(ge=1, le=MOST_EVENTS, description="At most this many events, the earliest first.")] = 200


class Event(Struct, frozen=True, kw_only=True):
    """One change, without any text of a memory. A job that runs has one whenever it was seen to be further."""

    cursor: str
    """To go on behind this event."""
    kind: EventKind
    action: str
    """What was done, as `remembered`, `revised`, `retired`, `forgotten`, `restored`, `undone`, `related`, `unrelated`, `proposed`,
    `decided`, `judged` or `excluded`; of a job its state.
    """
    at: dt.datetime
    namespace: str | None = None
    actor: Actor = Actor.UNKNOWN
    id: str | None = None
    """Of the memory, relation, proposal, feedback or job; None for a tombstone."""
    memory_id: str | None = None
    """The memory that a proposal or feedback is about, or the memory itself."""
    state: str | None = None
    """Of a proposal that was decided: its new state."""
    job: JobView | None = None


class Events(Struct, frozen=True, kw_only=True):
    """Events, the earliest first, and the cursor to go on from, also where there are none."""

    events: tuple[Event, ...]
    cursor: str


EVENTS = Operation(
    name="events",
    summary="Follow what happens: writes, proposals and background jobs",
    request=EventsRequest,
    response=Events,
    effect="read",
    idempotent=True,
    route=Route("GET", "/events"),
    command=Command(name="events"),
)
