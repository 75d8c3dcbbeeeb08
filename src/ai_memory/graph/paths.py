"""The shortest paths between two nodes of the graph, over what a backend can look up."""

from __future__ import annotations

from collections.abc import Iterator

from ai_memory.graph.walking import Labels, Relations
from ai_memory.types import Relation

MAX_REACHED = 50_000
"""Nodes reached from one end after which a search gives up."""


def shortest_paths(
    source: str, target: str, relations: Relations, labels: Labels, *, longest: int
) -> Iterator[tuple[list[str], list[Relation]]]:
    """All shortest paths of at most `longest` relations between two different nodes: the nodes and the relations of each, in order.

    None where no path is short enough, or where more than `MAX_REACHED` nodes were reached before one was found. `relations` and
    `labels` are those of `walk`: a path goes only through nodes that exist and are not retired.
    """
    for steps in _shortest(source, target, relations, labels, longest):
        nodes = [source]
        for step in steps:
            nodes.append(step.target if step.source == nodes[-1] else step.source)
        yield nodes, steps


_Steps = dict[str, list[tuple[str, Relation]]]
"""For each node reached, the nodes one step nearer to the end it was reached from, with the relations."""


def _shortest(source: str, target: str, relations: Relations, labels: Labels, longest: int) -> Iterator[list[Relation]]:
    """Level by level from both ends, the smaller level first: two searches of half the length reach far fewer nodes than one."""
    reached: tuple[_Steps, _Steps] = ({source: []}, {target: []})
    levels = [{source}, {target}]
    for _ in range(longest):
        side = 0 if len(levels[0]) <= len(levels[1]) else 1
        levels[side] = _next_level(relations, labels, levels[side], reached[side])
        if not levels[side] or len(reached[side]) > MAX_REACHED:
            return
        # A whole level is added before it is compared, so the nodes met here are in the middle of every shortest path.
        met = sorted(levels[side] & reached[1 - side].keys())
        if met:
            for middle in met:
                for before in _back(reached[0], middle):
                    for after in _back(reached[1], middle):
                        yield [*before, *reversed(after)]
            return


def _next_level(relations: Relations, labels: Labels, level: set[str], reached: _Steps) -> set[str]:
    """The nodes one relation beyond a level, added to `reached` with every relation that leads there."""
    fresh: _Steps = {}
    for edge in sorted(relations(sorted(level), None), key=lambda edge: (-edge.weight, edge.id)):
        for near, far in ((edge.source, edge.target), (edge.target, edge.source)):
            if near in level and far not in reached:
                fresh.setdefault(far, []).append((near, edge))
    there = labels(list(fresh))
    reached.update({node: steps for node, steps in fresh.items() if node in there})
    return set(there)


def _back(reached: _Steps, node: str) -> Iterator[list[Relation]]:
    """Every path from the end to a node, in the order of walking from the end."""
    if not reached[node]:
        yield []
    for before, edge in reached[node]:
        for path in _back(reached, before):
            yield [*path, edge]
