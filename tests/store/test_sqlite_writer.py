"""The writer: group commit, and every caller ends in a result or an error."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ai_memory.errors import InvalidInputError, StoreBusyError, StoreError
from ai_memory.store.sqlite.file.writer import Writer
from ai_memory.store.sqlite.store import open_sqlite_store
from tests.support.store_samples import CLOCK, kept, remember


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(tmp_path / "plain.db", isolation_level=None, check_same_thread=False, timeout=0)
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)")
    yield made
    made.close()


def insert(number: int) -> Callable[[sqlite3.Connection], int]:
    def run(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO t VALUES (?)", (number,))
        return number

    return run


def numbers(connection: sqlite3.Connection) -> list[int]:
    return [number for (number,) in connection.execute("SELECT n FROM t ORDER BY n")]


class Waiting:
    """Callers in threads, queued behind a first one that holds the writer until `release`."""

    def __init__(self, writer: Writer, works: list[Callable[[sqlite3.Connection], int]]) -> None:
        self.outcomes: dict[int, int | BaseException] = {}
        self._entered, self._go = threading.Event(), threading.Event()

        def hold(_: sqlite3.Connection) -> int:
            self._entered.set()
            assert self._go.wait(20)
            return -1

        self._threads = [self._start(writer, -1, hold)]
        assert self._entered.wait(20)
        self._threads += [self._start(writer, position, work) for position, work in enumerate(works)]
        while len(writer._waiting) < len(works):
            threading.Event().wait(0.002)

    def _start(self, writer: Writer, name: int, work: Callable[[sqlite3.Connection], int]) -> threading.Thread:
        def call() -> None:
            try:
                self.outcomes[name] = writer.submit(work)
            except BaseException as error:  # noqa: BLE001 - looked at by the test
                self.outcomes[name] = error

        thread = threading.Thread(target=call)
        thread.start()
        return thread

    def release(self) -> dict[int, int | BaseException]:
        self._go.set()
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()
        return self.outcomes


def test_those_who_wait_share_one_commit(connection: sqlite3.Connection) -> None:
    commits: list[int] = []
    writer = Writer(connection, "here", 1.0, lambda _: commits.append(1))
    outcomes = Waiting(writer, [insert(n) for n in range(10)]).release()
    assert outcomes == {n: n for n in range(-1, 10)}
    assert len(commits) == 2
    assert numbers(connection) == list(range(10))


def test_one_that_fails_does_not_take_the_others_along(connection: sqlite3.Connection) -> None:
    def fail(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO t VALUES (100)")
        raise InvalidInputError("no")

    writer = Writer(connection, "here", 1.0)
    outcomes = Waiting(writer, [insert(0), fail, insert(2), insert(2)]).release()
    assert isinstance(outcomes[1], InvalidInputError)
    assert [outcomes[0], outcomes[2]] == [0, 2] or isinstance(outcomes[2], StoreError)
    assert sum(isinstance(outcome, StoreError) for outcome in outcomes.values()) == 1
    assert numbers(connection) == [0, 2]


def test_an_interrupt_reaches_its_own_caller_and_ends_the_others_with_an_error(connection: sqlite3.Connection) -> None:
    def interrupt(_: sqlite3.Connection) -> int:
        raise KeyboardInterrupt

    writer = Writer(connection, "here", 1.0)
    outcomes = Waiting(writer, [interrupt, insert(1)]).release()
    assert all(isinstance(outcomes[n], KeyboardInterrupt | StoreError) for n in (0, 1))
    assert numbers(connection) == []
    assert writer.submit(insert(5)) == 5


def test_a_transaction_that_cannot_begin_is_everyones_error_and_passes(connection: sqlite3.Connection) -> None:
    writer = Writer(connection, "here", 0.05)
    waiting = Waiting(writer, [insert(0), insert(1)])
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def block(_: sqlite3.Connection) -> None:
        other.execute("BEGIN IMMEDIATE")

    writer._after_commit = block
    outcomes = waiting.release()
    assert [type(outcomes[n]) for n in (0, 1)] == [StoreBusyError, StoreBusyError]
    other.rollback()
    writer._after_commit = None
    assert writer.submit(insert(7)) == 7
    other.close()


def test_after_closing_nothing_is_taken(connection: sqlite3.Connection) -> None:
    writer = Writer(connection, "here", 1.0)
    writer.close()
    writer.close()
    with pytest.raises(StoreError):
        writer.submit(insert(1))


def test_a_write_waits_for_another_process_no_longer_than_it_was_told(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with open_sqlite_store(path, clock=CLOCK, busy_timeout_seconds=0.05) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError) as caught:
            store.write([remember("a")])
        assert caught.value.hint
        assert store.sequence() == 0
        other.rollback()
        other.close()
        kept(store, "a")
