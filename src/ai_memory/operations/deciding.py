"""Operations by which people correct entities: those that are the same, and memories that mean a different one."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.operations.base import Command, Operation, Route
from ai_memory.operations.graph import Node
from ai_memory.operations.writing import Namespace
from ai_memory.types import DEFAULT_NAMESPACE, Entity

AN_ENTITY = "its id (ent_…), entity:NAME or entity:KIND/NAME"
"""How an entity is written, for the fields that take one; each says itself what the entity is for."""
EntityRef = Annotated[str, Meta(min_length=1, max_length=300)]


class MergeRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The entities to merge. All of them, whatever their kinds, become `into` and take its kind."""

    into: Annotated[
        EntityRef, Meta(description=f"The entity that they all become: {AN_ENTITY}. It is created if it is new.")
    ]
    things: Annotated[
        tuple[EntityRef, ...],
        Meta(min_length=1, max_length=100, description=f"The entities that are the same, each by {AN_ENTITY}."),
    ]
    namespace: Namespace = DEFAULT_NAMESPACE


class SplitRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The memories, and what they mean: in these memories the name of `thing` means `into`."""

    thing: Annotated[EntityRef, Meta(description=f"The entity found in the memories: {AN_ENTITY}.")]
    into: Annotated[
        Node,
        Meta(description=f"The entity that they mean: {AN_ENTITY}. It is created, of the same kind, if it is new."),
    ]
    ids: Annotated[tuple[str, ...], Meta(min_length=1, max_length=1000, description="The ids of the memories (mem_…).")]
    namespace: Namespace = DEFAULT_NAMESPACE


class DecisionsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The decisions to list, the newest first."""

    namespace: Namespace = DEFAULT_NAMESPACE
    about: Annotated[
        EntityRef | None,
        Meta(description=f"Only decisions about this entity: {AN_ENTITY}."),
    ] = None
    undone: Annotated[bool, Meta(description="Also decisions that were undone.")] = False
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most this many decisions, the newest.")] = 100


class UndoRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The decision to undo. It is kept, marked as undone."""

    id: Annotated[str, Meta(min_length=1, max_length=64, description="The decision's id (dec_…).")]
    namespace: Namespace = DEFAULT_NAMESPACE


class Decision(Struct, frozen=True, kw_only=True):
    """One merge or split. `things` are the entities merged into `into`, or those that `memories` name but mean `into`."""

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
    summary="Merge entities that are the same",
    request=MergeRequest,
    response=Decision,
    effect="write",
    idempotent=True,
    route=Route("POST", "/decisions/merge"),
    command=Command(name="merge", positional=("into", "things")),
)
SPLIT = Operation(
    name="split",
    summary="Split off memories in which the name of an entity means another one",
    request=SplitRequest,
    response=Decision,
    effect="write",
    idempotent=True,
    route=Route("POST", "/decisions/split"),
    command=Command(name="split", positional=("thing", "into", "ids")),
)
DECISIONS = Operation(
    name="decisions",
    summary="List which entities were merged and split, and when",
    request=DecisionsRequest,
    response=MadeDecisions,
    effect="read",
    idempotent=True,
    route=Route("GET", "/decisions"),
    command=Command(name="decisions", positional=("about",)),
)
UNDO = Operation(
    name="undo",
    summary="Undo a merge or a split",
    request=UndoRequest,
    response=Decision,
    effect="write",
    idempotent=True,
    route=Route("DELETE", "/decisions/{id}"),
    command=Command(name="undo", positional=("id",)),
)
