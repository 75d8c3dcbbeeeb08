"""An embedder that fails: texts are kept and found by words, vectors are owed and paid later, and every answer says so."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ai_memory import Memory
from ai_memory.clock import SystemClock
from ai_memory.embed.base import Embedder, Task, Vectors
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.errors import EmbedderError, EmbedderMismatchError
from ai_memory.operations.reading import RECALL, RecallRequest
from ai_memory.operations.watching import HEALTH, STATS, HealthRequest, StatsRequest
from ai_memory.operations.writing import (
    FORGET,
    REMEMBER,
    REMEMBER_MANY,
    Draft,
    ForgetRequest,
    RememberManyRequest,
    RememberRequest,
)
from ai_memory.recall.answer import Answer
from ai_memory.service.background import backlog
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.types import EmbedderIdentity
from ai_memory.wiring import doctor

POISON = "poison"


class FailingEmbedder:
    """A real embedder that fails on chosen words while it is told to: a fault injector, not a stand-in."""

    def __init__(self) -> None:
        self._inner = HashingEmbedder()
        self.fails_on = {POISON}
        self.dies = False

    @property
    def identity(self) -> EmbedderIdentity:
        return self._inner.identity

    @property
    def max_tokens(self) -> int:
        return self._inner.max_tokens

    def _check(self, texts: Sequence[str]) -> None:
        if self.dies:
            raise RuntimeError("the runtime broke down")
        if any(word in text for word in self.fails_on for text in texts):
            raise EmbedderError("the device ran out of memory")

    def embed_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> Vectors:
        self._check(texts)
        return self._inner.embed_queries(texts, task)

    def embed_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Vectors:
        self._check(texts)
        return self._inner.embed_documents(texts, titles)

    @property
    def dimensions(self) -> tuple[int, ...]:
        return self._inner.dimensions

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._inner.count_tokens(texts)

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Service, FailingEmbedder]]:
    """A service on a real store whose embedder can be made to fail; it retries soon rather than in half a minute."""
    monkeypatch.setattr(backlog, "RETRY_TEXT_SECONDS", 0.3)
    monkeypatch.setattr(backlog, "RETRY_SECONDS", 0.2)
    monkeypatch.setattr(backlog, "IDLE_SECONDS", 0.1)
    embedder = FailingEmbedder()
    typed: Embedder = embedder
    service = Service(open_sqlite_store(tmp_path / "memory.db", clock=SystemClock()), lambda pinned: typed)
    yield service, embedder
    service.close()


def _codes(answer: Answer) -> set[str]:
    return {notice.code for notice in answer.notices}


def _pending(service: Service) -> int:
    return service.carry_out(STATS, StatsRequest()).pending


def test_one_bad_text_does_not_hold_up_the_others(failing: tuple[Service, FailingEmbedder]) -> None:
    service, embedder = failing
    texts = [f"memory number {number}" for number in range(150)]
    texts[70] = f"a text with {POISON} in it"
    receipts = service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=[Draft(text=text) for text in texts]))
    assert receipts.counts == {"stored": 150}
    assert service.settle(20) is False
    assert _pending(service) == 1
    answer = service.carry_out(RECALL, RecallRequest(query="a text in it"))
    assert answer.hits[0].memory.text == texts[70], "found by words"
    assert "vectors_pending" in _codes(answer)
    embedder.fails_on = set()
    begun = time.monotonic()
    while not service.settle(1) and time.monotonic() - begun < 20:
        time.sleep(0.05)
    assert _pending(service) == 0, "what failed is tried again"
    assert "vectors_pending" not in _codes(service.carry_out(RECALL, RecallRequest(query="a text in it")))
    assert service.doctor() == ()


def test_forgetting_the_bad_text_lets_later_ones_be_paid(failing: tuple[Service, FailingEmbedder]) -> None:
    service, _ = failing
    bad = service.carry_out(REMEMBER, RememberRequest(text=POISON)).memory_id
    assert service.settle(20) is False
    assert bad is not None
    service.carry_out(FORGET, ForgetRequest(id=bad))
    service.carry_out(REMEMBER, RememberRequest(text="a good one"))
    assert service.settle(20)


def test_waiting_for_a_text_that_fails_says_so(failing: tuple[Service, FailingEmbedder]) -> None:
    service, _ = failing
    receipt = service.carry_out(REMEMBER, RememberRequest(text=f"{POISON} to wait for", wait=True))
    assert (receipt.outcome, receipt.searchable.words, receipt.searchable.meaning) == ("stored", True, False)


def test_a_question_that_fails_is_answered_by_words(failing: tuple[Service, FailingEmbedder]) -> None:
    service, embedder = failing
    service.carry_out(REMEMBER, RememberRequest(text="the house is green"))
    assert service.settle(20)
    answer = service.carry_out(RECALL, RecallRequest(query=f"green {POISON}"))
    assert answer.hits[0].memory.text == "the house is green"
    assert "words_only" in _codes(answer)
    assert answer.searched.by_meaning == 0
    assert "out of memory" in str([notice.message for notice in answer.notices])
    assert "embedder" in service.carry_out(HEALTH, HealthRequest()).degraded
    embedder.fails_on = set()
    assert "words_only" not in _codes(service.carry_out(RECALL, RecallRequest(query=f"green {POISON}")))
    assert "embedder" not in service.carry_out(HEALTH, HealthRequest()).degraded


def test_an_unexpected_fault_of_the_runtime_loses_nothing(failing: tuple[Service, FailingEmbedder]) -> None:
    """Also an error of no class of ours neither ends the paying thread nor a recall."""
    service, embedder = failing
    embedder.dies = True
    service.carry_out(REMEMBER, RememberRequest(text="the house is green"))
    answer = service.carry_out(RECALL, RecallRequest(query="green house"))
    assert answer.hits[0].memory.text == "the house is green"
    assert "words_only" in _codes(answer)
    assert service.settle(1) is False
    embedder.dies = False
    begun = time.monotonic()
    while (
        not service.settle(1) and time.monotonic() - begun < 20
    ):  # a model that failed is looked for again after a while
        time.sleep(0.05)
    assert _pending(service) == 0


def test_without_a_model_everything_is_owed_and_paid_once_there_is_one(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="none") as memory:
        receipt = memory.remember("the house is green")
        assert (receipt.outcome, receipt.searchable.meaning) == ("stored", False)
        assert "model = none" in (receipt.reason or "")
        answer = memory.recall("green house")
        assert "words_only" in _codes(answer)
        assert memory.settle(5) is False
        assert "embedder" in memory.health().degraded
    with Memory(data_dir=tmp_path, model="hashing") as memory:
        assert memory.settle(20)
        answer = memory.recall("green house")
        assert _codes(answer) == set()
        assert answer.searched.by_meaning == 1


@pytest.mark.model
def test_a_store_of_one_model_refuses_another_before_anything_is_written(
    tmp_path: Path, minilm_folder: ModelFolder
) -> None:
    with Memory(data_dir=tmp_path, model="hashing") as memory:
        memory.remember("the house is green")
        assert memory.settle(20)
        before = list(memory.export())
    with pytest.raises(EmbedderMismatchError, match="hashing") as refused:
        Memory(data_dir=tmp_path, model=str(minilm_folder.path))
    assert "reembed" in (refused.value.hint or "")
    with Memory(data_dir=tmp_path, model="auto") as memory:
        assert list(memory.export()) == before
        assert memory.recall("green").searched.by_meaning == 1


def _copied(folder: ModelFolder, target: Path) -> Path:
    return Path(shutil.copytree(folder.path, target))


@pytest.mark.model
@pytest.mark.parametrize("harm", ["weights cut", "weights gone", "tokenizer garbled"])
def test_a_damaged_model_folder(tmp_path: Path, minilm_folder: ModelFolder, harm: str) -> None:
    """Words go on, the answer says why, and health names the file."""
    folder = _copied(minilm_folder, tmp_path / "model")
    weights = folder / "model.safetensors"
    if harm == "weights cut":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif harm == "weights gone":
        weights.unlink()
    else:
        (folder / "tokenizer.json").write_text("{")
    with Memory(data_dir=tmp_path / "data", model=str(folder)) as memory:
        memory.remember("the house is green")
        answer = memory.recall("green house")
        assert answer.hits[0].memory.text == "the house is green"
        assert "words_only" in _codes(answer)
        assert memory.settle(1) is False
        health = memory.health()
        assert "embedder" in health.degraded
        assert [part for part in health.parts if "safetensors" in part.message or "tokenizer.json" in part.message]


@pytest.mark.model
def test_a_model_folder_damaged_while_running(tmp_path: Path, minilm_folder: ModelFolder) -> None:
    """What is loaded goes on working; the next start works by words until the folder is whole again."""
    folder = _copied(minilm_folder, tmp_path / "model")
    settings = Settings(data_dir=tmp_path / "data", model=str(folder))
    with Memory(settings=settings) as memory:
        memory.remember("the house is green")
        assert memory.settle(60)
        whole = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors").write_bytes(whole[:5000])
        memory.remember("the door is blue")
        assert memory.settle(60)
        assert memory.recall("which colour has the door").hits[0].memory.text == "the door is blue"
    (folder / "model.safetensors").write_bytes(whole)
    with Memory(settings=settings) as memory:
        assert memory.recall("which colour has the door").searched.by_meaning == 2
    assert doctor(settings) == ()
