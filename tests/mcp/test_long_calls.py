"""Calls that take long: they report progress to a client that asks for it, and a cancelled one is not answered.

A call takes long here because another process holds the lock of the store's file, as a backup or a bulk write does.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")

from mcp import Client, StdioServerParameters

from ai_memory.api.threadpool import ThreadPool
from ai_memory.mcp.greeting import CAPABILITIES_KEY, VERSION_KEY
from ai_memory.mcp.http import McpEndpoint
from ai_memory.mcp.stdio import FINISH_SECONDS
from ai_memory.operations.base import Operation
from ai_memory.operations.reading import LIST, ListRequest
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.wiring import open_service
from tests.support.serving import COMMAND, environment, running_service

KINDS = [(kind, mode) for kind in ("local", "relay", "http") for mode in ("auto", "legacy")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Path, str]]]:
    """A data folder that a service runs on, and one without; both have a store."""
    served = tmp_path_factory.mktemp("served") / "data"
    alone = tmp_path_factory.mktemp("alone") / "data"
    subprocess.run([COMMAND, "remember", "the first"], env=environment(alone), capture_output=True, check=True)
    with running_service(served) as url:
        httpx.post(f"{url}/v1/memories", json={"text": "the first"}, timeout=60).raise_for_status()
        yield {"relay": (served, url), "local": (alone, ""), "http": (served, url)}


@contextmanager
def locked(data_dir: Path) -> Iterator[sqlite3.Connection]:
    """The store's file, locked for writing until the transaction is rolled back."""
    connection = sqlite3.connect(data_dir / "memory.db", isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
    finally:
        connection.close()


@pytest.mark.parametrize(("kind", "mode"), KINDS)
def test_a_call_that_goes_on_reports_so(kind: str, mode: str, folders: dict[str, tuple[Path, str]]) -> None:
    data_dir, url = folders[kind]
    server: Any = (
        f"{url}/mcp"
        if kind == "http"
        else StdioServerParameters(command=COMMAND, args=["mcp"], env=environment(data_dir))
    )
    reports: list[tuple[float, str | None]] = []

    async def run() -> None:
        async with Client(server, mode=mode, read_timeout_seconds=60) as client:
            with locked(data_dir) as lock:

                async def report(progress: float, total: float | None, message: str | None) -> None:
                    assert total is None
                    reports.append((progress, message))
                    if len(reports) == 2:
                        lock.rollback()

                said = {"text": f"kept in the end, {kind} {mode}"}
                result = await client.call_tool("remember", said, progress_callback=report)
                assert result.structured_content["outcome"] == "stored"
            quick = await client.call_tool("list_memories", {"limit": 1}, progress_callback=report)
            assert not quick.is_error

    anyio.run(run)
    assert len(reports) >= 2
    assert [progress for progress, _ in reports] == sorted({progress for progress, _ in reports})
    assert all(message and message.startswith("remember goes on") for _, message in reports)


def line(method: str, number: int | None = None, **params: Any) -> bytes:
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    return json.dumps(message if number is None else {**message, "id": number}).encode() + b"\n"


HELLO = line("initialize", 0, protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "raw", "version": "1"})


@pytest.mark.parametrize("kind", ["local", "relay"])
def test_a_cancelled_call_is_not_answered_and_does_not_hold_the_process(
    kind: str, folders: dict[str, tuple[Path, str]]
) -> None:
    data_dir, _ = folders[kind]
    process = subprocess.Popen(
        [COMMAND, "mcp"], env=environment(data_dir), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with locked(data_dir) as lock:
        asked = {"name": "remember", "arguments": {"text": f"cancelled {kind}"}, "_meta": {"progressToken": "p"}}
        process.stdin.write(HELLO + line("notifications/initialized") + line("tools/call", 1, **asked))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 0
        assert json.loads(process.stdout.readline())["params"]["progressToken"] == "p"
        process.stdin.write(line("notifications/cancelled", requestId=1, reason="no longer wanted"))
        process.stdin.write(line("tools/list", 2))
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        while answer.get("method") == "notifications/progress":  # sent before the cancellation came
            answer = json.loads(process.stdout.readline())
        assert answer["id"] == 2
        lock.rollback()
    started = time.monotonic()
    rest, _ = process.communicate(timeout=FINISH_SECONDS)
    assert time.monotonic() - started < FINISH_SECONDS / 2
    assert process.returncode == 0
    assert rest == b""


class Everything:
    """The access of a key that opens all namespaces."""

    def check(self, operation: Operation, request: Any) -> None:
        del operation, request

    def visible(self, operation: Operation, response: Any) -> Any:
        del operation
        return response


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize("progress", [{}, {"progressToken": 1}])
def test_a_call_whose_client_left_before_it_began_is_not_carried_out(
    version: str, progress: dict[str, Any], tmp_path: Path
) -> None:
    """Closing the connection is how a client of streamable HTTP cancels."""
    meta = {VERSION_KEY: version, CAPABILITIES_KEY: {}} if version == "2026-07-28" else {}
    body = line("tools/call", 1, name="remember", arguments={"text": "its client left"}, _meta={**meta, **progress})
    headers = {
        "content-type": "application/json", "accept": "application/json, text/event-stream", "mcp-method": "tools/call",
        "mcp-name": "remember", "mcp-protocol-version": version,
    }  # fmt: skip
    scope = {
        "type": "http", "method": "POST", "path": "/mcp", "query_string": b"", "http_version": "1.1",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    release = threading.Event()

    async def read_body(_: Any, receive: Any) -> bytes:
        content: bytes = (await receive())["body"]
        return content

    async def run(service: Service) -> list[str]:
        pool = ThreadPool(1)
        endpoint = McpEndpoint(service, pool.run, lambda _: Everything(), read_body, zone=dt.UTC)
        left, sent = anyio.Event(), []
        pending = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if pending:
                return pending.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        async with endpoint.lifespan(), anyio.create_task_group() as tasks:
            tasks.start_soon(pool.run, release.wait)
            await anyio.wait_all_tasks_blocked()
            async with anyio.create_task_group() as calls:
                calls.start_soon(endpoint, scope, receive, send)
                while not pool.waiting:
                    await anyio.sleep(0.01)
                left.set()
            assert not any(message["type"] == "http.response.body" for message in sent)
            release.set()
        return [memory.text for memory in service.carry_out(LIST, ListRequest()).memories]

    with closing(open_service(Settings(data_dir=tmp_path, model="none", snapshot_rows=0))) as service:
        assert anyio.run(run, service) == []
