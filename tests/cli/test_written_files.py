"""Files that commands write: theirs alone from the first byte, whole or not there, and clear words where that fails."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory import Memory
from ai_memory.cli.program import main
from ai_memory.places import loose_files, open_private
from ai_memory.settings import Settings
from ai_memory.wiring import backup, doctor


@pytest.fixture(autouse=True)
def others_may_read_what_is_new() -> Iterator[None]:
    """The loosest mask that people have: what is private under it is private under any other."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "data"
    before = os.umask(0)
    try:
        with Memory(settings=_settings(folder)) as memory:
            memory.remember("Anna Ivers likes tea")
            memory.remember_many([f"other {number}" for number in range(1_100)])
            assert memory.settle(60)
            memory.entities()
    finally:
        os.umask(before)
    return folder


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A folder of its own for each test, with the modes that its files were made with."""
    return Path(shutil.copytree(made, tmp_path / "data"))


def _settings(folder: Path) -> Settings:
    return Settings(data_dir=folder, model="hashing", snapshot_rows=1)


def _mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_no_file_next_to_the_store_can_be_read_by_others(data: Path) -> None:
    """Before, the files of the saved index had the mode that the mask left them."""
    backup(_settings(data), data.parent / "copy.db")
    files = [file for file in (*data.rglob("*"), data.parent / "copy.db") if file.is_file()]
    assert {"memory.db", "memory.db.graph", "snapshot.json", "progress.json", "copy.db"} <= {
        file.name for file in files
    }
    assert [file.name for file in files if _mode(file) & 0o077] == []
    assert [folder.name for folder in data.rglob("*") if folder.is_dir() and _mode(folder) & 0o077] == []


@pytest.mark.parametrize(
    "words",
    [
        ["export", "-o", "out.jsonl"],
        ["export", "-o", "out.gz"],
        ["graph", "--svg", "out.svg"],
        ["graph", "--format", "graphml", "-o", "out.graphml"],
        ["graph", "--format", "cypher", "-o", "out.cypher"],
        ["backup", "out.db"],
    ],
    ids=lambda words: " ".join(words),
)
def test_what_a_command_writes_is_its_users_alone_from_the_first_byte(
    data: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    seen: set[int] = set()
    opened = os.open

    def watched(path: str, flags: int, mode: int = 0o777, **more: int | None) -> int:
        descriptor = opened(path, flags, mode, **more)
        if flags & os.O_CREAT and str(tmp_path / "there") in str(Path(path).absolute()):
            seen.add(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    assert main([*words, "--data-dir", str(data)]) == 0
    (written,) = (file for file in Path.cwd().iterdir() if not file.name.endswith(".key"))
    assert _mode(written) == 0o600
    assert seen == {0o600}, "there is no moment in which it is looser"


def test_a_file_that_was_looser_is_the_users_alone_afterwards(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    out.chmod(0o644)
    assert main(["export", "-o", str(out), "--data-dir", str(data)]) == 0
    assert _mode(out) == 0o600
    with open_private(tmp_path / "again") as file:
        file.write(b"1234")
    (tmp_path / "again").chmod(0o666)
    with open_private(tmp_path / "again") as file:
        assert _mode(tmp_path / "again") == 0o600
        file.write(b"5")
    assert (tmp_path / "again").read_bytes() == b"5"


def test_looser_files_of_an_earlier_version_are_tightened_and_named_where_they_cannot_be(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = next(data.rglob("snapshot.json"))
    for file in (data / "memory.db", index, data / "memory.db.graph"):
        file.chmod(0o644)
    index.parent.chmod(0o755)
    assert len(list(loose_files(data / "memory.db"))) == 4
    monkeypatch.setattr("ai_memory.wiring.tighten", lambda _: None)
    found = [problem for problem in doctor(_settings(data)) if problem.check == "loose_files"]
    assert found[0].count >= 4, "and the logs of the two databases"
    assert "memory.db" in found[0].message
    assert found[0].mend
    monkeypatch.undo()
    assert doctor(_settings(data)) == ()
    assert list(loose_files(data / "memory.db")) == []
    assert [_mode(data / "memory.db"), _mode(index.parent)] == [0o600, 0o700]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "-o", "/"], "/ is a folder"),
        (["export", "-o", "."], "is a folder"),
        (["export", "-o", "missing/out.jsonl"], "there is no folder missing"),
        (["graph", "--svg", "/"], "/ is a folder"),
        (["graph", "--format", "json", "-o", "missing/x.json"], "there is no folder missing"),
        (["backup", "/"], "/ exists already"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_a_place_that_cannot_hold_the_file_is_said_in_clear_words(
    data: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--data-dir", str(data)]) != 0
    told = capsys.readouterr().err
    assert said in told
    assert "unexpected" not in told


def test_a_device_is_written_to_as_it_is(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "-o", "/dev/null", "--data-dir", str(data)]) == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    if Path("/dev/full").exists():
        assert main(["export", "-o", "/dev/full", "--data-dir", str(data)]) != 0
        assert "No space left" in capsys.readouterr().err
