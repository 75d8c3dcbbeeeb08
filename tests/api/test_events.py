"""Server-sent events: framing, resuming, keys, places, a slow reader, and the end of the server."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Client
from ai_memory.api import events as endpoint
from ai_memory.python.asynchronous import AsyncClient
from tests.support.rest_server import Served, ask, serving
from tests.support.serving import running_service

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("events"), model="none") as running:
        yield running


@contextmanager
def following(port: int, target: str = "/v1/events", **headers: str) -> Iterator[HTTPResponse]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", target, headers={**STREAM, **headers})
        yield connection.getresponse()


def message(stream: HTTPResponse) -> dict[str, str]:
    """The fields of the next message, a comment's under an empty name."""
    found: dict[str, str] = {}
    while (line := stream.readline().decode()) not in ("\n", ""):
        name, _, value = line.rstrip("\n").partition(":")
        found[name] = value.strip()
    return found


def event(stream: HTTPResponse) -> tuple[dict[str, str], dict[str, Any]]:
    while "data" not in (found := message(stream)):
        pass
    return found, json.loads(found["data"])


def test_what_is_written_comes_as_a_message(served: Served) -> None:
    with following(served.port) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store"
        begun = message(stream)
        assert int(begun["retry"]) > 0
        assert begun["id"]
        ask(served, "POST", "/v1/memories", {"text": "written while somebody follows"})
        fields, body = event(stream)
    assert fields["event"] == body["kind"] == "memory"
    assert fields["id"] == body["cursor"]
    assert body["action"] == "remembered"
    assert "written while" not in fields["data"], "an event has no text of a memory"


def test_it_goes_on_behind_the_last_message_that_was_read(served: Served) -> None:
    with following(served.port) as stream:
        place = message(stream)["id"]
    for number in range(3):
        ask(served, "POST", "/v1/memories", {"text": f"while away {number}"})
    with following(served.port, f"/v1/events?cursor={place}") as stream:
        first = event(stream)[1]["cursor"]
        rest = [event(stream)[1]["id"] for _ in range(2)]
    with following(served.port, f"/v1/events?cursor={place}", **{"Last-Event-ID": first}) as stream:
        assert [event(stream)[1]["id"] for _ in range(2)] == rest
    page = ask(served, "GET", f"/v1/events?cursor={first}").json
    assert [each["id"] for each in page["events"]] == rest


def test_a_page_is_waited_for_without_a_thread(served: Served) -> None:
    cursor = ask(served, "GET", "/v1/events").json["cursor"]
    assert ask(served, "GET", f"/v1/events?cursor={cursor}&wait=0.3").json["events"] == []
    with closing(HTTPConnection("127.0.0.1", served.port, timeout=30)) as waiting:
        waiting.request("GET", f"/v1/events?cursor={cursor}&wait=30")
        ask(served, "POST", "/v1/memories", {"text": "awaited"})
        assert len(json.loads(waiting.getresponse().read())["events"]) == 1


def test_a_silent_stream_has_heartbeats(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "HEARTBEAT_SECONDS", 0.4)
    with following(served.port) as stream:
        begun = message(stream)
        beat = message(stream)
        assert set(beat) == {"", "id"}
        assert beat["id"] == begun["id"]


def test_a_wrong_request_is_answered_and_not_streamed(served: Served) -> None:
    for target in ("/v1/events?cursor=damaged", "/v1/events?kinds=rumour", "/v1/events?wait=31"):
        got = ask(served, "GET", target, headers=STREAM)
        assert got.status == 400
        assert got.error["code"] == "invalid_input"
    assert ask(served, "GET", "/v1/events", headers={**STREAM, "Last-Event-ID": "damaged"}).status == 400


def test_a_key_of_one_namespace_follows_that_one_alone(tmp_path: Path) -> None:
    keys = {"one": ["key-of-one"], "*": ["key-of-all"]}
    with serving(tmp_path, model="none", api_keys=keys) as served:
        one, every = ({"Authorization": f"Bearer {key}"} for key in ("key-of-one", "key-of-all"))
        assert ask(served, "GET", "/v1/events", headers=STREAM).status == 401
        assert ask(served, "GET", "/v1/events", headers={**STREAM, **one}).status == 403
        assert ask(served, "GET", "/v1/events?namespace=two", headers={**STREAM, **one}).status == 403
        with following(served.port, "/v1/events?namespace=one", **one) as stream:
            message(stream)
            for space in ("two", "one"):
                ask(served, "POST", "/v1/memories", {"text": "a text", "namespace": space}, every)
            assert event(stream)[1]["namespace"] == "one"


def test_there_are_places_for_so_many(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "FOLLOWERS_OF_ONE", 1)
    with following(served.port) as stream:
        message(stream)
        refused = ask(served, "GET", "/v1/events", headers=STREAM)
        assert refused.status == 429
        assert int(refused.headers["retry-after"]) > 0
    begun = time.monotonic()
    while ask(served, "GET", "/v1/events").status == 429:  # the server notices within moments that it was left
        assert time.monotonic() - begun < 30
        time.sleep(0.05)


def test_a_reader_that_does_not_read_holds_nobody_up(served: Served) -> None:
    with closing(socket.socket()) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        slow.connect(("127.0.0.1", served.port))
        slow.sendall(b"GET /v1/events?cursor=start HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
        lines = b"".join(json.dumps({"text": f"number {number}"}).encode() + b"\n" for number in range(3_000))
        with following(served.port) as stream:
            message(stream)
            ask(served, "POST", "/v1/import?namespace=many", lines, {"Content-Type": "application/x-ndjson"})
            assert len({event(stream)[1]["id"] for _ in range(3_000)}) == 3_000
        assert ask(served, "GET", "/v1/health").status == 200


def test_the_server_ends_its_streams_when_it_stops(tmp_path: Path) -> None:
    with ExitStack() as running:
        served = running.enter_context(serving(tmp_path, model="none"))
        with following(served.port) as stream:
            message(stream)
            running.close()
            assert stream.read() == b"", "the end of the answer has come, and nothing is broken off"


def test_writes_of_another_process_are_followed(tmp_path: Path) -> None:
    with ExitStack() as running:
        url = running.enter_context(running_service(tmp_path / "data"))
        served = running.enter_context(serving(tmp_path / "data", model="none"))
        stream = running.enter_context(following(served.port))
        message(stream)
        receipt = running.enter_context(Client(url)).remember("from another process")
        assert event(stream)[1]["id"] == receipt.memory_id


@pytest.mark.anyio
async def test_the_clients_follow(served: Served) -> None:
    with Client(served.url) as client:
        cursor = client.events().cursor
        receipt = client.remember("for the clients")
        following = client.follow(cursor=cursor)
        assert next(following).id == receipt.memory_id
    async with AsyncClient(served.url) as asynchronous:
        async for found in asynchronous.follow(cursor=cursor):
            assert found.id == receipt.memory_id
            break


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
