"""The real MCP clients and frameworks against a running service; `scripts/clients` installs them, and says what ran.

Each program of `programs/` does the same with its client: it lists the tools, remembers a text and recalls it. What more its
client can do, it reports as well.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.client_programs import SECONDS, command, name_id, names, report
from tests.support.serving import COMMAND, environment, running_service

SDKS = ["mcp-python", "mcp-typescript"]
TOOLS = ["remember", "recall", "list_memories", "revise", "forget", "relate", "neighbours", "history"]
PROMPTS = ["recall_first", "remember_this", "weekly_review"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A data folder, and the address of the service that runs on it."""
    data_dir = tmp_path_factory.mktemp("served") / "data"
    with running_service(data_dir) as url:
        yield data_dir, url


class Place(NamedTuple):
    """Where a client connects: over HTTP, by the relay to the service, or to a process that serves by itself."""

    kind: str
    data_dir: Path
    transport: str
    address: str


PLACES = ["http", "relay", "local"]


@pytest.fixture
def place(request: pytest.FixtureRequest, served: tuple[Path, str], tmp_path: Path) -> Place:
    data_dir, url = served
    if request.param == "http":
        return Place("http", data_dir, "http", f"{url}/mcp")
    return Place(request.param, data_dir if request.param == "relay" else tmp_path / "data", "stdio", COMMAND)


def ran(name: str, place: Place, text: str, *mode: str) -> dict[str, Any]:
    return report(name, environment(place.data_dir), place.transport, place.address, text, *mode)


def check(found: dict[str, Any], text: str) -> None:
    """What every client reports, and what only some do where this one does."""
    assert sorted(found["tools"]) == sorted(TOOLS)
    assert "stored mem_" in found["remembered"] or '"outcome": "stored"' in found["remembered"]
    assert text in found["recalled"]
    assert text in [hit["text"] for hit in found["structured"]["hits"]]
    if "typed" in found:
        assert found["typed"] == [hit["id"] for hit in found["structured"]["hits"]]
    if "described" in found:
        assert found["described"] is True
        assert all(found["titles"])
    if "blocks" in found:
        assert found["blocks"] == ["text"], "other blocks are handed to a model's API, which may refuse them"
        assert found["models"] == found["tools"]
    if "prompts" in found:
        assert found["prompts"] == PROMPTS
    if "prompt" in found:
        assert text in found["prompt"].removeprefix(text)
    if "resources" in found:
        assert found["resources"] == ["memory://recent", "memory://contexts"]
    if "templates" in found:
        assert "memory://memories/{id}" in found["templates"]
    if "read" in found:
        assert text in found["read"]
    if "completed" in found:
        assert found["completed"] == [["clients/sdk"], ["client"]]
    if "missing" in found:
        assert found["missing"] == -32602
    if "refused" in found:
        assert found["refused"] == "invalid_input"


@pytest.mark.parametrize("place", ["http", "relay"], indirect=True)
@pytest.mark.parametrize("name", [name for name in names("mcp") if name not in SDKS], ids=name_id)
def test_a_text_is_remembered_and_recalled(name: str, place: Place) -> None:
    text = f"The {name} client was here, {place.kind}, ünïcödé 🙂"
    check(ran(name, place, text), text)


@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("name", SDKS, ids=name_id)
def test_the_newest_sdks_speak_both_styles_of_the_protocol(name: str, mode: str, place: Place) -> None:
    text = f"The {name} client was here in {mode} mode, {place.kind}"
    found = ran(name, place, text, mode)
    check(found, text)
    assert found["protocol"] == {"auto": "2026-07-28", "legacy": "2025-11-25"}[mode]


@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize("name", SDKS, ids=name_id)
def test_a_call_that_goes_on_is_given_up_or_waited_for(name: str, place: Place) -> None:
    own = environment(place.data_dir)
    subprocess.run([COMMAND, "remember", "before"], env=own, capture_output=True, check=True)
    lock = sqlite3.connect(place.data_dir / "memory.db", isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        process = subprocess.Popen(
            [*command(name), place.transport, place.address, f"{name} waited, {place.kind}", "long"],
            env=own, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "waiting"
        lock.rollback()
    finally:
        lock.close()
    rest, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    found = json.loads(rest.splitlines()[-1])
    assert found["cancelled"] is True
    assert len(found["progress"]) >= 1
    assert found["remembered"].startswith("stored mem_")
