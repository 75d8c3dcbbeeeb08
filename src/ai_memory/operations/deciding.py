"""Operations by which people say who is who: things that are one, and memories that mean another thing."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.operations.base import Command, Operation, Route
from ai_memory.operations.graph import Node
from ai_memory.operations.writing import Namespace
from ai_memory.types import DEFAULT_NAMESPACE, Entity

Thing = Annotated[
    str,
    Meta(min_length=1, max_length=300, description="An entity's id (ent_…), or entity:NAME or entity:KIND/NAME."),
]


class MergeRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Things that are one and the same. Of whatever kind they are, all answer under `into` and have its kind."""

    into: Annotated[Thing, Meta(description="The thing that stands for all of them; entity:NAME is made when new.")]
    things: Annotated[
        tuple[Thing, ...], Meta(min_length=1, max_length=100, description="The things that are the same as it.")
    ]
    namespace: Namespace = DEFAULT_NAMESPACE


class SplitRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Memories that name one thing and mean another."""

    thing: Annotated[Thing, Meta(description="The thing that was read from the memories.")]
    into: Annotated[
        Node, Meta(description="What they mean: an entity; entity:NAME is made when new, of the same kind.")
    ]
    ids: Annotated[tuple[str, ...], Meta(min_length=1, max_length=1000, description="The ids of the memories, mem_…")]
    namespace: Namespace = DEFAULT_NAMESPACE


class DecisionsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which decisions to list."""

    namespace: Namespace = DEFAULT_NAMESPACE
    about: Annotated[Thing | None, Meta(description="Only decisions about this thing.")] = None
    undone: Annotated[bool, Meta(description="Also decisions that were undone.")] = False
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most this many, the newest.")] = 100


class UndoRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A decision to take back."""

    id: Annotated[str, Meta(min_length=1, max_length=64, description="The decision's id, dec_…")]
    namespace: Namespace = DEFAULT_NAMESPACE


class Decision(Struct, frozen=True, kw_only=True):
    """One merge or split. `things` were merged into `into`, or are what `memories` name where they mean `into`."""

    id: str
    namespace: str
    kind: Literal["merge", "split"]
    into: Entity
    things: tuple[Entity, ...]
    memories: tuple[str, ...] = ()
    decided_at: dt.datetime
    undone_at: dt.datetime | None = None


class MadeDecisions(Struct, frozen=True, kw_only=True):
    """The newest decisions first; `total` counts all that match."""

    decisions: tuple[Decision, ...]
    total: int


MERGE = Operation(
    name="merge",
    summary="Say that several named things are one",
    request=MergeRequest,
    response=Decision,
    effect="write",
    idempotent=True,
    route=Route("POST", "/decisions/merge"),
    command=Command(name="merge", positional=("into", "things")),
)
SPLIT = Operation(
    name="split",
    summary="Say that some memories mean another thing than the one that was read",
    request=SplitRequest,
    response=Decision,
    effect="write",
    idempotent=True,
    route=Route("POST", "/decisions/split"),
    command=Command(name="split", positional=("thing", "into", "ids")),
)
DECISIONS = Operation(
    name="decisions",
    summary="Which things were merged and split, and when",
    request=DecisionsRequest,
    response=MadeDecisions,
    effect="read",
    idempotent=True,
    route=Route("GET", "/decisions"),
    command=Command(name="decisions", positional=("about",)),
)
UNDO = Operation(
    name="undo",
    summary="Take a merge or a split back",
    request=UndoRequest,
    response=Decision,
    effect="write",
    idempotent=True,
    route=Route("DELETE", "/decisions/{id}"),
    command=Command(name="undo", positional=("id",)),
)
