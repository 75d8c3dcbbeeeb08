"""Sentences that people read use the field's terms: words of the project's own dialect were retired and stay so.

Read are the strings and docstrings of the package, the documentation pages, the README, the changelog, ARCHITECTURE.md and the
documentation comments of the Rust crate. Code is not: names, code spans and code blocks, single words, and lists of words.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORD_LISTS = (
    "extraction/calendar",
    "extraction/frames.py",
    "extraction/names",
    "extraction/shapes.py",
    "extraction/statements.py",
    "recall/evidence/background.py",
    "text/stopwords.py",
    "text/words.py",
)
"""Modules whose strings are vocabulary or sample sentences; only their docstrings are read."""

RETIRED = {
    "owed, owes, debt": r"\b(?:owe|owes|owed|owing|debts?)\b",
    "paid, payer": r"\b(?:pay|pays|paid|unpaid|payer|payers)\b",
    "anew": r"\banew\b",
    "farewell": r"\bfarewell\b",
    "of ours": r"\b(?:of ours|of one's own)\b",
    "stands": r"\bstands?\b(?! (?:for|in for|out))",
    "lies": r"\b(?:lie|lies)\b",
    "thing": r"\bthings?\b",
    "beside": r"\bbeside\b",
    "told": r"\b(?:tell|tells|told|telling)\b",
    "shall": r"\bshall\b",
    "mend": r"\b(?:mend|mends|mended|mending)\b",
    "at hand": r"\bat hand\b",
    "door": r"\b(?:door|doors)\b",
    "whoever": r"\bwhoever\b",
    "by words, by meaning": r"\bby (?:words|meaning)\b(?!, not)",
    "a second": r"\b(?:texts|tokens|memories|questions|queries) a second\b",
    "one X a Y": r"\b(?:one|each) (?:[a-z]+ )?(?!(?:of|in|to|by|that|for|before|may|is|as|hold|nearest)\b)[a-z]+ an? "
    r"(?:text|row|line|memory|operation|field|key|process|namespace|passage|revision|vector|question|session|call|batch|file|page"
    r"|document|input|device|chunk|test|node)\b",
}


QUERY = re.compile(r"\b(?:SELECT|INSERT|DELETE|UPDATE|FROM|MATCH|UNWIND|MERGE|CREATE)\b")
"""What tells a statement of a database from a sentence: names of tables and labels are the schema's."""


def prose_of_markdown(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a page without code; positions stay."""
    text = re.sub(
        r"```.*?```", lambda found: "\n" * found.group().count("\n"), path.read_text("utf-8"), flags=re.DOTALL
    )
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("    "):
            yield number, re.sub(r"`[^`]*`|\]\([^)]*\)|<[^>]+>|“[^”]*”|\"[^\"]*\"", " ", line)


def prose_of_python(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a module that are sentences: docstrings, messages, descriptions."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    vocabulary = any(part in path.as_posix() for part in WORD_LISTS)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            if (vocabulary and id(node) not in docstrings) or QUERY.search(node.value):
                continue
            yield (
                node.lineno,
                re.sub(r"`[^`]*`|“[^”]*”|\"[^\"]*\"|\*[^*\n]+\*|^\s*\w+:(?= )", " ", node.value, flags=re.MULTILINE),
            )


def prose_of_rust(path: Path) -> Iterator[tuple[int, str]]:
    """The documentation comments of a Rust file."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if found := re.match(r"\s*//[/!] ?(.*)", line):
            yield number, re.sub(r"`[^`]*`|\[[^\]]*\]", " ", found.group(1))


def everything() -> Iterator[tuple[Path, int, str]]:
    pages = [
        *ROOT.glob("*.md"),
        *(page for folder in ("docs", "rust", "demo") for page in (ROOT / folder).rglob("*.md")),
    ]
    for path in pages:
        yield from ((path, number, prose) for number, prose in prose_of_markdown(path))
    for path in (ROOT / "src").rglob("*.py"):
        yield from ((path, number, prose) for number, prose in prose_of_python(path))
    for path in (ROOT / "rust" / "src").rglob("*.rs"):
        yield from ((path, number, prose) for number, prose in prose_of_rust(path))


@pytest.mark.parametrize("word", RETIRED)
def test_a_retired_word_is_not_used(word: str) -> None:
    pattern = re.compile(RETIRED[word], re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: …{prose[max(0, match.start() - 30) : match.end() + 30].strip()}…"
        for path, number, prose in everything()
        for match in pattern.finditer(prose)
    ]
    assert found == []


def test_what_is_retired_would_be_found() -> None:
    samples = {
        "owed, owes, debt": "its vector is owed",
        "paid, payer": "once it is paid",
        "anew": "made anew",
        "farewell": "a bounded farewell",
        "of ours": "no store of ours",
        "stands": "the text stands already",
        "lies": "where it lies",
        "thing": "the things that memories name",
        "beside": "beside the store",
        "told": "a rejection is told",
        "shall": "it shall be kept",
        "mend": "the command that mends it",
        "at hand": "the vectors at hand",
        "door": "the one door",
        "whoever": "whoever comes first",
        "by words, by meaning": "found by words alone",
        "a second": "900 tokens a second",
        "one X a Y": "one vector a text",
    }
    assert set(samples) == set(RETIRED)
    assert [word for word, sample in samples.items() if not re.search(RETIRED[word], sample)] == []
