"""Equal state and an equal question give an equal answer: across restarts, processes, and ways to build the index."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Memory
from ai_memory.embed.folder import ModelFolder
from ai_memory.settings import Settings
from secret_words import secret

QUESTIONS = (
    "what did the team decide about the database",
    f"why {secret(7)}",
    '"cache of pages"',
    "Кто отвечал за сервер?",
)
NOW = "2026-06-01T00:00:00Z"
TOPICS = (
    "the database was moved",
    "a cache of pages",
    "the release of spring",
    "за сервер отвечала Анна",
    "an incident at night",
)


def _fill(memory: Memory, count: int, first: int = 0) -> None:
    """Memories of several sessions, some revised, retired and forgotten."""
    drafts = [
        {
            "text": f"{TOPICS[number % 5]}, decided by the team in week {number % 13}; {secret(number)}",
            "session": f"s{number % 9}",
            "valid_from": f"2026-0{1 + number % 5}-11T{number % 24:02}:00:00Z",
        }
        for number in range(first, first + count)
    ]
    receipts = memory.remember_many(drafts).receipts
    ids = [receipt.memory_id or "" for receipt in receipts]
    memory.revise(ids[3], text=f"the database stays; {secret(first + 3)}")
    memory.retire(ids[4])
    memory.forget(ids[5])
    memory.relate(ids[0], ids[1], type="CAUSES")


def _hashes(folder: Path, **flags: Any) -> list[str]:
    with Memory(settings=Settings(data_dir=folder, **flags)) as memory:
        return [memory.recall(question, limit=20, now=NOW).answer_hash for question in QUESTIONS]


@pytest.fixture(params=["none", "hashing"])
def filled(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, dict[str, Any], list[str]]]:
    """A store large enough for a saved index, its settings, and the answers of the process that wrote it."""
    flags: dict[str, Any] = {"model": request.param, "snapshot_rows": 500}
    with Memory(settings=Settings(data_dir=tmp_path, **flags)) as memory:
        _fill(memory, 1_300)
        assert request.param == "none" or memory.settle(60)
        answers = [memory.recall(question, limit=20, now=NOW) for question in QUESTIONS]
        assert all(len(answer.hits) > 0 for answer in answers)
        hashes = [answer.answer_hash for answer in answers]
        assert len(set(hashes)) == len(QUESTIONS)
    yield tmp_path, flags, hashes


def test_a_restart_changes_no_answer(filled: tuple[Path, dict[str, Any], list[str]]) -> None:
    folder, flags, hashes = filled
    assert (folder / "memory.db.index/progress.json").exists(), "this restart reads the saved index"
    assert _hashes(folder, **flags) == hashes


def test_an_index_built_anew_answers_the_same(filled: tuple[Path, dict[str, Any], list[str]]) -> None:
    folder, flags, hashes = filled
    shutil.rmtree(folder / "memory.db.index")
    assert _hashes(folder, **{**flags, "snapshot_rows": 0}) == hashes


def test_another_process_answers_the_same(filled: tuple[Path, dict[str, Any], list[str]]) -> None:
    folder, flags, hashes = filled
    script = (
        "from ai_memory import Memory\n"
        f"with Memory(data_dir={str(folder)!r}, **{flags!r}) as memory:\n"
        f"    for question in {QUESTIONS!r}:\n"
        f"        print(memory.recall(question, limit=20, now={NOW!r}).answer_hash)\n"
    )
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=60).stdout
    assert shown.decode().split() == hashes


def test_an_index_that_followed_another_process_answers_the_same(tmp_path: Path) -> None:
    """One process that was there from the start, one that loaded an old index and followed, one that builds anew."""
    flags: dict[str, Any] = {"model": "hashing", "snapshot_rows": 500}
    settings = Settings(data_dir=tmp_path, **flags)
    with Memory(settings=settings) as early:
        _fill(early, 1_100)
        assert early.settle(60)
    with Memory(settings=settings) as follower, Memory(settings=settings) as writer:
        follower.recall("to load the saved index")
        _fill(writer, 300, first=1_100)
        assert writer.settle(60)
        followed = [follower.recall(question, limit=20, now=NOW).answer_hash for question in QUESTIONS]
        written = [writer.recall(question, limit=20, now=NOW).answer_hash for question in QUESTIONS]
    shutil.rmtree(tmp_path / "memory.db.index", ignore_errors=True)
    assert followed == written == _hashes(tmp_path, **flags)


def test_an_archive_carried_elsewhere_answers_the_same(tmp_path: Path) -> None:
    """The same memories, with the same ids, in a store made by import."""
    flags: dict[str, Any] = {"model": "hashing", "snapshot_rows": 0}
    with (
        Memory(settings=Settings(data_dir=tmp_path / "a", **flags)) as first,
        Memory(settings=Settings(data_dir=tmp_path / "b", **flags)) as second,
    ):
        _fill(first, 300)
        assert not second.import_lines(first.export()).rejected
        assert first.settle(60)
        assert second.settle(60)
        for question in QUESTIONS:
            mine, theirs = (memory.recall(question, limit=20, now=NOW) for memory in (first, second))
            assert [hit.memory.id for hit in mine.hits] == [hit.memory.id for hit in theirs.hits]
            assert mine.answer_hash == theirs.answer_hash


@pytest.mark.model
def test_the_small_model_answers_the_same_after_a_restart(tmp_path: Path, minilm_folder: ModelFolder) -> None:
    flags: dict[str, Any] = {"model": str(minilm_folder.path), "snapshot_rows": 0}
    with Memory(settings=Settings(data_dir=tmp_path, **flags)) as memory:
        _fill(memory, 60)
        assert memory.settle(110)
        hashes = [memory.recall(question, limit=20, now=NOW).answer_hash for question in QUESTIONS]
    assert _hashes(tmp_path, **flags) == hashes
