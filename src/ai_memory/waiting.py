"""Waiting for other processes that have a SQLite file locked."""

from __future__ import annotations

import random
import sqlite3
import time
from typing import Any

_FIRST_WAIT_SECONDS = 0.0005
_LONGEST_WAIT_SECONDS = 0.02


def _is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection is in the way and waiting can help."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)


def patiently(connection: sqlite3.Connection, sql: str, seconds: float) -> tuple[Any, ...] | None:
    """Run one statement, trying again with growing, jittered waits while another process holds the lock; its first row.

    Raises the last sqlite3 error once `seconds` have passed. SQLite's own handler waits up to 100 ms at a time, which
    starves a writer among several busy ones.
    """
    deadline = time.monotonic() + seconds
    wait = _FIRST_WAIT_SECONDS
    while True:
        try:
            row: tuple[Any, ...] | None = connection.execute(sql).fetchone()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() >= deadline:
                raise
        else:
            return row
        time.sleep(wait * (0.5 + random.random()))  # noqa: S311 - jitter, nothing secret
        wait = min(wait * 1.6, _LONGEST_WAIT_SECONDS)
