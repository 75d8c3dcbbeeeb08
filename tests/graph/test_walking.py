"""The walk over a graph: whatever a store holds back of the lighter relations, the answer is that of reading them all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from ai_memory.graph.walking import Label, walk
from ai_memory.types import Neighbour, Relation

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NODES = [f"ent_{letter}" for letter in "abcdefghij"]

edges = st.lists(
    st.builds(
        lambda number, source, target, weight: Relation(
            id=f"rel_{number}",
            namespace="default",
            source=source,
            target=target,
            type="KNOWS",
            weight=weight,
            recorded_at=AT,
        ),
        st.integers(10, 99),
        st.sampled_from(NODES),
        st.sampled_from(NODES),
        st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    ),
    max_size=40,
    unique_by=lambda edge: edge.id,
)


def ends(edge: Relation, nodes: Sequence[str]) -> int:
    return (edge.source in nodes) + (edge.target in nodes)


def touching(given_edges: Sequence[Relation], nodes: Sequence[str], heaviest: int | None) -> list[Relation]:
    """What a store gives that holds back all it may."""
    found = [edge for edge in given_edges if ends(edge, nodes)]
    weights = sorted((edge.weight for edge in found for _ in range(ends(edge, nodes))), reverse=True)
    if heaviest is None or heaviest > len(weights):
        return found
    return [edge for edge in found if edge.weight >= weights[heaviest - 1]]


def plainly(
    node: str, given_edges: Sequence[Relation], there: Mapping[str, Label], depth: int, limit: int
) -> list[Neighbour]:
    """Every relation read at every level, every node labelled, and the limit taken at the end."""
    seen, frontier, found = {node}, {node}, []
    for step in range(1, depth + 1):
        best: dict[str, Relation] = {}
        for edge in sorted(given_edges, key=lambda edge: (-edge.weight, edge.id)):
            for near, far in ((edge.source, edge.target), (edge.target, edge.source)):
                if near in frontier and far not in seen and far in there:
                    best.setdefault(far, edge)
        level = sorted(best.items(), key=lambda each: (-each[1].weight, each[0]))
        found += [
            Neighbour(id=far, kind=there[far][0], label=there[far][1], relation=edge, depth=step) for far, edge in level
        ]
        frontier = set(best)
        seen |= frontier
    return found[:limit]


@given(edges, edges, st.sets(st.sampled_from(NODES)), st.integers(1, 4), st.integers(1, 5))
def test_a_walk_over_the_heaviest_is_the_walk_over_all(
    first: list[Relation], second: list[Relation], there: set[str], depth: int, limit: int
) -> None:
    """Two stores are asked, as the service does, each of which counts for itself."""
    second = [edge for edge in second if edge.id not in {other.id for other in first}]
    known: dict[str, Label] = {node: ("entity", node.upper()) for node in there}

    def asked(nodes: Sequence[str], heaviest: int | None) -> list[Relation]:
        return touching(first, nodes, heaviest) + touching(second, nodes, heaviest)

    def mixed(nodes: Sequence[str], heaviest: int | None) -> list[Relation]:
        return touching(first, nodes, heaviest) + touching(second, nodes, None)

    def labels(nodes: Sequence[str]) -> dict[str, Label]:
        return {node: known[node] for node in nodes if node in known}

    expected = plainly(NODES[0], first + second, known, depth, limit)
    for relations in (asked, mixed):
        assert walk(NODES[0], relations, labels, depth=depth, limit=limit) == expected


def test_lighter_relations_are_asked_for_only_where_the_heaviest_do_not_do() -> None:
    hub = [
        Relation(
            id=f"rel_{number:03}",
            namespace="default",
            source=NODES[0],
            target=f"ent_{number:03}",
            type="KNOWS",
            weight=number / 1000,
            recorded_at=AT,
        )
        for number in range(1000)
    ]
    questions: list[int | None] = []

    def relations(nodes: Sequence[str], heaviest: int | None) -> list[Relation]:
        questions.append(heaviest)
        return touching(hub, nodes, heaviest)

    def labels(nodes: Sequence[str]) -> dict[str, Label]:
        return {node: ("entity", node) for node in nodes if node < least}

    least = "ent_9999"
    assert [each.id for each in walk(NODES[0], relations, labels, depth=2, limit=3)] == [
        "ent_999",
        "ent_998",
        "ent_997",
    ]
    assert len(questions) == 1
    assert questions[0] is not None
    least = "ent_100"  # the others are retired
    assert [each.id for each in walk(NODES[0], relations, labels, depth=2, limit=3)] == [
        "ent_099",
        "ent_098",
        "ent_097",
    ]
    assert questions[1:] == [questions[0], None]
