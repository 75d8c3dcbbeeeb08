"""The vectors of a generation: storing, reading, following.

A vector is kept as bytes, which come back exactly and fast, and as a list of numbers under a label of its generation, which
Neo4j's vector index reads. Only those who ask in Cypher use that index: the service searches in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ai_memory.store.base import StoredRevision, VectorRow
from ai_memory.store.neo4j.database.connection import Connection
from ai_memory.store.neo4j.nodes import RECORD, stored_revision
from ai_memory.store.neo4j.transaction import Transaction
from ai_memory.store.rules import packed
from ai_memory.store.values import vector

_INSERTED = (
    "UNWIND $rows AS row MATCH (r:Revision {key: row[0]}) CREATE (r)-[:HAS_VECTOR]->(v:Vector:$($label)) SET v = row[1]"
)
_REPLACED = "UNWIND $rows AS row MATCH (v:Vector {generation: $generation, key: row}) DETACH DELETE v"
_STRUCK = "UNWIND $rows AS row MATCH (o:Owed {generation: $generation, key: row}) DELETE o"
_PRESENT = "UNWIND $rows AS row MATCH (r:Revision {key: row}) RETURN r.key, r.namespace"
_ADVANCED = "MATCH (g:Generation {number: $generation}) SET g.position = g.position + $count RETURN g.position - $count"
_INHERITED = (
    "UNWIND $rows AS row WITH row WHERE NOT EXISTS { (:Owed {generation: $generation, key: row[0]}) } "
    "OPTIONAL MATCH (v:Vector {generation: $generation, key: row[0]}) "
    "WITH row, v ORDER BY row[1], v.passage RETURN row[1], v.passage, v.vector"
)


def label(generation: int) -> str:
    """The label of one generation's vectors, which its vector index covers."""
    return f"Vector_{generation}"


def index_name(generation: int) -> str:
    """The name of the vector index of a generation."""
    return f"ai_memory_vectors_{generation}"


def put_vectors(
    transaction: Transaction, generation: int, dimension: int, rows: Sequence[VectorRow], keys: Sequence[int]
) -> None:
    """As `Store.put_vectors`, inside a write transaction. Vectors these revisions had before are replaced."""
    blobs = packed(rows, dimension)
    done = sorted({int(key) for key in keys} | {key for key, _, _ in blobs})
    transaction.in_pieces(_REPLACED, done, generation=generation)
    insert(transaction, generation, blobs)
    transaction.in_pieces(_STRUCK, [int(key) for key in keys], generation=generation)


def insert(transaction: Transaction, generation: int, blobs: Sequence[tuple[int, int, bytes]]) -> None:
    """Add vectors as (key, passage, bytes), in this order, of those revisions that are there."""
    namespaces: dict[int, str] = {}
    namespaces.update(transaction.looked_up(_PRESENT, sorted({key for key, _, _ in blobs})))  # type: ignore[arg-type]
    blobs = [blob for blob in blobs if blob[0] in namespaces]
    if not blobs:
        return
    ((position,),) = transaction.rows(_ADVANCED, generation=generation, count=len(blobs))
    transaction.reseal("Generation", "UNWIND $rows AS row MATCH (n:Generation {number: row})", [generation])
    made = [
        {
            "generation": generation,
            "key": key,
            "passage": passage,
            "position": number,
            "vector": blob,
            "embedding": vector(blob).tolist(),
            "namespace": namespaces[key],
        }
        for number, (key, passage, blob) in enumerate(blobs, start=position + 1)
    ]
    rows = [(each["key"], transaction.sealed("Vector", each)) for each in made]
    transaction.in_pieces(_INSERTED, rows, label=label(generation))


def inherit(transaction: Transaction, pairs: Sequence[tuple[int, int]]) -> None:
    """Give revisions the vectors of those before them, which say the same, in each generation that has them."""
    if not pairs:
        return
    for generation in transaction.open_generations:
        found = transaction.looked_up(_INHERITED, pairs, generation=generation)
        blobs = [(key, passage, blob) for key, passage, blob in found if blob is not None]
        insert(transaction, generation, blobs)
        transaction.in_pieces(_STRUCK, sorted({key for key, _, _ in found}), generation=generation)


def pending(connection: Connection, generation: int, *, limit: int, after: int = 0) -> list[StoredRevision]:
    """As `Store.pending`."""
    rows = connection.read(
        "MATCH (o:Owed) WHERE o.generation = $generation AND o.key > $after WITH o ORDER BY o.key LIMIT $limit "
        f"MATCH (r:Revision {{key: o.key}}) RETURN {RECORD} ORDER BY r.key",
        generation=generation,
        after=after,
        limit=limit,
    )
    return [stored_revision(row) for row in rows]


def pending_count(connection: Connection, generation: int) -> int:
    """As `Store.pending_count`."""
    rows = connection.read("MATCH (o:Owed {generation: $generation}) RETURN count(o)", generation=generation)
    return int(rows[0][0])


def vectors(
    connection: Connection, generation: int, wanted: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], NDArray[np.float32]]:
    """As `Store.vectors`."""
    asked = [(int(key), int(passage)) for key, passage in dict.fromkeys(wanted)]
    rows = connection.read_whole(
        "UNWIND $asked AS row MATCH (v:Vector {generation: $generation, key: row[0], passage: row[1]})",
        "v.key, v.passage, v.vector",
        generation=generation,
        asked=asked,
    )
    return {(key, passage): vector(blob) for key, passage, blob in rows}


def vector_position(connection: Connection, generation: int) -> int:
    """As `Store.vector_position`."""
    rows = connection.read("MATCH (g:Generation {number: $generation}) RETURN g.position", generation=generation)
    return int(rows[0][0]) if rows else 0


def positions(connection: Connection, generation: int | None) -> tuple[int, int]:
    """As `Store.positions`."""
    ((sequence, position),) = connection.read(
        "MATCH (s:Store {only: true}) OPTIONAL MATCH (g:Generation {number: $generation}) "
        "RETURN s.sequence, coalesce(g.position, 0)",
        generation=generation,
    )
    return int(sequence), int(position)


def vector_rows(
    connection: Connection, generation: int, *, after: int = 0, limit: int = 10_000
) -> tuple[list[VectorRow], int]:
    """As `Store.vector_rows`.

    The end is read under the store's lock: all up to there can be read by everyone, while of what is being committed now a
    later vector may be seen before an earlier one, which a follower would miss.
    """
    if vector_position(connection, generation) <= after:
        return [], after
    with connection.holding() as read:
        ((end,),) = read("MATCH (g:Generation {number: $generation}) RETURN g.position", generation=generation)
    rows = connection.read(
        "MATCH (v:Vector) WHERE v.generation = $generation AND $after < v.position <= $end "
        "RETURN v.position, v.key, v.passage, v.vector ORDER BY v.position LIMIT $limit",
        generation=generation,
        after=after,
        end=end,
        limit=limit,
    )
    found = [VectorRow(key=key, passage=passage, vector=vector(blob)) for _, key, passage, blob in rows]
    return found, rows[-1][0] if rows else after
