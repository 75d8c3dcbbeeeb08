"""Bad input over HTTP: every kind gets a documented error in the one shape, and nothing is stored or lost."""

from __future__ import annotations

import gzip
import http.client
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.support.rest_server import Served, ask, ask_raw, remember, serving, write_locked

LIMIT = 65_536
JSON = {"Content-Type": "application/json"}


class _Boom:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/boom/late":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise KeyError("the secret text")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    routes = [Route("/boom", _Boom()), Route("/boom/late", _Boom())]
    with serving(tmp_path_factory.mktemp("errors"), max_body_bytes=LIMIT, extra_routes=routes) as running:
        remember(running, "The one memory that must stay.")
        yield running


def _deep(levels: int) -> bytes:
    return b'{"text": "x", "attributes": {"a": ' + b"[" * levels + b"]" * levels + b"}}"


MEMORIES = "/v1/memories"
BAD: dict[str, tuple[str, str, Any, dict[str, str], int, str]] = {
    "unknown route": ("GET", "/v2/memories", None, {}, 404, "not_found"),
    "slashes alone": ("GET", "/v1//", None, {}, 404, "not_found"),
    "an empty name below a path": ("DELETE", "/v1/memories/", None, {}, 405, "method_not_allowed"),
    "dots in the path": ("GET", "/v1/../etc/passwd", None, {}, 404, "not_found"),
    "broken percent encoding": ("GET", "/v1/%ff%fe", None, {}, 404, "not_found"),
    "wrong method": ("PUT", MEMORIES, {"text": "x"}, {}, 405, "method_not_allowed"),
    "rare method": ("TRACE", MEMORIES, None, {}, 405, "method_not_allowed"),
    "unknown memory": ("GET", "/v1/memories/mem_none", None, {}, 404, "not_found"),
    "long id": ("GET", "/v1/memories/" + "x" * 261, None, {}, 413, "too_large"),
    "line break in the id": ("DELETE", "/v1/relations/a%0Ab", None, {}, 404, "not_found"),
    "line break in the path": ("GET", "/v1/a%0Ab", None, {}, 404, "not_found"),
    "NUL in the id": ("GET", "/v1/memories/a%00b", None, {}, 404, "not_found"),
    "no body": ("POST", MEMORIES, None, {}, 400, "invalid_input"),
    "not JSON": ("POST", MEMORIES, b"text=hello", JSON, 400, "invalid_input"),
    "half JSON": ("POST", MEMORIES, b'{"text": "x"', JSON, 400, "invalid_input"),
    "two objects": ("POST", MEMORIES, b'{"text": "x"}{}', JSON, 400, "invalid_input"),
    "a list": ("POST", MEMORIES, [{"text": "x"}], {}, 400, "invalid_input"),
    "a number": ("POST", MEMORIES, 7, {}, 400, "invalid_input"),
    "null": ("POST", MEMORIES, b"null", JSON, 400, "invalid_input"),
    "not UTF-8": ("POST", MEMORIES, b'{"text": "\xff"}', JSON, 400, "invalid_input"),
    "number too large": ("POST", MEMORIES, b'{"text": "x", "importance": 1e999}', JSON, 400, "invalid_input"),
    "NaN": ("POST", MEMORIES, b'{"text": "x", "importance": NaN}', JSON, 400, "invalid_input"),
    "nested too deep": ("POST", MEMORIES, _deep(20_000), JSON, 400, "invalid_input"),
    "text is missing": ("POST", MEMORIES, {"type": "semantic"}, {}, 400, "invalid_input"),
    "text is a number": ("POST", MEMORIES, {"text": 5}, {}, 400, "invalid_input"),
    "text is null": ("POST", MEMORIES, {"text": None}, {}, 400, "invalid_input"),
    "text is blank": ("POST", MEMORIES, {"text": " \n "}, {}, 400, "invalid_input"),
    "unknown field": ("POST", MEMORIES, {"text": "x", "txet": "y"}, {}, 400, "invalid_input"),
    "unknown type": ("POST", MEMORIES, {"text": "x", "type": "dream"}, {}, 400, "invalid_input"),
    "importance over 1": ("POST", MEMORIES, {"text": "x", "importance": 1.5}, {}, 400, "invalid_input"),
    "importance as text": ("POST", MEMORIES, {"text": "x", "importance": "high"}, {}, 400, "invalid_input"),
    "too many tags": ("POST", MEMORIES, {"text": "x", "tags": list("ab") * 33}, {}, 413, "too_large"),
    "long tag": ("POST", MEMORIES, {"text": "x", "tags": ["t" * 129]}, {}, 413, "too_large"),
    "attributes are a list": ("POST", MEMORIES, {"text": "x", "attributes": []}, {}, 400, "invalid_input"),
    "empty namespace": ("POST", MEMORIES, {"text": "x", "namespace": ""}, {}, 400, "invalid_input"),
    "no such date": ("POST", MEMORIES, {"text": "x", "valid_from": "2026-02-30"}, {}, 400, "invalid_input"),
    "date is a number": ("POST", MEMORIES, {"text": "x", "valid_from": 20260230}, {}, 400, "invalid_input"),
    "ends before it begins": (
        "POST",
        MEMORIES,
        {"text": "x", "valid_from": "2026-02-02", "valid_to": "2026-02-01"},
        {},
        400,
        "invalid_input",
    ),
    "supersedes what is not there": ("POST", MEMORIES, {"text": "x", "supersedes": ["mem_none"]}, {}, 409, "conflict"),
    "body over the limit": ("POST", MEMORIES, {"text": "x" * LIMIT}, {}, 413, "too_large"),
    "gzip bomb": (
        "POST",
        MEMORIES,
        gzip.compress(b" " * 50_000_000),
        {**JSON, "Content-Encoding": "gzip"},
        413,
        "too_large",
    ),
    "not gzip": ("POST", MEMORIES, b"{}", {**JSON, "Content-Encoding": "gzip"}, 400, "invalid_input"),
    "gzip cut off": (
        "POST",
        MEMORIES,
        gzip.compress(b'{"text": "x"}')[:-6],
        {**JSON, "Content-Encoding": "gzip"},
        400,
        "invalid_input",
    ),
    "unknown encoding": ("POST", MEMORIES, b"{}", {**JSON, "Content-Encoding": "br"}, 415, "unsupported_media_type"),
    "a form": (
        "POST",
        MEMORIES,
        b"text=x",
        {"Content-Type": "application/x-www-form-urlencoded"},
        415,
        "unsupported_media_type",
    ),
    "plain text": ("POST", MEMORIES, b'{"text": "x"}', {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
    "no content type": ("POST", MEMORIES, b'{"text": "x"}', {}, 415, "unsupported_media_type"),
    "query on POST": ("POST", MEMORIES + "?namespace=a", {"text": "x"}, {}, 400, "invalid_input"),
    "body on GET": ("GET", MEMORIES, {"limit": 5}, {}, 400, "invalid_input"),
    "body on DELETE": ("DELETE", "/v1/memories/mem_none", {"reason": "x"}, {}, 400, "invalid_input"),
    "unknown parameter": ("GET", MEMORIES + "?limt=5", None, {}, 400, "invalid_input"),
    "parameter twice": ("GET", MEMORIES + "?limit=5&limit=6", None, {}, 400, "invalid_input"),
    "limit is a word": ("GET", MEMORIES + "?limit=five", None, {}, 400, "invalid_input"),
    "limit is zero": ("GET", MEMORIES + "?limit=0", None, {}, 400, "invalid_input"),
    "limit is huge": ("GET", MEMORIES + "?limit=1001", None, {}, 400, "invalid_input"),
    "limit is beyond 64 bits": ("GET", MEMORIES + "?limit=" + "9" * 30, None, {}, 400, "invalid_input"),
    "date of a blank": ("GET", MEMORIES + "?as_of=+", None, {}, 400, "invalid_input"),
    "cursor of another kind": ("GET", MEMORIES + "?cursor=zzz", None, {}, 400, "invalid_input"),
    "query is not UTF-8": ("GET", MEMORIES + "?context=%ff", None, {}, 400, "invalid_input"),
    "too many parameters": ("GET", MEMORIES + "?" + "&".join(["tags=a"] * 1_001), None, {}, 400, "invalid_input"),
    "If-Match is a word": ("PATCH", "/v1/memories/mem_none", {"text": "x"}, {"If-Match": "new"}, 400, "invalid_input"),
    "revision twice": (
        "PATCH",
        "/v1/memories/mem_none",
        {"text": "x", "if_revision": 2},
        {"If-Match": '"3"'},
        400,
        "invalid_input",
    ),
    "id twice": ("PATCH", "/v1/memories/mem_none", {"id": "mem_other", "text": "x"}, {}, 400, "invalid_input"),
    "long idempotency key": ("POST", MEMORIES, {"text": "x"}, {"Idempotency-Key": "k" * 257}, 400, "invalid_input"),
    "empty batch": ("POST", "/v1/memories/batch", {"memories": []}, {}, 400, "invalid_input"),
    "batch of strings": ("POST", "/v1/memories/batch", {"memories": ["x"]}, {}, 400, "invalid_input"),
    "batch too long": ("POST", "/v1/memories/batch", {"memories": [{"text": "x"}] * 2_001}, {}, 413, "too_large"),
    "forget all without a filter": ("POST", "/v1/memories/forget", {"dry_run": False}, {}, 400, "invalid_input"),
    "relation that begins with a digit": (
        "POST",
        "/v1/relations",
        {"source": "mem_none", "target": "mem_nobody", "type": "2nd"},
        {},
        400,
        "invalid_input",
    ),
    "relation to nothing": ("POST", "/v1/relations", {"source": "mem_none", "target": "mem_no"}, {}, 404, "not_found"),
    "unknown relation": ("DELETE", "/v1/relations/rel_none", None, {}, 404, "not_found"),
    "depth over the limit": ("GET", "/v1/neighbours/mem_none?depth=5", None, {}, 400, "invalid_input"),
    "import as a form": ("POST", "/v1/import", b"x", {"Content-Type": "text/csv"}, 415, "unsupported_media_type"),
    "import with an unknown parameter": (
        "POST",
        "/v1/import?mode=fast",
        b"{}",
        {"Content-Type": "application/x-ndjson"},
        400,
        "invalid_input",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_gets_a_documented_error(served: Served, kind: str) -> None:
    method, target, body, headers, status, code = BAD[kind]
    got = ask(served, method, target, body, headers)
    assert (got.status, got.error["code"]) == (status, code), got.body
    assert len(got.error["message"]) > 5
    assert "Traceback" not in got.body.decode()


def test_nothing_was_stored_or_lost_by_all_that(served: Served) -> None:
    for method, target, body, headers, _, _ in BAD.values():
        ask(served, method, target, body, headers)
    listed = ask(served, "GET", MEMORIES)
    assert [one["text"] for one in listed.json["memories"]] == ["The one memory that must stay."]


def test_limits_are_named(served: Served) -> None:
    body = {"text": "x" * LIMIT}
    details = ask(served, "POST", MEMORIES, body).error["details"]
    assert details["limit"] == LIMIT
    assert details["actual"] == len(json.dumps(body))
    tags = ask(served, "POST", MEMORIES, {"text": "x", "tags": ["a"] * 65}).error["details"]
    assert (tags["field"], tags["limit"]) == ("tags", 64)


def test_a_body_without_a_length_is_limited_too(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    pieces = iter([b'{"text": "'] + [b"x" * 8_192] * 20)
    connection.request("POST", MEMORIES, pieces, JSON, encode_chunked=True)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["error"]["code"]) == (413, "too_large")
    connection.close()


def test_what_is_not_http_is_refused(served: Served) -> None:
    assert ask_raw(served, b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert ask(served, "GET", "/health/live").status == 200


def test_a_caller_that_leaves_in_the_middle_harms_nobody(served: Served) -> None:
    head = b"POST /v1/memories HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    ask_raw(served, head + b'{"text": "half')
    assert ask(served, "GET", "/v1/stats").json["memories"] == 1


def test_a_fault_of_ours_keeps_its_secrets(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="ai_memory"):
        got = ask(served, "GET", "/boom")
    assert (got.status, got.error["code"]) == (500, "internal")
    assert b"secret" not in got.body
    assert any(got.headers["x-request-id"] in str(getattr(record, "fields", "")) for record in caplog.records)


def test_a_fault_after_the_beginning_breaks_the_answer_off(served: Served) -> None:
    with pytest.raises(http.client.IncompleteRead):
        ask(served, "GET", "/boom/late")


def test_too_many_at_once_get_429(tmp_path: Path) -> None:
    with (
        serving(tmp_path, max_concurrent_requests=1) as busy,
        ThreadPoolExecutor(6) as callers,
        write_locked(busy.settings.store_path),
    ):
        asked = [callers.submit(ask, busy, "POST", "/v1/memories", {"text": f"fact {n}"}) for n in range(6)]
        got = next(as_completed(asked)).result()  # one writes, four wait
        assert (got.status, got.error["code"]) == (429, "overloaded")
        assert got.headers["retry-after"] == "1"
        assert ask(busy, "GET", "/health/live").status == 200
