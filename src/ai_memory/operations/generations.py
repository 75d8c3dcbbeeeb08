"""Operations on vector generations: build a new one alongside the active one, switch to it, and switch back."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.operations.base import Operation, Route
from ai_memory.types import EmbedderIdentity

MOST_A_SECOND = 1_000_000.0

BuildState = Literal["running", "ready", "waiting", "failed", "done", "cancelled"]
"""`ready`: all revisions are embedded, and `activate_generation` can switch to them. `waiting`: no process works on it; it
continues at the next call of `reembed` or start of the service."""


class VectorGeneration(Struct, frozen=True, kw_only=True):
    """One vector generation: all vectors made by one embedder."""

    id: int
    embedder: EmbedderIdentity
    state: Literal["building", "active", "retired"]
    created_at: dt.datetime
    pending: int | None
    """Revisions that have no vector in it yet; None for a retired generation, which gets no new vectors."""


class Build(Struct, frozen=True, kw_only=True):
    """The latest build of a generation: how far it is, or how it ended."""

    generation: int
    embedder: EmbedderIdentity
    state: BuildState
    switch: bool
    """Whether the generation becomes the active one as soon as it is complete."""
    former: int | None
    """The generation that was active when the build began; `take_back` switches back to it."""
    done: int
    """Revisions that have their vectors."""
    total: int
    """Revisions that need vectors."""
    rate: float | None
    """At most this many revisions per second; None means no limit."""
    per_second: float | None
    """Revisions per second, as measured in this run."""
    seconds_left: float | None
    """The estimated time until all revisions have their vectors, in seconds; None while it is not known."""
    error: str | None
    """Why the build failed."""
    started_at: dt.datetime
    updated_at: dt.datetime


class Generations(Struct, frozen=True, kw_only=True):
    """All vector generations, oldest first, and the latest build."""

    generations: tuple[VectorGeneration, ...]
    build: Build | None


class GenerationsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class ReembedRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The embedder that re-creates all vectors. Without arguments: continue the build in progress, else use the settings."""

    model: Annotated[
        Annotated[str, Meta(min_length=1, max_length=4096)] | None,
        Meta(
            description="The name of a known model, or a model folder. Default: the setting model; where that is auto and a "
            "dimension or dtype is given, the model of the store."
        ),
    ] = None
    dimension: Annotated[
        Annotated[int, Meta(ge=1, le=8192)] | None,
        Meta(description="The length of the vectors, one that the model supports. Default: the model's full length."),
    ] = None
    dtype: Annotated[
        Annotated[str, Meta(min_length=1, max_length=40)] | None,
        Meta(description="The number format of the embedder's arithmetic, as in the setting dtype."),
    ] = None
    rate: Annotated[
        Annotated[float, Meta(gt=0, le=MOST_A_SECOND)] | None,
        Meta(description="At most this many revisions per second, to leave time for other work. Default: no limit."),
    ] = None
    switch: Annotated[
        bool,
        Meta(
            description="Switch to the new vectors as soon as they are complete; otherwise wait for activate_generation."
        ),
    ] = True


class CancelReembedRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class ActivateGenerationRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The generation being built becomes active. It must be complete, unless `incomplete` is given."""

    incomplete: Annotated[
        bool,
        Meta(
            description="Switch even if vectors are missing; memories without one are found only lexically until they have it."
        ),
    ] = False


class TakeBackRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The generation to switch back to; what was written since it was retired is embedded first."""

    generation: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="The id of a retired generation. Default: the one before the last switch."),
    ] = None


class PruneGenerationsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The retired generations to delete; the active one and one being built are never deleted."""

    generation: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="Delete only this generation. Default: all retired ones.")
    ] = None


GENERATIONS = Operation(
    name="generations",
    summary="List the vector generations, and the latest build",
    request=GenerationsRequest,
    response=Generations,
    effect="read",
    idempotent=True,
    route=Route("GET", "/generations"),
    command=None,
    whole_store=True,
)
REEMBED = Operation(
    name="reembed",
    summary="Re-create all vectors in the background, then switch to them",
    request=ReembedRequest,
    response=Generations,
    effect="write",
    idempotent=False,
    route=Route("POST", "/generations"),
    command=None,
    whole_store=True,
)
CANCEL_REEMBED = Operation(
    name="cancel_reembed",
    summary="Stop re-creating vectors; those made so far are kept until they are pruned",
    request=CancelReembedRequest,
    response=Generations,
    effect="write",
    idempotent=False,
    route=Route("POST", "/generations/cancel"),
    command=None,
    whole_store=True,
)
ACTIVATE_GENERATION = Operation(
    name="activate_generation",
    summary="Switch to the generation that was built",
    request=ActivateGenerationRequest,
    response=Generations,
    effect="write",
    idempotent=False,
    route=Route("POST", "/generations/activate"),
    command=None,
    whole_store=True,
)
TAKE_BACK = Operation(
    name="take_back",
    summary="Switch back to a retired generation",
    request=TakeBackRequest,
    response=Generations,
    effect="write",
    idempotent=False,
    route=Route("POST", "/generations/back"),
    command=None,
    whole_store=True,
)
PRUNE_GENERATIONS = Operation(
    name="prune_generations",
    summary="Delete retired generations and their vectors",
    request=PruneGenerationsRequest,
    response=Generations,
    effect="erase",
    idempotent=True,
    route=Route("POST", "/generations/prune"),
    command=None,
    whole_store=True,
)
