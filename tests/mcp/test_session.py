"""A session between a client on standard input and what serves it: who answers, in which order, and when that changes."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ai_memory.errors import InvalidInputError
from ai_memory.mcp.stdio import Session
from ai_memory.places import Address
from ai_memory.settings import Settings
from ai_memory.wiring import open_service
from tests.support.serving import running_service

HELLO = {
    "jsonrpc": "2.0",
    "id": "hello",
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


class Talk:
    """A session whose answers can be read; `url` is the running service that it finds."""

    def __init__(self, url: Callable[[], str | None], data_dir: Path) -> None:
        self.wire = io.BytesIO()
        settings = Settings(data_dir=data_dir, model="none")

        def found() -> Address | None:
            address = url()
            return None if address is None else Address(address)

        self.session = Session(found, lambda: open_service(settings), self.wire, namespace="default", api_key=None)

    def say(self, **message: Any) -> None:
        self.session.receive(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def call(self, number: int, name: str, **arguments: Any) -> None:
        self.say(id=number, method="tools/call", params={"name": name, "arguments": arguments})

    def answers(self) -> dict[Any, Any]:
        """All answers by id, once everything that was asked is answered."""
        self.session.close()
        return {answer["id"]: answer for answer in map(json.loads, self.wire.getvalue().splitlines())}


def test_a_service_that_ends_is_replaced_by_this_process(tmp_path: Path) -> None:
    served = tmp_path / "served" / "data"
    served.parent.mkdir()
    found: list[str | None] = []
    talk = Talk(lambda: found[-1], tmp_path / "own")
    with running_service(served) as url:
        found.append(url)
        talk.say(**HELLO)
        talk.say(method="notifications/initialized")
        talk.call(1, "remember", text="kept by the service")
        while talk.wire.getvalue().count(b"\n") < 2:
            time.sleep(0.01)
    found.append(None)
    talk.call(2, "remember", text="kept by the process")
    talk.call(3, "list_memories")
    answers = talk.answers()
    assert set(answers) == {"hello", 1, 2, 3}
    assert answers[2]["result"]["structuredContent"]["outcome"] == "stored"


def test_a_service_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    talk = Talk(lambda: "http://127.0.0.1:1", tmp_path)
    talk.say(**HELLO)
    talk.call(1, "list_memories")
    talk.say(method="notifications/cancelled", params={"requestId": "another"})
    answers = talk.answers()
    assert answers[1]["error"]["data"]["code"] == "unavailable"
    assert "start the service" in answers[1]["error"]["message"]


def test_a_wrong_address_is_an_error_of_each_request(tmp_path: Path) -> None:
    def refuse() -> str | None:
        raise InvalidInputError("no address", hint="give one")

    talk = Talk(refuse, tmp_path)
    talk.say(**HELLO)
    talk.call(1, "list_memories")
    assert talk.answers()[1]["error"]["message"] == "no address (give one)"


@pytest.mark.parametrize("line", [b"{", b"[1, 2]", b"5", b"\xff", b'{"id": 1}'])
def test_a_line_that_is_no_message_is_told(line: bytes, tmp_path: Path) -> None:
    talk = Talk(lambda: "http://127.0.0.1:1", tmp_path)
    talk.session.receive(line)
    (answer,) = talk.answers().values()
    assert answer["error"]["code"] in (-32700, -32600)
    assert answer["id"] is None


def test_discover_may_come_before_initialize(tmp_path: Path) -> None:
    talk = Talk(lambda: "http://127.0.0.1:1", tmp_path)
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    talk.say(id=0, method="server/discover", params={"_meta": meta})
    talk.say(**HELLO)
    answers = talk.answers()
    assert answers[0]["result"]["supportedVersions"] == ["2026-07-28"]
    assert answers["hello"]["result"]["protocolVersion"] == "2025-11-25"
