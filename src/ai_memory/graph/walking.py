"""Walking the graph outwards from one node, over what a backend can look up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from ai_memory.errors import InvalidInputError
from ai_memory.types import Neighbour, Relation

MAX_DEPTH = 4

Label = tuple[Literal["memory", "entity"], str]
"""What a node is, and what people call it."""


Labels = Callable[[Sequence[str]], Mapping[str, Label]]


def walk(
    node: str,
    relations: Callable[[Sequence[str], int | None], Sequence[Relation]],
    labels: Labels,
    *,
    depth: int,
    limit: int,
) -> list[Neighbour]:
    """Nodes within `depth` (1 to 4) relations of `node`, nearest first, each once: in a level by falling weight, then by id.

    `relations` gives those with one of some nodes at either end, all or the heaviest as `Store.relations` counts them, and
    `labels` the nodes that are there and not retired. Raises InvalidInputError for another depth or a `limit` below 1.
    """
    if not 1 <= depth <= MAX_DEPTH:
        raise InvalidInputError(f"depth must be 1 to {MAX_DEPTH}, not {depth}", limit=MAX_DEPTH, actual=depth)
    if limit < 1:
        raise InvalidInputError(f"limit must be at least 1, not {limit}")
    seen, frontier = {node}, {node}
    found: list[Neighbour] = []
    for step in range(1, depth + 1):
        nodes, wanted = sorted(frontier), limit - len(found)
        heaviest = wanted + wanted // 4 + len(nodes)  # one leads back from each, others to one node or to retired ones
        edges = relations(nodes, heaviest)
        weights = sorted(each.weight for each in edges for end in (each.source, each.target) if end in frontier)
        least = weights[-heaviest] if len(weights) >= heaviest else None  # with fewer than asked for, these are all
        heavy = edges if least is None else [each for each in edges if each.weight >= least]
        level = _level(heavy, seen, frontier, labels, wanted, step)
        if least is not None and len(level) < wanted:  # any lighter relation leads to a node behind these
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
    while ordered and len(level) < wanted:  # no more labels than are wanted: a hub has thousands of ends
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
