"""What answers where a service was may be another program: it is sent no text, no key and no other secret."""

from __future__ import annotations

import io
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ai_memory.cli.program import main
from ai_memory.cli.target import Choices, discover, running_service
from ai_memory.discovery import LOCK_FILE, Announcement, RunningService, find_service
from ai_memory.errors import ServiceUnavailableError
from ai_memory.mcp.stdio import Session
from ai_memory.operations.reading import LIST, ListRequest
from ai_memory.places import Address
from ai_memory.remote import RemoteService
from tests.support.rest_server import ask
from tests.support.serving import running_service as served_on

TEXT, KEY = "The safe opens with 4711.", "the-key-of-my-memories"
Respond = Callable[[BaseHTTPRequestHandler], None]


class Foreign:
    """A real HTTP server that is not ours, and every byte that it was sent."""

    def __init__(self, port: int, respond: Respond) -> None:
        received = self.received = bytearray()
        self._asked = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                received.extend(f"{self.command} {self.path}\n{self.headers}".encode())
                received.extend(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                respond(self)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *words: object) -> None:
                del words

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def assert_nothing_of_the_user_came(self) -> None:
        assert TEXT.encode() not in self.received
        assert b"4711" not in self.received
        assert KEY.encode() not in self.received
        assert b"authorization" not in self.received.lower()


def send(handler: BaseHTTPRequestHandler, body: bytes, *, close: bool = False) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    if close:
        handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(body)


def agreeable(handler: BaseHTTPRequestHandler) -> None:
    send(handler, b'{"ready": true, "proof": "yes", "result": {}, "outcome": "stored", "memories": []}')


@contextmanager
def foreign(port: int = 0, respond: Respond = agreeable) -> Iterator[Foreign]:
    with closing(Foreign(port, respond)) as other:
        yield other


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AI_MEMORY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AI_MEMORY_API_KEY", KEY)
    monkeypatch.setenv("AI_MEMORY_MODEL", "none")


def crashed(data_dir: Path, url: str, *, pid: int | None = None) -> None:
    """What a killed server leaves behind."""
    data_dir.mkdir(parents=True, exist_ok=True)
    left = {"url": url, "pid": pid or os.getpid(), "version": "0.1.0", "store": "", "secret": "5" * 64}
    (data_dir / "service.json").write_text(json.dumps(left))
    (data_dir / LOCK_FILE).touch()


def mcp_session(data_dir: Path, wire: io.BytesIO) -> Session:
    from ai_memory.settings import Settings
    from ai_memory.wiring import open_service

    choices = Choices(data_dir=str(data_dir))
    settings = Settings(data_dir=data_dir, model="none")
    return Session(
        lambda: running_service(choices), lambda: open_service(settings), wire, namespace="default", api_key=KEY
    )


def test_the_command_line_sends_a_foreign_program_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with foreign() as other:
        crashed(tmp_path, other.url)
        assert main(["--data-dir", str(tmp_path), "remember", TEXT]) == 0
        assert main(["--data-dir", str(tmp_path), "recall", "what does the safe open with, 4711?"]) == 0
        assert TEXT in capsys.readouterr().out
        other.assert_nothing_of_the_user_came()


def test_mcp_sends_a_foreign_program_nothing(tmp_path: Path) -> None:
    with foreign() as other:
        crashed(tmp_path, other.url)
        wire = io.BytesIO()
        session = mcp_session(tmp_path, wire)
        call = {"name": "remember", "arguments": {"text": TEXT}}
        for message in (
            {
                "id": 0,
                "method": "initialize",
                "params": {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {},
                    "clientInfo": {"name": "t", "version": "1"},
                },
            },
            {"id": 1, "method": "tools/call", "params": call},
        ):
            session.receive(json.dumps({"jsonrpc": "2.0", **message}).encode())
        session.close()
        answers = {answer["id"]: answer for answer in map(json.loads, wire.getvalue().splitlines())}
        assert answers[1]["result"]["structuredContent"]["outcome"] == "stored"
        other.assert_nothing_of_the_user_came()


def test_a_lock_that_somebody_holds_is_not_enough(tmp_path: Path) -> None:
    """Another server that is starting, or one in a container, holds the lock while a foreign program has the address."""
    with foreign() as other, closing_claim(tmp_path) as claim:
        claim.publish(RunningService(url=other.url, pid=1, version="0", secret="5" * 64))
        assert find_service(tmp_path) is not None
        assert discover(tmp_path) is None
        assert main(["--data-dir", str(tmp_path), "remember", TEXT]) == 0
        assert other.received, "it was asked for a proof"
        other.assert_nothing_of_the_user_came()


@contextmanager
def closing_claim(data_dir: Path) -> Iterator[Announcement]:
    claim = Announcement(data_dir)
    try:
        yield claim
    finally:
        claim.withdraw()


def test_a_server_that_starts_removes_the_file_of_one_that_was_killed(tmp_path: Path) -> None:
    crashed(tmp_path, "http://127.0.0.1:1")
    with closing_claim(tmp_path):
        assert not (tmp_path / "service.json").exists()


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"proof":""}', b'{"proof":null}', b"x" * 5_000, b"\xff"])
def test_an_answer_that_is_no_proof_is_none(answer: bytes) -> None:
    with foreign(respond=lambda handler: send(handler, answer)) as other:
        assert not RunningService(url=other.url, pid=1, version="0", secret="5" * 64).answers()
        assert not RunningService(url=other.url, pid=1, version="0").answers(), "no secret, no proof"


def test_what_does_not_speak_http_is_not_the_service() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with listener.accept()[0] as caller:
                caller.sendall(b"220 mail ready\r\n")

        threading.Thread(target=greet, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert not RunningService(url=url, pid=1, version="0", secret="5" * 64).answers()
    for wrong in ("", "http://", "http://127.0.0.1:99999", "http://[::1", "nonsense"):
        assert not RunningService(url=wrong, pid=1, version="0", secret="5" * 64).answers()


def test_a_proof_cannot_be_passed_on(tmp_path: Path) -> None:
    """A foreign program that asks the real server, which runs elsewhere by now, gets a proof for the wrong address."""
    with served_on(tmp_path) as real:
        found = find_service(tmp_path)
        assert found is not None
        address = discover(tmp_path)
        assert address is not None
        assert address.url == real

        def pass_on(handler: BaseHTTPRequestHandler) -> None:
            port = urlsplit(real).port
            assert port is not None
            send(handler, ask(port, "GET", handler.path).body)

        with foreign(respond=pass_on) as other:
            stale = RunningService(url=other.url, pid=1, version="0", secret=found.secret)
            assert not stale.answers()
            remote = RemoteService(Address(other.url, stale.is_behind), api_key=KEY)
            with closing(remote), pytest.raises(ServiceUnavailableError, match="another program"):
                remote.carry_out(LIST, ListRequest())
            other.assert_nothing_of_the_user_came()


def test_each_new_connection_is_made_sure_of(tmp_path: Path) -> None:
    """The service ends while a command works, and another program takes its port: the next request is not sent."""
    with served_on(tmp_path, AI_MEMORY_API_KEYS=json.dumps({"*": [KEY]})) as url:
        found = discover(tmp_path)
        assert found is not None
        remote = RemoteService(found, api_key=KEY)
        assert remote.carry_out(LIST, ListRequest()).memories == ()
    port = urlsplit(url).port
    assert port is not None
    with foreign(port) as other:
        with pytest.raises(ServiceUnavailableError, match="another program"):
            remote.carry_out(LIST, ListRequest())
        other.assert_nothing_of_the_user_came()
    remote.close()


def test_a_proven_connection_does_not_connect_again_by_itself(tmp_path: Path) -> None:
    with served_on(tmp_path):
        found = find_service(tmp_path)
        assert found is not None
        parts = urlsplit(found.url)
        with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=30)) as connection:
            assert found.is_behind(connection)
            assert connection.auto_open == 0


def test_a_challenge_is_answered_to_nobody_without_the_file(tmp_path: Path) -> None:
    with served_on(tmp_path) as url:
        port = urlsplit(url).port
        assert port is not None
        for wrong in ("", "?nonce=", "?nonce=xyz", "?nonce=" + "a" * 129, "?nonce=0123456789abcdef&x=1"):
            assert ask(port, "GET", f"/health/proof{wrong}").status == 400
        found = find_service(tmp_path)
        assert found is not None
        got = ask(port, "GET", "/health/proof?nonce=0123456789abcdef")
        assert got.json == {"proof": found.proof("0123456789abcdef")}
        assert found.secret.encode() not in got.body
        assert (tmp_path / "service.json").stat().st_mode & 0o777 == 0o600
