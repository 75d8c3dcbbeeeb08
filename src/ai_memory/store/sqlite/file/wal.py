"""Erased bytes must leave the write-ahead log and the unused parts of pages too: now, or at the next chance.

The log keeps the old images of pages until it is truncated, so a forgotten text could be read there after the commit. A forget
sets a durable mark in the same transaction, which survives a kill. It is taken off only after a checkpoint has moved everything up
to it into the file (where `secure_delete` has zeroed what was erased), has cut the log to nothing, and the pages have been
scrubbed. A reader of an older snapshot, in any process, holds that up; the mark then makes every later write, open and close
of any process try again, and the upkeep of every process every second.

The upkeep also cuts a log to nothing into which nobody has written for a while: SQLite itself never makes it smaller while the file
is open.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from ai_memory.store.sqlite.file import meta
from ai_memory.store.sqlite.file.connection import translate, translate_os
from ai_memory.store.sqlite.file.files import kept_descriptor
from ai_memory.store.sqlite.file.slack import scrub
from ai_memory.waiting import patiently

MARK = "wipe_pending"

FIRST_TRY_SECONDS = 0.5
"""How long a forget waits for readers of older snapshots to finish."""

RETRY_EVERY_SECONDS = 1.0

IDLE_SECONDS = 5.0
"""After so long without a write the log is moved into the file and cut."""

_STEP_SECONDS = 0.01


def marked(connection: sqlite3.Connection, number: int, at: int | None = None) -> str:
    """The mark that erased bytes must be wiped, to be kept in the table `meta` by the transaction that erases them.

    `number` is unlike that of every other mark of this file; `at` is the instant of the erasure, in microseconds, by default now.
    Where there is a mark already, the new one keeps its instant.
    """
    since = since_of(pending(connection)) or (time.time_ns() // 1000 if at is None else at)
    return f"{number} {since}"


def pending(connection: sqlite3.Connection) -> str | None:
    """The mark, if there is one."""
    return meta.get(connection, MARK)


def since_of(due: str | None) -> int | None:
    """The instant of the first erasure that a mark is about, in microseconds; None without one and in marks of old versions."""
    _, _, since = (due or "").partition(" ")
    return int(since) if since else None


class Wiper:
    """Wipes when due; never raises, because what it follows is committed already."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(path.name + "-wal")
        self._next_try = 0.0
        self._seen: tuple[int, int] | None = None
        """The log's size and time of change when it was last looked at."""
        self._idle_since = 0.0
        """Since when it has been so, on the monotonic clock."""
        self.failure: str | None = None
        """Why the last try failed, where that was not a reader or another writer."""

    def wipe(self, connection: sqlite3.Connection, *, seconds: float, urgent: bool) -> bool:
        """Try for up to `seconds`; False while something still has to be wiped. Not `urgent`: at most one try a second."""
        if not urgent and time.monotonic() < self._next_try:
            return False
        self._next_try = time.monotonic() + RETRY_EVERY_SECONDS
        deadline = time.monotonic() + seconds
        self.failure = None
        try:
            due = pending(connection)
            while due is not None and not self._wipe(connection, due):
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_STEP_SECONDS)
        except (sqlite3.Error, OSError) as error:
            if connection.in_transaction:
                connection.rollback()
            place = str(self._path)
            self.failure = (
                translate(error, place) if isinstance(error, sqlite3.Error) else translate_os(error, place)
            ).message
            return False
        return True

    def is_idle(self) -> bool:
        """Whether the log holds something, and has not changed for `IDLE_SECONDS`. Asked from time to time."""
        try:
            status = self._log.stat()
        except FileNotFoundError:
            return False
        seen, now = (status.st_size, status.st_mtime_ns), time.monotonic()
        if seen != self._seen:
            self._seen, self._idle_since = seen, now
        return status.st_size > 0 and now - self._idle_since >= IDLE_SECONDS

    def cut(self, connection: sqlite3.Connection) -> None:
        """Move the log into the file and cut it to nothing, unless somebody is in the way; then again after a while."""
        self._idle_since = time.monotonic()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

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
