"""Forgotten text must leave the bytes of the file, its write-ahead log and later backups."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from ai_memory.store.base import Stored
from ai_memory.store.sqlite.file import wal
from ai_memory.store.sqlite.file.slack import scrub
from ai_memory.store.sqlite.store import SqliteStore, open_sqlite_store
from ai_memory.types import MemoryRecord
from tests.support.store_samples import CLOCK, entity, forget, kept, one, relate, related, remember, retire, revise


def raw(path: Path) -> bytes:
    """Every byte that lies in the store's folder."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()) if file.is_file())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_every_part_of_a_forgotten_memory_leaves_the_files(path: Path) -> None:
    with open_sqlite_store(path, clock=CLOCK) as store:
        kept(store, "KEEPTHIS")
        record = kept(
            store,
            "WIPETEXT " + "long " * 5000,
            title="WIPETITLE",
            tags=("WIPETAG",),
            context="WIPECONTEXT/a",
            attributes={"k": "WIPEATTRIBUTE"},
            user="WIPEUSER",
            session="WIPESESSION",
            source="WIPESOURCE",
        )
        one(store, revise(record, "WIPEREVISION"))
        thing = entity("WIPEENTITY", aliases=("WIPEALIAS",))
        related(store, relate(record.id, thing.id, new_entities=[thing], attributes={"x": "WIPEEDGE"}))
        assert b"WIPETEXT" in raw(path)
        one(store, forget(record))
        assert b"KEEPTHIS" in raw(path)
        assert b"WIPE" not in raw(path)
        store.backup(path.parent / "copy.db")
    assert b"WIPE" not in raw(path)


def test_forgetting_from_the_middle_of_many_leaves_no_copy_behind(path: Path) -> None:
    """SQLite leaves copies of rows in the unused parts of pages that it split; secure_delete does not reach them."""
    dice = random.Random(7)
    live: dict[str, MemoryRecord] = {}
    with open_sqlite_store(path, clock=CLOCK) as store:
        for step in range(150):
            batch = [_unique(dice, step * 20 + number) for number in range(20)]
            for result in store.write(batch):
                assert isinstance(result, Stored)
                assert result.record is not None
                live[result.record.id] = result.record
            if step % 3 == 0:
                chosen = [live.pop(key) for key in dice.sample(sorted(live), 7)]
                store.write([forget(record) for record in chosen])
        found = set(re.findall(rb"(?:TEXT|USER|CONTEXT|SESSION)\d{6}x", raw(path)))
        assert found == {part for record in live.values() for part in _parts(record)}
        assert store.check() == []


def _unique(dice: random.Random, number: int):  # type: ignore[no-untyped-def]
    text = f"TEXT{number:06d}x " + "y" * dice.choice([5, 50, 300, 3000])
    return remember(text, user=f"USER{number:06d}x", context=f"CONTEXT{number:06d}x", session=f"SESSION{number:06d}x")


def _parts(record: MemoryRecord) -> list[bytes]:
    return [part.encode() for part in (record.text[:11], str(record.user), record.context, str(record.session))]


def test_a_reader_holds_the_wipe_up_until_the_next_chance(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "FIRST_TRY_SECONDS", 0.05)
    monkeypatch.setattr(wal, "RETRY_EVERY_SECONDS", 0.0)
    with open_sqlite_store(path, clock=CLOCK) as store:
        for number in range(3):
            kept(store, f"other {number}")
        record = kept(store, "WIPETEXT")
        reading = store.export()
        next(reading)
        one(store, forget(record))
        assert _mark(store) is not None
        assert b"WIPETEXT" in raw(path)
        store.backup(path.parent / "copy.db")
        assert b"WIPETEXT" not in (path.parent / "copy.db").read_bytes()
        kept(store, "a write in between")
        assert _mark(store) is not None
        reading.close()  # type: ignore[attr-defined]
        kept(store, "the next chance")
        assert _mark(store) is None
        assert b"WIPETEXT" not in raw(path)


def test_a_wipe_that_one_process_owes_is_done_by_the_next_that_opens(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal.Wiper, "wipe", lambda *_, **__: False)
    store = open_sqlite_store(path, clock=CLOCK)
    one(store, forget(kept(store, "WIPETEXT")))
    other = open_sqlite_store(path, clock=CLOCK)  # keeps the log from being folded in when the first one closes
    store.close()
    assert b"WIPETEXT" in raw(path)
    monkeypatch.undo()
    with open_sqlite_store(path, clock=CLOCK) as third:
        assert _mark(third) is None
        assert b"WIPETEXT" not in raw(path)
    other.close()


def _mark(store: SqliteStore) -> str | None:
    with store._readers.one() as connection:
        return wal.pending(connection)


def test_scrubbing_changes_nothing_that_is_read(path: Path) -> None:
    with open_sqlite_store(path, clock=CLOCK) as store:
        dice = random.Random(3)
        store.write([_unique(dice, number) for number in range(800)])
        for memory in list(store.export())[::5]:
            assert isinstance(memory, MemoryRecord)
            one(store, retire(memory))
        before = list(store.export())
    with path.open("r+b") as file:
        assert scrub(file.fileno()) > 0
        assert scrub(file.fileno()) == 0
    with open_sqlite_store(path, clock=CLOCK) as store:
        assert list(store.export()) == before
        assert store.check() == []
