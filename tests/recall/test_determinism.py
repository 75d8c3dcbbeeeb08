"""Equal state and an equal question give an equal answer: across restarts, processes, and ways to build the index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ai_memory import Memory
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.recall.answer import Answer
from ai_memory.recall.recipe import BALANCED, RECIPES, STAGES
from ai_memory.recall.tuned import Tuned, encode, scaled
from ai_memory.settings import Settings
from tests.support.secret_words import secret

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
    """One process that ran from the start, one that loaded an old index and followed, one that builds its index from scratch."""
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
            mine, other = (memory.recall(question, limit=20, now=NOW) for memory in (first, second))
            assert [hit.memory.id for hit in mine.hits] == [hit.memory.id for hit in other.hits]
            assert mine.answer_hash == other.answer_hash


@pytest.mark.model
def test_the_small_model_answers_the_same_after_a_restart(tmp_path: Path, minilm_folder: ModelFolder) -> None:
    flags: dict[str, Any] = {"model": str(minilm_folder.path), "snapshot_rows": 0}
    with Memory(settings=Settings(data_dir=tmp_path, **flags)) as memory:
        _fill(memory, 60)
        assert memory.settle(110)
        hashes = [memory.recall(question, limit=20, now=NOW).answer_hash for question in QUESTIONS]
    assert _hashes(tmp_path, **flags) == hashes


def _whole(answers: Iterable[Answer]) -> list[Any]:
    """Answers as data, all but how long they took."""
    return [msgspec.to_builtins(msgspec.structs.replace(answer, took_ms=0.0)) for answer in answers]


def _every(memory: Memory) -> Iterator[Answer]:
    """Every question by every recipe, with the whole account, filtered and not."""
    for question in QUESTIONS:
        for recipe in RECIPES:
            yield memory.recall(question, recipe=recipe, explain=True, now=NOW, limit=5)  # type: ignore[arg-type]
        yield memory.recall(question, explain=True, now=NOW, limit=5, session=["s1", "s2", "s3"])
        yield memory.recall(question, explain=True, now=NOW, layers=["detailed"], max_tokens=300)


CHILD = """
import sys, msgspec
from tests.recall.test_determinism import Memory, Settings, Path, _every, _whole
with Memory(settings=Settings(data_dir=Path({folder!r}), **{flags!r})) as memory:
    sys.stdout.buffer.write(msgspec.json.encode(_whole(_every(memory))))
"""


@pytest.mark.parametrize("tuned", [False, True], ids=["shipped", "tuned"])
def test_every_recipe_gives_the_same_account_in_a_process_of_other_threads_and_hashes(
    tmp_path: Path, tuned: bool
) -> None:
    """Not the order alone: every stage's value, every reason and every confidence, to the last bit."""
    flags: dict[str, Any] = {"model": "hashing", "snapshot_rows": 0, "extract": False}
    with Memory(settings=Settings(data_dir=tmp_path, **flags)) as memory:
        _fill(memory, 300)
        assert memory.settle(60)
    if tuned:
        recipe = scaled(BALANCED, {"coverage": 0.5, "session": 2.0})
        weights = {stage: getattr(recipe, stage) for stage in STAGES}
        (tmp_path / "recipe.json").write_bytes(encode(Tuned(base="balanced", weights=weights)))
    with Memory(settings=Settings(data_dir=tmp_path, **flags)) as memory:
        here = _whole(_every(memory))
    assert {answer["recipe"] for answer in here} >= ({"balanced, tuned"} if tuned else set(RECIPES))
    script = CHILD.format(folder=str(tmp_path), flags=flags)
    for threads, seed in (("1", "0"), ("3", "12345")):
        counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        environment = {**os.environ, "PYTHONHASHSEED": seed, **counts}
        command = [sys.executable, "-c", script]
        shown = subprocess.run(command, check=True, capture_output=True, timeout=100, env=environment).stdout
        assert msgspec.json.decode(shown) == msgspec.json.decode(msgspec.json.encode(here))


def test_asking_for_the_account_changes_no_answer(tmp_path: Path) -> None:
    with Memory(settings=Settings(data_dir=tmp_path, model="hashing")) as memory:
        _fill(memory, 100)
        assert memory.settle(60)
        for question in QUESTIONS:
            plain = memory.recall(question, now=NOW)
            explained = memory.recall(question, now=NOW, explain=True)
            stripped = [msgspec.structs.replace(hit, trace=None) for hit in explained.hits]
            assert list(plain.hits) == stripped
            assert plain.answer_hash == explained.answer_hash


def test_many_threads_at_once_get_the_answer_of_one(tmp_path: Path) -> None:
    with Memory(settings=Settings(data_dir=tmp_path, model="hashing")) as memory:
        _fill(memory, 300)
        assert memory.settle(60)
        alone = {question: memory.recall(question, now=NOW, limit=20).answer_hash for question in QUESTIONS}
        with ThreadPoolExecutor(8) as pool:
            asked = [question for _ in range(25) for question in QUESTIONS]
            found = list(pool.map(lambda question: memory.recall(question, now=NOW, limit=20).answer_hash, asked))
    assert found == [alone[question] for question in asked]
