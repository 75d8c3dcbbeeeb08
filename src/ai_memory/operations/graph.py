"""Operations on relations between memories and entities."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import Command, Operation, Route, Tool
from ai_memory.operations.writing import IdempotencyKey, Namespace
from ai_memory.types import DEFAULT_NAMESPACE, Entity, Neighbour, Relation

A_NODE = "a memory's id (mem_…), an entity's id (ent_…), entity:NAME or entity:KIND/NAME"
"""How a node is written, for the fields that take one; each says itself what the node is for."""
Node = Annotated[str, Meta(min_length=1, max_length=300)]
_RELATION = re.compile("[A-Z][A-Z0-9_]{0,63}")
_NEW_WORD = re.compile("(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def upper_snake(name: str, field: str = "type") -> str:
    """A relation's name as it is kept: `works_at`, `works at`, `works-at` and `worksAt` are WORKS_AT."""
    del field
    if _RELATION.fullmatch(name):
        return name
    return _BETWEEN_WORDS.sub("_", _NEW_WORD.sub("_", name)).strip("_").upper()


def relation_name(name: str, field: str) -> str:
    """As `upper_snake`; raises InvalidInputError for what makes no name of a relation."""
    made = upper_snake(name)
    if not _RELATION.fullmatch(made):
        raise InvalidInputError(
            f"{field}: {name[:80]!r} is not a relation's name",
            hint="write 1 to 64 letters A to Z, digits and _, a letter first, such as WORKS_AT or works at",
            field=field,
        )
    return made


RelationName = Annotated[
    str,
    Meta(
        description="MENTIONS, SUPERSEDES, SUPPORTS, CONTRADICTS, CAUSES, REFERS_TO, or another name, which is kept in this form: "
        "`works at` is WORKS_AT.",
        extra={
            "short": "MENTIONS, SUPERSEDES, SUPPORTS, CONTRADICTS, CAUSES, REFERS_TO, or another name.",
            "normal": relation_name,
        },
    ),
]


class Walk(Struct, kw_only=True):
    """The relations that a walk may follow. All requests that walk the graph have these fields."""

    namespace: Namespace = DEFAULT_NAMESPACE
    types: Annotated[
        tuple[str, ...], Meta(description="Only relations of these types.", extra={"normal": upper_snake})
    ] = ()
    as_of: Annotated[dt.datetime | None, Meta(description="Only relations that were true at this instant.")] = None
    known_at: Annotated[
        dt.datetime | None, Meta(description="Only relations that were known at this instant. Default: now.")
    ] = None


Kinds = Annotated[
    tuple[str, ...],
    Meta(description="Only nodes of these kinds, in any letter case: memory, person, organisation, product, place, …"),
]


class RelateRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A typed, dated edge. If an equal relation is current, that one is returned."""

    source: Annotated[
        Node,
        Meta(
            description=f"Where the relation starts: {A_NODE}. An entity of a new name is created.",
            extra={"short": "From: mem_…, ent_… or entity:NAME (created if new)."},
        ),
    ]
    target: Annotated[
        Node,
        Meta(
            description=f"Where the relation ends: {A_NODE}. An entity of a new name is created.",
            extra={"short": "To: mem_…, ent_… or entity:NAME (created if new)."},
        ),
    ]
    type: RelationName = "REFERS_TO"
    namespace: Namespace = DEFAULT_NAMESPACE
    weight: Annotated[float, Meta(ge=0.0, le=1.0, description="How strong the relation is, from 0 to 1.")] = 1.0
    attributes: Annotated[dict[str, Any], Meta(description="More about the relation, as JSON.")] = field(
        default_factory=dict
    )
    evidence: Annotated[str | None, Meta(description="The id of the memory that states the relation.")] = None
    valid_from: Annotated[dt.datetime | None, Meta(description="When the relation began to hold.")] = None
    valid_to: Annotated[dt.datetime | None, Meta(description="When the relation stopped holding.")] = None
    idempotency_key: IdempotencyKey = None


class UnrelateRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The relation to end. With `known_at` it can still be found."""

    id: Annotated[str, Meta(min_length=1, max_length=64, description="The relation's id (rel_…).")]
    namespace: Namespace = DEFAULT_NAMESPACE


class NeighboursRequest(Walk, kw_only=True, forbid_unknown_fields=True):
    """Where to start and how far to go. The nearest nodes come first."""

    id: Annotated[
        Node,
        Meta(
            description=f"Where to start: {A_NODE}.",
            extra={"short": "Where to start: mem_…, ent_… or entity:NAME."},
        ),
    ]
    depth: Annotated[int, Meta(ge=1, le=4, description="How many relations to follow, one after another.")] = 1
    kinds: Kinds = ()
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most this many neighbours.")] = 100


class Neighbours(Struct, frozen=True, kw_only=True):
    """The nodes reached, nearest first, each once."""

    id: str
    neighbours: tuple[Neighbour, ...]


class EntitiesRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The entities to list, those named by the most memories first."""

    namespace: Namespace = DEFAULT_NAMESPACE
    search: Annotated[
        str, Meta(max_length=300, description="Only entities whose name or alias contains this; case is ignored.")
    ] = ""
    kinds: Annotated[
        tuple[str, ...],
        Meta(description="Only entities of these kinds, in any letter case: person, organisation, product, place, …"),
    ] = ()
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most this many entities.")] = 100


class NamedThing(Struct, frozen=True, kw_only=True):
    """An entity, and in how many current memories its name was found."""

    entity: Entity
    memories: int


class Entities(Struct, frozen=True, kw_only=True):
    """Entities, those named by the most memories first; `total` counts all that match."""

    entities: tuple[NamedThing, ...]
    total: int
    unread: int
    """Changes in the store that have not been searched for names yet."""


class PathRequest(Walk, kw_only=True, forbid_unknown_fields=True):
    """The two nodes to connect. Only the shortest paths are returned."""

    source: Annotated[
        Node,
        Meta(description=f"Where the path starts: {A_NODE}."),
    ]
    target: Annotated[
        Node,
        Meta(description=f"Where the path ends: {A_NODE}."),
    ]
    max_length: Annotated[int, Meta(ge=1, le=8, description="At most this many relations on a path.")] = 6
    limit: Annotated[int, Meta(ge=1, le=100, description="At most this many paths.")] = 3


class GraphNode(Struct, frozen=True, kw_only=True):
    """A memory or an entity: its id, its kind (`memory` for a memory), and its title or name."""

    id: str
    kind: str
    label: str


class FoundPath(Struct, frozen=True, kw_only=True):
    """Nodes from the source to the target, and the relation between each two of them, whichever way it points."""

    nodes: tuple[GraphNode, ...]
    relations: tuple[Relation, ...]


class Paths(Struct, frozen=True, kw_only=True):
    """The shortest paths, all of the same length; empty where there is none of at most `max_length` relations."""

    paths: tuple[FoundPath, ...]
    unread: int
    """Changes in the store that have not been read into the graph yet."""


class GraphRequest(Walk, kw_only=True, forbid_unknown_fields=True):
    """The part of the graph to return."""

    id: Annotated[
        Node | None,
        Meta(description=f"The node at the centre: {A_NODE}. Default: the whole namespace."),
    ] = None
    depth: Annotated[int, Meta(ge=1, le=4, description="How many relations to follow from the centre.")] = 2
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
    """Changes in the store that have not been read into the graph yet."""


RELATE = Operation(
    name="relate",
    summary="Relate two memories, or a memory and an entity",
    request=RelateRequest,
    response=Relation,
    effect="write",
    idempotent=True,
    route=Route("POST", "/relations"),
    command=Command(name="relate", positional=("source", "type", "target")),
    tool=Tool(
        name="relate",
        description="Connect two memories, or a memory and an entity, by a typed relation.",
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
    summary="List what is related to a memory or an entity",
    request=NeighboursRequest,
    response=Neighbours,
    effect="read",
    idempotent=True,
    route=Route("GET", "/neighbours/{id}"),
    command=Command(name="neighbours", positional=("id",)),
    tool=Tool(
        name="neighbours",
        description="List what is related to a memory or an entity, within depth steps.",
        fields=("id", "depth", "types"),
    ),
)
ENTITIES = Operation(
    name="entities",
    summary="List the entities that memories name",
    request=EntitiesRequest,
    response=Entities,
    effect="read",
    idempotent=True,
    route=Route("GET", "/entities"),
    command=Command(name="entities", positional=("search",)),
)
PATH = Operation(
    name="path",
    summary="Find how two memories or entities are connected",
    request=PathRequest,
    response=Paths,
    effect="read",
    idempotent=True,
    route=Route("GET", "/path"),
    command=Command(name="path", positional=("source", "target")),
)
GRAPH = Operation(
    name="graph",
    summary="Return the graph around a memory or an entity, or of a namespace",
    request=GraphRequest,
    response=Graph,
    effect="read",
    idempotent=True,
    route=Route("GET", "/graph"),
    command=Command(name="graph", positional=("id",)),
)
