"""The protocol's revision of 2026-07-28 on the wire, as its text asks for it: over HTTP, by a relay, and by a process alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")

from ai_memory.mcp.greeting import CACHED_MS, CAPABILITIES_KEY, SERVER_INFO_KEY, VERSION_KEY
from tests.support.serving import COMMAND, environment, running_service

REVISION = "2026-07-28"
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


def request(method: str, version: str = REVISION, **params: Any) -> dict[str, Any]:
    params["_meta"] = {VERSION_KEY: version, CAPABILITIES_KEY: {}}
    return {"jsonrpc": "2.0", "method": method, "params": params}


def headers(message: dict[str, Any]) -> dict[str, str]:
    params = message["params"]
    name = {"Mcp-Name": params[NAMED[message["method"]]]} if message["method"] in NAMED else {}
    return {"MCP-Protocol-Version": params["_meta"][VERSION_KEY], "Mcp-Method": message["method"], **name}


CACHED: list[tuple[str, dict[str, Any], int, str]] = [
    ("server/discover", {}, CACHED_MS, "public"),
    ("tools/list", {}, CACHED_MS, "public"),
    ("prompts/list", {}, CACHED_MS, "public"),
    ("resources/list", {}, CACHED_MS, "public"),
    ("resources/templates/list", {}, CACHED_MS, "public"),
    ("resources/read", {"uri": "memory://recent"}, 0, "private"),
]


COMPLETE: list[tuple[str, dict[str, Any]]] = [
    ("tools/call", {"name": "list_memories", "arguments": {}}),
    ("tools/call", {"name": "history", "arguments": {"id": "mem_none"}}),
    ("prompts/get", {"name": "weekly_review"}),
    (
        "completion/complete",
        {"ref": {"type": "ref/prompt", "name": "weekly_review"}, "argument": {"name": "context", "value": ""}},
    ),
]
REFUSED: list[tuple[dict[str, Any], int]] = [
    (request("server/discover", "2031-01-01"), -32022),
    (request("tools/list", "2031-01-01"), -32022),
    (request("tasks/none"), -32601),
    (request("resources/read", uri="memory://none"), -32602),
    (request("tools/call", name="none"), -32602),
    (request("prompts/get", name="none"), -32602),
]
MESSAGES = [
    *(request(method, **params) for method, params, _, _ in CACHED),
    *(request(method, **params) for method, params in COMPLETE),
    *(message for message, _ in REFUSED),
    request("tools/list"),
]
"""All that is asked, by each kind of connection once; the answer to each is found by its place."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    data_dir = tmp_path_factory.mktemp("served") / "data"
    with running_service(data_dir) as url:
        yield data_dir, url


@pytest.fixture(scope="module", params=["http", "relay", "local"])
def answers(
    request: pytest.FixtureRequest, served: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """The answers to MESSAGES."""
    data_dir, url = served
    numbered = [{**message, "id": number} for number, message in enumerate(MESSAGES)]
    if request.param == "http":
        found = []
        for message in numbered:
            got = httpx.post(f"{url}/mcp", json=message, headers={**headers(message), "Accept": "*/*"}, timeout=60)
            assert "mcp-session-id" not in got.headers
            found.append(got.json())
        return found
    folder = data_dir if request.param == "relay" else tmp_path_factory.mktemp("alone") / "data"
    lines = b"".join(json.dumps(message).encode() + b"\n" for message in numbered)
    done = subprocess.run(
        [COMMAND, "mcp"], env=environment(folder), input=lines, capture_output=True, check=True, timeout=100
    )
    return sorted(map(json.loads, done.stdout.splitlines()), key=lambda answer: int(answer["id"]))


def test_each_request_is_answered_once(answers: list[dict[str, Any]]) -> None:
    assert [answer["id"] for answer in answers] == list(range(len(MESSAGES)))


def test_what_may_be_cached_says_for_how_long_and_for_whom(answers: list[dict[str, Any]]) -> None:
    for answer, (method, _, milliseconds, scope) in zip(answers, CACHED, strict=False):
        result = answer["result"]
        said = (result["resultType"], result["ttlMs"], result["cacheScope"])
        assert said == ("complete", milliseconds, scope), method
        assert result["_meta"][SERVER_INFO_KEY]["name"] == "ai-memory"


def test_every_other_result_says_that_it_is_complete(answers: list[dict[str, Any]]) -> None:
    for answer, (method, _) in zip(answers[len(CACHED) :], COMPLETE, strict=False):
        assert answer["result"]["resultType"] == "complete", method
        assert "ttlMs" not in answer["result"]


def test_discover_says_what_there_is(answers: list[dict[str, Any]]) -> None:
    result = answers[0]["result"]
    assert result["supportedVersions"] == [REVISION]
    assert set(result["capabilities"]) == {"completions", "prompts", "resources", "tools"}
    assert result["instructions"]


def test_what_is_refused_has_the_revision_s_code(answers: list[dict[str, Any]]) -> None:
    for answer, (message, code) in zip(answers[len(CACHED) + len(COMPLETE) :], REFUSED, strict=False):
        assert answer["error"]["code"] == code, message
        if code == -32022:
            assert REVISION in answer["error"]["data"]["supported"]


def test_the_order_of_the_tools_stays_the_same(answers: list[dict[str, Any]]) -> None:
    names = [[tool["name"] for tool in answer["result"]["tools"]] for answer in (answers[1], answers[-1])]
    assert names[0] == names[1]
    assert len(names[0]) == 8


def test_headers_that_say_something_else_than_the_body_are_refused(served: tuple[Path, str]) -> None:
    _, url = served
    message = {**request("tools/call", name="history", arguments={"id": "mem_none"}), "id": 1}
    for wrong in ({"Mcp-Name": "forget"}, {"Mcp-Method": "tools/list"}, {"Mcp-Name": ""}):
        got = httpx.post(f"{url}/mcp", json=message, headers={**headers(message), **wrong, "Accept": "*/*"}, timeout=60)
        assert (got.status_code, got.json()["error"]["code"]) == (400, -32020), wrong
