"""What many first callers need at once is made by one of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ai_memory.embed.models.folder import read_model_folder
from ai_memory.errors import EmbedderError
from ai_memory.recall.evidence.background import BACKGROUND_SENTENCES
from ai_memory.service.background.single_flight import SingleFlight
from tests.support.faulty_runtime import PATIENCE, faulty_embedder
from tests.support.rest_server import ask, remember, serving
from tests.support.tiny_gemma import tiny_gemma

CLIENTS = 64


@pytest.mark.parametrize("same", [False, True], ids=["64 questions", "one question"])
def test_64_first_recalls_embed_the_anchors_once(same: bool, tmp_path: Path) -> None:
    embedder, runtime = faulty_embedder(read_model_folder(tiny_gemma(tmp_path / "models" / "embeddinggemma-300m")))
    with (
        serving(tmp_path / "data", loader=lambda pinned: embedder, max_concurrent_requests=CLIENTS) as served,
        ThreadPoolExecutor(CLIENTS) as callers,
    ):
        remember(served, "The gate opens at noon.")
        assert served.service.settle(PATIENCE)
        runtime.passes.clear()
        with runtime.held():
            # Different questions of the same words, all of which the memory has: none needs the vector of words that it lacks.
            queries = [f"When does the gate open{'?' * (1 if same else 1 + n)}" for n in range(CLIENTS)]
            asked = [callers.submit(ask, served, "POST", "/v1/recall", {"query": query}) for query in queries]
            runtime.wait_for_pass()
        answers = [each.result(PATIENCE) for each in asked]
        assert [answer.status for answer in answers] == [200] * CLIENTS
        assert not any(notice["code"] == "words_only" for answer in answers for notice in answer.json["notices"])
        questions = 1 if same else CLIENTS
        assert sum(map(len, runtime.passes)) == questions + len(BACKGROUND_SENTENCES)


def test_a_warmed_up_service_embeds_no_more_than_the_first_question(tmp_path: Path) -> None:
    embedder, runtime = faulty_embedder(read_model_folder(tiny_gemma(tmp_path / "models" / "embeddinggemma-300m")))
    with serving(tmp_path / "data", loader=lambda pinned: embedder) as served:
        remember(served, "The gate opens at noon.")
        assert served.service.settle(PATIENCE)
        served.service.warm_up()
        runtime.passes.clear()
        assert ask(served, "POST", "/v1/recall", {"query": "When does the gate open?"}).status == 200
        assert sum(map(len, runtime.passes)) == 1


def test_work_that_fails_fails_for_all_who_wait_and_is_done_again_later() -> None:
    flight: SingleFlight[int] = SingleFlight()
    begun, goes_on = threading.Event(), threading.Event()

    def fail() -> int:
        begun.set()
        assert goes_on.wait(PATIENCE)
        raise EmbedderError("the device ran out of memory")

    with ThreadPoolExecutor(8) as callers:
        first = callers.submit(flight.run, "key", fail)
        assert begun.wait(PATIENCE)
        others = [callers.submit(flight.run, "key", fail) for _ in range(7)]
        assert flight.run("another key", lambda: 5) == 5
        goes_on.set()
        for each in (first, *others):
            with pytest.raises(EmbedderError):
                each.result(PATIENCE)
    assert flight.run("key", lambda: 6) == 6
