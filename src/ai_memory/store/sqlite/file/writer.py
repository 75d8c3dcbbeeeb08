"""The one writer of a process: the first caller commits for all that wait (group commit).

There is one write connection. A caller queues its work; if no other is writing it takes all that is queued, carries it out in
one `BEGIN IMMEDIATE` transaction and hands every caller its result: one fsync for the whole group. Others wait and find their
work done, or lead the next group. A lone caller never changes threads (measured: docs/decisions/sqlite.md), and there is no
worker that can die while callers wait.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ai_memory.errors import StoreError
from ai_memory.store.sqlite.file.connection import translated
from ai_memory.waiting import patiently

T = TypeVar("T")

GROUP_LIMIT = 64
"""Most works in one transaction, so that the first of a group does not wait for long."""


class _Work(Generic[T]):
    """What one caller wants done, and its result or error."""

    __slots__ = ("done", "error", "result", "run")

    def __init__(self, run: Callable[[sqlite3.Connection], T]) -> None:
        self.run = run
        self.done = False
        self.result: T | None = None
        self.error: BaseException | None = None


class Writer:
    """Serialises the writes of all threads onto one connection.

    `after_commit`, if given, is called by the leading thread with the connection after each commit, outside a transaction.
    `require`, if given, is called before each transaction and after its commit, and raises where the file must not be written, or
    what was written will not be found.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        location: str,
        busy_timeout_seconds: float,
        after_commit: Callable[[sqlite3.Connection], None] | None = None,
        require: Callable[[], None] | None = None,
    ) -> None:
        self._connection = connection
        self._location = location
        self._seconds = busy_timeout_seconds
        self._after_commit = after_commit
        self._require = require or (lambda: None)
        self._turn = threading.Condition()
        self._waiting: deque[_Work[Any]] = deque()
        self._leading = False
        self._closed = False

    def submit(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out `run` inside a write transaction; its result once that is on disk.

        What `run` raises undoes its own writes only and is raised here. If the transaction cannot begin or commit, every
        caller of the group gets that error and nothing of the group was written.
        """
        work = _Work(run)
        with self._turn:
            if self._closed:
                raise StoreError("the store is closed", location=self._location)
            self._waiting.append(work)
            try:
                while self._leading and not work.done:
                    self._turn.wait()
            except BaseException:
                if work in self._waiting:  # interrupted while waiting: what the caller gave up must not be written
                    self._waiting.remove(work)
                raise
            if work.done:
                return _outcome(work)
            self._leading = True
            group: list[_Work[Any]] = []
            while self._waiting and len(group) < GROUP_LIMIT:
                group.append(self._waiting.popleft())
            if work not in group:
                self._waiting.remove(work)
                group.append(work)
        self._lead(group)
        return _outcome(work)

    def between(self, run: Callable[[sqlite3.Connection], None]) -> bool:
        """Carry out `run` outside of a transaction while nobody writes; False, and nothing done, where somebody does."""
        with self._turn:
            if self._closed or self._leading or self._waiting:
                return False
            self._leading = True
        try:
            with translated(self._location):
                run(self._connection)
        finally:
            self._hand_over([])
        return True

    def close(self, last: Callable[[sqlite3.Connection], None] | None = None) -> None:
        """Let those who wait finish, run `last`, close the connection. Closing twice is allowed."""
        with self._turn:
            while self._leading or self._waiting:
                self._turn.wait()
            if self._closed:
                return
            self._closed = True
        with translated(self._location):
            try:
                if last is not None:
                    last(self._connection)
            finally:
                self._connection.close()

    def _lead(self, group: list[_Work[Any]]) -> None:
        try:
            with translated(self._location):
                self._commit(group)
        except BaseException as error:
            for work in group:
                work.error = error
            if not isinstance(error, Exception):  # an interrupt concerns the leader alone
                for work in group:
                    work.error = StoreError("the write was interrupted; nothing was written", location=self._location)
                raise
        finally:
            self._hand_over(group)

    def _commit(self, group: list[_Work[Any]]) -> None:
        connection = self._connection
        self._require()
        patiently(connection, "BEGIN IMMEDIATE", self._seconds)
        try:
            if len(group) == 1:
                group[0].result = group[0].run(connection)
            else:
                self._run_each(group)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._require()
        if self._after_commit is not None:
            self._after_commit(connection)

    def _run_each(self, group: list[_Work[Any]]) -> None:
        # A savepoint per caller: what one of them raises undoes its own writes, while the others commit together.
        connection = self._connection
        for work in group:
            connection.execute("SAVEPOINT work")
            try:
                with translated(self._location):
                    work.result = work.run(connection)
            except Exception as error:
                if not connection.in_transaction:  # SQLite gave up the whole transaction: full device, I/O error
                    raise
                connection.execute("ROLLBACK TO work")
                work.error = error
            connection.execute("RELEASE work")

    def _hand_over(self, group: list[_Work[Any]]) -> None:
        with self._turn:
            for work in group:
                work.done = True
            self._leading = False
            self._turn.notify_all()


def _outcome(work: _Work[T]) -> T:
    if work.error is not None:
        raise work.error
    return work.result  # type: ignore[return-value]  # set by the leader whenever there is no error
