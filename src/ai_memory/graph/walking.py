"""Walking the graph outwards from one node, over what a backend can look up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from ai_memory.errors import InvalidInputError
from ai_memory.types import Neighbour, Relation

MAX_DEPTH = 4

Label = tuple[Literal["memory", "entity"], str]
"""What a node is, and the label it is shown under."""


Labels = Callable[[Sequence[str]], Mapping[str, Label]]
"""The labels of those of some nodes that exist and are not retired."""
Relations = Callable[[Sequence[str], int | None], Sequence[Relation]]
"""The relations with one of some nodes at either end: all for None, else the heaviest, as `Store.relations` counts them."""


def walk(
    node: str,
    relations: Relations,
    labels: Labels,
    *,
    depth: int,
    limit: int,
) -> list[Neighbour]:
    """At most `limit` nodes within `depth` (1 to 4) relations of `node`, nearest first, each once; empty for a node without any.

    Within a level they come by falling weight of the relation that leads there, then by id. Raises InvalidInputError for another
    depth or a `limit` below 1.
    """
    if not 1 <= depth <= MAX_DEPTH:
        raise InvalidInputError(f"depth must be 1 to {MAX_DEPTH}, not {depth}", limit=MAX_DEPTH, actual=depth)
    if limit < 1:
        raise InvalidInputError(f"limit must be at least 1, not {limit}")
    seen, frontier = {node}, {node}
    found: list[Neighbour] = []
    for step in range(1, depth + 1):
        nodes, wanted = sorted(frontier), limit - len(found)
        # A hub has thousands of relations, and the best `wanted` nodes are at the ends of the heaviest: only these are read. Some
        # more than wanted, since one leads back from each node, and several lead to one node or to retired ones.
        heaviest = wanted + wanted // 4 + len(nodes)
        edges = relations(nodes, heaviest)
        weights = sorted(each.weight for each in edges for end in (each.source, each.target) if end in frontier)
        # The lightest weight of which all relations are known; None where fewer were given than asked for, so these are all.
        least = weights[-heaviest] if len(weights) >= heaviest else None
        heavy = edges if least is None else [each for each in edges if each.weight >= least]
        level = _level(heavy, seen, frontier, labels, wanted, step)
        # Lighter relations lead to nodes that rank behind these, so they matter only when these are too few.
        if least is not None and len(level) < wanted:
            level = _level(relations(nodes, None), seen, frontier, labels, wanted, step)
        found.extend(level)
        frontier = {neighbour.id for neighbour in level}
        seen |= frontier
        if not frontier or len(found) >= limit:
            break
    return found


def _level(
    edges: Sequence[Relation], seen: set[str], frontier: set[str], labels: Labels, wanted: int, depth: int
) -> list[Neighbour]:
    """The first `wanted` new nodes at the far ends of some edges, by falling weight, then by id."""
    ordered = sorted(_reached(edges, seen, frontier).items(), key=lambda each: (-each[1].weight, each[0]))
    level: list[Neighbour] = []
    # Labels are looked up for as many nodes as are still wanted, in pieces: a hub has thousands of ends, few of them retired.
    while ordered and len(level) < wanted:
        piece, ordered = ordered[:wanted], ordered[wanted:]
        named = labels([end for end, _ in piece])
        level += [
            Neighbour(id=end, kind=named[end][0], label=named[end][1], relation=by, depth=depth)
            for end, by in piece
            if end in named
        ]
    return level[:wanted]


def _reached(edges: Sequence[Relation], seen: set[str], frontier: set[str]) -> dict[str, Relation]:
    """The new nodes at the far ends of some edges, each with the heaviest edge (then the smallest id) that leads there."""
    best: dict[str, Relation] = {}
    for edge in sorted(edges, key=lambda edge: (-edge.weight, edge.id)):
        for near, far in ((edge.source, edge.target), (edge.target, edge.source)):
            if near in frontier and far not in seen:
                best.setdefault(far, edge)
    return best
