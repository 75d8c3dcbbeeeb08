"""`doctor` finds what was changed behind the store's back: every column of every table, and bytes of the file at random."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ai_memory import Memory
from ai_memory.cli.exits import exit_code
from ai_memory.cli.program import main
from ai_memory.errors import MemoryServiceError, StoreCorruptError, StoreError
from ai_memory.settings import Settings
from ai_memory.store.sqlite.rows.seals import SEALED
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.types import Problem
from ai_memory.wiring import doctor as service_doctor
from tests.support.full_store import another, fill
from tests.support.store_samples import (
    CLOCK,
)

EXAMPLES = 120
"""Damages of each kind that are tried; the choice is the same each time."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a row in every table, closed."""
    path = tmp_path_factory.mktemp("sound") / "store.db"
    with open_sqlite_store(path, clock=CLOCK) as store:
        fill(store)
        assert store.check() == []
    return path


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    return copied(sound, tmp_path / "store.db")


def copied(sound: Path, path: Path) -> Path:
    for suffix in ("", ".key"):
        shutil.copy(sound.with_name(sound.name + suffix), path.with_name(path.name + suffix))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return path


def doctor(path: Path) -> list[Problem] | MemoryServiceError:
    """What the check says, or why the store cannot be opened; anything else that is raised is a crash."""
    try:
        with open_sqlite_store(path, clock=CLOCK) as store:
            return store.check()
    except MemoryServiceError as error:
        assert error.hint, f"{error} names no way out"
        return error


# ── every column ───────────────────────────────────────────────────────────────────────────────────────────────────────


def columns() -> Iterator[tuple[str, str]]:
    """Every column of the newest schema, read from a new store."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        open_sqlite_store(path, clock=CLOCK).close()
        with closing(sqlite3.connect(path)) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            for table in tables:
                for _, column, *_ in connection.execute(f"PRAGMA table_info({table})"):
                    yield table, column


COLUMNS = [each for each in columns() if each[0] != "sqlite_sequence"]


def test_seals_cover_every_column_of_their_tables() -> None:
    for table, covered in SEALED.items():
        assert sorted([*covered, "seal"]) == sorted(column for name, column in COLUMNS if name == table)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_changed_value_is_found(path: Path, table: str, column: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        changed = sum(_changed(connection, table, column, row) for row in _rows(connection, table, column))
    assert changed, f"the sample has no row in {table}"


def _rows(connection: sqlite3.Connection, table: str, column: str) -> list[tuple[Any, ...]]:
    """The keys of two rows: with a value in the column, and without one, where there are such rows."""
    key = [name for _, name, _, _, _, place in _info(connection, table) if place]
    rows = (
        connection.execute(f"SELECT {', '.join(key)} FROM {table} WHERE {column} IS {which} LIMIT 1").fetchone()
        for which in ("NOT NULL", "NULL")
    )
    return [row for row in rows if row is not None]


def _info(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"PRAGMA table_info({table})").fetchall()


def _changed(connection: sqlite3.Connection, table: str, column: str, row: tuple[Any, ...]) -> bool:
    """Change one value, look what doctor says, and change it back; the value may be absent, or another one."""
    key = [name for _, name, _, _, _, place in _info(connection, table) if place]
    where = " AND ".join(f"{name} IS ?" for name in key)
    (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE {where}", row).fetchone()
    kind = next(each[2] for each in _info(connection, table) if each[1] == column)
    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (another(value, kind), *row))
    connection.commit()
    path = Path(connection.execute("PRAGMA database_list").fetchone()[2])
    found = doctor(path)
    assert found, f"{table}.{column} was changed from {value!r}, and doctor finds nothing"
    place = key.index(column) if column in key else None
    now = row if place is None else (*row[:place], another(value, kind), *row[place + 1 :])
    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (value, *now))
    connection.commit()
    return True


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("CREATE TRIGGER planted AFTER INSERT ON revisions BEGIN DELETE FROM tags; END", "trigger planted"),
        ("CREATE VIEW planted AS SELECT 1", "view planted"),
        ("CREATE TABLE planted (x)", "table planted"),
        ("CREATE INDEX planted ON revisions (author)", "index planted"),
        ("DROP INDEX revisions_by_time", "index revisions_by_time"),
    ],
)
def test_what_is_not_of_the_schema_is_named(path: Path, sql: str, name: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
    found = doctor(path)
    assert isinstance(found, list)
    (problem,) = found
    assert problem.check == "schema"
    assert name in problem.message
    assert problem.mend


def test_a_changed_row_is_named_and_an_untouched_one_is_not(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE revisions SET importance = 0.9 WHERE text = 'six'")
        key, memory = connection.execute(
            "SELECT key, id FROM revisions r JOIN memories m ON m.number = r.memory WHERE text = 'six'"
        ).fetchone()
        connection.commit()
    found = doctor(path)
    assert isinstance(found, list)
    (problem,) = found
    assert (problem.check, problem.count) == ("seals", 1)
    assert problem.message.endswith(f": {key} {memory}")
    assert problem.mend == "restore a backup"


def test_a_changed_vector_is_made_again_by_a_rebuild(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "UPDATE vectors SET vector = (SELECT vector FROM vectors WHERE position = 2) WHERE position = 1"
        )
        connection.commit()
    with open_sqlite_store(path, clock=CLOCK) as store:
        assert [problem.check for problem in store.check()] == ["seals"]
        pending = sum(store.pending_count(generation.id) for generation in store.generations())
        assert [problem.check for problem in store.repair()] == ["seals"]
        assert store.check() == []
        assert sum(store.pending_count(generation.id) for generation in store.generations()) == pending + 1


# ── files beside the store, and files that are none any more ───────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a service, with a graph file that has been read."""
    folder = tmp_path_factory.mktemp("service") / "data"
    with Memory(settings=_settings(folder)) as memory:
        memory.remember_many([f"Anna Ivers met Otto Berg at Acme in Riga, for the time {n}." for n in range(300)])
    assert service_doctor(_settings(folder), rebuild=True) == ()
    return folder


@pytest.fixture
def data(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "data"))


def _settings(folder: Path) -> Settings:
    return Settings(data_dir=folder, model="none")


def test_a_store_without_its_end_is_refused_with_the_way_out(data: Path) -> None:
    store = data / "memory.db"
    os.truncate(store, store.stat().st_size * 99 // 100)
    with pytest.raises(StoreCorruptError, match="was cut off") as caught:
        service_doctor(_settings(data))
    assert caught.value.hint == "restore a backup"


def test_an_emptied_store_is_no_new_one(data: Path) -> None:
    store = data / "memory.db"
    store.write_bytes(b"")
    with pytest.raises(StoreCorruptError, match="was a store once") as caught:
        service_doctor(_settings(data))
    assert "restore a backup" in str(caught.value.hint)
    assert store.stat().st_size == 0
    store.unlink()  # the other way out that the hint names
    assert service_doctor(_settings(data)) == ()


def test_the_command_says_it_and_ends_as_for_a_store_that_cannot_be_used(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.truncate(data / "memory.db", 20_000)
    assert main(["--data-dir", str(data), "doctor"]) == exit_code(StoreError(""))
    assert "restore a backup" in capsys.readouterr().err


@pytest.mark.parametrize("secret", [None, "ab" * 32])
def test_a_secret_that_is_gone_or_another_is_said_once(data: Path, secret: str | None) -> None:
    key = data / "memory.db.key"
    kept_secret = key.read_text()
    key.unlink()
    if secret is not None:
        key.write_text(secret)
    (problem,) = service_doctor(_settings(data))
    assert problem.check == "sealed_otherwise"
    assert problem.count > 300
    assert "put back" in str(problem.mend)
    key.write_text(kept_secret)
    assert service_doctor(_settings(data)) == ()


def test_a_damaged_graph_file_is_said_and_mended(data: Path) -> None:
    graph = data / "memory.db.graph"
    with closing(sqlite3.connect(graph)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'mentions_by_entity'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with graph.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    (problem,) = service_doctor(_settings(data))
    assert (problem.check, problem.mend) == ("graph", "ai-memory doctor --rebuild")
    assert service_doctor(_settings(data), rebuild=True) == ()
    assert service_doctor(_settings(data)) == ()


# ── bytes at random ────────────────────────────────────────────────────────────────────────────────────────────────────


def content(path: Path) -> str | None:
    """A digest of all that can be read from the tables; None where something cannot be read."""
    found = hashlib.sha256()
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.text_factory = bytes
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
            ).fetchall():
                rows = connection.execute(f'SELECT * FROM "{table.decode()}"').fetchall()
                found.update(repr((table, sorted(map(repr, rows)))).encode())
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    return found.hexdigest()


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "store.db"


def judge(path: Path, before: str | None) -> None:
    """Where anything that can be read has changed, doctor must find it; and it must not crash in any case."""
    after = content(path.with_name("looked at.db")) if shutil.copy(path, path.with_name("looked at.db")) else None
    found = doctor(path)
    assert after == before or found, "the content is another one, and doctor finds nothing"


SEEDED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4))
@SEEDED
def test_changed_bytes_are_found(sound: Path, workplace: Path, places: list[tuple[float, int]]) -> None:
    path = copied(sound, workplace)
    data = bytearray(path.read_bytes())
    used = [place for place, byte in enumerate(data) if byte]
    for share, mask in places:
        data[used[int(share * len(used))]] ^= mask
    path.write_bytes(data)
    judge(path, content(sound))


@given(
    share=st.floats(0, 1, exclude_max=True),
    size=st.sampled_from((1, 64, 512, 8192, 20_000)),
    byte=st.sampled_from(b"\0\xff"),
)
@SEEDED
def test_overwritten_blocks_are_found(sound: Path, workplace: Path, share: float, size: int, byte: int) -> None:
    path = copied(sound, workplace)
    data = bytearray(path.read_bytes())
    start = int(share * len(data))
    data[start : start + size] = bytes([byte]) * len(data[start : start + size])
    path.write_bytes(data)
    judge(path, content(sound))


@given(share=st.floats(0, 1, exclude_max=True))
@example(share=0.0)
@example(share=0.99)
@SEEDED
def test_a_file_that_was_cut_is_found(sound: Path, workplace: Path, share: float) -> None:
    path = copied(sound, workplace)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    assert doctor(path), "a file that lacks its end has no problems"
