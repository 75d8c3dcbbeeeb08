"""The embedder over HTTP under load: nothing is lost, no client waits for ever, and a disconnected client frees its place."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import openai
import pytest

from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import EmbedderError
from tests.support.faulty_runtime import PATIENCE, FaultyRuntime, faulty_embedder
from tests.support.rest_server import Got, Served, ask, remember, serving
from tests.support.tiny_gemma import tiny_gemma

MODEL = "embeddinggemma-300m"


class Stage(NamedTuple):
    """A server, and the embedder and runtime inside it."""

    served: Served
    embedder: TransformerEmbedder
    runtime: FaultyRuntime


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma(tmp_path_factory.mktemp("models") / MODEL)


@pytest.fixture
def stage(model: Path, tmp_path: Path) -> Iterator[Stage]:
    embedder, runtime = faulty_embedder(read_model_folder(model))
    with serving(tmp_path, loader=lambda pinned: embedder) as served:
        ask(served, "POST", "/embed", {"inputs": "load the model"})
        runtime.wait_for_pass()
        runtime.passes.clear()
        yield Stage(served, embedder, runtime)


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(80) as pool:
        yield pool


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.002)


def sent(served: Served, path: str, **fields: object) -> socket.socket:
    """A connection on which a request has been sent and no answer read."""
    body = json.dumps(fields).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    raw = socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE)
    raw.sendall(head.encode() + body)
    return raw


def test_64_clients_get_their_own_vectors(stage: Stage, callers: ThreadPoolExecutor) -> None:
    texts = [f"client {number} asks when the gate opens" for number in range(64)]
    expected = stage.embedder.embed_documents(texts)
    before = len(stage.runtime.passes)
    start = threading.Barrier(64)

    def client(number: int) -> None:
        start.wait(PATIENCE)
        with openai.OpenAI(base_url=f"{stage.served.url}/v1", api_key="any", max_retries=0) as mine:
            for turn in range(4):
                text = texts[(number + turn) % 64]
                answer = mine.embeddings.create(model=MODEL, input=text)
                np.testing.assert_allclose(answer.data[0].embedding, expected[(number + turn) % 64], atol=1e-5)

    for each in [callers.submit(client, number) for number in range(64)]:
        each.result(PATIENCE * 2)
    passes = stage.runtime.passes[before:]
    assert sum(map(len, passes)) == 64 * 4
    assert len(passes) < 64 * 4, "concurrent requests share passes"
    assert stage.embedder.waiting == 0


def test_a_client_that_hangs_up_frees_its_place(stage: Stage) -> None:
    with stage.runtime.held():
        running = sent(stage.served, "/embed", inputs="the one that runs")
        stage.runtime.wait_for_pass()
        gone = [
            sent(stage.served, path, **{field: "hangs up"})
            for path, field in (("/embed", "inputs"), ("/v1/embeddings", "input"))
        ]
        until(lambda: stage.embedder.waiting == 3)
        for each in gone:
            each.close()
        until(lambda: stage.embedder.waiting == 1)
    assert running.recv(12) == b"HTTP/1.1 200"
    running.close()
    assert len(stage.runtime.passes) == 1, "what nobody waits for is not computed"
    assert ask(stage.served, "POST", "/embed", {"inputs": "after"}).status == 200


def test_a_client_that_hangs_up_in_the_middle_of_a_batch_ends_it(stage: Stage) -> None:
    texts = [f"gate {number} " * 40 for number in range(400)]
    with stage.runtime.held():
        batch = sent(stage.served, "/embed", inputs=texts)
        stage.runtime.wait_for_pass()
        batch.close()
        until(lambda: stage.embedder.waiting == 0)
    assert ask(stage.served, "POST", "/embed", {"inputs": "after"}).status == 200
    assert len(stage.runtime.passes) == 2


def test_a_full_queue_answers_429_with_the_seconds_to_wait(model: Path, tmp_path: Path) -> None:
    embedder, runtime = faulty_embedder(read_model_folder(model))
    with serving(tmp_path, loader=lambda pinned: embedder, max_concurrent_requests=1) as served:
        with runtime.held():
            waiting = [sent(served, "/embed", inputs="first")]
            runtime.wait_for_pass()
            waiting += [sent(served, "/embed", inputs=f"more {number}") for number in range(4)]
            until(lambda: embedder.waiting == 5)
            for path, field in (("/embed", "inputs"), ("/v1/embeddings", "input")):
                refused = ask(served, "POST", path, {field: "one too many"})
                assert refused.status == 429
                assert int(refused.headers["retry-after"]) >= 1
                if path == "/embed":
                    assert refused.json["error_type"] == "Overloaded"
                else:
                    assert refused.json["error"]["code"] == "rate_limit_exceeded"
            assert ask(served, "GET", "/health/live").status == 200
        for each in waiting:
            assert each.recv(12) == b"HTTP/1.1 200"
            each.close()


def test_openais_client_waits_as_it_is_told_and_succeeds(
    model: Path, tmp_path: Path, callers: ThreadPoolExecutor
) -> None:
    embedder, runtime = faulty_embedder(read_model_folder(model))
    with serving(tmp_path, loader=lambda pinned: embedder, max_concurrent_requests=1) as served:
        client = openai.OpenAI(base_url=f"{served.url}/v1", api_key="any", max_retries=5)
        with runtime.held():
            waiting = [sent(served, "/embed", inputs="first")]
            runtime.wait_for_pass()
            waiting += [sent(served, "/embed", inputs=f"more {number}") for number in range(4)]
            until(lambda: embedder.waiting == 5)
            asked = callers.submit(client.embeddings.create, model=MODEL, input="patient")
            until(
                lambda: b'te_request_failure{err="overloaded"}' in ask(served, "GET", "/metrics").body or asked.done()
            )
        assert len(asked.result(PATIENCE).data) == 1
        client.close()
        for each in waiting:
            each.close()


def test_memories_are_served_while_texts_wait_for_the_model(stage: Stage) -> None:
    """Texts of other programs use a separate thread pool: they do not delay the operations."""
    with stage.runtime.held():
        waiting = [sent(stage.served, "/embed", inputs=f"text {number}") for number in range(100)]
        until(lambda: stage.embedder.waiting >= 100)
        assert remember(stage.served, "Kept at once.")["outcome"] == "stored"
        assert ask(stage.served, "GET", "/v1/memories").status == 200
    for each in waiting:
        assert each.recv(12) == b"HTTP/1.1 200"
        each.close()


@pytest.mark.parametrize("fault", [EmbedderError("the device ran out of memory"), RuntimeError("the driver died")])
def test_a_pass_that_fails_fails_its_own_request_alone(
    stage: Stage, callers: ThreadPoolExecutor, fault: Exception
) -> None:
    (tokens,) = ask(stage.served, "POST", "/tokenize", {"inputs": "龘", "add_special_tokens": False}).json
    stage.runtime.poison, stage.runtime.fault = {tokens[-1]["id"]}, fault
    with stage.runtime.held():
        first = callers.submit(ask, stage.served, "POST", "/embed", {"inputs": "first"})
        stage.runtime.wait_for_pass()
        good = [callers.submit(ask, stage.served, "POST", "/embed", {"inputs": f"good {n}"}) for n in range(5)]
        bad = callers.submit(ask, stage.served, "POST", "/embed", {"inputs": "bad 龘"})
        worse = callers.submit(ask, stage.served, "POST", "/v1/embeddings", {"input": ["fine", "bad 龘"]})
        until(lambda: stage.embedder.waiting == 8)
    assert [each.result(PATIENCE).status for each in (first, *good)] == [200] * 6
    ours = isinstance(fault, EmbedderError)
    failed: Got = bad.result(PATIENCE)
    assert (failed.status, failed.json["error_type"]) == ((424, "Backend") if ours else (500, "Backend"))
    told = worse.result(PATIENCE)
    assert (told.status, told.json["error"]["type"]) == (503 if ours else 500, "server_error")
    stage.runtime.poison = set()
    assert ask(stage.served, "POST", "/embed", {"inputs": "bad 龘"}).status == 200


def test_a_large_batch_holds_up_nobody(stage: Stage, callers: ThreadPoolExecutor) -> None:
    """While two thousand vectors are made and sent, the event loop answers others."""
    texts = [f"gate {number}" for number in range(2048)]
    batch = callers.submit(ask, stage.served, "POST", "/embed", {"inputs": texts})
    answered = 0
    while not batch.done():
        assert ask(stage.served, "GET", "/health/live").status == 200
        answered += 1
    assert len(batch.result(PATIENCE).json) == 2048
    assert answered > 3


def test_a_server_that_stops_ends_every_request(model: Path, tmp_path: Path, callers: ThreadPoolExecutor) -> None:
    embedder, runtime = faulty_embedder(read_model_folder(model))
    with serving(tmp_path, loader=lambda pinned: embedder, shutdown_seconds=5) as served, runtime.held():
        asked = [callers.submit(ask, served, "POST", "/embed", {"inputs": f"text {n}"}) for n in range(10)]
        runtime.wait_for_pass()
        until(lambda: embedder.waiting == 10)
    for each in asked:
        with contextlib.suppress(http.client.HTTPException, ConnectionError):  # a closed connection is an end too
            assert each.result(PATIENCE).status in (200, 503)
    assert embedder.waiting == 0
