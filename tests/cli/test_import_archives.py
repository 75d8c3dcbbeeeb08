"""`ai-memory import` of a zip archive: read like the folder that it was made of, and nothing in it can reach outside."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import pytest

from ai_memory.cli import exits
from ai_memory.cli.files import archives
from tests.support.command_line import Run

NOTES = {
    "notes/ada.md": "---\ntags: [people]\n---\n# Ada\nAda leads the search team. See [[hours]].\n",
    "notes/hours.md": "# Hours\nThe office closes at six.\n",
    "rows.csv": "text,tags\nThe bridge opens at noon,bridge\nThe cat eats salmon,cat\n",
    "lines.jsonl": '{"text": "We ship on Fridays."}\n{"text": " "}\n',
    "picture.png": "not a picture",
    ".obsidian/workspace.json": '{"text": "hidden"}',
    "__MACOSX/._ada.md": "hidden as well",
}


def zipped(place: Path, files: dict[str, str] = NOTES) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return place


def texts(run: Run) -> list[str]:
    return sorted(memory["text"] for memory in json.loads(run("list", "--json").out)["memories"])


def test_an_archive_is_read_like_a_folder(run: Run, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "vault.zip")
    done = run("import", str(archive), "--json")
    report = json.loads(done.out)
    assert done.code == exits.SOME_REJECTED, done.err
    assert report["counts"]["stored"] == 5
    assert report["links"] == 1
    assert report["warnings"] == [f"{archive}: not imported: 1 file (1 .png)"]
    assert [each["reason"] for each in report["receipts"] if each["outcome"] == "rejected"] == [
        f"{archive}/lines.jsonl: line 2: text is empty"
    ]
    listed = json.loads(run("list", "--json").out)["memories"]
    assert {memory["source"] for memory in listed} >= {"notes/ada.md", "notes/hours.md"}
    assert not any("hidden" in memory["text"] for memory in listed)
    again = json.loads(run("import", str(archive), "--json").out)
    assert again["counts"]["stored"] == 0


def test_a_long_text_in_an_archive_is_split_and_the_report_says_so(run: Run, tmp_path: Path) -> None:
    long = "\n\n".join(f"Paragraph {number} of a long book." for number in range(9_000))
    done = run("import", str(zipped(tmp_path / "book.zip", {"book.txt": long})), "--json")
    report = json.loads(done.out)
    assert report["counts"]["stored"] == 2
    said = "book.zip/book.txt: the text is over 200,000 characters and was stored as 2 memories"
    assert [warning.endswith(said) for warning in report["warnings"]] == [True]


@pytest.mark.parametrize(
    "name", ["../outside.md", "notes/../../outside.md", "/outside.md", "..\\outside.md", "C:\\outside.md"]
)
def test_a_file_that_leads_outside_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    archive = zipped(tmp_path / "in" / "bad.zip", {name: "outside"})
    done = run("import", str(archive))
    assert done.code == exits.SOME_REJECTED
    assert "a file outside of it" in done.err
    assert texts(run) == []
    assert not list(tmp_path.rglob("outside.md"))


def test_a_link_is_refused(run: Run, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("notes/passwd.md")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    done = run("import", str(tmp_path / "link.zip"))
    assert done.code == exits.SOME_REJECTED
    assert "a link" in done.err


def test_what_an_archive_unpacks_to_is_limited(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 50_000)
    bomb = zipped(tmp_path / "bomb.zip", {"bomb.txt": "a" * 50_001})
    assert bomb.stat().st_size < 1_000
    done = run("import", str(bomb))
    assert done.code == exits.SOME_REJECTED
    assert "50,000" in done.err
    monkeypatch.setattr(archives, "MOST_FILES", 3)
    many = zipped(tmp_path / "many.zip", {f"{number}.md": "a" for number in range(4)})
    done = run("import", str(many))
    assert "4 files, the limit is 3" in done.err
    assert texts(run) == []


def test_what_is_no_archive_or_holds_nothing_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no archive")
    assert "is not a ZIP archive" in run("import", str(tmp_path / "text.zip")).err
    assert "cannot be read" in run("import", str(tmp_path / "nowhere.zip")).err
    nothing = zipped(tmp_path / "pictures.zip", {"a.png": "a"})
    assert "no file that can be imported" in run("import", str(nothing)).err
    whole = zipped(tmp_path / "whole.zip").read_bytes()
    at = whole.index(b"hours.md") + 20
    (tmp_path / "damaged.zip").write_bytes(whole[:at] + bytes(40) + whole[at + 40 :])
    damaged = run("import", str(tmp_path / "damaged.zip"))
    assert damaged.code != exits.OK
    assert "is not a ZIP archive that can be read" in damaged.err


def test_a_name_that_comes_twice_is_refused(run: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.md", "one")
        archive.writestr("a.md", "two")
    assert "a.md twice" in run("import", str(tmp_path / "twice.zip")).err
