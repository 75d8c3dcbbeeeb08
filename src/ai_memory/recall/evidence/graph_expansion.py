"""Memories that the graph leads to: from what the question names, and from the best hits.

What names the same rare entity as a hit, or is related to it, may answer without sharing a word with the question. How much such a
link says is the idf of the node it goes through: with N memories that may answer (and `PSEUDO_MEMORIES` more, as everywhere), n of
which the node leads to, ln(N/n) nats above chance. A link from a hit counts for less as the hit is less likely than the best one,
by the factor e to the difference of their scores, and a relation counts by its weight. Of several paths to a memory only the
best one counts: they are seldom independent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from msgspec.structs import replace

from ai_memory.index.base import Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence.fusion import PSEUDO_MEMORIES
from ai_memory.recall.evidence.scores import Scored, Values
from ai_memory.store.ids import MEMORY
from ai_memory.types import Relation, Selection

SEEDS = 10
"""The best memories, however many are asked for, whose links are followed."""
HUB = 50
"""A node that leads to more memories than this says nothing: that two memories name it is chance."""
_OF_A_HIT = 0.9
"""The share of a hit's own score that a link from it can give: by the link alone nothing comes before what it is linked to."""
_PRECISION = 9
"""Decimals of evidence that count for order, so that rounding never decides."""

Path = tuple[str, ...]
"""Nodes and the relations between them in turn, as a person reads them, from the question or a hit to the memory."""


class QuestionGraph(Protocol):
    """The graph of one namespace, as the question may see it: at its instants, with what people decided about who is who."""

    def named(self) -> Sequence[str]:
        """The ids of the entities that the question names."""
        ...

    def relations(self, nodes: Sequence[str]) -> Sequence[Relation]:
        """All relations with one of some nodes at either end; those of what more than `HUB` memories name may be left out."""
        ...

    def names(self, entities: Sequence[str]) -> Mapping[str, str]:
        """The names of those entities that exist, by id."""
        ...


class Expansion(NamedTuple):
    """What the graph says for the r rows that it leads to."""

    rows: Rows
    """Eligible rows, int32 ascending, shape (r,)."""
    values: Values
    """Nats, float64, shape (r,)."""
    paths: Mapping[str, Path]
    """The path to each of these memories, by its id."""

    def at(self, rows: Rows) -> Values:
        """The evidence for k rows, float64, shape (k,), 0 where no path leads to a row."""
        values = np.zeros(len(rows))
        if len(self.rows):
            places = np.minimum(self.rows.searchsorted(rows), len(self.rows) - 1)
            there = self.rows[places] == rows
            values[there] = self.values[places[there]]
        return values


NO_EXPANSION = Expansion(np.empty(0, np.int32), np.empty(0), {})


class GraphExpander(NamedTuple):
    """The graph to follow, and which memories may answer."""

    graph: QuestionGraph
    selection: Selection
    weight: float
    """The recipe's, by which the evidence of paths is multiplied when it is added up."""

    def expand(self, view: PartitionView, scored: Scored, ids: Sequence[str], scores: Values) -> Expansion:
        """The eligible memories that the question's entities and the hits lead to.

        `ids` are the best memories, best first, and `scores` theirs in nats, shape (len(ids),). Raises StoreError.
        """
        named = sorted(set(self.graph.named()))
        seeds = dict(zip(ids, np.exp(scores - scores[0]).tolist(), strict=True)) if len(ids) else {}
        most = dict(zip(ids, (_OF_A_HIT * np.maximum(scores, 0.0) / self.weight).tolist(), strict=True))
        links = _links(self.graph, list(seeds))
        entities = {end for ends in links.values() for end in ends if not end.startswith(MEMORY)}
        names = self.graph.names(sorted(entities.union(named)))
        links |= _links(self.graph, sorted(names))
        reached = {end for ends in links.values() for end in ends if end.startswith(MEMORY)}
        if not reached:
            return NO_EXPANSION
        allowed = view.mask(replace(self.selection, ids=tuple(sorted(reached)))) & scored.eligible
        rows = np.flatnonzero(allowed).astype(np.int32)
        memories = view.memory_ids(rows)
        total = len(np.unique(view.memories()[scored.eligible])) + PSEUDO_MEMORIES
        walk = _Walk(links, names, set(memories) - {None}, total)
        best = walk.best([*walk.from_question(named), *walk.from_hits(seeds, most)])
        kept = [at for at, memory in enumerate(memories) if memory in best]
        values = np.array([best[str(memories[at])].nats for at in kept], np.float64)
        return Expansion(rows[kept], values, {memory: found.path for memory, found in best.items()})


class _Reached(NamedTuple):
    """A memory at the end of one path, and what that path says in nats."""

    nats: float
    memory: str
    path: Path


_Links = dict[str, dict[str, Relation]]
"""For each node, the nodes one relation away, each with the heaviest relation to it."""


def _links(graph: QuestionGraph, nodes: Sequence[str]) -> _Links:
    found: _Links = {node: {} for node in nodes}
    relations = graph.relations(nodes) if nodes else ()
    # Heaviest first, then by type and id, so that `setdefault` keeps the same relation whatever order the store gives.
    for relation in sorted(relations, key=lambda each: (-each.weight, each.type, each.id)):
        for near, far in ((relation.source, relation.target), (relation.target, relation.source)):
            if near in found and near != far:
                found[near].setdefault(far, relation)
    return found


class _Walk:
    """The paths along what was looked up, through nodes that lead to few of the `total` memories that may answer."""

    def __init__(self, links: _Links, names: Mapping[str, str], eligible: set[str | None], total: int) -> None:
        self._links = links
        self._names = names
        self._rarity: dict[str, float] = {}
        """ln(N/n) of each node that leads to an eligible memory and is no hub."""
        self._ends: dict[str, list[str]] = {}
        """The eligible memories that such a node leads to, ascending."""
        for node, ends in links.items():
            memories = [end for end in ends if end.startswith(MEMORY)]
            within = sorted(end for end in memories if end in eligible)
            # Whether a node is a hub is counted over all memories; how rare it is only over those that may answer.
            if within and len(memories) <= HUB:
                self._rarity[node] = math.log(total / len(within))
                self._ends[node] = within

    def from_question(self, named: Iterable[str]) -> Iterator[_Reached]:
        """The memories that name what the question names."""
        for entity in named:
            if entity in self._names:
                yield from self._onwards(entity, 1.0, ("question", "names", self._shown(entity)))

    def from_hits(self, seeds: Mapping[str, float], most: Mapping[str, float]) -> Iterator[_Reached]:
        """The memories one relation from a hit, and those that share an entity with it; `most`: what each hit can give, in nats."""
        for seed, share in seeds.items():
            for each in self._from_hit(seed, share):
                yield each._replace(nats=min(each.nats, most[seed]))

    def _from_hit(self, seed: str, share: float) -> Iterator[_Reached]:
        yield from self._onwards(seed, share, (seed,))
        for entity, relation in self._links.get(seed, {}).items():
            if entity in self._names:
                start = (seed, _arrow(relation, seed), self._shown(entity))
                found = self._onwards(entity, share * relation.weight, start)
                yield from (each for each in found if each.memory != seed)

    def best(self, found: Iterable[_Reached]) -> dict[str, _Reached]:
        """For each memory the path that says most; of equal ones the shortest, then the first in order."""
        best: dict[str, _Reached] = {}
        for each in sorted(found, key=lambda each: (-round(each.nats, _PRECISION), len(each.path), each.path)):
            if each.nats > 0.0:
                best.setdefault(each.memory, each)
        return best

    def _onwards(self, node: str, share: float, path: Path) -> Iterator[_Reached]:
        for memory in self._ends.get(node, ()):
            relation = self._links[node][memory]
            nats = share * relation.weight * self._rarity[node]
            yield _Reached(nats, memory, (*path, _arrow(relation, node), memory))

    def _shown(self, entity: str) -> str:
        return f"entity:{self._names[entity]}"


def _arrow(relation: Relation, start: str) -> str:
    return f"—{relation.type}→" if relation.source == start else f"←{relation.type}—"
