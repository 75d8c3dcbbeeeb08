"""Finding what was changed behind the store's back: rows that their seal does not fit, and objects that are not the schema's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from typing import Any

from ai_memory.store.rules import MEND, RESTORE, changed, sealed_otherwise
from ai_memory.store.seals import Seals
from ai_memory.store.sqlite.rows import MEMORY_COLUMNS
from ai_memory.store.sqlite.rows.seals import SEALED, covered, install, reseal, source
from ai_memory.store.sqlite.schema import shipped_migrations, statements
from ai_memory.store.tombstones import Secret
from ai_memory.types import Problem

_DERIVED = ("vectors",)
_NAMED_BY = {
    "meta": ("name",),
    "revisions": ("key", f"+{MEMORY_COLUMNS.index('id')}"),
    "aliases": ("entity", "alias"),
    "relations": ("id",),
    "entities": ("id",),
    "proposals": ("id",),
    "feedback": ("id",),
    "tombstones": ("sequence",),
    "vectors": ("position", "revision"),
    "jobs": ("id",),
    "idempotency": ("key",),
}
"""The columns that name a row to people; `+N` is the column N of a revision's memory, and `number` is meant elsewhere."""

Row = tuple[Any, ...]


def seals_broken(connection: sqlite3.Connection, seals: Seals) -> Iterator[Problem]:
    """One finding for each table that has rows which their seals do not fit, with the names of some of them."""
    others = 0
    for table in SEALED:
        wrong: list[str] = []
        for row, seal in _rows(connection, table):
            if seal == seals.of(table)(row):
                continue
            if seals.is_other(seal):
                others += 1
            else:
                wrong.append(_name(table, row))
        if wrong:
            yield changed(table, wrong, MEND if table in _DERIVED else RESTORE)
    if others:
        yield sealed_otherwise(others)


def broken_vectors(connection: sqlite3.Connection, seals: Seals) -> list[int]:
    """The rowids of vectors that are not as they were stored."""
    sql = f"SELECT rowid, seal, {covered('vectors')} FROM vectors"
    return [
        rowid
        for rowid, seal, *row in connection.execute(sql)
        if seal != seals.of("vectors")(tuple(row)) and not seals.is_other(seal)
    ]


def seal_others(connection: sqlite3.Connection, seals: Seals) -> None:
    """Seal what another secret sealed, as it is now, on a connection that can seal rows."""
    for table in SEALED:
        others = {seal for row, seal in _rows(connection, table) if seals.is_other(seal)}
        for seal in others:
            reseal(connection, table, f"{table}.seal = ?", (seal,))


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[tuple[Row, Any]]:
    """What a seal covers, and the seal, of each row of a table."""
    with _any_text(connection):
        for *row, seal in connection.execute(f"SELECT {covered(table)}, {table}.seal FROM {source(table)}"):
            yield tuple(row), seal


@contextmanager
def _any_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Read texts that are not valid UTF-8 as bytes, which no seal fits."""
    before = connection.text_factory
    connection.text_factory = _text
    try:
        yield
    finally:
        connection.text_factory = before


def _text(encoded: bytes) -> str | bytes:
    try:
        return encoded.decode()
    except UnicodeDecodeError:
        return encoded


def _name(table: str, row: Row) -> str:
    columns = SEALED[table]
    parts = []
    for name in _NAMED_BY.get(table, ("number",)):
        value = row[len(columns) + int(name)] if name.startswith("+") else row[columns.index(name)]
        parts.append(value.hex() if isinstance(value, bytes) else str(value))
    return " ".join(parts)


# ── the schema ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Objects = dict[tuple[str, str], str]
"""By kind and name of a table, an index, a trigger or a view: its definition."""


def foreign_objects(connection: sqlite3.Connection) -> Iterator[Problem]:
    """What the schema has that this program did not make, and what it should have and has not."""
    found, expected = _objects(connection), _expected()
    for kind, name in sorted(found.keys() | expected.keys()):
        if found.get((kind, name)) == expected.get((kind, name)):
            continue
        if (kind, name) not in expected:
            message = f"the {kind} {name} is none of this program's"
            mend = f"look what it did, then remove it: DROP {kind.upper()} {name}"
        else:
            message = f"the {kind} {name} " + ("is missing" if (kind, name) not in found else "was changed")
            mend = RESTORE
        yield Problem(check="schema", message=message, mend=mend)


def _objects(connection: sqlite3.Connection) -> Objects:
    with _any_text(connection):
        rows = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return {
        (str(kind), str(name)): _plain(str(sql))
        for kind, name, sql in rows
        if kind in ("trigger", "view") or not str(name).startswith("sqlite_")
    }


def _plain(sql: str) -> str:
    """A definition without comments, quotes and layout, which versions of SQLite write differently."""
    lines = (line.split("--", 1)[0] for line in sql.splitlines())
    return " ".join(" ".join(lines).replace('"', "").split())


@cache
def _expected() -> Objects:
    """The objects of a new store."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        install(connection, Secret(b"new"))
        for migration in shipped_migrations():
            for statement in statements(migration.script):
                connection.execute(statement)
            if migration.then is not None:
                migration.then(connection, Secret(b"new"))
        return _objects(connection)
