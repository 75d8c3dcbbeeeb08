"""The table `meta`: what is known of the store as a whole, one text under each name."""

from __future__ import annotations

import sqlite3

_PUT = "INSERT OR REPLACE INTO meta (name, value, seal) VALUES (?1, ?2, seal('meta', ?1, ?2))"


def put(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Keep a text under a name, in place of the one before, on a connection that can seal rows."""
    connection.execute(_PUT, (name, value))


def get(connection: sqlite3.Connection, name: str) -> str | None:
    """The text under a name, None where there is none."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])
