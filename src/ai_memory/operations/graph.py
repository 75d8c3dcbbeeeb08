"""Operations on relations between memories and named things."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from ai_memory.operations.base import Command, Operation, Route, Tool
from ai_memory.operations.writing import IdempotencyKey, Namespace
from ai_memory.types import DEFAULT_NAMESPACE, Entity, Neighbour, Relation

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


class Walk(Struct, kw_only=True):
    """Which relations count. All requests that walk the graph have these fields."""

    namespace: Namespace = DEFAULT_NAMESPACE
    types: Annotated[tuple[str, ...], Meta(description="Only relations of these types.")] = ()
    as_of: Annotated[dt.datetime | None, Meta(description="Only relations that were true at this instant.")] = None
    known_at: Annotated[
        dt.datetime | None, Meta(description="Only relations that were known at this instant. Default: now.")
    ] = None


Kinds = Annotated[
    tuple[str, ...], Meta(description="Only nodes of these kinds: memory, person, organisation, product, place, …")
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


class NeighboursRequest(Walk, kw_only=True, forbid_unknown_fields=True):
    """Where to start and how far to walk."""

    id: Node
    depth: Annotated[int, Meta(ge=1, le=4, description="How many relations away.")] = 1
    kinds: Kinds = ()
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most this many nodes.")] = 100


class Neighbours(Struct, frozen=True, kw_only=True):
    """The nodes reached, nearest first, each once."""

    id: str
    neighbours: tuple[Neighbour, ...]


class EntitiesRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which things to list."""

    namespace: Namespace = DEFAULT_NAMESPACE
    search: Annotated[
        str, Meta(max_length=300, description="Only things whose name or alias holds this, in any case.")
    ] = ""
    kinds: Annotated[
        tuple[str, ...], Meta(description="Only things of these kinds: person, organisation, product, …")
    ] = ()
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most this many.")] = 100


class NamedThing(Struct, frozen=True, kw_only=True):
    """An entity, and how many current memories were read to name it."""

    entity: Entity
    memories: int


class Entities(Struct, frozen=True, kw_only=True):
    """The most named things first; `total` counts all that match."""

    entities: tuple[NamedThing, ...]
    total: int
    unread: int
    """Changes in the store from which names have not been read yet."""


class PathRequest(Walk, kw_only=True, forbid_unknown_fields=True):
    """Two nodes to connect."""

    source: Node
    target: Node
    max_length: Annotated[int, Meta(ge=1, le=8, description="Most relations on a path.")] = 6
    limit: Annotated[int, Meta(ge=1, le=100, description="At most this many paths.")] = 3


class GraphNode(Struct, frozen=True, kw_only=True):
    """A memory or a thing: its id, its kind (`memory` for a memory), and what people call it."""

    id: str
    kind: str
    label: str


class FoundPath(Struct, frozen=True, kw_only=True):
    """Nodes from the source to the target, and the relation between each two of them, in whichever direction it points."""

    nodes: tuple[GraphNode, ...]
    relations: tuple[Relation, ...]


class Paths(Struct, frozen=True, kw_only=True):
    """The shortest paths, all of one length; empty where there is none within the length that was asked for."""

    paths: tuple[FoundPath, ...]
    unread: int


class GraphRequest(Walk, kw_only=True, forbid_unknown_fields=True):
    """The part of a graph that is wanted."""

    id: Annotated[Node | None, Meta(description="The node in the middle; a whole namespace without it.")] = None
    depth: Annotated[int, Meta(ge=1, le=4, description="How many relations away from the middle.")] = 2
    kinds: Kinds = ()
    limit: Annotated[int, Meta(ge=1, le=100_000, description="At most this many nodes.")] = 200


class Graph(Struct, frozen=True, kw_only=True):
    """Nodes and the relations among them, as node-link data that networkx reads (`node_link_graph`)."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[Relation, ...]
    directed: bool = True
    multigraph: bool = True
    truncated: bool
    """Whether `limit` left nodes out."""
    unread: int


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
ENTITIES = Operation(
    name="entities",
    summary="The things that memories name",
    request=EntitiesRequest,
    response=Entities,
    effect="read",
    idempotent=True,
    route=Route("GET", "/entities"),
    command=Command(name="entities", positional=("search",)),
)
PATH = Operation(
    name="path",
    summary="How two memories or things are connected",
    request=PathRequest,
    response=Paths,
    effect="read",
    idempotent=True,
    route=Route("GET", "/path"),
    command=Command(name="path", positional=("source", "target")),
)
GRAPH = Operation(
    name="graph",
    summary="Nodes and relations around a memory or thing, or of a namespace",
    request=GraphRequest,
    response=Graph,
    effect="read",
    idempotent=True,
    route=Route("GET", "/graph"),
    command=Command(name="graph", positional=("id",)),
)
