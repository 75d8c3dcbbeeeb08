"""Walking the graph outwards from one node."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence
from typing import Literal

from ai_memory.errors import InvalidInputError
from ai_memory.store.sqlite.reading import LATEST, relations
from ai_memory.store.sqlite.rows import json_text
from ai_memory.types import Neighbour, Relation

MAX_DEPTH = 4
LABEL_CHARACTERS = 80


def neighbours(
    connection: sqlite3.Connection,
    namespace: str,
    node: str,
    *,
    depth: int,
    types: Sequence[str],
    as_of: dt.datetime | None,
    limit: int,
) -> list[Neighbour]:
    """As `Store.neighbours`: level by level, in a level by falling weight and then by id."""
    if not 1 <= depth <= MAX_DEPTH:
        raise InvalidInputError(f"depth must be 1 to {MAX_DEPTH}, not {depth}", limit=MAX_DEPTH, actual=depth)
    if limit < 1:
        raise InvalidInputError(f"limit must be at least 1, not {limit}")
    seen, frontier = {node}, {node}
    found: list[Neighbour] = []
    for step in range(1, depth + 1):
        reached = _reached(relations(connection, namespace, sorted(frontier), types, as_of), seen, frontier)
        labels = _labels(connection, namespace, list(reached))
        level = [
            Neighbour(id=end, kind=labels[end][0], label=labels[end][1], relation=by, depth=step)
            for end, by in reached.items()
            if end in labels
        ]
        level.sort(key=lambda neighbour: (-neighbour.relation.weight, neighbour.id))
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


def _labels(
    connection: sqlite3.Connection, namespace: str, ids: list[str]
) -> dict[str, tuple[Literal["memory", "entity"], str]]:
    """Kind and label of the nodes that are there; a retired memory is not."""
    values = {"namespace": namespace, "ids": json_text(ids)}
    wanted = "n.name = :namespace AND {}.id IN (SELECT value FROM json_each(:ids))"
    memories = connection.execute(
        f"SELECT m.id, coalesce(r.title, substr(r.text, 1, {LABEL_CHARACTERS})) FROM namespaces n "
        "JOIN memories m ON m.namespace = n.number JOIN revisions r ON r.memory = m.number "
        f"WHERE {wanted.format('m')} AND {LATEST} AND r.retired_at IS NULL",
        values,
    )
    labels: dict[str, tuple[Literal["memory", "entity"], str]] = {
        memory_id: ("memory", label) for memory_id, label in memories
    }
    entities = connection.execute(
        f"SELECT e.id, e.name FROM namespaces n JOIN entities e ON e.namespace = n.number WHERE {wanted.format('e')}",
        values,
    )
    labels.update((entity_id, ("entity", name)) for entity_id, name in entities)
    return labels
