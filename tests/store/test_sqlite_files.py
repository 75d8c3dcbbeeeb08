"""Opening files: new, old, newer, foreign, damaged, read-only, full; and the seam of errors."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory.errors import (
    InvalidInputError,
    MemoryServiceError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreVersionError,
)
from ai_memory.store.sqlite.file.connection import PRIMARY_RESULT_CODES, translate, translated
from ai_memory.store.sqlite.schema import APPLICATION_ID, Migration, shipped_migrations, statements, version_of
from ai_memory.store.sqlite.store import SqliteStore, open_sqlite_store
from ai_memory.types import Selection
from tests.support.store_samples import CLOCK, kept, relate, related, remember

PAGE = 8192


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def filled(path: Path) -> Path:
    with open_sqlite_store(path, clock=CLOCK) as store:
        store.write([remember(f"memory {number} " + "x" * 500) for number in range(200)])
    return path


def test_a_new_store_is_private_and_ours(path: Path) -> None:
    with open_sqlite_store(path, clock=CLOCK) as store:
        kept(store, "a")
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
        assert modes == {"store.db": 0o600, "store.db-shm": 0o600, "store.db-wal": 0o600, "store.db.key": 0o600}
        store.backup(path.parent / "copy.db")
        assert (path.parent / "copy.db").stat().st_mode & 0o777 == 0o600
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (shipped_migrations()[-1].version,)
    connection.close()


def test_a_store_that_is_made_while_it_is_looked_at_is_ours(path: Path) -> None:
    """Its version, its application and its tables are of one moment: between two reads another process may commit its first."""
    path.touch()
    connection = sqlite3.connect(path, isolation_level=None)

    def make_it(statement: str) -> None:
        if "FROM sqlite_schema" in statement:
            connection.set_trace_callback(None)
            open_sqlite_store(path, clock=CLOCK).close()

    connection.set_trace_callback(make_it)
    newest = shipped_migrations()[-1].version
    assert version_of(connection, path, newest) == newest
    connection.close()


def test_who_opens_a_store_waits_for_who_makes_it(path: Path) -> None:
    path.touch()
    maker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN EXCLUSIVE")
    ending = threading.Timer(0.3, maker.rollback)
    with pytest.raises(StoreBusyError):
        open_sqlite_store(path, clock=CLOCK, busy_timeout_seconds=0.05)
    ending.start()
    with open_sqlite_store(path, clock=CLOCK) as store:
        assert not maker.in_transaction
        kept(store, "a")
    ending.join()
    maker.close()


def test_the_store_id_stays_through_reopening_and_backup(filled: Path) -> None:
    with open_sqlite_store(filled, clock=CLOCK) as store:
        first = store.store_id
        store.backup(filled.parent / "copy.db")
        assert store.location == str(filled)
    assert len(first) == 32
    for again in (filled, filled.parent / "copy.db"):
        with open_sqlite_store(again, clock=CLOCK) as store:
            assert store.store_id == first
            assert store.stats().memories == 200
            assert store.check() == []


def test_the_file_is_durable_at_every_commit(filled: Path) -> None:
    with open_sqlite_store(filled, clock=CLOCK) as store:
        assert store._writer is not None
        settings = {
            name: store._writer._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "secure_delete", "page_size", "auto_vacuum")
        }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "page_size": PAGE,
        "auto_vacuum": 0,
    }


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    with open_sqlite_store(path, clock=CLOCK) as store:
        kept(store, "a")


def test_a_missing_folder_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        open_sqlite_store(tmp_path / "no" / "store.db", clock=CLOCK)
    assert "mkdir" in str(caught.value.hint)
    with pytest.raises(StoreCorruptError):
        open_sqlite_store(tmp_path, clock=CLOCK)


def test_a_strange_name_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "a b?mode=ro#%41 ü.db"
    with open_sqlite_store(path, clock=CLOCK) as store:
        kept(store, "a")
    assert path.exists()


# ── other files ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"# Notes\n" * 1000)
    with pytest.raises(StoreCorruptError):
        open_sqlite_store(path, clock=CLOCK)
    assert path.read_bytes() == b"# Notes\n" * 1000


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreCorruptError, match="another program"):
        open_sqlite_store(path, clock=CLOCK)
    assert path.read_bytes() == before


def test_a_newer_store_is_refused_and_left_alone(filled: Path) -> None:
    connection = sqlite3.connect(filled)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for read_only in (False, True):
        with pytest.raises(StoreVersionError) as caught:
            open_sqlite_store(filled, clock=CLOCK, read_only=read_only)
        assert caught.value.details["found"] == 99


@pytest.mark.parametrize("where", [0, 20, 40], ids=["magic", "versions", "schema format"])
def test_a_damaged_header_is_a_clear_error(filled: Path, where: int) -> None:
    data = bytearray(filled.read_bytes())
    data[where : where + 12] = b"\xff" * 12
    filled.write_bytes(data)
    with pytest.raises(StoreError):
        store = open_sqlite_store(filled, clock=CLOCK)
        store.select(Selection(), limit=10)


def test_damaged_pages_are_found_by_the_check(filled: Path) -> None:
    data = bytearray(filled.read_bytes())
    for page in range(3, len(data) // PAGE):
        if b"CREATE " not in data[page * PAGE : (page + 1) * PAGE]:  # without the schema no file is opened
            data[page * PAGE : page * PAGE + 64] = b"\xa5" * 64
    filled.write_bytes(data)
    with open_sqlite_store(filled, clock=CLOCK) as store:
        problems = store.check()
        assert any(problem.check == "integrity" for problem in problems)
        assert all(problem.mend for problem in problems)
        with pytest.raises(StoreCorruptError):
            store.select(Selection(), limit=200)


def test_a_truncated_file_is_a_clear_error(filled: Path) -> None:
    with filled.open("r+b") as file:
        file.truncate(filled.stat().st_size // 2)
    with pytest.raises(StoreCorruptError):
        open_sqlite_store(filled, clock=CLOCK)


# ── migrations ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_NEXT = Migration(
    shipped_migrations()[-1].version + 1,
    "CREATE TABLE extra (x TEXT); -- a comment; with a semicolon\nINSERT INTO extra SELECT id FROM memories;\n",
)


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [step.version for step in shipped_migrations()] == list(range(1, len(shipped_migrations()) + 1))
    assert all(statements(step.script) for step in shipped_migrations())


def test_an_older_store_is_copied_and_then_upgraded_once(filled: Path) -> None:
    newest = [*shipped_migrations(), _NEXT]
    before = open_sqlite_store(filled, clock=CLOCK)
    records = list(before.export())
    before.close()
    for _ in range(2):
        with open_sqlite_store(filled, clock=CLOCK, migrations=newest) as store:
            assert list(store.export()) == records
            with store._readers.one() as connection:
                assert connection.execute("SELECT count(*) FROM extra").fetchone() == (200,)
    backup = filled.with_name(f"store.db.before-{_NEXT.version}.bak")
    assert backup.stat().st_mode & 0o777 == 0o600
    with open_sqlite_store(backup, clock=CLOCK) as store:
        assert list(store.export()) == records
    with pytest.raises(StoreVersionError):
        open_sqlite_store(filled, clock=CLOCK)


def test_an_upgrade_that_fails_changes_nothing(filled: Path) -> None:
    broken = Migration(_NEXT.version, "CREATE TABLE extra (x TEXT);\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(StoreError):
        open_sqlite_store(filled, clock=CLOCK, migrations=[*shipped_migrations(), broken])
    with open_sqlite_store(filled, clock=CLOCK) as store:
        assert store.check() == []
        kept(store, "still writable")


def test_reading_only_does_not_upgrade(filled: Path) -> None:
    with pytest.raises(StoreReadOnlyError):
        open_sqlite_store(filled, clock=CLOCK, migrations=[*shipped_migrations(), _NEXT], read_only=True)


# ── reading only ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _refuses_writes(store: SqliteStore) -> None:
    assert store.stats().memories == 200
    with pytest.raises(StoreReadOnlyError):
        store.write([remember("new")])
    with pytest.raises(StoreReadOnlyError):
        store.repair()
    store.close()


def test_a_store_opened_for_reading_reads_and_refuses_writes(filled: Path) -> None:
    _refuses_writes(open_sqlite_store(filled, clock=CLOCK, read_only=True))
    with pytest.raises(StoreError):
        open_sqlite_store(filled.parent / "absent.db", clock=CLOCK, read_only=True)
    assert not (filled.parent / "absent.db").exists()


def test_a_reader_sees_what_a_writer_does_meanwhile(filled: Path) -> None:
    with (
        open_sqlite_store(filled, clock=CLOCK) as writer,
        open_sqlite_store(filled, clock=CLOCK, read_only=True) as reader,
    ):
        record = kept(writer, "fresh")
        assert reader.get("default", [record.id]) == [record]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB in memory, for which one must be root."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True).returncode
    ):
        pytest.skip("this user may not mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_read_only_file_system_reads_and_refuses_writes(filled: Path, mounted: Path) -> None:
    shutil.copy(filled, mounted / "store.db")
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    _refuses_writes(open_sqlite_store(mounted / "store.db", clock=CLOCK, read_only=True))
    with pytest.raises(StoreReadOnlyError) as caught:
        open_sqlite_store(mounted / "store.db", clock=CLOCK)
    assert caught.value.hint
    with pytest.raises(StoreReadOnlyError):
        open_sqlite_store(mounted / "new.db", clock=CLOCK)


def test_a_full_device_loses_nothing_and_passes(mounted: Path) -> None:
    path = mounted / "store.db"
    store = open_sqlite_store(path, clock=CLOCK)
    kept_ids = []
    with pytest.raises(StoreFullError) as caught:
        for number in range(1000):
            kept_ids.append(kept(store, f"{number} " + "x" * 8_000).id)
    assert caught.value.hint
    assert len(kept_ids) > 5
    assert all(store.get("default", kept_ids))
    assert store.check() == []
    store.close()
    with open_sqlite_store(path, clock=CLOCK) as store:
        assert all(store.get("default", kept_ids))
        assert store.stats().memories == len(kept_ids)
        subprocess.run(["mount", "-o", "remount,size=8m", mounted], check=True)
        kept(store, "room again " + "y" * 20_000)
        assert store.check() == []


def test_a_device_that_is_full_from_the_start_says_so(mounted: Path) -> None:
    (mounted / "ballast").write_bytes(bytes(1024 * 1024 - 4096))
    with pytest.raises(StoreFullError):
        open_sqlite_store(mounted / "store.db", clock=CLOCK)


def test_a_limit_on_pages_gives_the_same_error_and_the_store_goes_on(path: Path) -> None:
    with open_sqlite_store(path, clock=CLOCK) as store:
        record = kept(store, "before")
        assert store._writer is not None
        connection = store._writer._connection
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0] + 3}")
        with pytest.raises(StoreFullError):
            store.write([remember(f"{number} " + "x" * 5000) for number in range(50)])
        assert store.stats().memories == 1
        connection.execute("PRAGMA max_page_count = 1000000")
        kept(store, "after")
        assert store.get("default", [record.id]) == [record]
        assert store.check() == []


# ── the seam ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_PRIMARY = (
    *("ERROR", "INTERNAL", "PERM", "ABORT", "BUSY", "LOCKED", "NOMEM", "READONLY", "INTERRUPT", "IOERR", "CORRUPT"),
    *("NOTFOUND", "FULL", "CANTOPEN", "PROTOCOL", "EMPTY", "SCHEMA", "TOOBIG", "CONSTRAINT", "MISMATCH", "MISUSE"),
    *("NOLFS", "AUTH", "FORMAT", "RANGE", "NOTADB", "NOTICE", "WARNING"),
)


def _extended() -> list[str]:
    """Extended codes, such as SQLITE_IOERR_WRITE, that this build of sqlite3 names."""
    pattern = re.compile(rf"SQLITE_({'|'.join(_PRIMARY)})_[A-Z0-9_]+$")
    return [name for name in dir(sqlite3) if pattern.match(name) and getattr(sqlite3, name) > 255]


def test_every_primary_result_code_has_its_error() -> None:
    assert set(PRIMARY_RESULT_CODES) == {getattr(sqlite3, f"SQLITE_{name}") for name in _PRIMARY}
    assert all(issubclass(cls, MemoryServiceError) for cls, _ in PRIMARY_RESULT_CODES.values())


def test_extended_codes_follow_their_primary_one() -> None:
    names = _extended()
    assert len(names) > 50
    for name in names:
        error = sqlite3.OperationalError("x")
        error.sqlite_errorcode = getattr(sqlite3, name)
        error.sqlite_errorname = name
        ours = translate(error, "here")
        full = name == "SQLITE_IOERR_SHMSIZE"  # no room for the index of the log
        assert type(ours) is (StoreFullError if full else PRIMARY_RESULT_CODES[error.sqlite_errorcode & 0xFF][0])
        assert ours.details == {"location": "here", "sqlite": name}


def test_what_sqlite_cannot_hold_is_invalid_input() -> None:
    connection = sqlite3.connect(":memory:")
    for value in ("\ud800", 2**80):
        with pytest.raises(InvalidInputError), translated("here"):
            connection.execute("SELECT ?", (value,))
    connection.close()
    with pytest.raises(StoreError), translated("here"):
        connection.execute("SELECT 1")


def test_decisions_are_found_by_their_index(path: Path) -> None:
    asked: list[str] = []
    with open_sqlite_store(path, clock=CLOCK) as store:
        with store._readers.one() as connection:
            connection.set_trace_callback(asked.append)
        assert store.decisions("default") == []
        with store._readers.one() as connection:
            connection.set_trace_callback(None)
            (sql,) = (each for each in asked if "relations l" in each)
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert any("relations_by_decision" in step for step in plan), plan


def test_which_relations_are_the_heaviest_is_read_from_the_indexes_alone(path: Path) -> None:
    asked: list[str] = []
    with open_sqlite_store(path, clock=CLOCK) as store:
        hub, *others = (kept(store, name) for name in "abcd")
        for number, other in enumerate(others, start=1):
            related(store, relate(hub.id, other.id, weight=number / 4))
        with store._readers.one() as connection:
            connection.set_trace_callback(asked.append)
        assert [each.weight for each in store.relations("default", [hub.id], heaviest=2)] == [0.5, 0.75]
        place, found = (sql for sql in asked if "json_each" in sql)
        with store._readers.one() as connection:
            connection.set_trace_callback(None)
            plans = [[row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")] for sql in (place, found)]
    for end in ("source", "target"):
        index = f"SEARCH l USING COVERING INDEX relations_by_{end} (namespace=? AND {end}=? AND retired_at=?"
        assert f"{index})" in plans[0]
        assert f"{index} AND weight>?)" in plans[1]
    assert not any("PRIMARY KEY" in step for step in plans[0]), "no row is read for it"
