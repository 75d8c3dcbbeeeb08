"""Memories that the graph leads to: from what the question names, and from the best hits.

What names the same rare thing as a hit, or is related to it, may answer without sharing a word with the question. How much such a
link says is the idf of the node it goes through: with N memories that may answer (and `SMALLEST` more, as everywhere), n of
which the node leads to, ln(N/n) nats above chance. A link from a hit says as much less as the hit is less likely than the best
one, e to the power of what its score lacks, and a relation counts by its weight. Of several ways to a memory the best one counts
alone: they seldom are independent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from msgspec.structs import replace

from ai_memory.index.base import Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence.fusion import SMALLEST
from ai_memory.recall.evidence.scores import Scored, Values
from ai_memory.store.ids import MEMORY
from ai_memory.types import Relation, Selection

SEEDS = 10
"""The best memories, however many are asked for, whose links are followed."""
HUB = 50
"""What leads to more memories than this says nothing: that two memories name it is chance."""
_PRECISION = 9

Path = tuple[str, ...]
"""Nodes and the relations between them in turn, as a person reads them, from the question or a hit to the memory."""


class Links(Protocol):
    """The graph of one namespace, as the question may see it: at its instants, with what people decided about who is who."""

    def named(self) -> Sequence[str]:
        """The ids of the things that the question names."""
        ...

    def relations(self, nodes: Sequence[str]) -> Sequence[Relation]:
        """All relations with one of some nodes at either end; those of what more than `HUB` memories name may be left out."""
        ...

    def names(self, things: Sequence[str]) -> Mapping[str, str]:
        """The names of those things that are there."""
        ...


class Linked(NamedTuple):
    """What the graph says for the rows that it leads to."""

    rows: Rows
    """Ascending, shape (r,); eligible ones alone."""
    values: Values
    """Nats, shape (r,)."""
    paths: Mapping[str, Path]
    """The way to each of these memories."""

    def at(self, rows: Rows) -> Values:
        """The evidence for some rows, 0 where no link leads there."""
        values = np.zeros(len(rows))
        if len(self.rows):
            places = np.minimum(self.rows.searchsorted(rows), len(self.rows) - 1)
            there = self.rows[places] == rows
            values[there] = self.values[places[there]]
        return values


NOWHERE = Linked(np.empty(0, np.int32), np.empty(0), {})


class Linker(NamedTuple):
    """The graph, and which memories may answer."""

    links: Links
    selection: Selection

    def follow(self, view: PartitionView, scored: Scored, ids: Sequence[str], scores: Values) -> Linked:
        """The eligible memories that the question's things and the hits lead to; `ids` are the best ones, best first."""
        named = sorted(set(self.links.named()))
        seeds = dict(zip(ids, np.exp(scores - scores[0]).tolist(), strict=True)) if len(ids) else {}
        beside = _beside(self.links, list(seeds))
        things = {end for ends in beside.values() for end in ends if not end.startswith(MEMORY)}
        names = self.links.names(sorted(things.union(named)))
        beside |= _beside(self.links, sorted(names))
        reached = {end for ends in beside.values() for end in ends if end.startswith(MEMORY)}
        if not reached:
            return NOWHERE
        allowed = view.mask(replace(self.selection, ids=tuple(sorted(reached)))) & scored.eligible
        rows = np.flatnonzero(allowed).astype(np.int32)
        memories = view.memory_ids(rows)
        total = len(np.unique(view.memories()[scored.eligible])) + SMALLEST
        walk = _Walk(beside, names, set(memories) - {None}, total)
        best = walk.best([*walk.from_question(named), *walk.from_hits(seeds)])
        kept = [at for at, memory in enumerate(memories) if memory in best]
        values = np.array([best[str(memories[at])].nats for at in kept], np.float64)
        return Linked(rows[kept], values, {memory: way.path for memory, way in best.items()})


class _Way(NamedTuple):
    """One way to a memory, and what it says in nats."""

    nats: float
    memory: str
    path: Path


_Beside = dict[str, dict[str, Relation]]
"""For each node, what stands one relation away, with the heaviest relation to it."""


def _beside(links: Links, nodes: Sequence[str]) -> _Beside:
    found: _Beside = {node: {} for node in nodes}
    relations = links.relations(nodes) if nodes else ()
    for relation in sorted(relations, key=lambda each: (-each.weight, each.type, each.id)):
        for near, far in ((relation.source, relation.target), (relation.target, relation.source)):
            if near in found and near != far:
                found[near].setdefault(far, relation)
    return found


class _Walk:
    """The ways along what was looked up, through nodes that lead to few of the `total` memories that may answer."""

    def __init__(self, beside: _Beside, names: Mapping[str, str], eligible: set[str | None], total: int) -> None:
        self._beside = beside
        self._names = names
        self._rarity: dict[str, float] = {}
        self._ends: dict[str, list[str]] = {}
        for node, ends in beside.items():
            memories = [end for end in ends if end.startswith(MEMORY)]
            within = sorted(end for end in memories if end in eligible)
            if within and len(memories) <= HUB:
                self._rarity[node] = math.log(total / len(within))
                self._ends[node] = within

    def from_question(self, named: Iterable[str]) -> Iterator[_Way]:
        """The memories that name what the question names."""
        for thing in named:
            if thing in self._names:
                yield from self._onwards(thing, 1.0, ("question", "names", self._shown(thing)))

    def from_hits(self, seeds: Mapping[str, float]) -> Iterator[_Way]:
        """The memories one relation from a hit, and those that share a thing with it."""
        for seed, share in seeds.items():
            yield from self._onwards(seed, share, (seed,))
            for thing, relation in self._beside.get(seed, {}).items():
                if thing in self._names:
                    start = (seed, _arrow(relation, seed), self._shown(thing))
                    yield from (
                        way for way in self._onwards(thing, share * relation.weight, start) if way.memory != seed
                    )

    def best(self, ways: Iterable[_Way]) -> dict[str, _Way]:
        """The way to each memory that says most; of equal ones the shortest, then the first by its path."""
        found: dict[str, _Way] = {}
        for way in sorted(ways, key=lambda way: (-round(way.nats, _PRECISION), len(way.path), way.path)):
            if way.nats > 0.0:
                found.setdefault(way.memory, way)
        return found

    def _onwards(self, node: str, share: float, path: Path) -> Iterator[_Way]:
        for memory in self._ends.get(node, ()):
            relation = self._beside[node][memory]
            nats = share * relation.weight * self._rarity[node]
            yield _Way(nats, memory, (*path, _arrow(relation, node), memory))

    def _shown(self, thing: str) -> str:
        return f"entity:{self._names[thing]}"


def _arrow(relation: Relation, start: str) -> str:
    return f"—{relation.type}→" if relation.source == start else f"←{relation.type}—"
