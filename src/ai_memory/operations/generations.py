"""Operations on vector generations: make all vectors anew beside the ones in use, switch to them, take the switch back."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.operations.base import Operation, Route
from ai_memory.types import EmbedderIdentity

MOST_A_SECOND = 1_000_000.0

BuildState = Literal["running", "ready", "waiting", "failed", "done", "cancelled"]
"""`ready`: nothing is owed, and the switch waits to be asked for. `waiting`: no process works on it; it goes on when `reembed`
is asked for again, or when the service starts."""


class GenerationState(Struct, frozen=True, kw_only=True):
    """One vector generation. `owed` is how many revisions have no vector in it; None for a retired one, which is not kept up."""

    id: int
    embedder: EmbedderIdentity
    state: Literal["building", "active", "retired"]
    created_at: dt.datetime
    pending: int | None


class Build(Struct, frozen=True, kw_only=True):
    """The latest making of a generation: how far it is, or how it ended."""

    generation: int
    embedder: EmbedderIdentity
    state: BuildState
    switch: bool
    """Whether the generation becomes the active one as soon as it is complete."""
    former: int | None
    """The generation that was active when this began: what the switch can be taken back to."""
    done: int
    """Revisions that have their vectors."""
    total: int
    rate: float | None
    """The most revisions a second; None is no limit."""
    per_second: float | None
    """Revisions a second as measured in this run."""
    seconds_left: float | None
    error: str | None
    started_at: dt.datetime
    updated_at: dt.datetime


class Generations(Struct, frozen=True, kw_only=True):
    """All vector generations, oldest first, and the latest build."""

    generations: tuple[GenerationState, ...]
    build: Build | None


class GenerationsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class ReembedRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which embedder shall make all vectors anew. Nothing given: go on with what was begun, else what the settings say."""

    model: Annotated[
        Annotated[str, Meta(min_length=1, max_length=4096)] | None,
        Meta(
            description="A known model's name, or a model folder. Not given: the setting `model`; where that is auto and a "
            "dimension or dtype is given, the model of the store."
        ),
    ] = None
    dimension: Annotated[
        Annotated[int, Meta(ge=1, le=8192)] | None,
        Meta(description="Length of the vectors, one of the model's; its own when not given."),
    ] = None
    dtype: Annotated[
        Annotated[str, Meta(min_length=1, max_length=40)] | None,
        Meta(description="Arithmetic of the embedder, as the setting `dtype`."),
    ] = None
    rate: Annotated[
        Annotated[float, Meta(gt=0, le=MOST_A_SECOND)] | None,
        Meta(description="The most revisions a second, so that other work goes on; no limit when not given."),
    ] = None
    switch: Annotated[
        bool,
        Meta(description="Switch to the new vectors as soon as they are complete; else wait for activate_generation."),
    ] = True


class CancelReembedRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class ActivateGenerationRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Switch to the generation that is being built."""

    incomplete: Annotated[
        bool, Meta(description="Switch although vectors are missing: what has none is found by words until it has.")
    ] = False


class TakeBackRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Switch to a generation that was kept, after its vectors of what was written since have been made."""

    generation: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="The id of a kept generation; the one before the last switch when not given."),
    ] = None


class PruneGenerationsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Delete generations that are neither in use nor being built."""

    generation: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="Only this one; all kept ones when not given.")
    ] = None


GENERATIONS = Operation(
    name="generations",
    summary="The vector generations, and the build in progress",
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
    summary="Make all vectors anew in the background, then switch to them",
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
    summary="Stop making vectors anew; what was made is kept until it is pruned",
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
    summary="Switch back to a generation that was kept",
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
    summary="Delete kept generations with their vectors",
    request=PruneGenerationsRequest,
    response=Generations,
    effect="erase",
    idempotent=True,
    route=Route("POST", "/generations/prune"),
    command=None,
    whole_store=True,
)
