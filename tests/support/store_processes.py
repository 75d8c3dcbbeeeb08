"""Programs that the tests of the SQLite store run as processes of their own: `python store_processes.py NAME PATH …`."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

from ai_memory.clock import SystemClock
from ai_memory.store.base import Remember, Stored
from ai_memory.store.sqlite.store import SqliteStore, open_sqlite_store
from ai_memory.types import Selection
from tests.support.store_samples import forget, kept, remember, revise


def acknowledge(path: Path, seed: str) -> None:
    """Write as fast as possible from batches, revisions and forgets; print the id of each memory once it is acknowledged."""
    dice = random.Random(seed)
    with open_sqlite_store(path, clock=SystemClock()) as store:
        for number in range(1_000_000):
            batch = [_fresh(seed, number, part) for part in range(dice.choice([1, 1, 5, 40]))]
            ids = [result.memory_id for result in store.write(batch) if isinstance(result, Stored)]
            os.write(1, "".join(f"kept {memory_id}\n" for memory_id in ids).encode())
            if dice.random() < 0.3:
                record = kept(store, f"{seed} {number} to change")
                store.write([revise(record, f"{seed} {number} changed")])
                os.write(1, f"revised {record.id}\n".encode())
                store.write([forget(kept(store, f"{seed} {number} to forget"))])


def _fresh(seed: str, number: int, part: int) -> Remember:
    return remember(f"{seed} {number} {part} " + "text " * 20, tags=("a", "b"), session=seed)


def share(path: Path, name: str, seconds: float) -> None:
    """Write and read beside other processes for some seconds; fail on the first write that is not seen at the next call."""
    written = 0
    deadline = time.monotonic() + seconds
    with open_sqlite_store(path, clock=SystemClock()) as store:
        while time.monotonic() < deadline:
            before = store.sequence()
            records = [kept(store, f"{name} {written} {part}", session=name) for part in range(3)]
            written += len(records)
            store.write([forget(kept(store, f"{name} {written} to forget"))])
            assert store.sequence() >= before + len(records) + 2
            assert store.get("default", [record.id for record in records]) == records
            assert len(store.select(Selection(session=(name,)), limit=2000).memories) == min(written, 2000)
            _all_in_order(store, before)
    print(written)  # noqa: T201 - the parent reads it


def _all_in_order(store: SqliteStore, before: int) -> None:
    sequences = [entry.sequence for entry in store.log(after=before)]
    assert sequences == list(range(before + 1, before + 1 + len(sequences)))


def visit(path: Path) -> None:
    """Open, count, close: the last process that closes a store folds the log into the file and deletes it."""
    with open_sqlite_store(path, clock=SystemClock()) as store:
        print(store.stats().memories)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    if sys.argv[1] == "visit":
        visit(Path(sys.argv[2]))
    elif sys.argv[1] == "acknowledge":
        acknowledge(Path(sys.argv[2]), sys.argv[3])
    else:
        share(Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
