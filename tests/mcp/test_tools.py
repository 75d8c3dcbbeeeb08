"""MCP with the official client: over standard input and output, by itself and through a running service, and over HTTP."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from ai_memory import __version__
from ai_memory.mcp.stdio import FINISH_SECONDS
from tests.support.serving import COMMAND, environment, running_service

pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")

from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

KEYS = '{"*": ["whole-key"], "mine": ["mine-key"]}'


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Path, str]]]:
    """A data folder that a service runs on, and one without."""
    served = tmp_path_factory.mktemp("served") / "data"
    alone = tmp_path_factory.mktemp("alone") / "data"
    with running_service(served) as url:
        yield {"relay": (served, url), "local": (alone, ""), "http": (served, url)}


def connected(
    kind: str, folders: dict[str, tuple[Path, str]], mode: str, work: Callable[[Client], Awaitable[None]]
) -> None:
    """Run `work` with a client of that kind."""
    data_dir, url = folders[kind]

    async def run() -> None:
        server: Any = (
            f"{url}/mcp"
            if kind == "http"
            else StdioServerParameters(command=COMMAND, args=["mcp"], env=environment(data_dir))
        )
        async with Client(server, mode=mode, read_timeout_seconds=60) as client:
            await work(client)

    anyio.run(run)


def text(result: Any) -> str:
    return str(result.content[0].text)


KINDS = [
    ("local", "auto"),
    ("local", "legacy"),
    ("relay", "auto"),
    ("relay", "legacy"),
    ("http", "auto"),
    ("http", "legacy"),
]


@pytest.mark.parametrize(("kind", "mode"), KINDS)
def test_tools_and_resources(kind: str, mode: str, folders: dict[str, tuple[Path, str]]) -> None:
    async def work(client: Client) -> None:
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.version) == ("ai-memory", __version__)
        assert client.instructions
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools][:2] == ["remember", "recall"]
        said = {"text": f"Ада wrote the parser, {kind} {mode}", "tags": ["p"], "valid_from": "2026-03-14"}
        stored = await client.call_tool("remember", said)
        assert not stored.is_error
        assert text(stored).startswith("stored mem_")
        memory_id = stored.structured_content["memory_id"]
        listed = await client.call_tool("list_memories", {"tags": ["p"], "limit": 5})
        assert memory_id in text(listed)
        revised = await client.call_tool(
            "revise", {"id": memory_id, "text": f"Bo did, {kind} {mode}", "if_revision": 1}
        )
        assert "revision 2" in text(revised)
        edge = await client.call_tool("relate", {"source": memory_id, "target": "entity:Bo", "type": "MENTIONS"})
        assert not edge.is_error
        assert memory_id in text(await client.call_tool("neighbours", {"id": "entity:Bo"}))
        assert "revision 1" in text(await client.call_tool("history", {"id": memory_id}))
        one = await client.read_resource(f"memory://memories/{memory_id}")
        assert json.loads(one.contents[0].text)["text"] == f"Bo did, {kind} {mode}"  # type: ignore[union-attr]
        recent = await client.read_resource("memory://recent")
        assert memory_id in recent.contents[0].text  # type: ignore[union-attr]
        listed_resources = {str(each.uri) for each in (await client.list_resources()).resources}
        assert listed_resources == {"memory://recent", "memory://contexts", "memory://proposals"}
        gone = await client.call_tool("forget", {"id": memory_id, "reason": "a test"})
        assert gone.structured_content["forgotten"] == 1

    connected(kind, folders, mode, work)


BAD_CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("remember", {}, "invalid_input"),
    ("remember", {"text": ""}, "invalid_input"),
    ("remember", {"text": 5}, "invalid_input"),
    ("remember", {"text": "x" * 200_001}, "too_large"),
    ("remember", {"text": "x", "type": "nonsense"}, "invalid_input"),
    ("remember", {"text": "x", "importance": 7}, "invalid_input"),
    ("remember", {"text": "x", "valid_from": "soon"}, "invalid_input"),
    ("remember", {"text": "x", "namespace": "other"}, "invalid_input"),
    ("remember", {"text": "x", "supersedes": ["mem_unknown"]}, "conflict"),
    ("recall", {}, "invalid_input"),
    ("recall", {"query": "x", "limit": 0}, "invalid_input"),
    ("recall", {"query": "x", "as_of": {}}, "invalid_input"),
    ("list_memories", {"cursor": "nonsense"}, "invalid_input"),
    ("list_memories", {"types": ["nonsense"]}, "invalid_input"),
    ("revise", {"id": "mem_unknown", "text": "x"}, "not_found"),
    ("forget", {"id": "mem_unknown"}, "not_found"),
    ("history", {"id": ""}, "invalid_input"),
    ("relate", {"source": "mem_unknown", "target": "entity:x", "type": "MENTIONS"}, "not_found"),
    ("relate", {"source": "entity:a", "target": "entity:b", "type": "2nd"}, "invalid_input"),
    ("neighbours", {"id": "entity:a", "depth": 99}, "invalid_input"),
]


@pytest.mark.parametrize("kind", ["relay", "http"])
def test_bad_input_is_an_error_result(kind: str, folders: dict[str, tuple[Path, str]]) -> None:
    async def work(client: Client) -> None:
        for name, arguments, code in BAD_CALLS:
            result = await client.call_tool(name, arguments)
            assert result.is_error, (name, arguments)
            error = result.structured_content["error"]
            assert error["code"] == code, (name, arguments, error)
            assert text(result).startswith(f"{code}: {error['message']}")
        for uri in ("memory://memories/mem_unknown", "memory://nothing", "memory://memories/", "file:///etc/passwd"):
            with pytest.raises(MCPError):
                await client.read_resource(uri)
        with pytest.raises(MCPError, match="unknown tool"):
            await client.call_tool("nothing", {})

    connected(kind, folders, "auto", work)


def lines_from(data_dir: Path, *lines: bytes, **more: str) -> tuple[list[dict[str, Any]], bytes, int]:
    """What the command answers to lines on standard input that then ends."""
    done = subprocess.run(
        [COMMAND, "mcp"],
        env=environment(data_dir, **more),
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        check=False,
        timeout=110,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr, done.returncode


HELLO = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        },
    }
).encode()
READY = b'{"jsonrpc": "2.0", "method": "notifications/initialized"}'


def tool_call(number: int, name: str, **arguments: Any) -> bytes:
    params = {"name": name, "arguments": arguments}
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode()


@pytest.mark.parametrize("kind", ["relay", "local"])
def test_every_line_is_answered_before_the_end(kind: str, folders: dict[str, tuple[Path, str]]) -> None:
    calls = [tool_call(number, "remember", text=f"piped {number} 🙂") for number in range(1, 6)]
    no_message = [b"", b"no json", b"[]", b"\xff\xfe"]
    answers, _, code = lines_from(folders[kind][0], HELLO, READY, *no_message, *calls)
    assert code == 0
    assert answers[0]["result"]["protocolVersion"] == "2025-06-18"
    answered = [answer for answer in answers if "result" in answer]
    assert sorted(answer["id"] for answer in answered) == [0, 1, 2, 3, 4, 5]
    assert not any(answer["result"].get("isError") for answer in answered)


CALL = (
    b'{"jsonrpc": "2.0", "id": %d, "method": "tools/call", "params": {"name": "remember", "arguments": {"text": "%b"}}}'
)


@pytest.mark.parametrize("kind", ["relay", "local"])
def test_a_call_with_a_cut_emoji_is_carried_out(kind: str, folders: dict[str, tuple[Path, str]]) -> None:
    cut = [
        CALL % (1, rb"caf\ud83d"),
        CALL % (2, rb"\ude00 caf"),
        CALL % (3, b"caf\xe9 noir"),
        CALL % (4, b"\xed\xa0\xbd end"),
    ]
    listing = tool_call(5, "list_memories", limit="100")
    started = time.monotonic()
    answers, _, code = lines_from(folders[kind][0], HELLO, READY, *cut)
    assert time.monotonic() - started < FINISH_SECONDS / 2
    assert code == 0
    assert sorted(answer["id"] for answer in answers) == [0, 1, 2, 3, 4]
    assert [answer["result"]["isError"] for answer in answers[1:]] == [False] * 4
    listed, _, _ = lines_from(folders[kind][0], HELLO, READY, listing)
    text_listed = listed[1]["result"]["content"][0]["text"]
    assert text_listed.count("caf\ufffd") == 2
    assert "\ufffd caf" in text_listed


def test_a_cut_emoji_over_http(folders: dict[str, tuple[Path, str]]) -> None:
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    for version in ("2025-06-18", "2025-11-25"):
        got = httpx.post(
            f"{folders['http'][1]}/mcp/",
            content=CALL % (7, rb"over http %b \ud83d" % version.encode()),
            headers={**headers, "MCP-Protocol-Version": version},
        )
        assert got.status_code == 200, got.text
        answer = got.json()
        assert (answer["id"], answer["result"]["structuredContent"]["outcome"]) == (7, "stored")


def test_a_client_that_accepts_anything_gets_json(folders: dict[str, tuple[Path, str]]) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for accept, status in (("", 200), ("*/*", 200), ("application/json", 200), ("text/html", 406)):
        with httpx.Client(base_url=folders["http"][1]) as client:
            del client.headers["Accept"]
            got = client.post("/mcp/", json=asked, headers={"Accept": accept} if accept else {})
        assert got.status_code == status, (accept, got.text)
        assert status != 200 or len(got.json()["result"]["tools"]) == 8


def test_progress_makes_a_stream_only_for_a_client_that_takes_one(folders: dict[str, tuple[Path, str]]) -> None:
    asked = json.loads(tool_call(1, "list_memories"))
    asked["params"]["_meta"] = {"progressToken": 5}
    for accept, kind in (
        ("application/json, text/event-stream", "text/event-stream"),
        ("application/json", "application/json"),
    ):
        got = httpx.post(f"{folders['http'][1]}/mcp/", json=asked, headers={"Accept": accept})
        assert (got.status_code, got.headers["content-type"].partition(";")[0]) == (200, kind)
        assert '"isError":false' in got.text.replace(" ", "")


DEEP = (
    b'{"jsonrpc": "2.0", "id": "deep", "method": "tools/call", "params": {"name": "remember", "arguments": {"text": %b}}}'
    % (b"[" * 400 + b"]" * 400)
)
NOT_REQUESTS: list[tuple[bytes, Any]] = [
    (b'{"jsonrpc": "2.0", "id": "number", "method": 5}', "number"),
    (b'{"jsonrpc": "2.0", "id": "list", "method": "tools/list", "params": []}', "list"),
    (b'{"id": "version", "method": "tools/list"}', "version"),
    (b'{"jsonrpc": "2.0", "id": 1.5, "method": "tools/list"}', None),
    (b'{"jsonrpc": "2.0", "id": null, "method": "tools/list"}', None),
    (b'{"jsonrpc": "2.0", "id": true, "method": "tools/list"}', None),
    (b'{"jsonrpc": "2.0", "id": 9}', None),
    (b"[]", None),
    (DEEP, "deep"),
]


@pytest.mark.parametrize("kind", ["relay", "local"])
def test_whatever_is_sent_is_answered(kind: str, folders: dict[str, tuple[Path, str]]) -> None:
    broken = [b'{"jsonrpc": "2.0", "id": 1, "method": ', b"no json", b"\xff\xfe"]
    started = time.monotonic()
    answers, _, code = lines_from(folders[kind][0], HELLO, READY, *broken, *(line for line, _ in NOT_REQUESTS))
    assert time.monotonic() - started < FINISH_SECONDS / 2
    assert code == 0
    errors = [answer for answer in answers if answer["id"] != 0]
    assert [answer["error"]["code"] for answer in errors if answer["id"] is None].count(-32700) == len(broken)
    assert all(answer.get("result", {}).get("isError", "error" in answer) for answer in errors)
    wanted = [number for _, number in NOT_REQUESTS if number is not None]
    assert sorted(answer["id"] for answer in errors if answer["id"] is not None) == sorted(wanted)
    assert len(errors) == len(broken) + len(NOT_REQUESTS)


def test_the_namespace_is_the_process_s(folders: dict[str, tuple[Path, str]]) -> None:
    data_dir = folders["relay"][0]
    lines_from(data_dir, HELLO, tool_call(1, "remember", text="in my own"), AI_MEMORY_NAMESPACE="мое")
    answers, _, _ = lines_from(data_dir, HELLO, tool_call(1, "list_memories"), AI_MEMORY_NAMESPACE="мое")
    assert "in my own" in answers[1]["result"]["content"][0]["text"]
    answers, _, _ = lines_from(data_dir, HELLO, tool_call(1, "list_memories", context="none"))
    assert answers[1]["result"]["content"][0]["text"] == "no memories"


def test_a_store_that_cannot_be_opened_is_an_error_result(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "memory.db").write_bytes(b"this is no database" * 100)
    answers, _, code = lines_from(tmp_path / "data", HELLO, tool_call(1, "list_memories"))
    assert code == 0
    assert answers[1]["result"]["structuredContent"]["error"]["code"] == "store_corrupt"


def test_no_input_ends_at_once(tmp_path: Path) -> None:
    assert lines_from(tmp_path / "data") == ([], b"", 0)


@asynccontextmanager
async def http_client(url: str, **headers: str) -> AsyncIterator[Client]:
    from httpx2 import AsyncClient
    from mcp.client.streamable_http import streamable_http_client

    async with (
        AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


def test_keys_open_namespaces_over_http(tmp_path: Path) -> None:
    async def work(url: str) -> None:
        mine = {"Authorization": "Bearer mine-key", "X-AI-Memory-Namespace": "mine"}
        async with http_client(f"{url}/mcp", **mine) as client:
            assert not (await client.call_tool("remember", {"text": "mine alone"})).is_error
        async with http_client(f"{url}/mcp?namespace=mine", Authorization="Bearer mine-key") as client:
            assert "mine alone" in text(await client.call_tool("list_memories", {}))
        async with http_client(f"{url}/mcp", Authorization="Bearer mine-key") as client:
            refused = await client.call_tool("list_memories", {})
            assert refused.structured_content["error"]["code"] == "forbidden"
            with pytest.raises(MCPError):
                await client.read_resource("memory://recent")

    data_dir = tmp_path / "data"
    with running_service(data_dir, AI_MEMORY_API_KEYS=KEYS) as url:
        anyio.run(work, url)
        answers, _, _ = lines_from(
            data_dir, HELLO, tool_call(1, "list_memories"), AI_MEMORY_NAMESPACE="mine", AI_MEMORY_API_KEY="mine-key"
        )
        assert "mine alone" in answers[1]["result"]["content"][0]["text"]
        answers, _, code = lines_from(data_dir, HELLO, tool_call(1, "list_memories"))
        assert (code, answers[1]["error"]["data"]["code"]) == (0, "unauthorized")
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": "Bearer whole-key", "Origin": "https://evil.example"}, 403),
            ({"Authorization": "Bearer whole-key", "Host": "evil.example"}, 403),
        ):
            assert httpx.post(f"{url}/mcp", json={}, headers=headers).status_code == status
        assert httpx.get(f"{url}/mcp", headers={"X-API-Key": "whole-key"}).status_code == 405
