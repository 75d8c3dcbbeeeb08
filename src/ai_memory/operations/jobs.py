"""Operations on durable background work: which jobs there are, how far they are, and pausing or allowing them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.operations.base import Command, Operation, Route
from ai_memory.types import Actor, JobStatus

ALL = "all"
"""In place of a job's id: every job that decides by itself, those of the future too."""


class JobsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which jobs to list, the newest first."""

    namespace: Annotated[
        str | None, Meta(description="Only jobs of this namespace. Default: those of the whole store.")
    ] = None
    kinds: Annotated[
        tuple[str, ...],
        Meta(description="Only jobs of one of these kinds: erase_expired, lapse_proposals, reembed or import."),
    ] = ()
    states: Annotated[tuple[JobStatus, ...], Meta(description="Only jobs in one of these states.")] = ()
    ids: Annotated[tuple[str, ...], Meta(max_length=1_000, description="Only the jobs with these ids.")] = ()
    limit: Annotated[int, Meta(ge=1, le=1_000, description="At most this many jobs, the newest.")] = 100


class JobView(Struct, frozen=True, kw_only=True):
    """One job. `due` and `done` count decisions of its last run, `total` those since it was made."""

    id: str
    kind: str
    state: JobStatus
    namespace: str | None = None
    due: int | None = None
    """How much there was to do, or waits; None for a kind that does not say so."""
    done: int | None = None
    total: int | None = None
    message: str | None = None
    """Why it waits, or what makes it fail."""
    mend: str | None = None
    """Of one that waits for a person: the ways out."""
    steered_by: Actor | None = None
    """Who paused, resumed, cancelled or allowed it last."""
    ran_at: dt.datetime | None = None
    """When its last run began."""
    created_at: dt.datetime
    updated_at: dt.datetime


class Jobs(Struct, frozen=True, kw_only=True):
    """The newest jobs first; `total` counts all that match."""

    jobs: tuple[JobView, ...]
    total: int
    paused: bool
    """Whether all that decide by themselves are paused, or switched off by the setting `background` of this service."""
    paused_by: Actor | None = None
    """Who paused them."""


class SteerJobRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The job, and what is to become of it."""

    id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            description="The job's id (job_…), or `all` to pause or resume all that decide.",
        ),
    ]
    action: Annotated[
        Literal["pause", "resume", "cancel", "allow"],
        Meta(
            description="pause stops it after what it is doing, until resume; cancel ends it, so that nothing waits for a person "
            "any longer; allow lets one that the brake has stopped do once what waits now."
        ),
    ]


JOBS = Operation(
    name="jobs",
    summary="List background jobs, how far they are, and which wait for a person",
    request=JobsRequest,
    response=Jobs,
    effect="read",
    idempotent=True,
    route=Route("GET", "/jobs"),
    command=Command(name="jobs"),
)
STEER_JOB = Operation(
    name="steer_job",
    summary="Pause, resume, cancel or allow a background job",
    request=SteerJobRequest,
    response=Jobs,
    effect="write",
    idempotent=True,
    route=Route("POST", "/jobs/{id}"),
    command=Command(name="steer-job", positional=("id", "action")),
    whole_store=True,
)
