"""The shortest paths between two nodes, against all simple paths of a small graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.graph import paths
from ai_memory.graph.paths import shortest_paths
from ai_memory.graph.walking import Label
from ai_memory.types import Relation
from tests.graph.test_walking import AT, NODES, edges, touching


def simple_paths(given_edges: Sequence[Relation], path: list[str], target: str) -> Iterator[tuple[str, ...]]:
    """Every path to `target` that meets no node twice, as nodes and relations in turn."""
    if path[-1] == target:
        yield tuple(path)
        return
    for edge in given_edges:
        for near, far in ((edge.source, edge.target), (edge.target, edge.source)):
            if near == path[-1] and far not in path:
                yield from simple_paths(given_edges, [*path, edge.id, far], target)


def found(given_edges: Sequence[Relation], retired: set[str], longest: int) -> list[tuple[str, ...]]:
    def labels(nodes: Sequence[str]) -> Mapping[str, Label]:
        return {node: ("entity", node) for node in nodes if node not in retired}

    given_paths = shortest_paths(
        NODES[0], NODES[1], lambda nodes, most: touching(given_edges, nodes, most), labels, longest=longest
    )
    made = []
    for nodes, steps in given_paths:
        assert len(nodes) == len(steps) + 1
        made.append((*(part for node, step in zip(nodes, steps, strict=False) for part in (node, step.id)), nodes[-1]))
    return made


@given(edges.map(lambda many: many[:14]), st.sets(st.sampled_from(NODES[2:]), max_size=3), st.integers(1, 6))
def test_all_shortest_paths_are_found_and_no_other(
    given_edges: list[Relation], retired: set[str], longest: int
) -> None:
    kept = [edge for edge in given_edges if not {edge.source, edge.target} & retired]
    every = list(simple_paths(kept, [NODES[0]], NODES[1]))
    least = min(map(len, every), default=0)
    wanted = [path for path in every if len(path) == least and len(path) // 2 <= longest]
    assert sorted(found(given_edges, retired, longest)) == sorted(wanted)


def test_a_search_that_reaches_too_many_nodes_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    line = [
        Relation(id=f"rel_{at}", namespace="default", source=near, target=far, type="KNOWS", recorded_at=AT)
        for at, (near, far) in enumerate([(NODES[0], NODES[2]), (NODES[2], NODES[3]), (NODES[3], NODES[1])])
    ]
    assert len(found(line, set(), 3)) == 1
    monkeypatch.setattr(paths, "MAX_REACHED", 1)
    assert found(line, set(), 3) == []
