"""Every importer: its export is recognised, read in full, imported once and not a second time, and survives damage."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Memory
from ai_memory.cli.files.sources import import_source
from ai_memory.errors import MemoryServiceError
from ai_memory.importers.base import Reading, Record, records
from ai_memory.importers.registry import IMPORTERS, importer_for, importer_named
from tests.support.command_line import Run
from tests.support.foreign_exports import EXPORTS


def test_every_importer_has_an_export() -> None:
    assert {importer for importer, *_ in EXPORTS.values()} == set(IMPORTERS)


def read(name: str, folder: Path) -> tuple[list[Record], Reading]:
    importer, write, *_ = EXPORTS[name]
    reading = Reading()
    return list(records(IMPORTERS[importer], write(folder), reading)), reading


def drafts(found: list[Record]) -> list[Record]:
    return [record for record in found if record["record"] == "draft"]


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_recognised_and_read(name: str, tmp_path: Path) -> None:
    importer, write, memories, relations = EXPORTS[name]
    found = importer_for(write(tmp_path))
    assert found is not None and found.name == importer
    made, reading = read(name, tmp_path / "again")
    assert (len(drafts(made)), len(made) - len(drafts(made))) == (memories, relations)
    assert reading.unread == []
    for record in drafts(made):
        assert record["text"].strip()
        assert record["source"]
        assert record["attributes"]["importer"] == importer
        assert record["attributes"]["importer_version"] == IMPORTERS[importer].version


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_arrives_once(name: str, tmp_path: Path, run: Run) -> None:
    _, write, memories, relations = EXPORTS[name]
    source = str(write(tmp_path))
    rehearsed = run("import", source, "--dry-run", "--json")
    assert rehearsed.code == 0, rehearsed.err
    assert (rehearsed.json["memories"], rehearsed.json["relations"]) == (memories, relations)
    assert json.loads(run("list", "--json").out)["memories"] == []
    first = run("import", source, "--json")
    assert first.code == 0, first.out + first.err
    assert first.json["counts"].get("stored", 0) + first.json["counts"].get("superseded", 0) == memories + relations
    assert first.json["warnings"] == []
    second = run("import", source, "--json").json
    assert set(second["counts"]) <= {"duplicate_of"}, second
    listed = json.loads(run("list", "--json", "--limit", "100").out)["memories"]
    assert all(memory["attributes"]["importer"] for memory in listed)


def damages(data: bytes) -> Iterator[bytes]:
    """Five ways in which a file is damaged: cut in the middle, empty, zeros and random bytes inside, and not this format at all."""
    middle = len(data) // 2
    random.seed(7)
    yield data[:middle]
    yield b""
    yield data[:middle] + b"\0" * 64 + data[middle + 64 :]
    yield data[:middle] + random.randbytes(256) + data[middle + 256 :]
    yield b"\x89PNG\r\n\x1a\n" + data


@pytest.mark.parametrize("way", range(5))
@pytest.mark.parametrize("name", EXPORTS)
def test_a_damaged_export_is_reported_and_nothing_else(name: str, way: int, tmp_path: Path) -> None:
    """Each file of it in turn: what can be read is, what cannot is named, and every error is one with words."""
    importer, write, memories, _ = EXPORTS[name]
    root = write(tmp_path)
    for file in [root] if root.is_file() else sorted(each for each in root.rglob("*") if each.is_file()):
        whole = file.read_bytes()
        file.write_bytes(list(damages(whole))[way])
        reading = Reading()
        try:
            made = list(records(IMPORTERS[importer], root, reading))
        except MemoryServiceError as error:
            assert error.message and not error.message.startswith("unexpected")
        else:
            assert len(drafts(made)) <= memories + 2
            if way in (0, 1) and len(drafts(made)) == memories and file.suffix != ".json":
                assert reading.unread or file.suffix == ".jsonl"
        json.dumps([each.reason for each in reading.unread]).encode()
        importer_for(root)  # never raises
        file.write_bytes(whole)


def test_a_conversation_follows_the_branch_that_was_kept(tmp_path: Path) -> None:
    made, reading = read("chatgpt", tmp_path)
    said = [(record.get("author"), record["text"]) for record in made]
    assert said == [
        ("user", "I bake on Sundays."),
        ("user", "Answer in short sentences."),
        ("user", "How long should sourdough proof at 18 degrees?"),
        ("assistant", "About twelve hours."),
        ("assistant", "Bakes sourdough."),
        ("user", "Is this crumb right? 🍞"),
    ]
    assert reading.left == {
        "messages of other branches": 1,
        "messages of tools and hidden messages": 1,
        "pictures, recordings and files": 1,
    }
    assert {record.get("session") for record in made if record.get("type") == "conversation"} == {"conv-1"}
    assert made[2]["valid_from"] == "2025-02-14T02:26:41+00:00"


def test_claude_s_projects_and_notes_have_a_context(tmp_path: Path) -> None:
    made, reading = read("claude", tmp_path)
    contexts = {record["text"]: record.get("context") for record in made}
    assert contexts["Boxes, tape"] == "projects/Move 2026"
    assert contexts["The move is in June."] == "projects/p1"
    assert contexts["Lena lives in Graz."] is None
    assert reading.left == {"files without a text": 1, "uses of tools and thoughts": 1}


def stored(run: Run, *words: str) -> list[dict[str, Any]]:
    memories: list[dict[str, Any]] = json.loads(run("list", "--json", "--limit", "100", *words).out)["memories"]
    return memories


def test_what_was_true_before_arrives_as_history(tmp_path: Path, run: Run) -> None:
    _, write, *_ = EXPORTS["mem0 history"]
    assert run("import", str(write(tmp_path))).code == 0
    by_text = {memory["text"]: memory for memory in stored(run)}
    assert by_text["Lives in Graz"]["valid_to"] == "2025-06-01T00:00:00Z"
    assert by_text["Lives in Linz"]["valid_to"] is None
    assert "Has a dog" not in by_text


def test_periods_scopes_and_edges_survive(tmp_path: Path, run: Run) -> None:
    for name in ("graphiti", "mcp-memory-service", "mempalace"):
        assert run("import", str(EXPORTS[name][1](tmp_path / name))).code == 0
    by_text = {memory["text"]: memory for memory in stored(run)}
    fact = by_text["Ada lives in Graz"]
    assert (fact["valid_from"], fact["valid_to"]) == ("2024-01-01T00:00:00Z", "2025-04-01T00:00:00Z")
    assert fact["context"] == "team"
    near = run("neighbours", "entity:person/Ada", "--json", "--as-of", "2024-06-01").json["neighbours"]
    lives = [each["relation"] for each in near if each["relation"]["type"] == "LIVES_IN"]
    assert [(each["valid_to"], each["evidence"]) for each in lives if each["evidence"] == fact["id"]] == [
        ("2025-04-01T00:00:00Z", fact["id"])
    ]
    deploys = by_text["Deploys are on Fridays"]
    assert (deploys["type"], deploys["tags"], deploys["attributes"]["by"]) == ("procedural", ["ops", "team"], "ada")
    assert by_text["The index is rebuilt at night."]["context"] == "work/search"
    linked = run("neighbours", deploys["id"], "--json").json["neighbours"]
    assert by_text["The pipeline runs at six"]["id"] in {each["id"] for each in linked}


def test_a_forgotten_memory_does_not_come_back(tmp_path: Path, run: Run) -> None:
    source = str(EXPORTS["mem0"][1](tmp_path))
    run("import", source)
    memory = next(each for each in stored(run) if each["text"] == "Is learning Catalan")
    assert run("forget", memory["id"]).code == 0
    again = run("import", source, "--json")
    assert again.json["counts"] == {"duplicate_of": 2, "rejected": 1}
    assert "mem0.json, memory 2" in again.json["rejected"][0]["place"]
    assert "forgotten" in again.json["rejected"][0]["reason"]


def test_an_interrupted_import_goes_on_and_knows_what_its_links_mean(tmp_path: Path) -> None:
    """The reader stops in the middle, as it does when the process is killed; the second run stores the rest and the edges."""
    source = tmp_path / "big.jsonl"
    lines = [
        {"type": "entity", "name": f"P{n}", "entityType": "person", "observations": [f"Is number {n}"]}
        for n in range(900)
    ]
    lines += [{"type": "relation", "from": f"P{n}", "to": f"P{n + 1}", "relationType": "knows"} for n in range(20)]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    importer = importer_named("memory-jsonl")

    class KilledError(Exception):
        pass

    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        if done == 1_500:
            raise KilledError

    with Memory(tmp_path / "data", model="none") as memory:
        caller = memory.caller
        with pytest.raises(KilledError):
            import_source(importer, source, {}, caller, advance)
        done = -10_000
        report = import_source(importer, source, {}, caller, advance)
        assert report.skipped >= 500
        assert report.counts.get("rejected", 0) == 0
        assert memory.stats().memories == 920
        third = import_source(importer, source, {}, caller, advance)
        assert set(third.counts) == {"duplicate_of"}


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    import pickle
    import sqlite3

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (open, (str(tmp_path / "written"), "w"))

    place = EXPORTS["mem0 qdrant"][1](tmp_path)
    with sqlite3.connect(place / "collection" / "mem0" / "storage.sqlite") as connection:
        connection.execute("INSERT INTO points VALUES ('evil', ?)", (pickle.dumps(Trap()),))
    connection.close()
    reading = Reading()
    assert len(list(records(IMPORTERS["mem0"], place, reading))) == 1
    assert "which no point has" in reading.unread[0].reason
    assert not (tmp_path / "written").exists()


def test_a_table_with_a_mapping(tmp_path: Path, run: Run) -> None:
    table = tmp_path / "notes.csv"
    table.write_text("Note,Who,When\nThe bridge is closed,Ada,2026-02-01\n")
    done = run("import", str(table), "--map", "text=Note,author=Who", "--map", "valid_from=when", "--json")
    assert done.code == 0, done.err
    (memory,) = stored(run)
    assert (memory["text"], memory["author"], memory["valid_from"]) == (
        "The bridge is closed",
        "Ada",
        "2026-02-01T00:00:00Z",
    )
    missing = run("import", str(table), "--map", "text=Body", "--json")
    assert "no column 'body'" in missing.out
    assert run("import", str(table), "--map", "text", "--json").error["hint"] == "write --map text=Note,author=Who"


def test_an_archive_and_a_name_that_is_insisted_on(tmp_path: Path, run: Run) -> None:
    import zipfile

    place = EXPORTS["hindsight"][1](tmp_path)
    archive = tmp_path / "bank.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in place.rglob("*.json"):
            packed.write(file, f"bank/{file.relative_to(place)}")
    assert run("import", str(archive), "--json").json["importer"] == "hindsight"
    other = run("import", str(EXPORTS["mem0"][1](tmp_path)), "--from", "mem", "--json")
    assert "did you mean" in other.error["message"] and "chatgpt" in other.error["hint"]
    assert run("import", "-", "--from", "mem0", "--json").code != 0


def test_a_dry_run_shows_samples_and_what_is_left_out(tmp_path: Path, run: Run) -> None:
    shown = run("import", str(EXPORTS["chatgpt"][1](tmp_path)), "--dry-run").out
    assert "left out: 1 messages of other branches" in shown
    assert "would import 6 memories" in shown and "nothing was written" in shown
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "a.md").write_text("# Title\n\nSome text\n")
    (notes / "b.jsonl").write_text('{"text": "one"}\n{"text": " "}\n{broken\n')
    rehearsed = run("import", str(notes), "--dry-run", "--json").json
    stored_now = run("import", str(notes), "--json").json["counts"]
    assert (rehearsed["memories"], rehearsed["rejected_count"]) == (stored_now["stored"], stored_now["rejected"])
