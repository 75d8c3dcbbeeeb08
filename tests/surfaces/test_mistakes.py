"""Typical mistakes of people and models: each surface says what was wrong, and the way out in its own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Client, Memory
from ai_memory.cli import main
from ai_memory.errors import MemoryServiceError
from tests.support.rest_server import Served, ask, serving

pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")

UNKNOWN_ID = "mem_00000000000000000000000000"
KEYS = {"*": ["whole-key"], "mine": ["mine-key"]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("mistakes"), model="none") as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("guarded"), model="none", api_keys=KEYS) as running:
        yield running


COMMANDS: list[tuple[str, str]] = [
    ("recal x", "there is no command 'recal'; did you mean recall?"),
    ("rember x", "did you mean remember?"),
    ("find x", "did you mean recall?"),
    ("store x", "did you mean remember?"),
    ("remove x", "did you mean forget?"),
    ("docter", "did you mean doctor?"),
    ("zzzzz", "ai-memory --help lists them"),
    ("recall x --top-k 3", "there is no option --top-k; did you mean --limit? (ai-memory recall --help lists them)"),
    ("recall x --limt 3", "did you mean --limit?"),
    ("recall x --since 2025", "did you mean --occurred-after?"),
    ("remember x --date 2025-01-01", "did you mean --valid-from?"),
    ("remember x --importnce 1", "did you mean --importance?"),
    ("remember x --importance 7", "importance: expected a number of at most 1"),
    ("remember x --importance 7", "How much it matters, from 0 to 1"),
    ("remember x --importance high", "invalid float value: 'high'"),
    ("remember x --type fact", "choose one of semantic, episodic, procedural"),
    ("remember x --type semntic", "did you mean semantic?"),
    ("recall x --types fact", "choose one of semantic, episodic"),
    ("recall x --recipe balancd", "did you mean balanced?"),
    ("recall x --limit 0", "limit: expected a whole number of at least 1"),
    ("recall x --as-of yesterday", "write 2026-03-14"),
    ("model ftch", "did you mean fetch?"),
    ("help recal", "did you mean"),
    (f"get {UNKNOWN_ID}", "ai-memory list shows what is there"),
    ("recall x --url http://127.0.0.1:1", "start it: ai-memory serve"),
    ("stats --config gone.toml", "there is no settings file gone.toml"),
    ("embed", "give INPUT and -o OUTPUT, or --pending"),
]


@pytest.fixture
def shell(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command that must fail; gives what it wrote to standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AI_MEMORY_MODEL", "none")
    monkeypatch.setenv("AI_MEMORY_DATA_DIR", str(tmp_path / "data"))

    def run(line: str) -> str:
        assert main(line.split()) != 0
        return capfd.readouterr().err

    return run


@pytest.mark.parametrize(("line", "expected"), COMMANDS)
def test_on_the_command_line(shell: Callable[..., str], line: str, expected: str) -> None:
    said = shell(line)
    assert expected in said
    assert not re.search(r"/v1/|Authorization|`(float|int|str|bool|array|object)`|Client\(", said)


@pytest.mark.parametrize("line", ["recal x", "recall x --limt 3", "remember x --type fact", "model ftch"])
def test_a_misspelt_name_is_answered_in_one_line(shell: Callable[..., str], line: str) -> None:
    assert len(shell(line).splitlines()) == 1


def test_on_the_command_line_of_a_service_with_keys(shell: Callable[..., str], guarded: Served) -> None:
    said = shell(f"stats --url {guarded.url}")
    assert "AI_MEMORY_API_KEY" in said
    assert "Authorization" not in said
    said = shell(f"get {UNKNOWN_ID} --url {guarded.url}")
    assert "X-API-Key" not in said


def test_on_the_command_line_of_another_service_the_words_are_the_command_lines(
    shell: Callable[..., str], served: Served
) -> None:
    assert "ai-memory list shows what is there" in shell(f"get {UNKNOWN_ID} --url {served.url}")


SETTINGS: list[tuple[str, dict[str, str], str]] = [
    ("prot = 8000\n", {}, "prot: there is no such setting; did you mean port? (in {file}, line 1)"),
    ("\n# x\nport = 'high'\n", {}, "port: expected a whole number, got 'high' (in {file}, line 3)"),
    ("log_level = 'loud'\n", {}, "expected one of debug, info, warning, error, got 'loud' (in {file}, line 1)"),
    ("port = [", {}, "{file} is not valid TOML"),
    ("", {"AI_MEMORY_DATADIR": "/x"}, "AI_MEMORY_DATADIR: there is no such variable; did you mean AI_MEMORY_DATA_DIR?"),
    ("", {"AI_MEMORY_PORTT": "1"}, "did you mean AI_MEMORY_PORT?"),
    ("", {"AI_MEMORY_APIKEY": "1"}, "did you mean AI_MEMORY_API_KEY?"),
    ("", {"AI_MEMORY_PORT": "high"}, "got 'high' (in AI_MEMORY_PORT)"),
]


@pytest.mark.parametrize(("text", "variables", "expected"), SETTINGS)
def test_in_settings(
    shell: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    variables: dict[str, str],
    expected: str,
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert expected.format(file=file) in shell(f"stats --config {file}")


def test_a_variable_of_another_program_is_no_mistake(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AI_MEMORY_BENCHMARK_ROUNDS", "3")
    monkeypatch.setenv("AI_MEMORY_MODEL", "none")
    assert main(["stats", "--data-dir", str(tmp_path)]) == 0
    assert capfd.readouterr().err == ""


REST: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/v1/recall", {"query": "x", "limt": 3}, 400, "unknown field: limt; did you mean limit?"),
    ("POST", "/v1/recall", {"query": "x", "top_k": 3}, 400, "did you mean limit?"),
    ("POST", "/v1/recall", {"question": "x"}, 400, "did you mean query?"),
    ("POST", "/v1/recall", {"query": "x", "limit": 0}, 400, "limit: expected a whole number of at least 1"),
    ("POST", "/v1/recall", {"query": 5}, 400, "query: expected text, got a whole number"),
    ("POST", "/v1/recall", {}, 400, "missing required field `query`"),
    ("POST", "/v1/memories", {"content": "x"}, 400, "did you mean text?"),
    ("POST", "/v1/memories", {"text": "x", "type": "fact"}, 400, "choose one of semantic, episodic"),
    ("POST", "/v1/memories", {"text": "x", "type": "Semantc"}, 400, "did you mean semantic?"),
    ("POST", "/v1/memories", {"text": "x", "importance": 7}, 400, "How much it matters, from 0 to 1"),
    ("POST", "/v1/memories/batch", {"memories": [{"text": "x", "tag": "a"}]}, 400, "did you mean tags?"),
    ("POST", "/v1/memories/batch", {"memories": [{"text": "x", "type": "fact"}]}, 400, "choose one of semantic"),
    ("GET", "/v1/memories?tag=a", None, 400, "did you mean tags?"),
    ("GET", "/v1/memories?order=newst", None, 400, "did you mean newest?"),
    ("GET", f"/v1/memories/{UNKNOWN_ID}", None, 404, "GET /v1/memories shows what is there"),
    ("POST", "/v1/generations/cancel", {}, 404, "GET /v1/generations shows the vector generations"),
    ("DELETE", "/v1/decisions/dec_0", None, 404, "GET /v1/decisions lists the decisions"),
    ("POST", "/v1/generations", {"model": "minilm"}, 503, "on the machine of the service"),
    ("GET", "/v1/nothing", None, 404, "/docs"),
    ("POST", "/v1/recall", b"query=x", 415, "Content-Type: application/json"),
]


@pytest.mark.parametrize(("method", "target", "body", "status", "expected"), REST)
def test_over_rest(served: Served, method: str, target: str, body: Any, status: int, expected: str) -> None:
    got = ask(served, method, target, body)
    assert got.status == status
    error = got.json["error"]
    assert expected in f"{error['message']} {error['hint']}"
    assert not re.search(
        r"ai-memory [a-z]|(^|\s)--[a-z]|`(float|int|str|bool|array)`", f"{error['message']} {error['hint']}"
    )


def test_over_rest_without_a_key(guarded: Served) -> None:
    assert "send Authorization: Bearer KEY" in ask(guarded, "GET", "/v1/stats").json["error"]["hint"]


MCP: list[tuple[str, dict[str, Any], str]] = [
    ("recall", {"query": "x", "limt": 3}, "unknown argument: limt; did you mean limit?"),
    ("recall", {"question": "x"}, "did you mean query?"),
    ("recall", {"query": "x", "types": ["fact"]}, "choose one of semantic, episodic"),
    ("recall", {"query": "x", "limit": 0}, "limit: expected a whole number of at least 1"),
    ("remember", {"text": "x", "type": "fact"}, "choose one of semantic, episodic"),
    ("remember", {"content": "x"}, "did you mean text?"),
    ("remember", {"text": "x", "importance": 7}, "How much it matters"),
    ("history", {"id": UNKNOWN_ID}, "list_memories shows what is there"),
    ("forget", {"id": UNKNOWN_ID}, "list_memories shows what is there"),
]


@pytest.mark.parametrize(("tool", "arguments", "expected"), MCP)
def test_through_mcp(served: Served, tool: str, arguments: dict[str, Any], expected: str) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
    got = ask(served, "POST", "/mcp", call, {"Accept": "application/json, text/event-stream"})
    result = got.json["result"]
    assert result["isError"] is True
    said = result["content"][0]["text"]
    assert expected in said
    assert not re.search(r"ai-memory [a-z]|(^|\s)--[a-z]|/v1/|Authorization", said)


def test_a_misspelt_tool(served: Served) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "rember", "arguments": {}}}
    got = ask(served, "POST", "/mcp", call, {"Accept": "application/json, text/event-stream"})
    assert got.json["error"]["message"] == "unknown tool: rember; did you mean remember?"


def test_a_notice_through_mcp_names_what_to_ask_the_user_for(tmp_path: Path) -> None:
    with serving(tmp_path, model="auto") as running:
        ask(running, "POST", "/v1/memories", {"text": "The gate opens at noon."})
        call = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "recall", "arguments": {"query": "gate"}},
        }
        got = ask(running, "POST", "/mcp", call, {"Accept": "application/json, text/event-stream"})
        said = got.json["result"]["content"][0]["text"]
        assert "lexical search only: there is no embedding model (ask the user to fetch an embedding model" in said
        (notice,) = ask(running, "POST", "/v1/recall", {"query": "gate"}).json["notices"]
        assert notice["mend"] == "fetch an embedding model, on the machine of the service"
        with Client(running.url) as client:
            assert client.recall("gate").notices[0].mend == "ai-memory model fetch"


PYTHON: list[tuple[str, dict[str, Any], str]] = [
    ("recall", {"query": "x", "limit": 0}, "limit: expected a whole number of at least 1"),
    ("remember", {"text": "x", "type": "fact"}, "choose one of semantic, episodic"),
    ("remember", {"text": "x", "importance": 7}, "How much it matters"),
    ("remember_many", {"memories": [{"text": "x", "tag": "a"}]}, "did you mean tags?"),
    ("get", {"id": UNKNOWN_ID}, "list() shows what is there"),
    ("undo", {"id": "dec_0"}, "decisions() lists the decisions"),
]


@pytest.mark.parametrize("kind", ["Memory", "Client"])
@pytest.mark.parametrize(("method", "arguments", "expected"), PYTHON)
def test_in_python(
    served: Served, tmp_path: Path, kind: str, method: str, arguments: dict[str, Any], expected: str
) -> None:
    opened: Memory | Client = Memory(data_dir=tmp_path, model="none") if kind == "Memory" else Client(served.url)
    with opened as memory, pytest.raises(MemoryServiceError) as caught:
        getattr(memory, method)(**arguments)
    assert expected in f"{caught.value.message} {caught.value.hint}"


def test_a_misspelt_setting_in_python(tmp_path: Path) -> None:
    with pytest.raises(MemoryServiceError, match=r"modle: there is no such setting; did you mean model\?"):
        Memory(data_dir=tmp_path, modle="none")


def test_a_misspelt_field_of_an_imported_line_is_kept_and_named(served: Served) -> None:
    lines = b'{"text": "The lamp is green.", "tgas": ["a"]}\n'
    got = ask(served, "POST", "/v1/import", lines, {"Content-Type": "application/x-ndjson"})
    assert got.json["counts"] == {"stored": 1}
    assert "tgas (did you mean tags?)" in str(got.json["warnings"])


def test_where_each_setting_came_from(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    file = tmp_path / "mine.toml"
    file.write_text('log_level = "warning"\nport = 1\n')
    monkeypatch.setenv("AI_MEMORY_PORT", "2")
    words = ["settings", "--config", str(file), "--data-dir", str(tmp_path)]
    assert main([*words, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["port"] == 2
    asked = ("port", "log_level", "data_dir", "host")
    assert [found["sources"][name] for name in asked] == ["AI_MEMORY_PORT", str(file), "--data-dir", "default"]
    assert main(words) == 0
    shown = capfd.readouterr().out
    assert re.search(r"port +2 +AI_MEMORY_PORT", shown)
    assert re.search(rf"log_level +warning +{re.escape(str(file))}", shown)
