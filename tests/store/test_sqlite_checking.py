"""`check` finds what was tampered with, and `repair` mends what is derived."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ai_memory.store.base import VectorRow
from ai_memory.store.sqlite.store import open_sqlite_store
from tests.support.store_samples import (
    CLOCK,
    entity,
    forget,
    identity,
    kept,
    one,
    relate,
    related,
    remember,
    retire,
    revise,
    unit,
)

MENDED_BY_REBUILD = "ai-memory doctor --rebuild"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a bit of everything, closed."""
    path = tmp_path / "store.db"
    with open_sqlite_store(path, clock=CLOCK) as store:
        generation = store.create_generation(identity(), activate=True)
        first, second = kept(store, "one", tags=("x", "y")), kept(store, "two")
        one(store, revise(first, "one and a half", tags=("x",)))
        one(store, retire(kept(store, "three")))
        one(store, forget(kept(store, "four")))
        kept(store, "six", supersedes=(second.id,))
        thing = entity("Atlas", aliases=("At",))
        related(store, relate(first.id, thing.id, "MENTIONS", new_entities=[thing]))
        pending = [revision.key for revision in store.pending(generation.id, limit=100)]
        store.put_vectors(
            generation.id,
            [VectorRow(key=key, passage=0, vector=unit(1, key, 0, 0)) for key in pending[:-1]],
            pending[:-1],
        )
        assert store.check() == []
        assert store.repair() == []
    return path


def tamper(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.close()


@pytest.mark.parametrize(
    ("sql", "check"),
    [
        ("UPDATE log SET actor = 'mallory' WHERE sequence = 2", "chain"),
        ("UPDATE log SET reason = 'because' WHERE sequence = (SELECT max(sequence) FROM log)", "chain"),
        ("DELETE FROM log WHERE sequence = 3", "chain"),
        ("UPDATE log SET namespace = 77 WHERE sequence = 1", "references"),
        ("UPDATE revisions SET retired_at = NULL WHERE revision = 1 AND text = 'one'", "current_revision"),
        ("UPDATE revisions SET recorded_at = 0 WHERE revision = 2", "revision_intervals"),
        ("UPDATE revisions SET retired_at = 0 WHERE retired_at IS NOT NULL", "revision_intervals"),
        ("UPDATE revisions SET content_hash = x'00' WHERE text = 'six'", "revision_without_log"),
        ("DELETE FROM revisions WHERE text = 'six'", "log_without_revision"),
        ("DELETE FROM revisions WHERE text = 'six'", "memory_without_revision"),
        ("UPDATE revisions SET salt = x'00' WHERE text = 'six'", "revision_without_log"),
        ("UPDATE revisions SET salt = NULL WHERE text = 'six'", "revision_without_log"),
        ("UPDATE relations SET salt = zeroblob(99)", "relations"),
        ("UPDATE revisions SET text = 'FOUR.' WHERE text = 'six'", "forgotten_present"),
        ("UPDATE tombstones SET sealed = x'00'", "tombstones_unopened"),
        ("UPDATE revisions SET occurred = 5 WHERE text = 'six'", "occurred"),
        ("DELETE FROM entities", "relation_ends"),
        ("UPDATE relations SET weight = 0.1", "relations"),
    ],
)
def test_tampering_with_canonical_rows_is_found_and_not_mended(path: Path, sql: str, check: str) -> None:
    tamper(path, sql)
    with open_sqlite_store(path, clock=CLOCK) as store:
        found = {problem.check: problem for problem in store.check()}
        assert check in found
        assert found[check].count >= 1
        assert found[check].mend
        store.repair()
        assert check in {problem.check for problem in store.check()}


@pytest.mark.parametrize(
    ("sql", "check"),
    [
        ("DELETE FROM owed", "pending"),
        ("DELETE FROM vectors", "pending"),
        ("INSERT INTO owed VALUES (1, 9999)", "pending_stray"),
        (
            "INSERT INTO vectors (generation, revision, passage, vector) VALUES (1, 9999, 0, x'0000803f')",
            "vectors_stray",
        ),
        ("UPDATE vectors SET vector = x'0000803f' WHERE position = 1", "vectors_size"),
        ("UPDATE vectors SET vector = x'00000040000000000000000000000000' WHERE position = 1", "vectors_length"),
        ("DELETE FROM tags", "tags"),
        ("INSERT INTO tags VALUES ('never', 1)", "tags"),
    ],
)
def test_derived_parts_are_found_and_mended(path: Path, sql: str, check: str) -> None:
    tamper(path, sql)
    with open_sqlite_store(path, clock=CLOCK) as store:
        found = {problem.check: problem for problem in store.check()}
        assert found[check].mend == MENDED_BY_REBUILD
        assert check in {problem.check for problem in store.repair()}
        assert store.check() == []
        assert store.repair() == []


def test_a_wrong_index_is_rebuilt(path: Path) -> None:
    redefine = "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '{}', '{}') WHERE name = '{}';"
    index = "revisions_by_time"
    tamper(path, redefine.format("occurred)", "recorded_at)", index))
    tamper(path, "UPDATE revisions SET occurred = occurred + 0; REINDEX;")  # filed under another column
    tamper(path, redefine.format("recorded_at)", "occurred)", index))
    tamper(path, "UPDATE revisions SET valid_from = 7, occurred = 7 WHERE text = 'six'")  # which the seal shows
    with open_sqlite_store(path, clock=CLOCK) as store:
        found = [problem for problem in store.check() if problem.check == "integrity"]
        assert found
        assert {problem.mend for problem in found} == {MENDED_BY_REBUILD}
        assert store.repair() != []
        assert [problem.check for problem in store.check()] == ["seals"]


def test_progress_names_every_check(path: Path) -> None:
    told: list[str] = []
    with open_sqlite_store(path, clock=CLOCK) as store:
        store.check(told.append)
        store.write([remember("still writable")])
    assert told[0] == "integrity"
    assert {"chain", "references", "pending", "vectors_length", "forgotten_present"} <= set(told)
