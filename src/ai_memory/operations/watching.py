"""Operations that report the state of the service and of its background work, and steer that work."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.operations.base import Command, Operation, Route
from ai_memory.operations.generations import Build
from ai_memory.types import Actor, EmbedderIdentity, Generation, JobStatus, Problem

VECTORS_PENDING = "vectors_pending"
"""The finding that memories wait for their vectors: work that is left, and nothing that is wrong."""
ALL = "all"
"""In place of a job's id: every job that decides by itself, those of the future too."""


class StatsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The namespace to count, or the whole store."""

    namespace: Annotated[str | None, Meta(description="Count only this namespace. Default: the whole store.")] = None


class Stats(Struct, frozen=True, kw_only=True):
    """Counts of what is stored, and of what background work has not processed yet."""

    namespace: str | None
    memories: int
    """Memories, without the retired ones."""
    revisions: int
    """Revisions of all memories, the retired ones included."""
    retired: int
    """Retired memories."""
    relations: int
    entities: int
    tombstones: int
    """Digests of forgotten texts, which keep them from coming back."""
    pending: int
    """Revisions that have no vector yet and cannot be found semantically."""
    unread: int | None
    """Changes in the store that have not been read into the graph yet; None where the graph is switched off or failed."""
    by_type: dict[str, int]
    embedder: EmbedderIdentity | None
    """The identity of the active vector generation."""
    generations: tuple[Generation, ...]
    """All vector generations of the store, oldest first."""
    build: Build | None
    """The latest build of a generation; None where there was none, or where only one namespace is counted."""
    store: str
    """The store's path, or its address without secrets."""
    sequence: int
    """The number of the newest change in the store's log; 0 in an empty store."""
    index_bytes: int
    """Memory that the index takes in this process, in bytes."""
    problems: tuple[Problem, ...] = ()
    """What keeps memories from being found semantically, and the way out; empty where nothing does."""


class HealthRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class Part(Struct, frozen=True, kw_only=True):
    """One part of the service: `ok`, `loading`, `degraded` (it works in part) or `failed`, and how to fix it."""

    name: str
    state: Literal["ok", "loading", "degraded", "failed"]
    message: str
    mend: str | None = None


class Health(Struct, frozen=True, kw_only=True):
    """`ready` is true when writes and lexical recall work; `degraded` names the parts that work only in part."""

    live: bool
    ready: bool
    degraded: tuple[str, ...]
    parts: tuple[Part, ...]
    version: str


class JobsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which jobs to list, the newest first."""

    namespace: Annotated[
        str | None, Meta(description="Only jobs of this namespace. Default: those of the whole store.")
    ] = None
    kinds: Annotated[
        tuple[str, ...],
        Meta(
            description="Only jobs of one of these kinds: erase_expired, lapse_proposals, reembed, import, check, "
            "backup, verify_backup or fetch_model."
        ),
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
    about: str | None = None
    """The backup that is checked, or the model that is fetched."""
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


STATS = Operation(
    name="stats",
    summary="Count what is stored",
    request=StatsRequest,
    response=Stats,
    effect="read",
    idempotent=True,
    route=Route("GET", "/stats"),
    command=Command(name="stats"),
)
HEALTH = Operation(
    name="health",
    summary="Report which parts of the service work",
    request=HealthRequest,
    response=Health,
    effect="read",
    idempotent=True,
    route=Route("GET", "/health"),
    command=Command(name="health"),
)
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
