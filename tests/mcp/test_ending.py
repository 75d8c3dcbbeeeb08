"""The process on standard input ends with its client: also in the middle of a call, and whatever was sent."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Memory
from ai_memory.mcp.stdio import FINISH_SECONDS
from tests.support.serving import COMMAND, environment, running_service

HELLO = {
    "jsonrpc": "2.0",
    "id": "hello",
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
ENOUGH = FINISH_SECONDS / 2
"""Seconds within which a process ends that does not wait for answers; on a busy machine, where starting takes long, too."""


@pytest.fixture(params=["relay", "local"])
def data_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A data folder with a service, and one without."""
    folder = tmp_path / "data"
    if request.param == "local":
        pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")
        yield folder
        return
    with running_service(folder):
        yield folder


class Talk:
    """A client that talks to `ai-memory mcp`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def say(self, **message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def call(self, number: int, name: str, **arguments: Any) -> None:
        self.say(id=number, method="tools/call", params={"name": name, "arguments": arguments})

    def leave(self) -> list[dict[str, Any]]:
        """End standard input; returns what was answered after that, once the process has ended, which it must do soon."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        began = time.monotonic()
        self.process.stdin.close()
        answers = [json.loads(line) for line in self.process.stdout]
        assert self.process.wait(60) == 0
        assert time.monotonic() - began < ENOUGH, "it outlives its client"
        return answers


@contextmanager
def talking(data_dir: Path, **more: str) -> Iterator[Talk]:
    words = [COMMAND, "mcp"]
    process = subprocess.Popen(
        words,
        env=environment(data_dir, **more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        talk = Talk(process)
        talk.say(**HELLO)
        assert talk.hear()["id"] == "hello"
        talk.say(method="notifications/initialized")
        yield talk
    finally:
        process.kill()
        process.wait(30)
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Another program holds the store for writing: a `remember` waits for half a minute."""
    with closing(sqlite3.connect(data_dir / "memory.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_it_ends_when_nothing_is_asked(data_dir: Path) -> None:
    with talking(data_dir) as talk:
        assert talk.leave() == []


def test_it_ends_in_the_middle_of_a_call(data_dir: Path) -> None:
    with talking(data_dir) as talk:
        talk.call(1, "remember", text="written in time")
        assert talk.hear()["result"]["isError"] is False
        with locked(data_dir):
            talk.call(2, "remember", text="written too late")
            talk.call(3, "list_memories")
            assert talk.hear()["id"] == 3, "the second call is being carried out"
            (answer,) = talk.leave()
        assert (answer["id"], answer["error"]["data"]["code"]) == (2, "unavailable")
        assert "standard input ended" in answer["error"]["message"]
    with Memory(data_dir=data_dir, model="none") as memory:
        assert "written in time" in [one.text for one in memory.list().memories]


def test_it_ends_when_nobody_reads_its_answers(data_dir: Path) -> None:
    with talking(data_dir) as talk:
        talk.call(1, "remember", text="asked before")
        talk.hear()
        with locked(data_dir):
            talk.call(2, "remember", text="asked by a client that died")
            assert talk.process.stdin is not None
            assert talk.process.stdout is not None
            began = time.monotonic()
            talk.process.stdout.close()
            talk.process.stdin.close()
            assert talk.process.wait(60) == 0
            assert time.monotonic() - began < ENOUGH


def test_a_cancelled_call_is_not_waited_for(data_dir: Path) -> None:
    with talking(data_dir) as talk:
        talk.call(1, "remember", text="first")
        talk.hear()
        with locked(data_dir):
            talk.call(2, "remember", text="second")
            talk.say(method="notifications/cancelled", params={"requestId": 2})
            talk.leave()


@pytest.mark.parametrize(
    "line",
    [
        rb'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "remember", "arguments": {"text": "caf\ud83d"}}}',
        rb'{"jsonrpc": "2.0", "id": "a\udc00", "method": "tools/call", "params": {"name": "list_memories", "arguments": {}}}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "remember", "arguments": {"text": "\xff"}}}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "remember", "arguments": {"text": "\x00"}}}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "no/such"}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": null}',
        b'{"jsonrpc": "2.0", "id": 123456789012345678901234567890, "method": "ping"}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": ["x"], "arguments": 5}}',
        b'{"jsonrpc": "2.0", "id": 1, "method"',
        b"\x00",
    ],
)
def test_every_line_gets_one_answer(line: bytes, data_dir: Path) -> None:
    with talking(data_dir) as talk:
        assert talk.process.stdin is not None
        talk.process.stdin.write(line + b"\n")
        talk.process.stdin.flush()
        answer = talk.hear()
        assert ("result" in answer) != ("error" in answer)
        assert talk.leave() == []


def test_requests_that_were_all_sent_at_once_are_answered(data_dir: Path) -> None:
    """As from `printf … | ai-memory mcp`: the input has ended before the first answer."""
    calls: list[dict[str, Any]] = [
        {"id": n, "method": "tools/call", "params": {"name": "remember", "arguments": {"text": f"piped {n}"}}}
        for n in range(20)
    ]
    lines: list[dict[str, Any]] = [HELLO, {"method": "notifications/initialized"}, *calls]
    sent = b"".join(json.dumps({"jsonrpc": "2.0", **line}).encode() + b"\n" for line in lines)
    done = subprocess.run(
        [COMMAND, "mcp"], input=sent.rstrip(), env=environment(data_dir), capture_output=True, timeout=120, check=True
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert {answer["id"] for answer in answers} == {"hello", *range(20)}
    assert all("result" in answer for answer in answers)
