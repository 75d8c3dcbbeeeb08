"""A small pool of read connections, so that reads run in parallel with the writer and with each other."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar
from weakref import WeakSet

from ai_memory.errors import MemoryServiceError, StoreError
from ai_memory.store.sqlite.file.connection import FAILURES, as_ours, snapshot

T = TypeVar("T")

IDLE_LIMIT = 8
"""Most connections kept open while nothing is read; each may hold a page cache."""


class Readers:
    """Lends connections for reading; `open_one` makes another when all are lent."""

    def __init__(
        self,
        open_one: Callable[[], sqlite3.Connection],
        location: str,
        require: Callable[[], None] | None = None,
    ) -> None:
        """`require` raises where the file must not be read; asked each time before a connection is lent."""
        self._require = require
        self._open_one = open_one
        self._location = location
        self._idle: list[sqlite3.Connection] = []
        self._streams: WeakSet[Stream[object]] = WeakSet()
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """A connection for a single statement, which sees a snapshot by itself."""
        if self._closed:
            raise StoreError("the store is closed", location=self._location)
        try:
            if self._require is not None:
                self._require()
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._open_one()
            try:
                yield connection
            finally:
                self._take_back(connection)
        except FAILURES as error:  # not `translated`: every read passes here, and one context less is felt
            raise as_ours(error, self._location) from error

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection for several statements that all see the same state."""
        with self.one() as connection, snapshot(connection):
            yield connection

    def stream(self, read: Callable[[sqlite3.Connection], Iterator[T]]) -> Stream[T]:
        """What `read` gives of one snapshot, which is held from the first item until the last, or until the stream is ended."""

        def rows() -> Generator[T]:
            with self.snapshot() as connection:
                yield from read(connection)

        made = Stream(rows())
        self._streams.add(made)  # type: ignore[arg-type]  # only looked at, never asked for an item
        return made

    def streams(self) -> list[Stream[object]]:
        """The streams of this process that hold a snapshot now."""
        return [each for each in list(self._streams) if each.began is not None]

    def close(self) -> None:
        """Close the idle connections; those that are lent close when they come back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _take_back(self, connection: sqlite3.Connection) -> None:
        if self._closed or len(self._idle) >= IDLE_LIMIT:
            connection.close()
        else:
            self._idle.append(connection)


class Stream(Generic[T]):
    """Items of one snapshot, at the pace of its reader; another thread may end it between two items."""

    def __init__(self, rows: Generator[T]) -> None:
        self._rows = rows
        self._turn = threading.Lock()
        """Held while an item is read."""
        self._error: MemoryServiceError | None = None
        self.began: float | None = None
        """When the snapshot was taken, on the monotonic clock; None before that, and after its end."""
        self.asked = 0.0
        """When it was last asked for an item, on the monotonic clock."""

    def __iter__(self) -> Stream[T]:
        return self

    def __next__(self) -> T:
        with self._turn:
            if self._error is not None:
                raise self._error
            self.asked = time.monotonic()
            self.began = self.began or self.asked
            try:
                return next(self._rows)
            except BaseException:
                self.began = None
                raise

    def close(self) -> None:
        """Let the snapshot go. Closing twice is allowed."""
        with self._turn:
            self._end()

    def end(self, error: MemoryServiceError) -> bool:
        """Let the snapshot go and raise `error` for the next item; False, and nothing done, while an item is being read."""
        if not self._turn.acquire(blocking=False):
            return False
        try:
            self._error = error
            self._end()
        finally:
            self._turn.release()
        return True

    def _end(self) -> None:
        self._rows.close()
        self.began = None
