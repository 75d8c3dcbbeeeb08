"""`ai-memory export --to`: every format is read back by its importer, with what that format can hold."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Run

LATER = "2026-03-01T00:00:00Z"
DRAFTS: list[dict[str, Any]] = [
    {"text": "Ada moved.\n\nMarch, # 1", "title": "Move: 1/2", "context": "people/ada", "tags": ["home", "a b"], "author": "Ada"},
    {"text": "=SUM(1), \"quoted\" 🙂 שלום", "user": "u1", "session": "s1", "attributes": {"mood": "low", "n": 3}},
    {"text": "---\nnot: front matter\n---\nrest", "type": "episodic", "valid_from": "2026-02-01T00:00:00Z", "valid_to": LATER},
    {"text": "It opens at noon.", "title": "../..", "context": "a/../b", "key": "gate.time", "importance": 0.9},
]  # fmt: skip
KEPT = ("text", "title", "tags", "author", "user", "session", "type", "valid_from", "valid_to", "key", "importance")


def listed(run: Run, namespace: str) -> list[dict[str, Any]]:
    found = json.loads(run("--namespace", namespace, "list", "--json", "--order", "oldest").out)["memories"]
    return sorted(found, key=lambda memory: str(memory["text"]))


@pytest.fixture
def filled(run: Run) -> Run:
    lines = "".join(json.dumps(draft) + "\n" for draft in DRAFTS).encode()
    assert run("import", "-", stdin=lines).code == 0
    gone = json.loads(run("remember", "Forget me soon", "--json").out)["memory_id"]
    run("forget", gone)
    old = json.loads(run("remember", "It opened at ten once.", "--json").out)["memory_id"]
    assert run("revise", old, "It opened at eleven once.").code == 0
    assert run("relate", "entity:person/Ada", "LIVES_IN", "entity:place/Graz").code == 0
    return run


@pytest.mark.parametrize("form", ["markdown", "csv"])
def test_what_we_read_ourselves_comes_back_whole(form: str, filled: Run, tmp_path: Path) -> None:
    place = tmp_path / ("out" if form == "markdown" else "out.csv")
    assert filled("export", "--to", form, "-o", str(place)).code == 0
    assert filled("--namespace", "back", "import", str(place)).code == 0
    before, after = listed(filled, "default"), listed(filled, "back")
    assert len(before) == 5
    assert [{name: memory[name] for name in KEPT} for memory in before] == [
        {name: memory[name] for name in KEPT} for memory in after
    ]
    attributes = [memory["attributes"] for memory in after if memory["user"] == "u1"]
    assert attributes[0].items() >= {"mood": "low", "n": 3}.items()
    if form == "markdown":
        assert {memory["context"] for memory in after} == {"", "people/ada", "a/memory/b"}
        assert (
            filled("export", "--to", "markdown", "-o", str(place), "--json").error["hint"]
            == "choose another with -o FOLDER"
        )


def test_mem0_s_form(filled: Run, tmp_path: Path) -> None:
    found = json.loads(filled("export", "--to", "mem0").out)["results"]
    assert {item["memory"] for item in found} == {*(draft["text"] for draft in DRAFTS), "It opened at eleven once."}
    assert next(item for item in found if item.get("user_id") == "u1")["metadata"] == {"mood": "low", "n": 3}
    file = tmp_path / "mem0.json"
    assert filled("export", "--to", "mem0", "-o", str(file)).code == 0
    assert filled("--namespace", "back", "import", str(file), "--json").json["importer"] == "mem0"
    assert len(listed(filled, "back")) == 5
    assert json.loads(filled("--namespace", "empty", "export", "--to", "mem0").out) == {"results": []}


def test_the_reference_server_s_form(filled: Run, tmp_path: Path) -> None:
    file = tmp_path / "memory.jsonl"
    assert filled("export", "--to", "memory-jsonl", "-o", str(file)).code == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert {"type": "relation", "from": "Ada", "to": "Graz", "relationType": "lives_in"} in lines
    observed = {text for line in lines for text in line.get("observations", ())}
    assert observed == {*(draft["text"] for draft in DRAFTS), "It opened at eleven once."}
    assert filled("--namespace", "back", "import", str(file), "--json").json["importer"] == "memory-jsonl"


def test_a_table_has_one_row_per_memory(filled: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(filled("export", "--to", "csv").out)))
    assert len(rows) == 5 and {row["text"] for row in rows} >= {draft["text"] for draft in DRAFTS}


def test_markdown_needs_a_folder(filled: Run) -> None:
    assert filled("export", "--to", "markdown", "--json").error["hint"] == "name it with -o FOLDER"
