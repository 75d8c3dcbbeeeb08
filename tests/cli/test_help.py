"""`ai-memory help`: the pages of the documentation in the terminal, from a checkout and from an installed package."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory.cli import main
from ai_memory.cli.documentation import MAP, Page, folder, installed, sections
from ai_memory.cli.output.layout import width
from ai_memory.cli.output.page import rendered
from ai_memory.cli.output.screen import Screen

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [page for section in sections((DOCS / MAP).read_text(encoding="utf-8")) for page in section.pages]
CALL = "import sys; from ai_memory.cli import main; sys.exit(main(sys.argv[1:]))"


def lines(markdown: str, columns: int, *names: str) -> list[str]:
    screen = Screen()
    screen.width = columns
    return list(rendered(markdown, screen, names))


def test_the_list_has_every_page_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help"]) == 0
    shown = capsys.readouterr().out
    assert len(PAGES) >= 30
    for page in PAGES:
        assert f"  {page.name} " in shown
        assert page.summary in shown


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_fits_and_keeps_its_headings(page: Page, columns: int) -> None:
    markdown = (DOCS / page.file).read_text(encoding="utf-8")
    shown = lines(markdown, columns, *(each.name for each in PAGES))
    text = "\n".join(shown)
    assert "](" not in text
    assert "<!--" not in text
    assert [line for line in shown if width(line) > columns and not line.startswith("    ")] == []
    for line in markdown.splitlines():
        if line.startswith("## ") and "`" not in line and "[" not in line and width(line) < columns:
            assert line.removeprefix("## ") in text


def test_a_page_by_its_name_its_file_or_in_capitals(capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for topic in ("time", "docs/time.md", "Time"):
        assert main(["help", topic]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] == shown[2]
    assert shown[0].startswith("Time\n====\n\nEvery memory has two time axes.\n")


def test_a_page_of_a_command_leads_to_its_options_and_a_command_without_a_page_shows_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["help", "recall"]) == 0
    assert capsys.readouterr().out.endswith("Options of the command: ai-memory recall --help\n")
    assert main(["help", "remember"]) == 0
    assert capsys.readouterr().out.startswith("usage: ai-memory remember")


@pytest.mark.parametrize(
    ("topic", "meant"), [("recal", "recall"), ("generations", "vector-generations"), ("modls", "models")]
)
def test_an_unknown_page_is_an_error_that_names_what_is_near(
    topic: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["help", topic]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"there is no page '{topic}'; did you mean" in captured.err
    assert meant in captured.err


def test_nothing_is_suggested_where_nothing_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "zzzzzz"]) == 2
    assert "there is no page 'zzzzzz'\n" in capsys.readouterr().err


def test_json_has_the_list_and_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "--json"]) == 0
    assert [page["name"] for page in json.loads(capsys.readouterr().out)] == [page.name for page in PAGES]
    assert main(["help", "time", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == (DOCS / "time.md").read_text(encoding="utf-8")
    assert main(["help", "recal", "--json"]) == 2
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "invalid_input"


def test_markdown_becomes_plain_lines() -> None:
    shown = lines(
        "# A page\n<!-- a remark -->\nFirst **strong** line,\nof [recall](recall.md), [others](x.md) and <https://a.example>.\n\n"
        "- one item that\n  goes on\n- two\n\n```sh\nkept   as it is\n\n# not a heading\n```\n![a picture](a.svg)\n",
        60,
        "recall",
    )
    assert shown == [
        "A page",
        "======",
        "",
        "First strong line, of recall (help recall), others and",
        "https://a.example.",
        "",
        "- one item that goes on",
        "- two",
        "",
        "    kept   as it is",
        "",
        "    # not a heading",
        "",
        "[picture: a picture]",
    ]


TABLE = "| a | what it means |\n|---|---|\n| `x\\|y` | short |\n| long | one two three four five six seven |\n"


def test_a_table_that_fits_is_aligned() -> None:
    assert lines(TABLE, 60) == [
        "a      what it means",
        "-----  ---------------------------------",
        "`x|y`  short",
        "long   one two three four five six seven",
    ]


def test_a_table_that_is_too_wide_has_wrapped_cells() -> None:
    assert lines(TABLE, 30)[2:] == ["`x|y`  short", "long   one two three four five", "       six seven"]


def test_a_table_of_too_many_columns_becomes_a_block_for_each_row() -> None:
    wide = (
        "| one | two | three | |\n|---|---|---|---|\n"
        + "| a long first cell | a long second cell | | the fourth cell |\n" * 2
    )
    assert lines(wide, 40) == [
        "one: a long first cell",
        "two: a long second cell",
        "the fourth cell",
        "",
        "one: a long first cell",
        "two: a long second cell",
        "the fourth cell",
    ]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with the package as a wheel installs it, without the repository around it."""
    site = tmp_path / "site"
    shutil.copytree(ROOT / "src" / "ai_memory", site / "ai_memory", ignore=shutil.ignore_patterns("__pycache__"))
    return site


def called(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CALL, *words],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_installed_package_has_its_own_copy(package: Path) -> None:
    (package / "ai_memory" / "docs").mkdir()
    for page in DOCS.glob("*.md"):
        shutil.copy(page, package / "ai_memory" / "docs")
    shown = called(package, "help", "time")
    assert (shown.returncode, shown.stdout.splitlines()[0]) == (0, "Time")
    listed = json.loads(called(package, "help", "--json").stdout)
    assert [page["name"] for page in listed] == [page.name for page in PAGES if "/" not in page.file]


def test_a_package_without_pages_says_so(package: Path) -> None:
    shown = called(package, "help")
    assert shown.returncode == 3
    assert "this installation has no documentation pages" in shown.stderr


def test_the_pages_of_this_checkout_are_found() -> None:
    place = folder()
    assert place is not None
    assert [page for section in installed(place) for page in section.pages] == PAGES


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)


def test_a_terminal_gets_the_page_through_its_pager(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    environment = {**os.environ, "PAGER": "sed s/^/paged:/", "NO_COLOR": "1"}
    with subprocess.Popen([sys.executable, "-c", CALL, "help", "time"], stdout=theirs, env=environment) as running:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # the end of a terminal that nobody writes to any more
                break
            if not part:
                break
            shown += part
        assert running.wait(timeout=30) == 0
    assert shown.decode().splitlines()[:2] == ["paged:Time", "paged:===="]
