"""What a walk over the graph looks up: relations, and the labels of nodes."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence

from ai_memory.store.sqlite.reading import LATEST, relations
from ai_memory.store.values import json_text
from ai_memory.store.walking import LABEL_CHARACTERS, Label, walk
from ai_memory.types import Neighbour


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
    """As `Store.neighbours`."""
    return walk(
        node,
        lambda ids: relations(connection, namespace, ids, types, as_of),
        lambda ids: _labels(connection, namespace, ids),
        depth=depth,
        limit=limit,
    )


def _labels(connection: sqlite3.Connection, namespace: str, ids: Sequence[str]) -> dict[str, Label]:
    """Kind and label of the nodes that are there; a retired memory is not."""
    values = {"namespace": namespace, "ids": json_text(list(ids))}
    wanted = "n.name = :namespace AND {}.id IN (SELECT value FROM json_each(:ids))"
    memories = connection.execute(
        f"SELECT m.id, coalesce(r.title, substr(r.text, 1, {LABEL_CHARACTERS})) FROM namespaces n "
        "JOIN memories m ON m.namespace = n.number JOIN revisions r ON r.memory = m.number "
        f"WHERE {wanted.format('m')} AND {LATEST} AND r.retired_at IS NULL",
        values,
    )
    labels: dict[str, Label] = {memory_id: ("memory", label) for memory_id, label in memories}
    entities = connection.execute(
        f"SELECT e.id, e.name FROM namespaces n JOIN entities e ON e.namespace = n.number WHERE {wanted.format('e')}",
        values,
    )
    labels.update((entity_id, ("entity", name)) for entity_id, name in entities)
    return labels
