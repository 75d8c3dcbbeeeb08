"""An embedder elsewhere that gives no vectors, or none that can be used: recall is lexical and says why, nothing bad is stored."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ai_memory import Memory
from ai_memory.cli import main
from ai_memory.embed import remote
from ai_memory.embed.base import Task
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.embed.remote import IDENTITY_HEADER, identity_digest
from ai_memory.service.background import backlog
from tests.support.rest_server import ask, serving

WRONG = {
    "NaN": "NaN or infinity",
    "infinity": "NaN or infinity",
    "zeros": "has length 0 in place of 1",
    "length 3": "has length 3 in place of 1",
    "wrong dimension": "is not an ai-memory embedder",
    "fewer vectors": "vectors for",
    "no base64": "no base64",
    "no JSON": "is not an ai-memory embedder",
    "HTTP 500": "out of memory",
    "HTTP 503": "loading",
    "slow": "did not answer",
}


class Elsewhere:
    """A server with the routes of an embedder: real vectors, or what `harm` says in their place."""

    def __init__(self) -> None:
        self.harm: str | None = None
        self.asked = 0
        self._embedder = HashingEmbedder()
        self._identity = self._embedder.identity

    def info(self) -> bytes:
        return msgspec.json.encode({"identity": self._identity, "dimensions": [64], "max_input_length": 512})

    def answer(self, asked: dict[str, Any]) -> tuple[int, bytes]:
        self.asked += 1
        texts = asked["input"]
        documents = asked["task"] == "document"
        made = (
            self._embedder.embed_documents(texts) if documents else self._embedder.embed_queries(texts, Task.RETRIEVAL)
        )
        vectors = np.array(made, np.float32)
        if self.harm in ("HTTP 500", "HTTP 503"):
            message = "out of memory" if self.harm == "HTTP 500" else "loading"
            return int(self.harm[-3:]), json.dumps({"error": {"message": message}}).encode()
        if self.harm == "no JSON":
            return 200, b"<html>"
        if self.harm == "slow":
            time.sleep(1.5)
        if self.harm in ("NaN", "infinity"):
            vectors[:, 3] = np.nan if self.harm == "NaN" else np.inf
        elif self.harm == "zeros":
            vectors[:] = 0
        elif self.harm == "length 3":
            vectors *= 3
        elif self.harm == "wrong dimension":
            vectors = vectors[:, :32]
        elif self.harm == "fewer vectors":
            vectors = vectors[1:]
        rows = [{"embedding": base64.b64encode(np.ascontiguousarray(row).tobytes()).decode()} for row in vectors]
        if self.harm == "no base64":
            rows = [{"embedding": "a"} for _ in rows]
        return 200, json.dumps(
            {"data": rows, "usage": {"tokens": [1] * len(texts), "truncated": [0] * len(texts)}}
        ).encode()

    @property
    def digest(self) -> str:
        return identity_digest(self._identity)


@contextmanager
def listening(elsewhere: Elsewhere) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, elsewhere.info())

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(*elsewhere.answer(asked))

        def _send(self, status: int, body: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header(IDENTITY_HEADER, elsewhere.digest)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # the caller gave up waiting

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class has
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again soon, and a busy server asked again at once."""
    monkeypatch.setattr(backlog, "RETRY_TEXT_SECONDS", 0.2)
    monkeypatch.setattr(backlog, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(remote, "_FIRST_PAUSE", 0.01)


@pytest.mark.parametrize("harm", WRONG)
def test_recall_is_lexical_and_says_why_and_nothing_bad_is_stored(tmp_path: Path, harm: str) -> None:
    elsewhere = Elsewhere()
    with listening(elsewhere) as url, Memory(data_dir=tmp_path, embedder_url=url, embedder_timeout=1.0) as memory:
        elsewhere.harm = harm
        assert memory.remember("The gate opens at noon.").outcome == "stored"
        assert memory.remember("The door is blue.").outcome == "stored"
        assert memory.settle(20) is False
        assert memory.stats().pending == 2
        answer = memory.recall("gate at noon")
        assert answer.hits[0].memory.text == "The gate opens at noon."
        (notice,) = [notice for notice in answer.notices if notice.code == "words_only"]
        assert WRONG[harm] in notice.message
        health = memory.health()
        assert "embedder" in health.degraded
        assert [part for part in health.parts if part.name == "embedder" and WRONG[harm] in part.message]
        (problem,) = memory.stats().problems
        assert (problem.check, problem.count) == ("vectors_pending", 2)
        elsewhere.harm = None
        begun = time.monotonic()
        while not memory.settle(2) and time.monotonic() - begun < 30:
            time.sleep(0.1)
        assert memory.stats().problems == ()
        while (answer := memory.recall("gate at noon")).searched.by_meaning != 2 and time.monotonic() - begun < 60:
            time.sleep(0.1)
        assert answer.notices == ()
        assert memory.health().degraded == ()


def test_every_question_after_a_slow_one_is_answered_at_once(tmp_path: Path) -> None:
    elsewhere = Elsewhere()
    with listening(elsewhere) as url, Memory(data_dir=tmp_path, embedder_url=url, embedder_timeout=1.0) as memory:
        memory.remember("The gate opens at noon.")
        assert memory.settle(20)
        elsewhere.harm = "slow"
        memory.recall("which gate")
        asked = elsewhere.asked
        for question in ("when does it open", "what opens", "noon"):
            (notice,) = memory.recall(question).notices
            assert notice.code == "words_only"
        assert elsewhere.asked == asked, "a server that did not answer in time is left alone for a while"


@pytest.mark.parametrize("harm", ["NaN", "HTTP 500"])
def test_over_rest_and_on_the_command_line_too(
    tmp_path: Path, harm: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Elsewhere()
    elsewhere.harm = harm
    with listening(elsewhere) as url:
        with serving(tmp_path / "rest", embedder_url=url, model="auto") as served:
            assert ask(served, "POST", "/v1/memories", {"text": "The gate opens at noon."}).status == 201
            got = ask(served, "POST", "/v1/recall", {"query": "gate"})
            assert (got.status, len(got.json["hits"])) == (200, 1)
            assert WRONG[harm] in str(got.json["notices"])
        monkeypatch.setenv("AI_MEMORY_EMBEDDER_URL", url)
        assert main(["remember", "The gate opens at noon.", "--data-dir", str(tmp_path / "cli")]) == 0
        assert WRONG[harm] in capfd.readouterr().err
        assert main(["recall", "gate", "--data-dir", str(tmp_path / "cli")]) == 0
        assert WRONG[harm] in " ".join(capfd.readouterr().out.split())
