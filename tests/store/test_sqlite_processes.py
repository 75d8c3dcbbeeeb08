"""Several real processes on one store, and processes killed while they write."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_memory.store.sqlite.file.files import without_connections
from ai_memory.store.sqlite.store import SqliteStore, open_sqlite_store
from tests.support.store_samples import CLOCK, forget, kept

PROGRAMS = Path(__file__).resolve().parents[1] / "support" / "store_processes.py"


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, PROGRAMS, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_three_processes_lose_no_write_and_see_each_other(tmp_path: Path) -> None:
    """While others come and go: whoever closes the store last folds the log into the file."""
    path = tmp_path / "store.db"
    processes = [start("share", str(path), f"p{number}", "3") for number in range(3)]
    while any(process.poll() is None for process in processes):
        visitor = start("visit", str(path))
        _, err = visitor.communicate(timeout=60)
        assert visitor.returncode == 0, err.decode()
    written = 0
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err.decode()
        written += int(out)
    assert written > 0
    with open_sqlite_store(path, clock=CLOCK) as store:
        assert store.stats().memories == written
        assert store.check() == []


def _forget_one(path: Path, store: SqliteStore) -> None:
    store.write([forget(kept(store, "to forget"))])


def _open_another(path: Path, store: SqliteStore) -> None:
    open_sqlite_store(path, clock=CLOCK).close()


def _copy_it(path: Path, store: SqliteStore) -> None:
    store.backup(path.with_name("copy.db"))


@pytest.mark.parametrize("meanwhile", [_forget_one, _open_another, _copy_it])
def test_a_process_that_comes_and_goes_leaves_the_log_to_who_writes_it(
    tmp_path: Path, meanwhile: Callable[[Path, SqliteStore], None]
) -> None:
    """Closing a descriptor of the file beside SQLite takes this process's locks away: then the visitor deletes our log."""
    path = tmp_path / "store.db"
    with open_sqlite_store(path, clock=CLOCK) as store:
        kept(store, "before")
        meanwhile(path, store)
        for number in range(1, 4):
            out, err = start("visit", str(path)).communicate(timeout=60)
            assert out.split() == [str(number).encode()], err.decode()
            assert path.with_name("store.db-wal").exists()
            kept(store, f"acknowledged {number}")
        with without_connections(path) as closed:
            assert not closed
    with without_connections(path) as closed:
        assert closed, "the kept descriptor is closed with the last connection"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    rounds = int(os.environ.get("AI_MEMORY_ROUNDS", "8"))
    path = tmp_path / "store.db"
    dice = random.Random(rounds)
    kept: set[str] = set()
    revised: set[str] = set()
    for number in range(rounds):
        process = start("acknowledge", str(path), f"round {number}")
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith(b"kept "), process.communicate()
        time.sleep(dice.uniform(0, 0.12))
        process.kill()
        out, _ = process.communicate(timeout=60)
        for line in (first + out).decode().splitlines(keepends=True):
            word, _, memory_id = line.partition(" ")
            if line.endswith("\n"):
                (kept if word == "kept" else revised).add(memory_id.strip())
    with open_sqlite_store(path, clock=CLOCK) as store:
        wanted = sorted(kept | revised)
        found = store.get("default", wanted)
        assert [memory_id for memory_id, memory in zip(wanted, found, strict=True) if memory is None] == []
        assert all(memory.revision == 2 for memory in store.get("default", sorted(revised)) if memory)
        assert len(kept) >= rounds
        assert store.check() == []
