"""The best candidates read once more, token by token: the measure, and `thorough` through the service on real models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ai_memory.clock import ManualClock
from ai_memory.embed.base import TokenReader, TokenVectors
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import EmbedderError
from ai_memory.operations.reading import RecallRequest
from ai_memory.operations.writing import REMEMBER_MANY, Draft, RememberManyRequest
from ai_memory.recall.answer import Answer
from ai_memory.recall.evidence.token_rerank import (
    MAX_CHARACTERS,
    MAX_MEMORIES,
    content_tokens,
    max_similarity,
    z_scores,
)
from ai_memory.recall.recipe import THOROUGH, without
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.wiring import open_service
from tests.recall.test_answers import START
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import tiny_bert

QUESTION = "Who repaired the harbour lamp?"


def vectors(*rows: tuple[float, float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 2)


def test_likeness_is_the_mean_of_each_questions_tokens_nearest_one() -> None:
    question = vectors((1, 0), (0, 1))
    assert max_similarity(question, vectors((1, 0), (-1, 0))) == pytest.approx(0.5)
    assert max_similarity(question, vectors((0.6, 0.8), (1, 0))) == pytest.approx(0.9)
    assert max_similarity(question, question[::-1]) == 1.0
    assert max_similarity(question, vectors()) == max_similarity(vectors(), question) == 0.0


def test_function_words_and_marks_of_a_question_do_not_count() -> None:
    spans = [(0, 3), (4, 8), (8, 12), (13, 16), (17, 21), (21, 22)]
    text = "Who repaired the lamp?"
    assert content_tokens(text, spans, frozenset(("repaired", "lamp"))).tolist() == [
        False,
        True,
        True,
        False,
        True,
        False,
    ]
    assert content_tokens(text, spans, frozenset()).all(), "a question of function words is read as it is"
    assert content_tokens("", [], frozenset(("lamp",))).tolist() == []


def test_standing_out_is_counted_in_deviations() -> None:
    assert z_scores(np.array([0.1, 0.2, 0.3])) == pytest.approx([-1.2247449, 0.0, 1.2247449])
    assert z_scores(np.array([0.25, 0.25, 0.25 + 1e-9])).tolist() == [0.0, 0.0, 0.0]


def opened(folder: Path, model: str) -> Service:
    return open_service(Settings(data_dir=folder, model=model), clock=ManualClock(START))


def filled(folder: Path, model: str, count: int = 60) -> Service:
    service = opened(folder, model)
    drafts = [
        Draft(text=f"Day {day}: {who} repaired the harbour {what}.")
        for day in range(count // 6)
        for who in ("Anna", "Bob")
        for what in ("lamp", "crane", "gate")
    ]
    service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=drafts))
    service.settle()
    return service


def ask(service: Service, query: str = QUESTION, *, recipe: str = "thorough", limit: int = 10) -> Answer:
    request = RecallRequest(query=query, limit=limit, explain=True, now=START)
    return service.recall_with({"thorough": THOROUGH, "off": without(THOROUGH, "tokens")}[recipe], request)


def stages(answer: Answer) -> list[dict[str, float]]:
    found = []
    for hit in answer.hits:
        assert hit.trace is not None
        assert sum(stage.contribution for stage in hit.trace.stages) == pytest.approx(hit.score)
        found.append({stage.name: stage.value for stage in hit.trace.stages})
    return found


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("models") / "tiny", max_tokens=64)


def test_thorough_reads_the_best_again_and_the_same_way_in_another_process(tmp_path: Path, bert: Path) -> None:
    service = filled(tmp_path, str(bert))
    answer = ask(service)
    values = [stage["tokens"] for stage in stages(answer)]
    assert len(set(values)) > 1
    assert answer.answer_hash == ask(service).answer_hash
    assert answer.hits[0].memory.id == ask(service, limit=1).hits[0].memory.id
    assert {hit.memory.id for hit in answer.hits} == {hit.memory.id for hit in ask(service, recipe="off").hits}
    every = stages(ask(service, limit=50))
    assert len({stage["tokens"] for stage in every}) > MAX_MEMORIES // 2, "the best ones get different values"
    assert {stage["tokens"] for stage in every[MAX_MEMORIES:]} == {min(stage["tokens"] for stage in every)}
    service.close()
    again = opened(tmp_path, str(bert))
    assert ask(again).answer_hash == answer.answer_hash
    again.close()


def test_long_texts_are_read_up_to_a_bound(tmp_path: Path, bert: Path) -> None:
    service = opened(tmp_path, str(bert))
    drafts = [Draft(text=f"{day} lamp repaired at the harbour. " + "It took long. " * 50) for day in "abcdef"]
    service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=drafts))
    service.settle()
    assert len(drafts[0].text) * 4 > MAX_CHARACTERS
    values = sorted(stage["tokens"] for stage in stages(ask(service)))
    assert len(values) == 6
    assert values[0] == values[1] == values[2] == values[3] < values[4], (
        "three are read, the others are the least of them"
    )
    service.close()


def test_switched_off_there_is_no_such_stage(tmp_path: Path, bert: Path) -> None:
    service = filled(tmp_path, str(bert), 12)
    assert all("tokens" not in stage for stage in stages(ask(service, recipe="off")))
    assert all("tokens" in stage for stage in stages(ask(service)))
    assert stages(ask(service, '"no such phrase"')) == []
    service.close()


@pytest.mark.parametrize("model", ["gemma", "hashing", "none"])
def test_models_that_do_not_tell_of_tokens_answer_as_without(tmp_path: Path, model: str) -> None:
    name = str(tiny_gemma(tmp_path / "gemma")) if model == "gemma" else model
    service = filled(tmp_path / "data", name, 12)
    on, off = ask(service), ask(service, recipe="off")
    assert on.hits
    assert [(hit.memory.id, hit.score) for hit in on.hits] == [(hit.memory.id, hit.score) for hit in off.hits]
    service.close()


def test_a_model_that_fails_on_tokens_costs_the_stage_and_not_the_answer(
    tmp_path: Path, bert: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service = filled(tmp_path, str(bert), 12)

    def broken(self: TransformerEmbedder, texts: list[str]) -> list[TokenVectors] | None:
        raise EmbedderError("the forward pass failed: out of memory")

    assert issubclass(TransformerEmbedder, TokenReader)
    monkeypatch.setattr(TransformerEmbedder, "read_tokens", broken)
    answer = ask(service)
    assert answer.hits
    assert all("tokens" not in stage for stage in stages(answer))
    assert "out of memory" in caplog.text
    service.close()


def test_hostile_questions_and_texts_are_read(tmp_path: Path, bert: Path) -> None:
    service = opened(tmp_path, str(bert))
    texts = ["\x01", "👩‍👩‍👧 lamp", "شارع lamp", "lamp " * 5_000, "林晓 lamp", "e\u0301" * 50 + " lamp"]
    service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=[Draft(text=text) for text in texts]))
    service.settle()
    for question in ("lamp", "?!", "👩‍👩‍👧", "are you", "lamp " * 3_000):
        assert all(np.isfinite(hit.score) for hit in ask(service, question).hits)
    service.close()
