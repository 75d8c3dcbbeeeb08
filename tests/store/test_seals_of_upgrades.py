"""A store with seals is brought to a newer schema: its seals cover the new columns, and what was changed before is still found."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.types import MemoryRecord
from tests.golden.make_store import KEPT
from tests.support.store_samples import CLOCK, kept

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A store of schema 7, with its secret; `tests/golden/make_store.py` filled it."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript((GOLDEN / "store_v7.sql").read_text("utf-8"))
    shutil.copy(GOLDEN / "store_v7.key", path.with_name("store.db.key"))
    return path


def test_a_sound_store_is_sound_afterwards(earlier: Path) -> None:
    for _ in range(2):
        with open_sqlite_store(earlier, clock=CLOCK) as store:
            assert store.check() == []
            records = [each for each in store.export("default") if isinstance(each, MemoryRecord)]
            assert {each.text for each in records} >= set(KEPT)
            assert not any(each.pinned or each.expires_at for each in records)
            kept(store, f"written after it {CLOCK.now()}", expires_at=None)
            assert store.check() == []


def test_what_was_changed_before_is_still_found(earlier: Path) -> None:
    with closing(sqlite3.connect(earlier)) as connection, connection:
        connection.execute("UPDATE revisions SET importance = 0.9 WHERE key = 1")
    with open_sqlite_store(earlier, clock=CLOCK) as store:
        (found,) = [each for each in store.check() if "changed" in each.message]
        assert found.message.startswith("revisions") or "revisions" in found.message


def test_the_new_columns_are_sealed(earlier: Path) -> None:
    with open_sqlite_store(earlier, clock=CLOCK):
        pass
    with closing(sqlite3.connect(earlier)) as connection, connection:
        connection.execute("UPDATE revisions SET pinned = 1 WHERE key = 1")
    with open_sqlite_store(earlier, clock=CLOCK) as store:
        assert any("revisions" in each.message for each in store.check())
