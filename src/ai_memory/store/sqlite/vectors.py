"""Vector generations, the revisions pending in them, and the vectors."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ai_memory.errors import ConflictError, NotFoundError
from ai_memory.store.base import StoredRevision, VectorRow
from ai_memory.store.rules import packed
from ai_memory.store.seals import Seals
from ai_memory.store.sqlite.rows import (
    GENERATION_COLUMNS,
    RECORD_COLUMNS,
    generation,
    insert_into,
    stored_revision,
)
from ai_memory.store.sqlite.rows.seals import SEALED, reseal
from ai_memory.store.values import json_text, vector
from ai_memory.types import EmbedderIdentity, Generation
from ai_memory.wording.ways import CANCEL_REEMBED

_MISSING = (
    "INSERT OR IGNORE INTO owed SELECT :generation, key FROM revisions r WHERE NOT EXISTS "
    "(SELECT 1 FROM vectors v WHERE v.revision = r.key AND v.generation = :generation)"
)

_OWES_MORE = (
    "SELECT 1 FROM owed o WHERE o.generation = ? AND NOT EXISTS (SELECT 1 FROM owed a "
    "JOIN generations g ON g.number = a.generation WHERE g.state = 'active' AND a.revision = o.revision) LIMIT 1"
)

_INSERT = insert_into("vectors", (*SEALED["vectors"], "seal"))

DROPPED_AT_ONCE = 2_000
"""Vectors deleted in one transaction: some milliseconds, so that a writer hardly waits."""


def generations(connection: sqlite3.Connection) -> list[Generation]:
    """As `Store.generations`."""
    rows = connection.execute(f"SELECT {GENERATION_COLUMNS} FROM generations ORDER BY number")
    return [generation(row) for row in rows]


def find_generation(connection: sqlite3.Connection, number: int) -> Generation:
    """One generation. Raises NotFoundError."""
    sql = f"SELECT {GENERATION_COLUMNS} FROM generations WHERE number = ?"
    row = connection.execute(sql, (number,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no vector generation {number}", generation=number)
    return generation(row)


def create_generation(
    connection: sqlite3.Connection, identity: EmbedderIdentity, now: int, *, activate: bool
) -> Generation:
    """As `Store.create_generation`, inside a write transaction."""
    values = (identity.model, identity.revision, identity.prompts, identity.dtype, identity.dimension)
    row = connection.execute(
        "SELECT number FROM generations "
        "WHERE model = ? AND revision = ? AND prompts = ? AND dtype = ? AND dimension = ?",
        values,
    ).fetchone()
    if not activate:
        _refuse_two(connection, row[0] if row else None)
    if row is None:
        number = connection.execute(
            "INSERT INTO generations (model, revision, prompts, dtype, dimension, state, created_at) "
            "VALUES (?, ?, ?, ?, ?, 'building', ?)",
            (*values, now),
        ).lastrowid
        reseal(connection, "generations", "number = ?", (number,))
        connection.execute(_MISSING, {"generation": number})
    else:
        (number,) = row
        _resume(connection, number)
    assert number is not None
    if activate:
        activate_generation(connection, number)
    return find_generation(connection, number)


def activate_generation(connection: sqlite3.Connection, generation: int, *, complete: bool = False) -> bool:
    """As `Store.activate_generation`, inside a write transaction."""
    state = find_generation(connection, generation).state
    if complete and (state == "retired" or connection.execute(_OWES_MORE, (generation,)).fetchone() is not None):
        return state == "active"
    _resume(connection, generation)
    connection.execute("UPDATE generations SET state = 'retired' WHERE state = 'active' AND number != ?", (generation,))
    connection.execute("UPDATE generations SET state = 'active' WHERE number = ?", (generation,))
    reseal(connection, "generations")
    connection.execute("DELETE FROM owed WHERE generation IN (SELECT number FROM generations WHERE state = 'retired')")
    return True


def retire_generation(connection: sqlite3.Connection, generation: int) -> None:
    """As `Store.retire_generation`, inside a write transaction."""
    if find_generation(connection, generation).state == "active":
        raise ConflictError(
            f"vector generation {generation} is in use", hint="switch to another one first", generation=generation
        )
    connection.execute("UPDATE generations SET state = 'retired' WHERE number = ?", (generation,))
    reseal(connection, "generations", "number = ?", (generation,))
    connection.execute("DELETE FROM owed WHERE generation = ?", (generation,))


def drop_some(connection: sqlite3.Connection, number: int) -> bool:
    """Delete some vectors of a retired generation, inside a write transaction; whether it is gone with all of them."""
    state = find_generation(connection, number).state
    if state != "retired":
        raise ConflictError(
            f"vector generation {number} is {state}; only one that is set aside can be deleted",
            hint="switch to another one, or cancel what is being built, first",
            generation=number,
        )
    deleted = connection.execute(
        "DELETE FROM vectors WHERE position IN "
        "(SELECT position FROM vectors INDEXED BY vectors_by_generation WHERE generation = ? LIMIT ?)",
        (number, DROPPED_AT_ONCE),
    ).rowcount
    if deleted == DROPPED_AT_ONCE:
        return False
    connection.execute("DELETE FROM owed WHERE generation = ?", (number,))
    connection.execute("DELETE FROM generations WHERE number = ?", (number,))
    return True


def _refuse_two(connection: sqlite3.Connection, number: int | None) -> None:
    """Raise where a generation other than `number` is being built."""
    sql = "SELECT number FROM generations WHERE state = 'building' AND number IS NOT ?"
    other = connection.execute(sql, (number,)).fetchone()
    if other is not None:
        (building,) = other
        raise ConflictError(
            f"vector generation {building} is being built; one is built at a time",
            hint=CANCEL_REEMBED.after("let it finish, or "),
            generation=building,
        )


def _resume(connection: sqlite3.Connection, number: int) -> None:
    """Nothing became pending in a generation while it was retired: add what was written since."""
    if find_generation(connection, number).state == "retired":
        connection.execute("UPDATE generations SET state = 'building' WHERE number = ?", (number,))
        reseal(connection, "generations", "number = ?", (number,))
        connection.execute(_MISSING, {"generation": number})


def pending(connection: sqlite3.Connection, generation: int, *, limit: int, after: int = 0) -> list[StoredRevision]:
    """As `Store.pending`."""
    rows = connection.execute(
        f"SELECT {RECORD_COLUMNS} FROM owed o CROSS JOIN revisions r ON r.key = o.revision "
        "CROSS JOIN memories m ON m.number = r.memory CROSS JOIN namespaces n ON n.number = r.namespace "
        "WHERE o.generation = ? AND o.revision > ? ORDER BY o.revision LIMIT ?",
        (generation, after, limit),
    )
    return [stored_revision(row) for row in rows]


def pending_count(connection: sqlite3.Connection, generation: int) -> int:
    """As `Store.pending_count`."""
    return int(connection.execute("SELECT count(*) FROM owed WHERE generation = ?", (generation,)).fetchone()[0])


def put_vectors(
    connection: sqlite3.Connection, seals: Seals, generation: int, rows: Sequence[VectorRow], keys: Sequence[int]
) -> None:
    """As `Store.put_vectors`, inside a write transaction. Vectors these revisions had before are replaced."""
    target = find_generation(connection, generation)
    blobs = packed(rows, target.embedder.dimension)
    done = sorted({int(key) for key in keys} | {key for key, _, _ in blobs})
    connection.executemany(
        "DELETE FROM vectors WHERE revision = ? AND generation = ?", [(key, generation) for key in done]
    )
    kept = _existing(connection, [key for key, _, _ in blobs])
    insert_vectors(connection, seals, [(generation, *row) for row in blobs if row[0] in kept])
    connection.executemany(
        "DELETE FROM owed WHERE generation = ? AND revision = ?", [(generation, int(key)) for key in keys]
    )


def _existing(connection: sqlite3.Connection, keys: Sequence[int]) -> set[int]:
    """Those of the keys that revisions have: the others were erased meanwhile."""
    sql = "SELECT key FROM revisions WHERE key IN (SELECT value FROM json_each(?))"
    return {key for (key,) in connection.execute(sql, (json_text(sorted(set(keys))),))}


def insert_vectors(connection: sqlite3.Connection, seals: Seals, rows: Sequence[tuple[int, int, int, bytes]]) -> None:
    """Insert vectors, (generation, key, passage, bytes) each, at the next positions, inside a write transaction."""
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'vectors'").fetchone()
    first = 1 if last is None else last[0] + 1
    seal = seals.of("vectors")
    placed = [(position, *row) for position, row in enumerate(rows, start=first)]
    connection.executemany(_INSERT, [(*row, seal(row)) for row in placed])


def inherit(connection: sqlite3.Connection, generations: Sequence[int], before: int, after: int) -> None:
    """Give a revision the vectors of the one before, which says the same, in each generation that has them."""
    for number in generations:
        sql = "SELECT 1 FROM owed WHERE generation = ? AND revision = ?"
        if connection.execute(sql, (number, before)).fetchone() is None:
            connection.execute(
                "INSERT INTO vectors (generation, revision, passage, vector) "
                "SELECT generation, ?, passage, vector FROM vectors WHERE revision = ? AND generation = ?",
                (after, before, number),
            )
            reseal(connection, "vectors", "revision = ? AND generation = ?", (after, number))
            connection.execute("DELETE FROM owed WHERE generation = ? AND revision = ?", (number, after))


def vectors(
    connection: sqlite3.Connection, generation: int, wanted: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], NDArray[np.float32]]:
    """As `Store.vectors`."""
    asked = set(wanted)
    rows = connection.execute(
        "SELECT revision, passage, vector FROM vectors "
        "WHERE generation = ? AND revision IN (SELECT value FROM json_each(?))",
        (generation, json_text(sorted({int(key) for key, _ in asked}))),
    )
    return {(key, passage): vector(blob) for key, passage, blob in rows if (key, passage) in asked}


def vector_position(connection: sqlite3.Connection, generation: int) -> int:
    """As `Store.vector_position`."""
    sql = "SELECT max(position) FROM vectors INDEXED BY vectors_by_generation WHERE generation = ?"
    return int(connection.execute(sql, (generation,)).fetchone()[0] or 0)


def vector_rows(
    connection: sqlite3.Connection, generation: int, *, after: int = 0, limit: int = 10_000
) -> tuple[list[VectorRow], int]:
    """As `Store.vector_rows`."""
    rows = connection.execute(
        "SELECT position, revision, passage, vector FROM vectors INDEXED BY vectors_by_generation "
        "WHERE generation = ? AND position > ? ORDER BY position LIMIT ?",
        (generation, after, limit),
    ).fetchall()
    found = [VectorRow(key=key, passage=passage, vector=vector(blob)) for _, key, passage, blob in rows]
    return found, max((position for position, *_ in rows), default=after)
