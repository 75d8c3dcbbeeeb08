"""The REST surface over a real server: each operation once, and what HTTP adds to it."""

from __future__ import annotations

import gzip
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory.operations.table import OPERATIONS
from tests.support.rest_server import Served, ask, remember, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("rest")) as running:
        yield running


def test_a_memory_lives_through_every_operation(served: Served) -> None:
    first = remember(served, "The old bridge closes in May.", namespace="life", tags=["bridge"], context="city/roads")
    assert first["outcome"] == "stored"
    assert first["searchable"]["words"] is True
    memory = first["memory_id"]

    got = ask(served, "GET", f"/v1/memories/{memory}?namespace=life")
    assert (got.status, got.json["text"], got.headers["etag"]) == (200, "The old bridge closes in May.", '"1"')

    revised = ask(served, "PATCH", f"/v1/memories/{memory}", {"namespace": "life", "text": "It closes in June."})
    assert (revised.status, revised.json["revision"], revised.headers["etag"]) == (200, 2, '"2"')

    history = ask(served, "GET", f"/v1/memories/{memory}/history?namespace=life")
    assert [one["text"] for one in history.json["revisions"]] == ["The old bridge closes in May.", "It closes in June."]

    body = {"namespace": "life", "source": memory, "target": "entity:person/Ada", "type": "MENTIONS"}
    relation = ask(served, "POST", "/v1/relations", body)
    assert relation.status == 200
    entity = relation.json["target"]
    for node in (entity, "entity:person/Ada", "entity:person%2FAda"):
        near = ask(served, "GET", f"/v1/neighbours/{node}?namespace=life")
        assert [one["id"] for one in near.json["neighbours"]] == [memory]
    ended = ask(served, "DELETE", f"/v1/relations/{relation.json['id']}?namespace=life")
    assert ended.json["retired_at"] is not None

    listed = ask(served, "GET", "/v1/memories?namespace=life&tags=bridge&limit=5")
    assert [one["id"] for one in listed.json["memories"]] == [memory]
    assert [one["path"] for one in ask(served, "GET", "/v1/contexts?namespace=life").json["contexts"]] == [
        "city",
        "city/roads",
    ]
    assert ask(served, "GET", "/v1/timeline?namespace=life&bucket=year").json["buckets"][0]["count"] == 1
    assert {"namespace": "life", "memories": 1} in ask(served, "GET", "/v1/namespaces").json["namespaces"]
    assert ask(served, "GET", "/v1/stats?namespace=life").json["memories"] == 1
    assert ask(served, "GET", "/v1/health").json["ready"] is True

    retired = ask(served, "POST", f"/v1/memories/{memory}/retire", {"namespace": "life", "reason": "gone"})
    assert retired.json["memory_id"] == memory
    forgotten = ask(served, "DELETE", f"/v1/memories/{memory}?namespace=life")
    assert forgotten.json == {
        "forgotten": 1,
        "dry_run": False,
        "ids": [memory],
        "states": {"retired": 1},
        "wipe_pending": None,
    }
    assert ask(served, "GET", f"/v1/memories/{memory}?namespace=life").status == 404


def test_recall_finds_what_was_remembered(served: Served) -> None:
    memory = remember(served, "The heron nests behind the mill.", namespace="birds")["memory_id"]
    assert served.service.settle(30.0)  # a vector that is stored between two questions is another state
    got = ask(
        served, "POST", "/v1/recall", {"namespace": "birds", "query": "Where does the heron nest?", "explain": True}
    )
    assert got.status == 200
    hit = got.json["hits"][0]
    assert hit["memory"]["id"] == memory
    assert hit["trace"]["stages"]
    again = ask(
        served, "POST", "/v1/recall", {"namespace": "birds", "query": "Where does the heron nest?", "explain": True}
    )
    assert again.json["answer_hash"] == got.json["answer_hash"]


def test_statuses_tell_made_from_found(served: Served) -> None:
    body = {"namespace": "statuses", "text": "Twice the same."}
    assert ask(served, "POST", "/v1/memories", body).status == 201
    second = ask(served, "POST", "/v1/memories", body)
    assert (second.status, second.json["outcome"]) == (200, "duplicate_of")


def test_many_at_once_report_each(served: Served) -> None:
    body = {"namespace": "many", "memories": [{"text": "one"}, {"text": "  "}, {"text": "one"}, {"text": "two"}]}
    got = ask(served, "POST", "/v1/memories/batch", body)
    assert got.status == 200
    assert [receipt["outcome"] for receipt in got.json["receipts"]] == ["stored", "rejected", "duplicate_of", "stored"]
    assert [receipt["code"] for receipt in got.json["receipts"]] == [None, "invalid_input", None, None]


def test_a_forgotten_text_is_refused_with_409(served: Served) -> None:
    memory = remember(served, "Do not keep this.", namespace="refused")["memory_id"]
    assert ask(served, "DELETE", f"/v1/memories/{memory}?namespace=refused").status == 200
    got = ask(served, "POST", "/v1/memories", {"namespace": "refused", "text": "Do not keep this."})
    assert (got.status, got.error["code"]) == (409, "conflict")
    assert got.error["details"]["reason"] == "forgotten"
    assert got.error["details"]["receipt"]["outcome"] == "rejected"
    assert got.error["details"]["receipt"]["code"] == "forgotten"
    assert "reinstate" in got.error["hint"]
    body = {"namespace": "refused", "text": "Do not keep this.", "reinstate": True}
    assert ask(served, "POST", "/v1/memories", body).status == 201


def test_an_idempotency_key_gives_the_first_answer_again(served: Served) -> None:
    body = {"namespace": "keys", "text": "Only once, please."}
    key = {"Idempotency-Key": "abc-1"}
    first = ask(served, "POST", "/v1/memories", body, key)
    second = ask(served, "POST", "/v1/memories", body, key)
    assert (first.status, second.status) == (201, 201)
    assert first.json["memory_id"] == second.json["memory_id"]
    assert second.json["outcome"] == "stored"
    other = ask(served, "POST", "/v1/memories", {**body, "text": "Something else."}, key)
    assert (other.status, other.error["code"]) == (409, "idempotency_conflict")
    in_body = ask(served, "POST", "/v1/memories", {**body, "idempotency_key": "abc-1"}, {"Idempotency-Key": "abc-2"})
    assert (in_body.status, in_body.error["code"]) == (400, "invalid_input")


def test_a_key_says_nothing_about_another_namespace_and_not_that_what_is_forgotten_is_stored(served: Served) -> None:
    key = {"Idempotency-Key": "shared"}
    mine = ask(served, "POST", "/v1/memories", {"namespace": "mine", "text": "Mine alone."}, key)
    yours = ask(served, "POST", "/v1/memories", {"namespace": "yours", "text": "Yours alone."}, key)
    assert (mine.status, yours.status) == (201, 201)
    assert ask(served, "DELETE", f"/v1/memories/{mine.json['memory_id']}?namespace=mine").status == 200
    again = ask(served, "POST", "/v1/memories", {"namespace": "mine", "text": "Mine alone."}, key)
    assert (again.status, again.error["details"]["receipt"]["code"]) == (409, "forgotten")
    assert mine.json["memory_id"] in again.error["message"]
    assert ask(served, "POST", "/v1/memories", {"namespace": "yours", "text": "Yours alone."}, key).json == yours.json


def test_a_stale_writer_gets_409_and_the_current_revision(served: Served) -> None:
    memory = remember(served, "Version one.", namespace="stale")["memory_id"]
    path = f"/v1/memories/{memory}"
    etag = ask(served, "GET", f"{path}?namespace=stale").headers["etag"]
    assert ask(served, "PATCH", path, {"namespace": "stale", "text": "Version two."}, {"If-Match": etag}).status == 200
    late = ask(served, "PATCH", path, {"namespace": "stale", "text": "Version three."}, {"If-Match": etag})
    assert (late.status, late.error["code"]) == (409, "stale_revision")
    assert late.error["details"]["current"] == 2
    gone = ask(served, "DELETE", f"{path}?namespace=stale", headers={"If-Match": '"1"'})
    assert (gone.status, gone.error["code"]) == (409, "stale_revision")
    assert ask(served, "GET", f"{path}?namespace=stale").json["text"] == "Version two."


def test_lists_and_instants_in_the_query_string(served: Served) -> None:
    for text, tags in (("red", ["a,b"]), ("blue", ["a"]), ("green", ["a", "b"])):
        remember(served, text, namespace="query", tags=tags, valid_from="2026-03-14")

    def texts(query: str) -> set[str]:
        got = ask(served, "GET", f"/v1/memories?namespace=query&{query}")
        assert got.status == 200, got.body
        return {one["text"] for one in got.json["memories"]}

    assert texts("tags=a,b") == texts("tags=a&tags=b") == {"green"}
    assert texts("any_tags=a&any_tags=a%2Cb") == {"red", "blue", "green"}
    assert texts("tags=%5B%22a%2Cb%22%5D") == {"red"}
    assert texts("occurred_after=2026-03-14&occurred_before=2026-03-15") == {"red", "blue", "green"}
    assert texts("occurred_after=2026-03-14T01:00:00Z") == set()
    assert texts("occurred_before=2026-03-14T02:00:00%2B01:00") == {"red", "blue", "green"}
    assert texts("include_ended=false&order=oldest&limit=2&min_importance=0.5") <= {"red", "blue", "green"}


def test_pages_follow_the_cursor(served: Served) -> None:
    for number in range(5):
        remember(served, f"page item {number}", namespace="pages")
    seen: list[str] = []
    query = "namespace=pages&limit=2&order=oldest"
    page = ask(served, "GET", f"/v1/memories?{query}").json
    while True:
        seen += [one["text"] for one in page["memories"]]
        if page["cursor"] is None:
            break
        page = ask(served, "GET", f"/v1/memories?{query}&cursor={page['cursor']}").json
    assert seen == [f"page item {number}" for number in range(5)]


def test_head_and_options(served: Served) -> None:
    head = ask(served, "HEAD", "/v1/memories")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) > 0
    options = ask(served, "OPTIONS", "/v1/memories")
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert not any(name.startswith("access-control-") for name in options.headers)


def test_large_answers_are_compressed_when_asked(served: Served) -> None:
    remember(served, "long " * 2_000, namespace="gzip")
    plain = ask(served, "GET", "/v1/memories?namespace=gzip")
    small = ask(served, "GET", "/v1/memories?namespace=gzip", headers={"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert len(small.body) < len(plain.body) / 5
    assert gzip.decompress(small.body) == plain.body


def test_compressed_requests_are_read(served: Served) -> None:
    body = gzip.compress(b'{"namespace": "gzip-in", "text": "') + gzip.compress(b'packed twice"}')
    headers = {"Content-Type": "application/json; charset=utf-8", "Content-Encoding": "gzip"}
    got = ask(served, "POST", "/v1/memories", body, headers)
    assert got.status == 201, got.body


def test_request_ids_are_taken_over_when_sane(served: Served) -> None:
    assert ask(served, "GET", "/v1/health", headers={"X-Request-Id": "job-7.a"}).headers["x-request-id"] == "job-7.a"
    for odd in ("", "a b", "ä", "x" * 129, 'quote"'):
        made = ask(served, "GET", "/nope", headers={"X-Request-Id": odd.encode("latin-1")}).error  # type: ignore[dict-item]
        assert re.fullmatch(r"[0-9a-f]{32}", made["details"]["request_id"])


def test_a_write_is_kept_when_its_caller_does_not_wait(served: Served) -> None:
    body = b'{"namespace": "left", "text": "Sent by someone who left."}'
    head = (
        b"POST /v1/memories HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as raw:
        raw.sendall(head % len(body) + body)
    deadline = time.monotonic() + 20
    while not (found := ask(served, "GET", "/v1/memories?namespace=left").json["memories"]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert [one["text"] for one in found] == ["Sent by someone who left."]


def test_answers_are_kept_by_no_cache(served: Served) -> None:
    for target in ("/v1/memories", "/nope", "/docs"):
        headers = ask(served, "GET", target).headers
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_every_operation_has_its_route(served: Served) -> None:
    for operation in OPERATIONS:
        path = "/v1" + re.sub(r"{\w+}", "x", operation.route.path)
        allowed = ask(served, "OPTIONS", path).headers["allow"].split(", ")
        assert operation.route.method in allowed, operation.name


def test_text_in_any_script_comes_back_as_it_was(served: Served, tmp_path: Path) -> None:
    for text in ("Мост закрыт", "橋は閉鎖", "שלום עולם", "👩‍👩‍👧 family", "tab\tand\nline", 'quote " and \\'):
        memory = remember(served, text, namespace="scripts")["memory_id"]
        assert ask(served, "GET", f"/v1/memories/{memory}?namespace=scripts").json["text"] == text
