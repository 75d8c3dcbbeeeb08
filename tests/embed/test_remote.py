"""An embedder in another service: the same vectors, clear errors, and nothing lost while the service is down."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from ai_memory import Memory
from ai_memory.embed.base import Cancellation, Inputs, Task, TooLong
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.remote import RemoteEmbedder
from ai_memory.errors import (
    EmbedderError,
    EmbedderMismatchError,
    EmbedderUnavailableError,
    InvalidInputError,
    OverloadedError,
    ServiceUnavailableError,
    TooLargeError,
)
from ai_memory.settings import Settings
from tests.support.faulty_runtime import PATIENCE, faulty_embedder, plain_embedder
from tests.support.rest_server import Served, ask, serving
from tests.support.tiny_gemma import tiny_gemma

MODEL = "embeddinggemma-300m"
TEXTS = ["the gate opens at noon", "", "кошка спит", "a\x00b", "half \ud800 a pair"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma(tmp_path_factory.mktemp("models") / MODEL)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("gpu"), model=str(model), dtype="float32") as running:
        yield running


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def test_the_vectors_are_bit_identical_to_the_remote_ones(served: Served, model: Path) -> None:
    here = plain_embedder(read_model_folder(model))
    there = RemoteEmbedder(served.url)
    assert there.identity == here.identity
    assert (there.dimensions, there.max_tokens) == (here.dimensions, here.max_tokens)
    for task in Task:
        np.testing.assert_allclose(there.embed_queries(TEXTS, task), here.embed_queries(TEXTS, task), atol=1e-6)
    titles = ["Gates", None, "", "T", "\udcff"]
    np.testing.assert_allclose(there.embed_documents(TEXTS, titles), here.embed_documents(TEXTS, titles), atol=1e-6)
    assert there.count_tokens(TEXTS) == here.count_tokens(TEXTS)
    here.close()
    there.close()


def test_the_tokens_of_each_vector_are_reported(served: Served, model: Path) -> None:
    here, there = plain_embedder(read_model_folder(model)), RemoteEmbedder(served.url)
    texts = ["short", "the gate opens at noon " * 700]
    for too_long in (TooLong.TRUNCATE, TooLong.WINDOWS):
        mine, theirs = (each.embed(Inputs(texts, None), too_long=too_long) for each in (here, there))
        np.testing.assert_allclose(theirs.vectors, mine.vectors, atol=1e-5)
        assert (theirs.tokens, theirs.cut) == (mine.tokens, mine.cut)
    with pytest.raises(TooLargeError, match="2048 tokens"):
        there.embed(Inputs(texts, None), too_long=TooLong.ERROR)
    here.close()


def test_many_texts_go_in_several_requests(served: Served) -> None:
    there = RemoteEmbedder(served.url)
    texts = [f"gate {number}" for number in range(700)]
    whole = there.embed_documents(texts)
    np.testing.assert_allclose(
        whole[[0, 255, 256, 699]], there.embed_documents([texts[n] for n in (0, 255, 256, 699)]), atol=1e-5
    )


def test_a_service_remembers_and_recalls_with_an_embedder_elsewhere(
    served: Served, model: Path, tmp_path: Path
) -> None:
    """The store is pinned to the model's identity, wherever the model runs."""
    with Memory(data_dir=tmp_path, embedder_url=served.url) as memory:
        memory.remember("The gate opens at noon.")
        memory.remember("Quiet purple music.")
        assert memory.settle(30)
        answer = memory.recall("The gate opens at noon.")
        assert answer.hits[0].memory.text == "The gate opens at noon."
        assert answer.searched.by_meaning == 2
    with Memory(data_dir=tmp_path, model=str(model), dtype="float32") as memory:
        assert memory.recall("gate").searched.by_meaning == 2


def test_a_service_passes_on_what_other_programs_ask(served: Served, tmp_path: Path) -> None:
    with serving(tmp_path, embedder_url=served.url, model="auto") as between:
        got = ask(between, "POST", "/embed", {"inputs": ["noon"], "dimensions": 128})
        direct = ask(served, "POST", "/embed", {"inputs": ["noon"], "dimensions": 128})
        np.testing.assert_allclose(got.json, direct.json, atol=1e-6)
        assert got.headers["x-embedder"] == direct.headers["x-embedder"]
        assert ask(between, "GET", "/info").json["identity"] == ask(served, "GET", "/info").json["identity"]
        assert ask(between, "POST", "/tokenize", {"inputs": "noon"}).status == 422


def test_nothing_is_lost_while_the_remote_service_is_down(model: Path, tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(data_dir=tmp_path / "here", embedder_url=f"http://127.0.0.1:{port}")
    with Memory(settings=settings) as memory:
        memory.remember("The gate opens at noon.")
        answer = memory.recall("gate")
        assert [notice.code for notice in answer.notices if notice.code == "words_only"]
        health = {part.name: part for part in memory.health().parts}
        assert str(port) in health["embedder"].message
        with serving(tmp_path / "there", model=str(model), dtype="float32", port=port):
            until(lambda: memory.settle(1))
            assert memory.recall("gate").searched.by_meaning == 1
        memory.remember("The door is blue.")
        assert memory.recall("door").hits[0].memory.text == "The door is blue."
        assert memory.settle(1) is False
        with serving(tmp_path / "there", model=str(model), dtype="float32", port=port):
            until(lambda: memory.settle(1))
            assert memory.recall("which colour").searched.by_meaning == 2


def test_vectors_of_another_model_are_never_taken(model: Path, tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "one", model=str(model), dtype="float32", port=port):
        there = RemoteEmbedder(f"http://127.0.0.1:{port}")
        assert there.embed_documents(["a"]).shape == (1, 768)
    other = tiny_gemma(tmp_path / MODEL, seed=99)
    changed = pytest.raises(EmbedderMismatchError, match="no longer embeds with")
    with serving(tmp_path / "two", model=str(other), dtype="float32", port=port), changed:
        there.embed_documents(["a"])


def test_a_store_of_another_model_is_refused(served: Served, tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="hashing") as memory:
        memory.remember("A text.")
        assert memory.settle(20)
    with Memory(data_dir=tmp_path, embedder_url=served.url) as memory:
        assert memory.recall("text").searched.by_meaning == 0
        health = {part.name: part for part in memory.health().parts}
        assert "reembed" in (health["embedder"].mend or "")


def test_an_overloaded_one_is_asked_again_later(model: Path, tmp_path: Path) -> None:
    embedder, runtime = faulty_embedder(read_model_folder(model))
    with (
        serving(tmp_path, loader=lambda pinned: embedder, max_concurrent_requests=1) as busy,
        ThreadPoolExecutor(12) as callers,
    ):
        there = RemoteEmbedder(busy.url)
        with runtime.held():
            waiting = [callers.submit(ask, busy, "POST", "/embed", {"inputs": f"text {n}"}) for n in range(5)]
            until(lambda: embedder.waiting == 5)
            with pytest.raises(OverloadedError):
                there.embed_queries(["a question does not wait for long"])
            patient = callers.submit(there.embed_documents, ["a", "b"])
            until(lambda: there.waiting == 1)
        assert patient.result(PATIENCE).shape == (2, 768)
        assert {each.result(PATIENCE).status for each in waiting} == {200}


def test_a_pass_that_fails_there_is_an_error_of_the_embedder(model: Path, tmp_path: Path) -> None:
    embedder, runtime = faulty_embedder(read_model_folder(model))
    with serving(tmp_path, loader=lambda pinned: embedder) as broken:
        there = RemoteEmbedder(broken.url)
        runtime.poison = set(range(2000))
        with pytest.raises(EmbedderError, match="out of memory"):
            there.embed_documents(["a"])
        runtime.poison, runtime.fault = set(range(2000)), RuntimeError("the driver died")
        with pytest.raises(EmbedderError, match="RuntimeError"):
            there.embed_documents(["a"])
        runtime.poison = set()
        assert there.embed_documents(["a"]).shape == (1, 768)


def test_a_disconnected_caller_ends_the_call(served: Served) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(ServiceUnavailableError, match="caller disconnected"):
        RemoteEmbedder(served.url).embed(Inputs(["a"], None), cancellation=cancellation)


def test_keys(model: Path, tmp_path: Path) -> None:
    keys = {"*": ["the-right-key"]}
    with serving(tmp_path, model=str(model), dtype="float32", api_keys=keys) as locked:
        for key in (None, "the-wrong-key"):
            with pytest.raises(EmbedderUnavailableError) as refused:
                RemoteEmbedder(locked.url, api_key=key)
            assert "embedder_api_key" in (refused.value.hint or "")
            assert "the-wrong-key" not in str(refused.value.body())
        assert RemoteEmbedder(locked.url, api_key="the-right-key").embed_documents(["a"]).shape == (1, 768)


@contextmanager
def answering(status: int, body: bytes, *, seconds: float = 0.0) -> Iterator[str]:
    """The address of a server that is not an ai-memory service."""
    stop = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stop.wait(seconds)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            stop.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b"{}"),
        (200, b"[]"),
        (200, b'{"identity": {"model": 3}}'),
        (404, b"nothing here"),
        (404, b'{"detail": "Not Found"}'),
        (500, b""),
        (200, b"\xff\xfe"),
    ],
)
def test_a_server_that_is_not_an_embedder_is_refused(status: int, body: bytes) -> None:
    with answering(status, body) as url, pytest.raises(EmbedderError) as refused:
        RemoteEmbedder(url)
    assert url in refused.value.message


def test_one_that_does_not_answer_in_time(tmp_path: Path) -> None:
    with (
        answering(200, b"{}", seconds=30) as url,
        pytest.raises(EmbedderUnavailableError, match="did not answer within"),
    ):
        RemoteEmbedder(url, timeout=0.2)


@pytest.mark.parametrize("url", ["gpu:7677", "ftp://gpu", "http://", "", "http://[::1"])
def test_an_invalid_address(url: str) -> None:
    with pytest.raises(InvalidInputError, match="not the address"):
        RemoteEmbedder(url)


def test_offline_means_this_machine_alone(served: Served, tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path / "far", embedder_url="http://192.0.2.1:7677", offline=True) as memory:
        memory.remember("A text.")
        assert memory.settle(5) is False
        health = {part.name: part for part in memory.health().parts}
        assert "offline" in health["embedder"].message
    with Memory(data_dir=tmp_path / "near", embedder_url=served.url, offline=True) as memory:
        memory.remember("A text.")
        assert memory.settle(30)
