"""Operations that report the state of the service."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.operations.base import Command, Operation, Route
from ai_memory.operations.generations import Build
from ai_memory.types import EmbedderIdentity, Generation, Problem

VECTORS_PENDING = "vectors_pending"
"""The finding that memories wait for their vectors: work that is left, and nothing that is wrong."""


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
