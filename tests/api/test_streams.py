"""Import and export over HTTP: as streams, compressed, broken off, and resumed."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory.service.handlers.moving import MAX_LINE_BYTES
from tests.support.rest_server import Served, ask, serving

LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("streams"), max_body_bytes=4_096) as running:
        yield running


def drafts(count: int, word: str = "memory") -> bytes:
    return b"".join(json.dumps({"text": f"{word} number {number}"}).encode() + b"\n" for number in range(count))


def test_an_import_is_not_bound_by_the_body_limit(served: Served) -> None:
    body = drafts(1_200)
    assert len(body) > served.settings.max_body_bytes * 5
    got = ask(served, "POST", "/v1/import?namespace=big", body, LINES)
    assert got.status == 200, got.body
    assert (got.json["lines"], got.json["counts"], got.json["state"]) == (1_200, {"stored": 1_200}, "done")
    packed = ask(
        served, "POST", "/v1/import?namespace=packed", gzip.compress(body), {**LINES, "Content-Encoding": "gzip"}
    )
    assert packed.json["counts"] == {"stored": 1_200}


def test_each_wrong_line_is_reported_and_the_others_are_taken(served: Served) -> None:
    wrong = [b"not json", b"[1]", b'{"text": 5}', b'{"kind": "x"}', b'{"text": "\xff"}', b'{"text": "y", "who": 1}']
    long = b'{"text": "' + b"x" * (MAX_LINE_BYTES + 10) + b'"}'
    body = b"\n".join([b'{"text": "first"}', *wrong, long, b"", b'{"text": "last, without a line end"}'])
    got = ask(served, "POST", "/v1/import?namespace=wrong", body, LINES)
    assert got.status == 200, got.body
    assert got.json["counts"] == {"rejected": 6, "stored": 3}
    assert [one["line"] for one in got.json["rejected"]] == [2, 3, 4, 5, 6, 8]
    assert [one["line"] for one in got.json["warnings"]] == [7], "an unknown field is kept as an attribute"
    assert all(one["code"] and one["reason"] for one in got.json["rejected"])


def test_an_archive_comes_back_the_same(served: Served) -> None:
    ask(served, "POST", "/v1/import?namespace=there", drafts(300, "archived"), LINES)
    out = ask(served, "GET", "/v1/export?namespace=there")
    assert (out.status, out.headers["content-type"]) == (200, "application/x-ndjson")
    small = ask(served, "GET", "/v1/export?namespace=there", headers={"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert gzip.decompress(small.body) == out.body
    memories = [json.loads(line) for line in out.body.splitlines()][1:]
    assert [one["text"] for one in memories] == [f"archived number {number}" for number in range(300)]


def test_exports_of_nothing(served: Served) -> None:
    assert len(ask(served, "GET", "/v1/export?namespace=nobody").body.splitlines()) == 1
    assert ask(served, "POST", "/v1/import?namespace=nobody", b"", LINES).json["lines"] == 0


def test_a_caller_that_leaves_an_export_frees_its_thread(tmp_path: Path) -> None:
    with serving(tmp_path, max_concurrent_requests=1, model="none") as served:
        fat = b"".join(json.dumps({"text": f"{number} " + "x" * 100_000}).encode() + b"\n" for number in range(120))
        assert ask(served, "POST", "/v1/import", fat, LINES).json["counts"] == {"stored": 120}
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as raw:
            raw.sendall(b"GET /v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert raw.recv(1_000).startswith(b"HTTP/1.1 200")
        assert ask(served, "GET", "/v1/stats").json["memories"] == 120


def test_an_import_that_breaks_off_keeps_its_batches_and_resumes(served: Served) -> None:
    body = drafts(1_000, "resumed")
    target = "/v1/import?namespace=resumed&resume_key=one"
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.putrequest("POST", target)
    connection.putheader("Content-Type", "application/x-ndjson")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[: len(body) * 3 // 4])
    store = served.service._parts.store
    deadline = time.monotonic() + 60
    # How far it got is noted after each batch is durable: an import is resumed from there.
    while not any(job.progress.get("lines", 0) >= 500 for job in store.jobs(kind="import")):
        assert time.monotonic() < deadline, "no batch of the import was written in a minute"
        time.sleep(0.05)
    connection.close()
    got = ask(served, "POST", target, body, LINES)
    assert got.status == 200, got.body
    assert got.json["lines"] == 1_000
    assert got.json["skipped"] >= 500
    assert ask(served, "GET", "/v1/stats?namespace=resumed").json["memories"] == 1_000
