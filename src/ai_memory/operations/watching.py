"""Operations that tell how the service is doing."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.operations.base import Command, Operation, Route
from ai_memory.operations.generations import Build
from ai_memory.types import EmbedderIdentity, Generation


class StatsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which part to count."""

    namespace: Annotated[str | None, Meta(description="Only this namespace; the whole store when not given.")] = None


class Stats(Struct, frozen=True, kw_only=True):
    """Counts of what is stored and what is owed."""

    namespace: str | None
    memories: int
    """Unretired memories."""
    revisions: int
    retired: int
    relations: int
    entities: int
    tombstones: int
    pending: int
    """Revisions that cannot be found by meaning yet."""
    unread: int | None
    """Changes in the store's log from which the graph has not been read yet; None without a graph (switched off, or at fault)."""
    by_type: dict[str, int]
    embedder: EmbedderIdentity | None
    """The identity of the active vector generation."""
    generations: tuple[Generation, ...]
    """All vector generations of the store, oldest first."""
    build: Build | None
    """The latest making of a generation; None where there was none, or where only one namespace is counted."""
    store: str
    sequence: int
    index_bytes: int


class HealthRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class Part(Struct, frozen=True, kw_only=True):
    """One part of the service: `ok`, `loading`, `degraded` (it works with less) or `failed`, and what mends it."""

    name: str
    state: Literal["ok", "loading", "degraded", "failed"]
    message: str
    mend: str | None = None


class Health(Struct, frozen=True, kw_only=True):
    """`ready` is true when writes and recall by words work; `degraded` names the parts that work with less."""

    live: bool
    ready: bool
    degraded: tuple[str, ...]
    parts: tuple[Part, ...]
    version: str


STATS = Operation(
    name="stats",
    summary="Counts of what is stored",
    request=StatsRequest,
    response=Stats,
    effect="read",
    idempotent=True,
    route=Route("GET", "/stats"),
    command=Command(name="stats"),
)
HEALTH = Operation(
    name="health",
    summary="Which parts work",
    request=HealthRequest,
    response=Health,
    effect="read",
    idempotent=True,
    route=Route("GET", "/health"),
    command=Command(name="health"),
)
