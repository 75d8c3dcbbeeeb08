"""Clients with bad manners: they stall, sit idle, send endless headers or try keys. The others notice nothing."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import logging
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ai_memory.api import connections, streams
from ai_memory.api.connections import OTHER_DESCRIPTORS, REFUSALS, connection_limit
from ai_memory.api.http.body import AT_ONCE
from ai_memory.api.http.wrong_keys import ADDRESSES, FREE, LONGEST_SECONDS, WrongKeys
from ai_memory.settings import SecretStr
from tests.support.rest_server import Served, ask, remember, serving, write_locked

PATIENCE = 60.0
IMPORT = (
    b"POST /v1/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 9999\r\n"
)
EXPORT = b"GET /v1/export HTTP/1.1\r\nHost: localhost\r\n"
REMEMBER = (
    b"POST /v1/memories HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n"
)
MCP = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n"
EMBED = b"POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n"


class Clients:
    """Connections that are kept open until the end of a test."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.open: list[socket.socket] = []

    def send(self, data: bytes) -> socket.socket:
        """A new connection on which this has been sent; it reads nothing that it is not asked to."""
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.settimeout(PATIENCE)
        made.connect(("127.0.0.1", self._port))
        self.open.append(made)
        made.sendall(data)
        return made


@contextlib.contextmanager
def clients(served: Served) -> Iterator[Clients]:
    made = Clients(served.port)
    try:
        yield made
    finally:
        for each in made.open:
            each.close()


def everything(raw: socket.socket) -> bytes:
    """What comes until the server closes the connection; where it was reset, what came before."""
    pieces = []
    with contextlib.suppress(ConnectionError):
        while piece := raw.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def fill(served: Served, megabytes: int = 12, namespace: str = "default") -> None:
    """More memories than the buffers of a connection hold."""
    lines = b"".join(json.dumps({"text": f"{n} " + "x" * 100_000}).encode() + b"\n" for n in range(megabytes * 10))
    got = ask(served, "POST", f"/v1/import?namespace={namespace}", lines, {"Content-Type": "application/x-ndjson"})
    assert got.status == 200, got.body


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience in tenths of seconds."""
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(connections, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(streams, "WAIT_SECONDS", 0.3)


def test_64_stalled_clients_hold_no_thread(tmp_path: Path) -> None:
    with serving(tmp_path, model="none", max_concurrent_requests=8) as served, clients(served) as stalled:
        fill(served)
        for number in range(64):
            stalled.send(EXPORT + b"\r\n")
            stalled.send([IMPORT, REMEMBER, MCP, EMBED][number % 4] + b'\r\n{"')
        for path in ("/v1/stats", "/health/ready", "/health/live", "/v1/health", "/metrics"):
            assert ask(served, "GET", path).status == 200
        assert remember(served, "Kept while they stall.")["outcome"] == "stored"
        assert ask(served, "POST", "/v1/recall", {"query": "kept"}).json["hits"]
        listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        assert ask(served, "POST", "/mcp", listing).status == 200


def test_health_waits_for_no_work(tmp_path: Path) -> None:
    """Every thread of the operations waits for the store: health, statistics and metrics have others."""
    with (
        serving(tmp_path, model="none", max_concurrent_requests=2) as served,
        ThreadPoolExecutor(20) as callers,
        write_locked(served.settings.store_path) as unlock,
    ):
        busy = [callers.submit(ask, served, "POST", "/v1/memories", {"text": f"fact {n}"}) for n in range(20)]
        until(lambda: sum(each.done() for each in busy) == 10)  # two write, eight wait, ten were refused
        for path in ("/health/ready", "/health/live", "/v1/health", "/v1/stats", "/metrics"):
            assert ask(served, "GET", path).status == 200, path
        unlock()
        assert sorted(each.result().status for each in busy) == [201] * 10 + [429] * 10


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("head", [IMPORT, REMEMBER, MCP, EMBED])
def test_a_body_that_does_not_come_is_refused_with_the_seconds(head: bytes, tmp_path: Path) -> None:
    with serving(tmp_path, model="none", client_seconds=0.3) as served, clients(served) as stalled:
        answer = everything(stalled.send(head + b"\r\n{"))
        status, _, body = answer.partition(b"\r\n\r\n")
        assert status.startswith(b"HTTP/1.1 408 ")
        error = json.loads(body)["error"]
        assert error["code"] == "request_timeout"
        assert "0.3 s" in error["message"]
        assert "AI_MEMORY_CLIENT_SECONDS" in error["hint"]


@pytest.mark.usefixtures("quickly")
def test_a_body_that_trickles_is_refused_and_one_that_flows_is_not(tmp_path: Path) -> None:
    with serving(tmp_path, model="none", client_seconds=0.5) as served, clients(served) as senders:
        slow = senders.send(REMEMBER + b"\r\n")
        answered = threading.Thread(target=lambda: everything(slow))
        answered.start()
        with contextlib.suppress(ConnectionError):
            while answered.is_alive():
                slow.sendall(b" ")
                time.sleep(0.02)
        answered.join(PATIENCE)

        body = json.dumps({"text": "slow but steady " + "x" * 20_000}).encode()
        head = REMEMBER.replace(b"9999", b"%d" % len(body))
        steady = senders.send(head + b"Connection: close\r\n\r\n")
        for start in range(0, len(body), 2_048):
            steady.sendall(body[start : start + 2_048])
            time.sleep(0.1)
        assert everything(steady).startswith(b"HTTP/1.1 201 ")


def test_unfinished_bodies_take_a_limited_part_of_the_memory(tmp_path: Path) -> None:
    size = 100_000
    head = REMEMBER.replace(b"9999", b"%d" % size) + b"\r\n"
    with serving(tmp_path, model="none", max_body_bytes=size) as served:
        with clients(served) as senders:
            for _ in range(AT_ONCE):
                senders.send(head + b" " * (size - 100))
            got = ask(served, "POST", "/v1/memories", b" " * size, {"Content-Type": "application/json"})
            until(lambda: ask(served, "POST", "/mcp", b" " * size, {"Content-Type": "application/json"}).status == 429)
            assert got.status in (400, 429), "the others have come by then, or are about to"
            assert remember(served, "small ones fit in")["outcome"] == "stored"
        until(lambda: ask(served, "POST", "/mcp", b" " * size, {"Content-Type": "application/json"}).status != 429)


@pytest.mark.usefixtures("quickly")
def test_an_export_that_is_not_read_is_ended_and_frees_its_snapshot(tmp_path: Path) -> None:
    with serving(tmp_path, model="none", client_seconds=0.5, max_concurrent_requests=1) as served:
        fill(served)
        with clients(served) as readers:
            unread = readers.send(EXPORT + b"\r\n")
            other = ask(served, "GET", "/v1/export")  # it waits for the place of the first, or is refused
            until(lambda: ask(served, "GET", "/v1/export").status == 200)
            assert other.status in (200, 429)
            assert b"\r\n0\r\n\r\n" not in everything(unread), "the broken answer is seen to be incomplete"


@pytest.mark.usefixtures("quickly")
def test_streams_are_limited_for_each_caller_and_in_all(tmp_path: Path) -> None:
    keys = {"default": [SecretStr("greedy")], "other": [SecretStr("modest")]}
    with serving(tmp_path, model="none", max_concurrent_requests=8, api_keys=keys) as served:
        lines = b"".join(json.dumps({"text": f"{n} " + "x" * 100_000}).encode() + b"\n" for n in range(120))
        greedy, modest = {"X-API-Key": "greedy"}, {"X-API-Key": "modest"}
        sent = {"Content-Type": "application/x-ndjson", **greedy}
        assert ask(served, "POST", "/v1/import?namespace=default", lines, sent).status == 200
        export = b"GET /v1/export?namespace=default HTTP/1.1\r\nHost: localhost\r\nX-API-Key: greedy\r\n\r\n"
        with clients(served) as readers:
            opened = [readers.send(export) for _ in range(2)]
            assert [raw.recv(12) for raw in opened] == [b"HTTP/1.1 200"] * 2
            refused = ask(served, "GET", "/v1/export?namespace=default", headers=greedy)
            assert (refused.status, refused.error["code"]) == (429, "overloaded")
            assert int(refused.headers["retry-after"]) >= 1
            assert refused.error["details"]["limit"] == 2
            assert ask(served, "GET", "/v1/export?namespace=other", headers=modest).status == 200
        until(lambda: ask(served, "GET", "/v1/export?namespace=default", headers=greedy).status == 200)


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("data", [b"", b"GET /health/live HTTP/1.1\r\nHost: loc", b"\r\n\r\n", b"GET"])
def test_an_idle_connection_and_half_a_header_are_closed(data: bytes, tmp_path: Path) -> None:
    with serving(tmp_path, model="none") as served, clients(served) as idle:
        assert everything(idle.send(data)) == b""


@pytest.mark.usefixtures("quickly")
def test_a_connection_is_closed_when_it_has_been_idle_after_an_answer(tmp_path: Path) -> None:
    with serving(tmp_path, model="none") as served, clients(served) as idle:
        raw = idle.send(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea")
        assert everything(raw).startswith(b"HTTP/1.1 200")


def test_idle_connections_make_room_for_working_ones(tmp_path: Path) -> None:
    with serving(tmp_path, model="none", max_connections=32) as served, clients(served) as idle:
        for _ in range(1_500):
            idle.send(b"")
        for number in range(40):
            remember(served, f"fact {number}")
        assert ask(served, "GET", "/v1/stats").json["memories"] == 40
        assert everything(idle.open[0]) == b"", "the one that was idle longest has gone"


def test_too_many_connections_in_use_are_refused_with_503(tmp_path: Path) -> None:
    with serving(tmp_path, model="none", max_connections=16) as served:
        with clients(served) as busy:
            for _ in range(16):
                busy.send(REMEMBER + b"\r\n{")
            refused = ask(served, "GET", "/health/live")
            assert (refused.status, refused.error["code"]) == (503, "unavailable")
            assert refused.headers["connection"] == "close"
            assert int(refused.headers["retry-after"]) >= 1
            assert "AI_MEMORY_MAX_CONNECTIONS" in refused.error["hint"]
            for _ in range(REFUSALS + 1):
                busy.send(b"")
            assert everything(busy.open[16]) == b"", "those that wait for their refusal are limited too"
        until(lambda: ask(served, "GET", "/health/live").status == 200)


@pytest.mark.parametrize(
    "endless",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 1_000_000,
        b"GET /" + b"x" * 1_000_000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-More: x\r\n" * 100_000,
        REMEMBER.replace(b"Content-Length: 9999", b"Transfer-Encoding: chunked") + b"\r\n2;" + b"x" * 1_000_000,
        REMEMBER.replace(b"Content-Length: 9999", b"Transfer-Encoding: chunked") + b"\r\n0\r\n" + b"A: b\r\n" * 200_000,
    ],
    ids=["header", "line", "headers", "chunk extension", "trailers"],
)
def test_an_endless_header_is_cut_off(endless: bytes, tmp_path: Path) -> None:
    with serving(tmp_path, model="none") as served, clients(served) as senders:
        raw = senders.send(b"")
        with contextlib.suppress(ConnectionError):
            raw.sendall(endless)
        answer = everything(raw)
        assert answer.count(b"HTTP/1.1 ") <= 1
        assert b"HTTP/1.1 2" not in answer
        assert ask(served, "GET", "/health/live").status == 200


def test_the_limit_of_connections_leaves_descriptors_for_the_rest() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        assert connection_limit(1_024) == 1_024
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1_024 + OTHER_DESCRIPTORS
        assert connection_limit(hard * 2) <= hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("path", ["/v1/memories", "/v1/import", "/mcp", "/embed"])
def test_endless_gzip_members_end_in_an_error_and_hold_up_nobody(path: str, tmp_path: Path) -> None:
    kind = "application/x-ndjson" if path == "/v1/import" else "application/json"
    headers = {"Content-Type": kind, "Content-Encoding": "gzip"}
    with serving(tmp_path) as served, ThreadPoolExecutor(1) as sender:
        endless = gzip.compress(b"") * 400_000
        sent = sender.submit(ask, served, "POST", path, endless, headers)
        while not sent.done():
            assert ask(served, "GET", "/health/live").status == 200
        assert sent.result().status in (400, 422)
        assert b"gzip" in sent.result().body
        bomb = gzip.compress(bytes(300_000_000), 9)
        assert ask(served, "POST", path, bomb, headers).status == 413


def test_mcp_takes_compressed_bodies_and_limits_them_as_rest_does(tmp_path: Path) -> None:
    listing = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    with serving(tmp_path, model="none", max_body_bytes=2_048) as served:
        got = ask(served, "POST", "/mcp", gzip.compress(listing), headers)
        assert got.status == 200
        assert got.json["result"]["tools"]
        for body in (listing + b" " * 3_000, gzip.compress(listing + b" " * 3_000)):
            encoding = headers if body[:2] == b"\x1f\x8b" else {"Content-Type": "application/json"}
            refused = ask(served, "POST", "/mcp", body, encoding)
            assert (refused.status, refused.error["details"]["limit"]) == (413, 2_048)


def test_wrong_keys_are_answered_ever_later_and_forgiven_in_time() -> None:
    now = [0.0]
    wrong = WrongKeys(lambda: now[0])
    delays = [wrong.count("192.0.2.1") for _ in range(400)]
    assert delays[:FREE] == [0.0] * FREE
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_SECONDS
    assert sum(delays) > 700
    assert wrong.count("192.0.2.2") == 0.0, "another address is another caller"
    now[0] = 10_000.0
    assert wrong.count("192.0.2.1") == 0.0
    assert [wrong.count(f"2001:db8::{n:x}") for n in range(FREE + 2)][-1] > 0, "an IPv6 network is one caller"
    for number in range(ADDRESSES * 2):
        wrong.count(f"198.18.{number // 256}.{number % 256}")
    assert len(wrong) == ADDRESSES


def test_a_right_key_is_answered_while_wrong_ones_wait_and_the_log_names_the_caller(tmp_path: Path) -> None:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("%(message)s %(fields)s", defaults={"fields": ""}))
    logger = logging.getLogger("ai_memory.api")
    logger.addHandler(handler)
    try:
        with serving(tmp_path, model="none", api_keys={"*": [SecretStr("the-right-key")]}) as served:
            with ThreadPoolExecutor(64) as callers:
                tried = [
                    callers.submit(ask, served, "GET", "/v1/stats", None, {"X-API-Key": f"guess-{number}"})
                    for number in range(64)
                ]
                until(lambda: sum(each.done() for each in tried) >= FREE)
                right = ask(served, "GET", "/v1/stats", headers={"X-API-Key": "the-right-key"})
                assert right.status == 200
                assert not all(each.done() for each in tried)
            assert {each.result().status for each in tried} <= {401, 429}
    finally:
        logger.removeHandler(handler)
    lines = [line for line in log.getvalue().splitlines() if "unknown" in line]
    assert len(lines) == 64
    assert all("'client': '127.0.0.1'" in line for line in lines)
    assert "guess-" not in log.getvalue()
    assert "the-right-key" not in log.getvalue()
