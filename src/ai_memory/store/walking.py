"""Walking the graph outwards from one node, over what a backend can look up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from ai_memory.errors import InvalidInputError
from ai_memory.types import Neighbour, Relation

MAX_DEPTH = 4
LABEL_CHARACTERS = 80

Label = tuple[Literal["memory", "entity"], str]
"""What a node is, and what people call it."""


def label_of(title: str | None, text: str) -> str:
    """What a memory is called: its title, or how its text begins."""
    return text[:LABEL_CHARACTERS] if title is None else title


def walk(
    node: str,
    relations: Callable[[Sequence[str]], Sequence[Relation]],
    labels: Callable[[Sequence[str]], Mapping[str, Label]],
    *,
    depth: int,
    limit: int,
) -> list[Neighbour]:
    """Nodes within `depth` (1 to 4) relations of `node`, nearest first, each once: in a level by falling weight, then by id.

    `relations` gives those with one of some nodes at either end, `labels` the nodes that are there and not retired. Raises
    InvalidInputError for another depth or a `limit` below 1.
    """
    if not 1 <= depth <= MAX_DEPTH:
        raise InvalidInputError(f"depth must be 1 to {MAX_DEPTH}, not {depth}", limit=MAX_DEPTH, actual=depth)
    if limit < 1:
        raise InvalidInputError(f"limit must be at least 1, not {limit}")
    seen, frontier = {node}, {node}
    found: list[Neighbour] = []
    for step in range(1, depth + 1):
        reached = _reached(relations(sorted(frontier)), seen, frontier)
        ordered = sorted(reached.items(), key=lambda each: (-each[1].weight, each[0]))
        level: list[Neighbour] = []
        while (
            ordered and len(found) + len(level) < limit
        ):  # no more labels than are wanted: a hub has thousands of ends
            piece, ordered = ordered[:limit], ordered[limit:]
            named = labels([end for end, _ in piece])
            level += [
                Neighbour(id=end, kind=named[end][0], label=named[end][1], relation=by, depth=step)
                for end, by in piece
                if end in named
            ]
        found.extend(level)
        frontier = {neighbour.id for neighbour in level}
        seen |= frontier
        if not frontier or len(found) >= limit:
            break
    return found[:limit]


def _reached(edges: Sequence[Relation], seen: set[str], frontier: set[str]) -> dict[str, Relation]:
    """The new nodes at the far ends of some edges, each with the heaviest edge (then the smallest id) that leads there."""
    best: dict[str, Relation] = {}
    for edge in sorted(edges, key=lambda edge: (-edge.weight, edge.id)):
        for near, far in ((edge.source, edge.target), (edge.target, edge.source)):
            if near in frontier and far not in seen:
                best.setdefault(far, edge)
    return best
