"""Vector generations, what they owe, and the vectors."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ai_memory.errors import NotFoundError
from ai_memory.store.base import StoredRevision, VectorRow
from ai_memory.store.sqlite.rows import (
    GENERATION_COLUMNS,
    RECORD_COLUMNS,
    generation,
    stored_revision,
)
from ai_memory.store.values import json_text, packed, vector
from ai_memory.types import EmbedderIdentity, Generation

_MISSING = (
    "INSERT OR IGNORE INTO owed SELECT :generation, key FROM revisions r WHERE NOT EXISTS "
    "(SELECT 1 FROM vectors v WHERE v.revision = r.key AND v.generation = :generation)"
)


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
    if row is None:
        number = connection.execute(
            "INSERT INTO generations (model, revision, prompts, dtype, dimension, state, created_at) "
            "VALUES (?, ?, ?, ?, ?, 'building', ?)",
            (*values, now),
        ).lastrowid
        connection.execute(_MISSING, {"generation": number})
    else:
        (number,) = row
        _resume(connection, number)
    assert number is not None
    if activate:
        activate_generation(connection, number)
    return find_generation(connection, number)


def activate_generation(connection: sqlite3.Connection, number: int) -> None:
    """As `Store.activate_generation`, inside a write transaction."""
    _resume(connection, number)
    connection.execute("UPDATE generations SET state = 'retired' WHERE state = 'active' AND number != ?", (number,))
    connection.execute("UPDATE generations SET state = 'active' WHERE number = ?", (number,))


def _resume(connection: sqlite3.Connection, number: int) -> None:
    """A retired generation was owed nothing while it was retired: have it owe what was written since."""
    if find_generation(connection, number).state == "retired":
        connection.execute("UPDATE generations SET state = 'building' WHERE number = ?", (number,))
        connection.execute(_MISSING, {"generation": number})


def owed(connection: sqlite3.Connection, number: int, limit: int) -> list[StoredRevision]:
    """As `Store.owed`."""
    rows = connection.execute(
        f"SELECT {RECORD_COLUMNS} FROM owed o CROSS JOIN revisions r ON r.key = o.revision "
        "CROSS JOIN memories m ON m.number = r.memory CROSS JOIN namespaces n ON n.number = r.namespace "
        "WHERE o.generation = ? ORDER BY o.revision LIMIT ?",
        (number, limit),
    )
    return [stored_revision(row) for row in rows]


def owed_count(connection: sqlite3.Connection, number: int) -> int:
    """As `Store.owed_count`."""
    return int(connection.execute("SELECT count(*) FROM owed WHERE generation = ?", (number,)).fetchone()[0])


def pay(connection: sqlite3.Connection, number: int, rows: Sequence[VectorRow], keys: Sequence[int]) -> None:
    """As `Store.pay`, inside a write transaction. Vectors these revisions had before are replaced."""
    generation_paid = find_generation(connection, number)
    blobs = packed(rows, generation_paid.embedder.dimension)
    paid = sorted({int(key) for key in keys} | {key for key, _, _ in blobs})
    connection.executemany("DELETE FROM vectors WHERE revision = ? AND generation = ?", [(key, number) for key in paid])
    connection.executemany(
        "INSERT INTO vectors (generation, revision, passage, vector) SELECT ?, key, ?, ? FROM revisions WHERE key = ?",
        [(number, passage, blob, key) for key, passage, blob in blobs],
    )
    connection.executemany(
        "DELETE FROM owed WHERE generation = ? AND revision = ?", [(number, int(key)) for key in keys]
    )


def inherit(connection: sqlite3.Connection, owing: Sequence[int], before: int, after: int) -> None:
    """Give a revision the vectors of the one before, which says the same, wherever those were paid already."""
    for number in owing:
        sql = "SELECT 1 FROM owed WHERE generation = ? AND revision = ?"
        if connection.execute(sql, (number, before)).fetchone() is None:
            connection.execute(
                "INSERT INTO vectors (generation, revision, passage, vector) "
                "SELECT generation, ?, passage, vector FROM vectors WHERE revision = ? AND generation = ?",
                (after, before, number),
            )
            connection.execute("DELETE FROM owed WHERE generation = ? AND revision = ?", (number, after))


def vectors(
    connection: sqlite3.Connection, number: int, wanted: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], NDArray[np.float32]]:
    """As `Store.vectors`."""
    asked = set(wanted)
    rows = connection.execute(
        "SELECT revision, passage, vector FROM vectors "
        "WHERE generation = ? AND revision IN (SELECT value FROM json_each(?))",
        (number, json_text(sorted({int(key) for key, _ in asked}))),
    )
    return {(key, passage): vector(blob) for key, passage, blob in rows if (key, passage) in asked}


def vector_position(connection: sqlite3.Connection, number: int) -> int:
    """As `Store.vector_position`."""
    sql = "SELECT max(position) FROM vectors INDEXED BY vectors_by_generation WHERE generation = ?"
    return int(connection.execute(sql, (number,)).fetchone()[0] or 0)


def vector_rows(connection: sqlite3.Connection, number: int, after: int, limit: int) -> tuple[list[VectorRow], int]:
    """As `Store.vector_rows`."""
    rows = connection.execute(
        "SELECT position, revision, passage, vector FROM vectors INDEXED BY vectors_by_generation "
        "WHERE generation = ? AND position > ? ORDER BY position LIMIT ?",
        (number, after, limit),
    ).fetchall()
    found = [VectorRow(key=key, passage=passage, vector=vector(blob)) for _, key, passage, blob in rows]
    return found, rows[-1][0] if rows else after
