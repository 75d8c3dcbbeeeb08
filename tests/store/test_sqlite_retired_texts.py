"""Opening a store of an earlier version: what it kept under idempotency keys leaves, and what was retired is known again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ai_memory.store.base import Once, Stored
from ai_memory.store.sqlite.rows.seals import SEALED
from ai_memory.store.sqlite.store import open_sqlite_store
from tests.support.disk import files_with
from tests.support.store_samples import CLOCK, kept, one, remember, retire, revise

SECRET = "xylophonist"
EARLIER = """
DROP INDEX revisions_by_line;
DROP INDEX revisions_by_fact_key;
DROP INDEX revisions_by_expiry;
DROP INDEX log_by_time;
ALTER TABLE revisions DROP COLUMN expires_at;
ALTER TABLE revisions DROP COLUMN pinned;
ALTER TABLE revisions DROP COLUMN fact_key;
ALTER TABLE revisions DROP COLUMN line;
DROP TABLE idempotency;
CREATE TABLE idempotency (
    key TEXT PRIMARY KEY, request_digest BLOB NOT NULL, response BLOB NOT NULL, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
DROP TABLE proposals;
DROP TABLE feedback;
PRAGMA user_version = 4;
"""
"""What turns a store into one of version 4, when its seals are gone as well."""


def test_an_earlier_store_loses_its_keys_and_knows_what_was_retired(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with open_sqlite_store(path, clock=CLOCK) as store:
        gone, changed = kept(store, "retired"), kept(store, "first")
        one(store, revise(changed, "second"))
        one(store, retire(gone, reason="over"))
    with closing(sqlite3.connect(path)) as connection:
        for table in SEALED:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN seal")
        connection.executescript(EARLIER)
        # As earlier versions left it: with the key's text, and a dedup key on every revision.
        connection.execute("INSERT INTO idempotency VALUES (?, x'00', x'00', 1)", (f"remember:{SECRET}",))
        connection.execute("UPDATE revisions SET dedup_key = x'00' WHERE dedup_key IS NULL")
        connection.commit()
    assert files_with(tmp_path, [SECRET]) != []
    with open_sqlite_store(path, clock=CLOCK) as store:
        (backup,) = tmp_path.glob("*.bak")
        backup.unlink()
        assert files_with(tmp_path, [SECRET]) == []
        again = one(store, remember("retired"))
        assert isinstance(again, Stored)
        assert again.retired is not None
        assert again.retired.retired_reason == "over"
        once = Once(namespace="default", key=b"k", request=b"r")
        assert store.write_idempotent(once, [remember("x")], lambda _: b"answer") == b"answer"
        assert store.check() == []
    with closing(sqlite3.connect(path)) as connection:
        keys = connection.execute("SELECT count(*) FROM revisions WHERE dedup_key = x'00'").fetchone()
    assert keys == (0,), "a revision that was replaced has none"
