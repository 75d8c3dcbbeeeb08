"""The server as a process: it announces itself, refuses what is unsafe, and stops without losing what it began."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse
from pathlib import Path

import pytest

from ai_memory import Memory
from ai_memory.api.server import address_of, check_exposure, listen
from ai_memory.discovery import Announcement, RunningService, find_service
from ai_memory.errors import ConflictError, InvalidInputError
from ai_memory.settings import SecretStr, Settings
from tests.support.rest_server import ask, write_locked

SCRIPT = """
import sys
from pathlib import Path
from ai_memory.api.server import serve
from ai_memory.errors import MemoryServiceError
from ai_memory.settings import SecretStr, Settings
try:
    serve(Settings(data_dir=Path(sys.argv[1]), port=0, model="none", shutdown_seconds=10), say=print)
except MemoryServiceError as error:
    sys.exit(f"{error.code}: {error.message} ({error.hint})")
"""


@contextmanager
def process(folder: Path, script: str = SCRIPT) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server process over `folder`, and its port."""
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        while (found := find_service(folder)) is None or found.pid != child.pid:
            assert child.poll() is None, child.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield child, int(found.url.rsplit(":", 1)[1])
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def test_a_server_announces_itself_and_takes_that_back(tmp_path: Path) -> None:
    with process(tmp_path) as (child, port):
        file = tmp_path / "service.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        published = json.loads(file.read_text())
        assert len(published.pop("secret")) == 64
        assert len(published.pop("person_proof")) == 32
        assert published == {
            "url": f"http://127.0.0.1:{port}",
            "pid": child.pid,
            "version": "0.1.0",
            "store": str(tmp_path / "memory.db"),
        }
        assert ask(port, "GET", "/health/ready").status == 200

        second = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 1
        assert f"already serves {tmp_path} at http://127.0.0.1:{port}" in second.stderr
        assert ask(port, "GET", "/health/live").status == 200

        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=30)
        assert child.returncode == 0
        assert (
            out.splitlines()[0]
            == f"AI Memory Service 0.1.0 at http://127.0.0.1:{port} (API page: http://127.0.0.1:{port}/docs)"
        )
        assert "lexical search only" in out
        assert not file.exists()


def test_a_killed_server_leaves_no_claim(tmp_path: Path) -> None:
    with process(tmp_path) as (child, _):
        child.kill()
        child.wait(30)
        assert (tmp_path / "service.json").exists()
        assert find_service(tmp_path) is None
        Announcement(tmp_path).withdraw()


def test_sigterm_lets_a_begun_write_end(tmp_path: Path) -> None:
    body = json.dumps({"text": "Written while the server was told to stop."}).encode()
    with process(tmp_path) as (child, port):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
            head = "POST /v1/memories HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            head += f"Content-Length: {len(body)}\r\n\r\n"
            raw.sendall(head.encode() + body[:10])
            time.sleep(0.3)
            child.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:  # it stops listening before it ends what it began
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except ConnectionRefusedError:
                    break
                time.sleep(0.05)
            raw.sendall(body[10:])
            answer = raw.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 201")
        child.communicate(timeout=30)
        assert child.returncode == 0
    with Memory(data_dir=tmp_path, model="none") as memory:
        assert [one.text for one in memory.list().memories] == ["Written while the server was told to stop."]


def test_sigterm_ends_an_endless_import_and_keeps_its_batches(tmp_path: Path) -> None:
    with process(tmp_path) as (child, port):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
            raw.sendall(
                b"POST /v1/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
                b"Content-Length: 1000000\r\n\r\n"
            )
            raw.sendall(b"".join(json.dumps({"text": f"line {number}"}).encode() + b"\n" for number in range(600)))
            deadline = time.monotonic() + 20
            while ask(port, "GET", "/v1/stats").json["memories"] < 500 and time.monotonic() < deadline:
                time.sleep(0.05)
            child.send_signal(signal.SIGTERM)
            answer = b"".join(iter(lambda: raw.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"resume_key" in answer
        child.communicate(timeout=30)
        assert child.returncode == 0
    with Memory(data_dir=tmp_path, model="none") as memory:
        assert memory.stats().memories >= 500


def stops_listening(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    raise AssertionError("it goes on listening")


def post(path: str, body: bytes, length: int | None = None, kind: str = "application/json") -> bytes:
    """A request, whose body may be shorter than it says."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length or len(body)}\r\n\r\n"
    return head.encode() + body


def test_sigterm_ends_every_kind_of_connection_and_leaves_a_clean_log(tmp_path: Path) -> None:
    lines = b"".join(json.dumps({"text": f"{n} " + "x" * 100_000}).encode() + b"\n" for n in range(120))
    get = "GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    kinds = {
        "idle": b"",
        "half a header": b"GET /v1/st",
        "kept alive": get.format("/health/live").encode(),
        "stalled upload": post("/v1/memories", b"{", 99),
        "stalled import": post("/v1/import", b"{", 99, "application/x-ndjson"),
        "stalled MCP": post("/mcp", b"{", 99),
        "unread export": get.format("/v1/export").encode(),
    }
    with process(tmp_path) as (child, port):
        assert ask(port, "POST", "/v1/import", lines, {"Content-Type": "application/x-ndjson"}).status == 200
        with ExitStack() as held:
            opened = {}
            for kind, data in kinds.items():
                opened[kind] = raw = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
                raw.sendall(data)
            assert opened["unread export"].recv(15) == b"HTTP/1.1 200 OK"
            child.send_signal(signal.SIGTERM)
            _, err = child.communicate(timeout=60)
            assert child.returncode == 0
            for kind in ("stalled upload", "stalled MCP", "stalled import"):
                assert opened[kind].recv(10) in (b"HTTP/1.1 4", b"HTTP/1.1 5"), kind
    for word in ("Traceback", "CancelledError", "internal error", '"trace"', "Exception"):
        assert word not in err, err


def test_requests_that_do_not_end_in_time_get_503_and_one_more_signal_ends_at_once(tmp_path: Path) -> None:
    with process(tmp_path) as (child, port), write_locked(tmp_path / "memory.db"):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
            raw.sendall(post("/v1/memories", b'{"text": "waits for the lock"}'))
            assert ask(port, "GET", "/health/live").status == 200
            child.send_signal(signal.SIGTERM)
            answer = HTTPResponse(raw)
            answer.begin()
            body = answer.read()
        assert answer.status == 503, body
        assert b"idempotency key" in body
        child.send_signal(signal.SIGTERM)  # it still waits for the thread that waits for the store
        assert child.wait(60) == 128 + signal.SIGTERM
        assert "ended at once" in child.communicate()[1]
    assert find_service(tmp_path) is None
    with Memory(data_dir=tmp_path, model="none") as memory:
        assert memory.list().memories == ()


def test_beyond_loopback_keys_are_required(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "192.168.1.5", "::"):
        with pytest.raises(InvalidInputError, match="no API keys"):
            check_exposure(Settings(data_dir=tmp_path, host=host))
        check_exposure(Settings(data_dir=tmp_path, host=host, api_keys={"*": [SecretStr("long-key")]}))
    for host in ("127.0.0.1", "localhost", "::1"):
        check_exposure(Settings(data_dir=tmp_path, host=host))
    with pytest.raises(InvalidInputError):
        check_exposure(Settings(data_dir=tmp_path, host="0.0.0.0", api_keys={"*": []}))


def test_a_taken_port_is_named() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(InvalidInputError, match=f"cannot listen on 127.0.0.1:{port}"):
            listen("127.0.0.1", port)
        assert address_of("0.0.0.0", listener) == f"http://127.0.0.1:{port}"
        assert address_of("::", listener) == f"http://[::1]:{port}"
        assert address_of("localhost", listener) == f"http://localhost:{port}"
    with pytest.raises(InvalidInputError):
        listen("no.such.host.invalid", 0)


def test_announcements_that_are_not_ours_are_nobody(tmp_path: Path) -> None:
    assert find_service(tmp_path) is None
    for text in ("", "{", "[]", '{"url": 5}', '{"url": "x", "pid": "y", "version": "z"}'):
        (tmp_path / "service.json").write_text(text)
        assert find_service(tmp_path) is None
    for pid in (2**22 + 12_345, 2**70):
        (tmp_path / "service.json").write_text(json.dumps({"url": "x", "pid": pid, "version": "z"}))
        assert find_service(tmp_path) is None


def test_one_claim_at_a_time(tmp_path: Path) -> None:
    first = Announcement(tmp_path / "new")
    with pytest.raises(ConflictError, match="starting or stopping"):
        Announcement(tmp_path / "new")
    first.publish(RunningService(url="http://127.0.0.1:1", pid=os.getpid(), version="0"))
    with pytest.raises(ConflictError, match=r"http://127\.0\.0\.1:1") as caught:
        Announcement(tmp_path / "new")
    assert caught.value.details["pid"] == os.getpid()
    first.withdraw()
    first.withdraw()
    assert find_service(tmp_path / "new") is None
    Announcement(tmp_path / "new").withdraw()


@pytest.mark.parametrize("seconds", [0, 1])
def test_sigterm_with_streams_open_is_said_in_clear_words(tmp_path: Path, seconds: int) -> None:
    """No trace of what the server's own end cancels, and a line for each answer that it breaks off."""
    script = SCRIPT.replace("shutdown_seconds=10", f"shutdown_seconds={seconds}")
    with process(tmp_path, script) as (child, port), ExitStack() as held:
        fat = b"".join(b'{"text": "%d %s"}\n' % (number, b"x" * 100_000) for number in range(120))
        assert ask(port, "POST", "/v1/import", fat, {"Content-Type": "application/x-ndjson"}).status == 200

        def begin(head: str, sent: bytes = b"") -> socket.socket:
            raw = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            raw.sendall(head.encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + sent)
            return raw

        lines = b"Content-Type: application/x-ndjson\r\nContent-Length: 9999\r\n\r\n"
        exporting = begin("GET /v1/export", b"\r\n")
        assert exporting.recv(1_000).startswith(b"HTTP/1.1 200")
        begin("POST /v1/import", lines + b'{"text": "first"}\n')
        begin("POST /v1/memories", lines.replace(b"x-ndjson", b"json") + b'{"te')
        time.sleep(0.5)
        child.send_signal(signal.SIGTERM)
        _, err = child.communicate(timeout=60)
        assert child.returncode == 0
        assert "Cancelled" not in err
        assert "Traceback" not in err
        logged = [json.loads(line) for line in err.splitlines()]
        assert [each["message"] for each in logged if each["level"] in ("warning", "error")].count(
            "broken off: unavailable"
        ) == 1
    with Memory(data_dir=tmp_path, model="none") as memory:
        assert memory.stats().memories >= 120
