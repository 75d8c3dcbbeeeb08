"""Operations on relations between memories and named things."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from ai_memory.operations.base import Command, Operation, Route, Tool
from ai_memory.operations.writing import IdempotencyKey, Namespace
from ai_memory.types import DEFAULT_NAMESPACE, Neighbour, Relation

Node = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=300,
        description="A memory's id (mem_…), an entity's id (ent_…), or entity:NAME or entity:KIND/NAME, made when new.",
    ),
]
RelationName = Annotated[
    str,
    Meta(
        pattern="^[A-Z][A-Z0-9_]{0,63}$",
        description="MENTIONS, SUPERSEDES, SUPPORTS, CONTRADICTS, CAUSES, REFERS_TO, or an upper-case name of your own.",
    ),
]


class RelateRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A typed, dated edge to add."""

    source: Node
    target: Node
    type: RelationName = "REFERS_TO"
    namespace: Namespace = DEFAULT_NAMESPACE
    weight: Annotated[float, Meta(ge=0.0, le=1.0, description="How strong it is, 0 to 1.")] = 1.0
    attributes: Annotated[dict[str, Any], Meta(description="Anything else about the relation.")] = field(
        default_factory=dict
    )
    evidence: Annotated[str | None, Meta(description="The id of the memory that states it.")] = None
    valid_from: Annotated[dt.datetime | None, Meta(description="When it began to be true.")] = None
    valid_to: Annotated[dt.datetime | None, Meta(description="When it stopped being true.")] = None
    idempotency_key: IdempotencyKey = None


class UnrelateRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A relation to end."""

    id: Annotated[str, Meta(min_length=1, max_length=64, description="The relation's id, rel_…")]
    namespace: Namespace = DEFAULT_NAMESPACE


class NeighboursRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where to start and how far to walk."""

    id: Node
    namespace: Namespace = DEFAULT_NAMESPACE
    depth: Annotated[int, Meta(ge=1, le=4, description="How many relations away.")] = 1
    types: Annotated[tuple[str, ...], Meta(description="Only relations of these types.")] = ()
    as_of: Annotated[dt.datetime | None, Meta(description="Only relations that were true at this instant.")] = None
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most this many nodes.")] = 100


class Neighbours(Struct, frozen=True, kw_only=True):
    """The nodes reached, nearest first, each once."""

    id: str
    neighbours: tuple[Neighbour, ...]


RELATE = Operation(
    name="relate",
    summary="Relate two memories, or a memory and a named thing",
    request=RelateRequest,
    response=Relation,
    effect="write",
    idempotent=True,
    route=Route("POST", "/relations"),
    command=Command(name="relate", positional=("source", "type", "target")),
    tool=Tool(
        name="relate",
        description="Connect two memories, or a memory and entity:NAME, by a typed relation.",
        fields=("source", "target", "type"),
    ),
)
UNRELATE = Operation(
    name="unrelate",
    summary="End a relation",
    request=UnrelateRequest,
    response=Relation,
    effect="write",
    idempotent=True,
    route=Route("DELETE", "/relations/{id}"),
    command=Command(name="unrelate", positional=("id",)),
)
NEIGHBOURS = Operation(
    name="neighbours",
    summary="What is related to a memory or a named thing",
    request=NeighboursRequest,
    response=Neighbours,
    effect="read",
    idempotent=True,
    route=Route("GET", "/neighbours/{id}"),
    command=Command(name="neighbours", positional=("id",)),
    tool=Tool(
        name="neighbours",
        description="What is related to a memory or entity, within depth steps.",
        fields=("id", "depth", "types"),
    ),
)
