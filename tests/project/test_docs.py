"""The documentation holds together: links lead somewhere, every page is in the map, what pages and code name exists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ai_memory import __version__
from ai_memory.cli.documentation import MAP, sections
from ai_memory.cli.table import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
GENERATED = {DOCS / "reference.md", DOCS / "cli.md", DOCS / "settings.md"}
BY_HAND = [page for page in PAGES if page not in GENERATED]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
SOURCES = ("src", "scripts", "tests", "benchmarks", "demo", "rust/src", "rust/tests", "rust/examples")
FILES = ("Makefile", "pyproject.toml", "mkdocs.yml", "compose.yaml", ".ci/run", "rust/README.md", "rust/Cargo.toml")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, made as GitHub and MkDocs make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    missing = []
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        there = (page.parent / target) if target else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            missing.append(f"{target}#{anchor}")
    assert missing == []


def test_every_page_is_in_the_map_once() -> None:
    listed = [page.file for section in sections((DOCS / MAP).read_text(encoding="utf-8")) for page in section.pages]
    assert [file for file, times in Counter(listed).items() if times > 1] == []
    assert {*listed} == {path.name for path in DOCS.glob("*.md") if path.name != MAP} | {f"decisions/{MAP}"}


def test_every_decision_is_in_the_list_of_decisions() -> None:
    text = (DOCS / "decisions" / MAP).read_text(encoding="utf-8")
    listed = [target for target, _ in LINK.findall(text)]
    assert sorted(listed) == sorted(path.name for path in (DOCS / "decisions").glob("*.md") if path.name != MAP)


def test_every_page_has_one_title() -> None:
    text = {page: re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE) for page in PAGES}
    assert [relative(page) for page in PAGES if len(re.findall(r"^# ", text[page], re.MULTILINE)) != 1] == []


def code_files() -> Iterator[tuple[str, str]]:
    """The files that may name a page, with their texts."""
    paths = [
        path for folder in SOURCES for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".rs", ".toml"}
    ]
    for path in (*paths, *(ROOT / name for name in FILES if (ROOT / name).exists())):
        yield relative(path), path.read_text(encoding="utf-8")


def test_every_page_that_code_names_exists() -> None:
    missing = []
    for name, text in code_files():
        mentioned = re.findall(r"(?<![\w/.])docs/[\w./-]+\.(?:md|svg)\b", text)
        missing += [f"{name}: {page}" for page in mentioned if not (ROOT / page).exists() and page != "docs/x.md"]
    assert missing == []


def test_every_topic_that_a_hint_or_a_page_names_exists() -> None:
    names = {page.name for section in sections((DOCS / MAP).read_text(encoding="utf-8")) for page in section.pages}
    pages = [(relative(page), page.read_text(encoding="utf-8")) for page in PAGES]
    sources = [(name, text) for name, text in code_files() if name.startswith("src/")]
    missing = []
    for name, text in (*pages, *sources):
        topics = re.findall(r"ai-memory help ([a-z][\w-]*)", text)
        missing += [f"{name}: {topic}" for topic in topics if topic not in names | set(COMMANDS) | {"lists", "x"}]
    assert missing == []


def stored_files(text: str) -> Iterator[str]:
    """The files of this repository that a page names in code between backticks."""
    for span in re.findall(r"`([^`\n]+)`", text):
        yield from re.findall(r"(?<![\w/.<{~$-])[\w*-]+(?:/[\w*.-]+)*\.(?:py|rs|sql|npy|npz)\b", span)


EXAMPLES = {"articles.npy", "vectors.npy", "OUTPUT.npy", "src/x/y.py", "file.py"}


@pytest.mark.parametrize("page", BY_HAND, ids=relative)
def test_the_modules_and_tests_that_a_page_names_exist(page: Path) -> None:
    homes = (ROOT, ROOT / "src", ROOT / "src" / "ai_memory", ROOT / "tests")
    missing = [
        name
        for name in stored_files(page.read_text(encoding="utf-8"))
        if name not in EXAMPLES
        and not any(any(home.glob(name)) for home in homes)
        and ("/" in name or not any(any(home.rglob(name)) for home in homes[1:]))
    ]
    assert missing == []


@pytest.mark.parametrize("page", BY_HAND, ids=relative)
def test_the_modules_that_a_page_imports_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = []
    for module in re.findall(r"\bfrom (ai_memory(?:\.\w+)*) import", text):
        path = ROOT / "src" / module.replace(".", "/")
        if not path.is_dir() and not path.with_suffix(".py").exists():
            missing.append(module)
    assert missing == []


def test_the_site_takes_nothing_from_elsewhere() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert settings["theme"]["font"] is False
    assert "offline" in settings["plugins"]
    for file in (*settings["extra"]["polyfills"], *settings["extra_css"]):
        assert (DOCS / file).is_file()


def test_the_changelog_knows_this_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"[{__version__}]" in changes or "[Unreleased]" in changes
