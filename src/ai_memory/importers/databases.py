"""SQLite databases of foreign programs: opened to read only, never written, whatever state they were left in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ai_memory.errors import InvalidInputError

_MARK = b"SQLite format 3\0"


def is_database(path: Path) -> bool:
    """Whether a file begins as an SQLite database does."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MARK)) == _MARK
    except OSError:
        return False


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads. Raises InvalidInputError for what is no database, or is damaged."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.text_factory = _text
            yield connection
    except sqlite3.Error as error:
        raise InvalidInputError(
            f"{path.name} cannot be read as an SQLite database: {error}",
            hint="close the program that uses it, or copy the file together with its -wal file",
        ) from None


def columns(path: Path) -> dict[str, set[str]]:
    """The names of the tables in a database, each with those of its columns; empty for what is no database that can be read."""
    if not is_database(path):
        return {}
    try:
        with opened(path) as connection:
            tables = [row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {
                name: {row["name"] for row in connection.execute("SELECT name FROM pragma_table_xinfo(?)", (name,))}
                for name in tables
            }
    except InvalidInputError:
        return {}


def has(path: Path, table: str, *names: str) -> bool:
    """Whether a file is a database with this table and these columns."""
    return set(names) <= columns(path).get(table, set()) if names else table in columns(path)


def rows(connection: sqlite3.Connection, statement: str) -> Iterator[dict[str, Any]]:
    """The rows of a query as objects."""
    return (dict(row) for row in connection.execute(statement))


def json_in(value: object) -> Any:
    """The JSON in a column; None where there is none."""
    if not isinstance(value, str | bytes) or not value:
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def object_in(value: object) -> dict[str, Any]:
    """The JSON object in a column; empty where there is none."""
    found = json_in(value)
    return found if isinstance(found, dict) else {}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
