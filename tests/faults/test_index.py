"""A saved index that is damaged, cut, old, foreign or half there is never believed: the index comes from canonical rows."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Memory
from ai_memory.settings import Settings
from ai_memory.wiring import doctor
from tests.support.secret_words import secret

MANY = 1_100
LONG = "AI_MEMORY_ROUNDS" in os.environ


def _settings(folder: Path, **flags: Any) -> Settings:
    return Settings(data_dir=folder, **{"model": "hashing", "snapshot_rows": 500, **flags})


def _open(folder: Path, **flags: Any) -> Memory:
    return Memory(settings=_settings(folder, **flags))


def _found(memory: Memory, number: int, **how: Any) -> int:
    return len(memory.recall(f'"{secret(number)}"', **how).hits)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a saved index of one large namespace, and a small namespace that is not worth saving."""
    folder = tmp_path_factory.mktemp("made") / "data"
    with _open(folder) as memory:
        memory.remember_many([f"{secret(number)} in the index" for number in range(MANY)])
        memory.remember_many([f"{secret(number)} beside it" for number in range(20)], namespace="small")
        assert memory.settle(60)
    assert (folder / "memory.db.index/progress.json").exists()
    return folder


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "memory.db.index").rglob("*") if path.is_file())


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for at in range(len(data) // 3, len(data), 97):
        data[at] ^= 0x55
    file.write_bytes(data)


def _cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("harm", [_flip, _cut, _empty], ids=["flipped", "cut", "emptied"])
def test_doctor_says_that_a_saved_index_is_damaged(store: Path, harm: Callable[[Path], None]) -> None:
    assert doctor(_settings(store)) == ()
    harm(_files(store)[0])
    (problem,) = doctor(_settings(store))
    assert (problem.check, problem.mend) == ("saved_index", "ai-memory doctor --rebuild")
    assert doctor(_settings(store), rebuild=True) == ()
    assert doctor(_settings(store)) == ()


@pytest.mark.parametrize("harm", [_flip, _cut, _empty, Path.unlink], ids=["flipped", "cut", "emptied", "deleted"])
def test_each_damaged_file_is_noticed(store: Path, harm: Callable[[Path], None]) -> None:
    """A few files in turn: right answers, and a good index again after the next save."""
    names = [file.relative_to(store) for file in _files(store)]
    assert len(names) > 5
    for name in [names[-1], *names[:: 1 if LONG else 5]]:  # the head, and every fifth of the rest
        harm(store / name)
        with _open(store) as memory:
            assert _found(memory, 3) == _found(memory, MANY - 1) == 1, name
            assert memory.recall("in the index").searched.by_meaning == MANY
        assert doctor(_settings(store)) == ()
    with _open(store) as memory:
        assert _found(memory, 3) == 1


def test_a_damaged_index_is_replaced_at_the_end(store: Path) -> None:
    for file in _files(store):
        _flip(file)
    with _open(store) as memory:
        assert _found(memory, 3) == 1
    damaged = {file.name: file.read_bytes() for file in _files(store)}
    with _open(store) as memory:
        assert _found(memory, 3) == 1
    assert {file.name: file.read_bytes() for file in _files(store)} == damaged, (
        "nothing was wrong, nothing was rewritten"
    )


def test_an_index_of_an_earlier_moment_is_caught_up(store: Path, tmp_path: Path) -> None:
    """As after a kill: the store went on, the saved index did not, in small namespaces too."""
    old = Path(shutil.copytree(store / "memory.db.index", tmp_path / "old"))
    with _open(store) as memory:
        late = memory.remember(f"{secret(7000)} came later")
        memory.remember(f"{secret(7001)} came later", namespace="small")
        memory.revise(memory.recall(f'"{secret(5)}"').hits[0].memory.id, text=f"{secret(7002)} instead")
        memory.retire(memory.recall(f'"{secret(6)}"').hits[0].memory.id)
        assert memory.settle(60)
    shutil.rmtree(store / "memory.db.index", ignore_errors=True)
    shutil.copytree(old, store / "memory.db.index")
    with _open(store) as memory:
        assert [_found(memory, number) for number in (3, 5, 6, 7000, 7002)] == [1, 0, 0, 1, 1]
        assert _found(memory, 5, known_at=late.memory_id and memory.get(late.memory_id).recorded_at) == 1
        assert [_found(memory, number, namespace="small") for number in (3, 19, 7001)] == [1, 1, 1]
        assert memory.recall("anything", namespace="small").searched.memories == 21


def test_an_index_of_another_store_is_not_used(store: Path, tmp_path: Path) -> None:
    with _open(tmp_path / "other") as memory:
        memory.remember_many([f"{secret(number, 'other')} elsewhere" for number in range(MANY)])
        assert memory.settle(60)
    shutil.rmtree(store / "memory.db.index")
    shutil.copytree(tmp_path / "other/memory.db.index", store / "memory.db.index")
    with _open(store) as memory:
        assert _found(memory, 3) == 1
        assert memory.recall(f'"{secret(3, "other")}"').hits == ()


def test_an_index_that_is_ahead_of_a_restored_backup_is_not_used(store: Path, tmp_path: Path) -> None:
    """The store is put back to an earlier day; its index saved later must not show what the store no longer has."""
    shutil.copy(store / "memory.db", tmp_path / "earlier.db")
    with _open(store) as memory:
        memory.remember_many([f"{secret(number, 'late')} later" for number in range(600)])
        assert memory.settle(60)
    for leftover in store.glob("memory.db-*"):
        leftover.unlink()
    shutil.copy(tmp_path / "earlier.db", store / "memory.db")
    with _open(store) as memory:
        assert memory.recall(f'"{secret(3, "late")}"').hits == ()
        again = memory.remember(f"{secret(9000)} on the other branch of time")
        assert memory.recall(f'"{secret(9000)}"').hits[0].memory.id == again.memory_id
        assert memory.recall("in the index").searched.memories == MANY + 1


def test_a_folder_where_the_index_cannot_be_saved_is_no_harm(store: Path) -> None:
    shutil.rmtree(store / "memory.db.index")
    (store / "memory.db.index").write_text("a file is in the way")
    with _open(store) as memory:
        assert _found(memory, 3) == 1
        memory.remember_many([f"{secret(number, 'x')} more" for number in range(600)])
        assert memory.settle(60)
    with _open(store) as memory:
        assert memory.recall(f'"{secret(3, "x")}"').hits != ()


KILLED_WHILE_SAVING = """
import os, signal, sys
from ai_memory import Memory
from ai_memory.index import snapshot
from pathlib import Path
written = []
real = snapshot._replace
def die(*args):
    if sys.argv[2] == "before": os.kill(os.getpid(), signal.SIGKILL)
    real(*args)
    os.kill(os.getpid(), signal.SIGKILL)
snapshot._replace = die
memory = Memory(data_dir=sys.argv[1], model="hashing", snapshot_rows=200)
memory.remember_many([f"word {number} written before the kill" for number in range(900)])
memory.settle(60)
memory.close()
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_the_index_is_saved(store: Path, moment: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_SAVING, str(store), moment], check=False, capture_output=True, timeout=100
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    with _open(store) as memory:
        assert memory.recall("in the index").searched.memories == MANY + 900
        assert _found(memory, 3) == 1
    assert doctor(_settings(store)) == ()


def test_doctor_rebuilds_derived_parts(store: Path) -> None:
    import sqlite3

    with sqlite3.connect(store / "memory.db") as connection:
        connection.execute("DELETE FROM vectors WHERE position % 3 = 0")
    connection.close()
    problems = doctor(_settings(store))
    assert [problem.check for problem in problems] == ["pending"]
    assert problems[0].mend == "ai-memory doctor --rebuild"
    mended = doctor(_settings(store), rebuild=True)
    assert [problem.check for problem in mended] == ["pending"], "what was mended, and nothing left"
    assert doctor(_settings(store)) == ()
    with _open(store) as memory:
        assert memory.settle(60)
        assert memory.stats().pending == 0
        assert memory.recall("in the index").searched.by_meaning == MANY
