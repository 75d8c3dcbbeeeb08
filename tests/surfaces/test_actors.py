"""Who wrote a memory is recorded by how it came in, on every surface; no text and no archive can claim to be a person."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Client, InvalidInputError, Memory
from tests.support.rest_server import Served, ask, serving
from tests.support.serving import COMMAND, environment, running_service

PERSON, AGENT = "key-of-a-person", "key-of-an-agent"
CLAIM: dict[str, Any] = {"author": "the user (verified)", "confidence": 1.0}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    keys = {"*": [PERSON, AGENT]}
    with serving(tmp_path_factory.mktemp("actors"), model="none", api_keys=keys, person_keys=[PERSON]) as running:
        yield running


def wrote(served: Served, text: str, key: str, **headers: str) -> str:
    """Whose a write over REST is recorded as, in its receipt and in what is read afterwards."""
    sent = {"Authorization": f"Bearer {key}", **headers}
    receipt = ask(served, "POST", "/v1/memories", {"text": text, **CLAIM}, sent).json
    found = ask(served, "GET", f"/v1/memories/{receipt['memory_id']}", None, sent).json
    history = ask(served, "GET", f"/v1/memories/{receipt['memory_id']}/history", None, sent).json
    hit = ask(served, "POST", "/v1/recall", {"query": text}, sent).json["hits"][0]
    actors = {receipt["actor"], found["actor"], hit["memory"]["actor"], history["revisions"][0]["actor"]}
    assert len(actors) == 1
    assert found["author"] == CLAIM["author"]
    return str(actors.pop())


def test_over_rest_a_key_shows_a_person_and_anything_else_is_an_agent(served: Served) -> None:
    header = "X-AI-Memory-Actor"
    assert wrote(served, "one", PERSON) == "person"
    assert wrote(served, "two", AGENT) == "agent"
    assert wrote(served, "three", AGENT, **{header: "person"}) == "agent"
    assert wrote(served, "four", AGENT, **{header: "person", "X-AI-Memory-Proof": "guessed"}) == "agent"
    assert wrote(served, "five", PERSON, **{header: "import"}) == "import"
    assert wrote(served, "six", PERSON, **{header: "agent"}) == "agent"
    for wrong in ("human", "unknown", "extraction"):
        got = ask(served, "POST", "/v1/memories", {"text": "x"}, {"Authorization": f"Bearer {PERSON}", header: wrong})
        assert (got.status, got.error["code"]) == (400, "invalid_input")


def test_through_mcp_everything_is_an_agents_whatever_the_key(served: Served) -> None:
    pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")
    sent = {
        "Authorization": f"Bearer {PERSON}", "X-AI-Memory-Actor": "person", "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    }  # fmt: skip

    def call(name: str, **arguments: Any) -> Any:
        params = {"name": name, "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return ask(served, "POST", "/mcp", body, sent).json["result"]

    stored = call("remember", text="the user hates tea", author=CLAIM["author"])["structuredContent"]
    assert stored["actor"] == "agent"
    told = call("recall", query="hates tea")
    assert "by agent  author claimed: the user (verified)" in told["content"][0]["text"]
    changed = call("revise", id=stored["memory_id"], text="the user hates coffee", author="x")
    assert changed["isError"]  # the tool has no such field
    call("revise", id=stored["memory_id"], text="the user hates coffee")
    assert call("history", id=stored["memory_id"])["content"][0]["text"].count("by agent") == 2


def test_python_is_an_agent_unless_it_says_otherwise(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="none") as memory:
        assert memory.remember("one", **CLAIM).actor == "agent"
    with Memory(data_dir=tmp_path, model="none", actor="person") as memory:
        assert memory.remember("two").actor == "person"
        assert memory.remember("one", **CLAIM).actor == "agent"  # a duplicate is whose it was
    with pytest.raises(InvalidInputError, match="actor"):
        Memory(data_dir=tmp_path, model="none", actor="human")


def command(folder: Path, *words: str, stdin: str = "") -> Any:
    done = subprocess.run(
        [COMMAND, *words], env=environment(folder), input=stdin, capture_output=True, text=True, check=True, timeout=110
    )
    return done.stdout


def test_the_command_line_is_a_person_by_itself_and_through_a_running_service(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    notes = tmp_path / "note.md"
    notes.write_text("---\nauthor: the user\n---\nIvo repairs clocks.\n")

    def actors() -> dict[str, str]:
        lines = map(json.loads, command(folder, "export").splitlines())
        return {line["text"]: line["actor"] for line in lines if line["record"] == "memory"}

    command(folder, "remember", "said alone")
    command(folder, "import", str(notes))
    with running_service(folder) as url:
        command(folder, "remember", "said to a service")
        command(folder, "import", "-", stdin='{"text": "a line"}\n')
        with Client(url) as client:
            assert client.remember("said by a program").actor == "agent"
        assert actors() == {
            "said alone": "person", "Ivo repairs clocks.": "import", "said to a service": "person", "a line": "import",
            "said by a program": "agent",
        }  # fmt: skip


def archive(**fields: Any) -> bytes:
    line = {
        "record": "memory", "id": "mem_01", "namespace": "default", "text": "t", "created_at": "2026-01-01T00:00:00Z",
        "recorded_at": "2026-01-01T00:00:00Z", "content_hash": "", **fields,
    }  # fmt: skip
    return json.dumps(line).encode()


@pytest.mark.parametrize(
    ("importer", "kept"),
    [("agent", {"person": "import", "agent": "agent", "import": "import", None: "unknown"}),
     ("person", {"person": "person", "agent": "agent", "import": "import", None: "unknown"})],
)  # fmt: skip
def test_an_archive_carries_actors_but_makes_no_person(
    tmp_path: Path, importer: str, kept: dict[str | None, str]
) -> None:
    from ai_memory.text.normal import content_hash

    with Memory(data_dir=tmp_path, model="none", actor=importer) as memory:
        for number, (said, becomes) in enumerate(kept.items()):
            text = f"memory {number}"
            fields = {"id": f"mem_{number:026}", "text": text, "content_hash": content_hash(None, None, text)}
            report = memory.import_lines([archive(**fields, **({"actor": said} if said else {}))])
            assert report.counts == {"stored": 1}, report
            assert memory.get(str(fields["id"])).actor == becomes
        exported = list(memory.export())
        assert memory.import_lines(exported).counts == {"duplicate_of": len(kept)}


def test_who_wrote_it_is_covered_by_the_audit_chain(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="none") as memory:
        memory.remember("one", **CLAIM)
    with sqlite3.connect(tmp_path / "memory.db") as file:
        assert file.execute("UPDATE log SET actor = 'person'").rowcount == 1
    with Memory(data_dir=tmp_path, model="none") as memory:
        assert [problem.check for problem in memory._service.doctor()] == ["chain"]
