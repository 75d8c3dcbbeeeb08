"""Seals of the tables' rows: which columns they cover, and the SQL function `seal(table, value, …)` of connections that write."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from ai_memory.store.seals import Seals
from ai_memory.store.sqlite.rows import (
    ENTITY_ROW,
    FEEDBACK_ROW,
    GENERATION_ROW,
    JOB_COLUMNS,
    MEMORY_COLUMNS,
    PROPOSAL_ROW,
    RELATION_ROW,
    REVISION_COLUMNS,
)
from ai_memory.store.tombstones import Secret

SEALED: dict[str, tuple[str, ...]] = {
    "meta": ("name", "value"),
    "namespaces": ("number", "name"),
    "revisions": REVISION_COLUMNS,
    "entities": ENTITY_ROW,
    "aliases": ("entity", "alias", "folded"),
    "relations": RELATION_ROW,
    "proposals": PROPOSAL_ROW,
    "feedback": FEEDBACK_ROW,
    "tombstones": ("namespace", "digest", "sealed", "salt", "sequence"),
    "generations": GENERATION_ROW,
    "vectors": ("position", "generation", "revision", "passage", "vector"),
    "jobs": JOB_COLUMNS,
    "idempotency": ("key", "namespace", "request_digest", "response", "memories", "at"),
}
"""The columns of each table with seals, all but the seal. A revision's seal covers its memory's row as well (`MEMORY_COLUMNS`).

The other tables need none: the log has its chain, and `tags` and `owed` follow from revisions and vectors.
"""


def install(connection: sqlite3.Connection, secret: Secret) -> Seals:
    """Give a connection the SQL function `seal`; what makes the seals."""
    seals = Seals(secret)

    def seal(table: str, *values: Any) -> bytes:
        return seals.of(table)(values)

    connection.create_function("seal", -1, seal, deterministic=True)
    return seals


def insert_sealed(table: str, *, verb: str = "INSERT") -> str:
    """The statement that inserts a row of the columns in `SEALED` and seals it."""
    marks = ", ".join(f"?{place}" for place, _ in enumerate(SEALED[table], start=1))
    return f"{verb} INTO {table} ({', '.join(SEALED[table])}, seal) VALUES ({marks}, seal('{table}', {marks}))"


def covered(table: str, columns: Sequence[str] | None = None) -> str:
    """All that a seal covers, or would cover with these columns, to be selected `FROM` what `source` gives."""
    values = [f"{table}.{name}" for name in columns or SEALED[table]]
    return ", ".join(values + [f"memories.{name}" for name in MEMORY_COLUMNS] * (table == "revisions"))


def source(table: str) -> str:
    """The table, and for revisions their memories."""
    return "revisions LEFT JOIN memories ON memories.number = revisions.memory" if table == "revisions" else table


def reseal(connection: sqlite3.Connection, table: str, where: str = "TRUE", values: Any = ()) -> None:
    """Seal the rows that were changed, or inserted without a seal."""
    values_sealed = f"seal('{table}', {covered(table)})"
    if table == "revisions":
        where = f"memories.number = revisions.memory AND ({where})"
        connection.execute(f"UPDATE revisions SET seal = {values_sealed} FROM memories WHERE {where}", values)
    else:
        connection.execute(f"UPDATE {table} SET seal = {values_sealed} WHERE {where}", values)


ADDED: dict[int, dict[str, tuple[str, ...]]] = {9: {"revisions": ("expires_at", "pinned")}}
"""By the number of a migration, the columns that it adds to what seals of earlier rows cover."""
_FIRST = 7
"""The migration that brought seals."""


def seal_upgraded(connection: sqlite3.Connection, version: int) -> None:
    """Seal the rows of a store that was brought to the newest schema from `version`, since seals cover its columns.

    A row without a seal is sealed as it is: what was changed in it before cannot be seen. One with a seal gets another where
    that fits what it covered, so that what was changed behind the store's back is still found.
    """
    if version < _FIRST:
        for table in SEALED:
            reseal(connection, table)
        return
    added: dict[str, set[str]] = {}
    for number, tables in ADDED.items():
        if number > version:
            for table, columns in tables.items():
                added.setdefault(table, set()).update(columns)
    for table, new in added.items():
        before = [name for name in SEALED[table] if name not in new]
        reseal(connection, table, f"{table}.seal = seal('{table}', {covered(table, before)})")
