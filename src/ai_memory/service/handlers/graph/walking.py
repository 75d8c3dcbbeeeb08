"""Handlers of the operations that walk the graph: relations made by people and relations extracted from memories, as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from ai_memory.errors import InvalidInputError
from ai_memory.graph.paths import shortest_paths
from ai_memory.graph.walking import Label, walk
from ai_memory.operations.graph import (
    Entities,
    EntitiesRequest,
    FoundPath,
    Graph,
    GraphNode,
    GraphRequest,
    NamedThing,
    Neighbours,
    NeighboursRequest,
    PathRequest,
    Paths,
    Walk,
)
from ai_memory.operations.zones import in_users_zone
from ai_memory.service.handlers.graph.nodes import Names
from ai_memory.service.parts import Parts
from ai_memory.store.ids import MEMORY
from ai_memory.text.caseless import caseless
from ai_memory.text.properties import label_of
from ai_memory.types import Relation, Selection

READING_SECONDS = 2.0
"""How long an answer waits for extraction from the newest memories."""
PAGE = 500


def neighbours(parts: Parts, request: NeighboursRequest) -> Neighbours:
    """What is related to a memory or an entity."""
    view = GraphView(parts, request)
    node = view.names.existing(request.id)
    found = walk(
        node, view.relations, view.labels, depth=request.depth, limit=request.limit if not request.kinds else PAGE
    )
    wanted = [each for each in found if _is_of(view.kinds[each.id], request.kinds)]
    return Neighbours(id=node, neighbours=tuple(wanted[: request.limit]))


def entities(parts: Parts, request: EntitiesRequest) -> Entities:
    """The entities that memories mention, the most mentioned first."""
    unread = read_new(parts)
    names = Names(parts, request.namespace)
    counts = names.counts()
    searched = caseless(request.search)
    found = [
        NamedThing(entity=entity, memories=counts.get(entity.id, 0))
        for entity in names.entities()
        if _is_of(entity.kind, request.kinds)
        and any(searched in caseless(name) for name in (entity.name, *entity.aliases))
    ]
    found.sort(key=lambda each: (-each.memories, each.entity.name, each.entity.kind, each.entity.id))
    return Entities(entities=tuple(found[: request.limit]), total=len(found), unread=unread)


def path(parts: Parts, request: PathRequest) -> Paths:
    """The shortest paths between two nodes."""
    view = GraphView(parts, request)
    source = view.names.existing(request.source)
    target = view.names.existing(request.target)
    if source == target:
        raise InvalidInputError("source and target are the same", hint="name two different nodes", field="target")
    found = shortest_paths(source, target, view.relations, view.labels, longest=request.max_length)
    paths = list(islice(found, request.limit))
    view.labels(list({node for nodes, _ in paths for node in nodes}))
    return Paths(
        paths=tuple(
            FoundPath(nodes=tuple(view.node(node) for node in nodes), relations=tuple(steps)) for nodes, steps in paths
        ),
        unread=view.unread,
    )


def graph(parts: Parts, request: GraphRequest) -> Graph:
    """Nodes and relations around a node, or of a namespace."""
    view = GraphView(parts, request)
    middle = None
    if request.id is None:
        found = view.of_namespace(request.limit + 1)
    else:
        middle = view.names.existing(request.id)
        view.labels([middle])
        around = walk(middle, view.relations, view.labels, depth=request.depth, limit=request.limit)
        found = [middle, *(each.id for each in around)]
    found = [node for node in found if _is_of(view.kinds[node], request.kinds) or node == middle]
    shown = found[: request.limit]
    return Graph(
        nodes=tuple(view.node(node) for node in shown),
        edges=tuple(view.among(shown)),
        truncated=len(found) > len(shown),
        unread=view.unread,
    )


def _is_of(kind: str, wanted: Sequence[str]) -> bool:
    """Whether a kind is one of some, in any letter case; any is where none is given."""
    return not wanted or caseless(kind) in map(caseless, wanted)


def read_new(parts: Parts) -> int:
    """Extract from new memories for up to two seconds; returns how many changes are left."""
    if parts.graph is None:
        return 0
    return 0 if parts.graph.catch_up(READING_SECONDS) else parts.graph.unread()


class GraphView:
    """One namespace's graph at one pair of instants, and what is known of the nodes that were met."""

    def __init__(self, parts: Parts, request: Walk) -> None:
        self._parts = parts
        self._namespace = request.namespace
        self._request = in_users_zone(request, parts.zone)
        self.unread = read_new(parts)
        self.names = Names(parts, request.namespace, self._request.known_at)
        self.kinds: dict[str, str] = {}
        self._labels: dict[str, Label] = {}

    def relations(self, nodes: Sequence[str], heaviest: int | None = None) -> list[Relation]:
        """The relations with one of `nodes` at either end: all, or the heaviest as `Store.relations` counts them."""
        asked, identity = self._request, self.names.identity
        behind = identity.behind(nodes) if identity else nodes
        found = self._parts.store.relations(
            asked.namespace,
            behind,
            types=asked.types,
            as_of=asked.as_of,
            known_at=asked.known_at,
            heaviest=None if identity else heaviest,  # which of rewritten ones are the heaviest is known when all are
        )
        if self._parts.graph is not None:
            file = self._parts.graph.file()
            found += file.relations(
                asked.namespace, behind, types=asked.types, as_of=asked.as_of, known_at=asked.known_at
            )
        return identity.seen(found, nodes) if identity else found

    def labels(self, nodes: Sequence[str]) -> dict[str, Label]:
        """Labels of those nodes that exist and are not retired."""
        new = [node for node in nodes if node not in self._labels]
        memories = [node for node in new if node.startswith(MEMORY)]
        for record in self._parts.store.get(self._namespace, memories) if memories else ():
            if record is not None and record.retired_at is None:
                self._labels[record.id] = ("memory", label_of(record.title, record.text))
                self.kinds[record.id] = "memory"
        things = [node for node in new if not node.startswith(MEMORY)]
        for entity in self.names.entities(ids=things) if things else ():
            self._labels[entity.id] = ("entity", entity.name)
            self.kinds[entity.id] = entity.kind
        return {node: self._labels[node] for node in nodes if node in self._labels}

    def node(self, node: str) -> GraphNode:
        """A node that was reached."""
        return GraphNode(id=node, kind=self.kinds[node], label=self._labels[node][1])

    def among(self, nodes: Sequence[str]) -> Iterator[Relation]:
        """The relations among `nodes`, each once, in order of their ids."""
        inside, seen = set(nodes), set()
        for start in range(0, len(nodes), PAGE):
            for each in sorted(self.relations(nodes[start : start + PAGE]), key=lambda relation: relation.id):
                if each.id not in seen and each.source in inside and each.target in inside:
                    seen.add(each.id)
                    yield each

    def of_namespace(self, limit: int) -> list[str]:
        """Nodes that have relations: memories, newest first, each followed by its related nodes."""
        found: dict[str, None] = {}
        cursor: str | None = None
        while len(found) < limit:
            page = self._parts.store.select(Selection(namespace=self._namespace), limit=PAGE, cursor=cursor)
            ids = [memory.id for memory in page.memories]
            edges = self.relations(ids)
            ends = self.labels(list({end for edge in edges for end in (edge.source, edge.target)}))
            beside: dict[str, list[str]] = {}
            for edge in edges:
                if edge.source in ends and edge.target in ends:
                    beside.setdefault(edge.source, []).append(edge.target)
                    beside.setdefault(edge.target, []).append(edge.source)
            for memory in ids:
                if memory in beside:
                    found.update(dict.fromkeys([memory, *beside[memory]]))
            cursor = page.cursor
            if cursor is None:
                break
        return list(found)[:limit]
