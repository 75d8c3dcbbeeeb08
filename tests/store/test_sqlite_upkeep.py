"""The upkeep of a SQLite store: wipes that had to wait are done, readers that stand in the way end, and an idle log is cut."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ai_memory.clock import ManualClock
from ai_memory.errors import RequestTimeoutError
from ai_memory.store.sqlite import store as sqlite_store
from ai_memory.store.sqlite.file import wal
from ai_memory.store.sqlite.store import SqliteStore, open_sqlite_store
from tests.store.test_sqlite_forgetting import raw
from tests.support.store_samples import CLOCK, START, forget, kept, one

UNREAD = 0.2


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "FIRST_TRY_SECONDS", 0.05)
    monkeypatch.setattr(wal, "RETRY_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(sqlite_store, "UNREAD_SECONDS", UNREAD)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def _filled(store: SqliteStore) -> None:
    for number in range(5):
        kept(store, f"other {number}")


def test_a_reader_that_does_not_read_on_is_ended_so_that_forgotten_bytes_go(path: Path) -> None:
    """Before, one export that nobody read to the end kept forgotten texts on disk for as long as it liked, unseen."""
    clock = ManualClock(START)
    with open_sqlite_store(path, clock=clock) as store:
        _filled(store)
        record = kept(store, "WIPETEXT")
        stalled, fresh = store.export(), store.export()
        next(stalled)
        one(store, forget(record))
        found = store.unwiped()
        assert found is not None
        assert found.since is not None
        assert dt.timedelta(0) <= found.since - START < dt.timedelta(seconds=1)
        assert "export" in found.why
        store.upkeep()
        assert store.unwiped() is not None, "it is given some time"
        assert b"WIPETEXT" in raw(path)
        time.sleep(UNREAD * 1.5)
        assert next(fresh) is not None, "one that is read is not ended"
        store.upkeep()
        assert next(fresh) is not None
        fresh.close()  # type: ignore[attr-defined]
        store.upkeep()
        assert store.unwiped() is None
        assert b"WIPETEXT" not in raw(path)
        with pytest.raises(RequestTimeoutError, match="was not read for") as ended:
            next(stalled)
        assert ended.value.hint
        with pytest.raises(RequestTimeoutError):
            next(stalled)
        assert len(list(store.export())) == 5, "another one works"


def test_a_reader_that_reads_slowly_is_ended_after_a_longer_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_store, "LONGEST_SECONDS", 0.4)
    with open_sqlite_store(path, clock=CLOCK) as store:
        for number in range(200):
            kept(store, f"other {number}")
        reading = store.export()
        next(reading)
        one(store, forget(kept(store, "WIPETEXT")))
        begun = time.monotonic()
        with pytest.raises(RequestTimeoutError, match="to its end"):
            for _ in reading:
                store.upkeep()
                time.sleep(UNREAD / 10)
        assert 0.3 < time.monotonic() - begun < 3
        store.upkeep()
        assert (store.unwiped(), b"WIPETEXT" in raw(path)) == (None, False)


def test_where_nothing_was_forgotten_a_reader_may_take_its_time(path: Path) -> None:
    with open_sqlite_store(path, clock=CLOCK) as store:
        _filled(store)
        reading = store.export()
        next(reading)
        time.sleep(UNREAD * 1.5)
        store.upkeep()
        assert len(list(reading)) == 4


def test_a_second_forget_keeps_the_first_ones_time(path: Path) -> None:
    clock = ManualClock(START)
    with open_sqlite_store(path, clock=clock) as store:
        first, second = kept(store, "first"), kept(store, "second")
        reading = store.export()
        next(reading)
        one(store, forget(first))
        clock.advance(dt.timedelta(minutes=1))
        one(store, forget(second))
        found = store.unwiped()
        assert found is not None
        assert found.since is not None
        assert found.since - START < dt.timedelta(seconds=1)
        reading.close()  # type: ignore[attr-defined]


READS = """
import sys
from pathlib import Path
from ai_memory.clock import SystemClock
from ai_memory.store.sqlite.store import open_sqlite_store
store = open_sqlite_store(Path(sys.argv[1]), clock=SystemClock())
reading = store.export()
next(reading)
print("reading", flush=True)
sys.stdin.readline()
"""


def test_a_wipe_that_waits_for_another_process_is_said_survives_a_restart_and_is_done_after_it(path: Path) -> None:
    with open_sqlite_store(path, clock=CLOCK) as store:
        _filled(store)
        record = kept(store, "WIPETEXT")
        with subprocess.Popen(
            [sys.executable, "-c", READS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            assert other.stdin is not None
            assert other.stdout.readline() == "reading\n"
            one(store, forget(record))
            found = store.unwiped()
            assert found is not None
            assert "another process" in found.why
            store.close()
            with open_sqlite_store(path, clock=CLOCK) as again:
                again.upkeep()
                assert again.unwiped() == found, "after a restart as before"
                assert b"WIPETEXT" in raw(path)
                other.stdin.close()
                assert other.wait(30) == 0
                again.upkeep()
                assert again.unwiped() is None
                assert b"WIPETEXT" not in raw(path)


def test_a_log_into_which_nobody_writes_is_cut(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, an open store took more than twice the space of a closed one for as long as it was open."""
    log = path.with_name(path.name + "-wal")
    monkeypatch.setattr(wal, "IDLE_SECONDS", 0.2)
    with open_sqlite_store(path, clock=CLOCK) as store:
        _filled(store)
        assert log.stat().st_size > 0
        store.upkeep()
        assert log.stat().st_size > 0, "it may be written to again at once"
        time.sleep(0.3)
        store.upkeep()
        assert log.stat().st_size == 0
        kept(store, "more")
        assert log.stat().st_size > 0
        time.sleep(0.3)
        store.upkeep()
        store.upkeep()
        time.sleep(0.3)
        store.upkeep()
        assert log.stat().st_size == 0, "and again"
        assert store.stats().memories == 6
        assert store.check() == []
