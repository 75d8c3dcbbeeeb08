"""Without the SDK of the extra `mcp`: everything else works, and MCP says how to install it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from ai_memory import Client, NotInstalledError
from ai_memory.cli.program import main
from ai_memory.installation import install_hint, is_installed
from ai_memory.mcp.stdio import Session
from ai_memory.places import Address
from ai_memory.wording.ways import installing
from tests.support.rest_server import ask, serving
from tests.support.serving import running_service


@pytest.fixture(autouse=True)
def _without_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert not is_installed("mcp")


def test_the_server_serves_everything_else(tmp_path: Path) -> None:
    with serving(tmp_path, model="none") as served:
        refused = ask(served, "POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        error = refused.error
        assert (refused.status, error["code"]) == (501, "not_installed")
        assert error["hint"] == installing("mcp", install_hint("mcp")).rest
        with Client(served.url) as client:
            assert client.remember("kept").memory_id
            part = next(part for part in client.health().parts if part.name == "mcp")
            assert (part.state, part.mend) == ("ok", install_hint("mcp"))
            assert "not installed" in part.message
            assert "mcp" not in client.health().degraded


def test_health_does_not_mention_mcp_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    if not is_installed("mcp"):
        pytest.skip("the MCP SDK is not installed (the extra `mcp`)")
    with serving(tmp_path, model="none") as served, Client(served.url) as client:
        assert "mcp" not in {part.name for part in client.health().parts}
        # An answer means that the background thread has imported the SDK, and not in the middle of the next test.
        assert ask(served, "POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).status != 501


def test_the_command_says_so_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--data-dir", str(tmp_path), "mcp"])
    out, err = capsys.readouterr()
    assert (code, out) == (10, "")
    assert err == f"error: ai-memory mcp needs the extra `mcp`: {install_hint('mcp')}\n"


def test_the_relay_to_a_running_service_needs_no_sdk(tmp_path: Path) -> None:
    wire = io.BytesIO()
    with running_service(tmp_path / "data") as url:
        session = Session(lambda: Address(url), _no_service, wire, namespace="default", api_key=None)
        session.receive(b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}\n')
        session.close()
    assert json.loads(wire.getvalue())["id"] == 1
    alone = io.BytesIO()
    session = Session(lambda: None, _no_service, alone, namespace="default", api_key=None)
    session.receive(b'{"jsonrpc": "2.0", "id": 2, "method": "tools/list"}\n')
    session.close()
    error = json.loads(alone.getvalue())["error"]
    assert error["data"]["code"] == NotInstalledError.code
    assert install_hint("mcp") in error["message"]


def _no_service() -> None:
    raise AssertionError("no service is to be opened")
