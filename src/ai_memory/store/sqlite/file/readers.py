"""A small pool of read connections, so that reads run in parallel with the writer and with each other."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ai_memory.errors import StoreError
from ai_memory.store.sqlite.file.connection import snapshot, translated

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
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """A connection for a single statement, which sees a snapshot by itself."""
        if self._closed:
            raise StoreError("the store is closed", location=self._location)
        with translated(self._location):
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

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection for several statements that all see the same state."""
        with self.one() as connection, snapshot(connection):
            yield connection

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
