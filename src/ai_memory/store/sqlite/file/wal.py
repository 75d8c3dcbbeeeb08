"""Erased bytes must leave the write-ahead log and the unused parts of pages too: now, or at the next chance.

The log keeps the old images of pages until it is truncated, so a forgotten text could be read there after the commit. A forget
sets a durable mark in the same transaction, which survives a kill. It is taken off only after a checkpoint has moved everything up
to it into the file (where `secure_delete` has zeroed what was erased), has cut the log to nothing, and the pages have been
scrubbed. A reader of an older snapshot, in any process, holds that up; the mark then makes every later write, open and close
of any process try again.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from ai_memory.store.sqlite.file import meta
from ai_memory.store.sqlite.file.files import kept_descriptor
from ai_memory.store.sqlite.file.slack import scrub
from ai_memory.waiting import patiently

MARK = "wipe_pending"

FIRST_TRY_SECONDS = 0.5
"""How long a forget waits for readers of older snapshots to finish."""

RETRY_EVERY_SECONDS = 1.0

_STEP_SECONDS = 0.01


def mark(connection: sqlite3.Connection, sequence: int) -> None:
    """Note, inside a write transaction, that bytes erased by the entry `sequence` must be wiped."""
    meta.put(connection, MARK, str(sequence))


def pending(connection: sqlite3.Connection) -> str | None:
    """The mark, if there is one."""
    return meta.get(connection, MARK)


class Wiper:
    """Wipes when due; never raises, because what it follows is committed already."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(path.name + "-wal")
        self._next_try = 0.0

    def wipe(self, connection: sqlite3.Connection, *, seconds: float, urgent: bool) -> bool:
        """Try for up to `seconds`; False while something still has to be wiped. Not `urgent`: at most one try a second."""
        if not urgent and time.monotonic() < self._next_try:
            return False
        self._next_try = time.monotonic() + RETRY_EVERY_SECONDS
        deadline = time.monotonic() + seconds
        try:
            due = pending(connection)
            while due is not None and not self._wipe(connection, due):
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_STEP_SECONDS)
        except (sqlite3.Error, OSError):
            if connection.in_transaction:
                connection.rollback()
            return False
        return True

    def _wipe(self, connection: sqlite3.Connection, due: str) -> bool:
        """One try; False where a reader or another writer was in the way."""
        try:
            blocked = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError:
            return False
        if blocked:
            return False
        patiently(connection, "BEGIN IMMEDIATE", _STEP_SECONDS)
        if self._log.exists() and self._log.stat().st_size:  # another process wrote in between
            connection.rollback()
            return False
        scrub(kept_descriptor(self._path))
        # A mark set meanwhile has another value and stays. This commit also makes every other connection drop the pages
        # it has cached; our own are dropped by hand, so that no unscrubbed copy is written back.
        connection.execute("DELETE FROM meta WHERE name = ? AND value = ?", (MARK, due))
        connection.execute("COMMIT")
        connection.execute("PRAGMA shrink_memory")
        return True
