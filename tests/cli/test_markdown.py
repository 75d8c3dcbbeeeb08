"""Markdown files as drafts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.cli.markdown import (
    MAX_FILE_BYTES,
    MAX_FRONT_MATTER,
    draft_values,
    files_below,
    has_front_matter,
    read_file,
)
from ai_memory.errors import InvalidInputError, MemoryServiceError, TooLargeError
from ai_memory.operations.base import parse
from ai_memory.operations.writing import Draft

NOTE = """---
title: Release train
type: procedural
tags: [ops, deploy]
date: 2026-03-14
author: Anna
context: work/atlas
importance: 0.9
reviewers: [Bo, Cy]
due: 2026-04-01
---

# Something else

Deploy on Tuesdays.
"""


def test_front_matter_becomes_fields() -> None:
    draft = parse(Draft, draft_values(NOTE, source="notes/a.md", context="notes"))
    assert (draft.title, draft.type.value, draft.tags, draft.author) == (
        "Release train",
        "procedural",
        ("ops", "deploy"),
        "Anna",
    )
    assert draft.valid_from == dt.datetime(2026, 3, 14, tzinfo=dt.UTC)
    assert (draft.context, draft.source, draft.importance) == ("work/atlas", "notes/a.md", 0.9)
    assert draft.attributes == {"reviewers": ["Bo", "Cy"], "due": "2026-04-01"}
    assert draft.text == "# Something else\n\nDeploy on Tuesdays."


def test_without_front_matter_the_first_heading_is_the_title() -> None:
    values = draft_values("```\n# not this\n```\nintro\n\n## nor this\n# A *title* #\ntext", context="a/b")
    assert values["title"] == "A *title*"
    assert values["context"] == "a/b"
    assert draft_values("plain text") == {"text": "plain text"}


def test_windows_line_ends_and_byte_order_mark() -> None:
    values = draft_values("\ufeff---\r\ntags: a, '#b'\r\n---\r\ntext\r\n")
    assert values == {"tags": ["a", "'#b'"], "text": "text"}
    assert has_front_matter("---\r\na: b\r\n---\r\n")
    assert not has_front_matter("--- a dash\n---\n")


def test_a_rule_is_no_front_matter() -> None:
    assert draft_values("---\nno end of it")["text"] == "---\nno end of it"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("---\na: [1\n---\nx", "not valid YAML"),
        ("---\n- a\n- b\n---\nx", "YAML list"),
        ("---\na: &x [1]\nb: *x\n---\nx", "alias"),
        ("---\na: b\n---\n \n", "no text"),
        ("---\na: !!python/object/apply:os.getcwd []\n---\nx", "not valid YAML"),
        ("", "no text"),
    ],
)
def test_bad_files_are_refused_with_a_reason(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        draft_values(text)
    assert caught.value.hint


def test_huge_front_matter_is_refused() -> None:
    with pytest.raises(TooLargeError) as caught:
        draft_values(f"---\na: {'x' * MAX_FRONT_MATTER}\n---\ntext")
    assert caught.value.details["limit"] == MAX_FRONT_MATTER


def test_files_of_a_folder(tmp_path: Path) -> None:
    for name in ("b.md", "a/c.MD", "a/.hidden/d.md", ".e.md", "f.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text of " + name, encoding="utf-8")
    found = list(files_below(tmp_path))
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a/c.MD", "b.md"]
    assert read_file(found[0], tmp_path) == {"source": "a/c.MD", "context": "a", "text": "text of a/c.MD"}
    assert read_file(tmp_path / "f.txt") == {"source": "f.txt", "text": "text of f.txt"}


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    latin = tmp_path / "latin.md"
    latin.write_bytes(b"caf\xe9")
    with pytest.raises(InvalidInputError, match="not UTF-8"):
        read_file(latin)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_file(tmp_path / "missing.md")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_file(tmp_path)
    huge = tmp_path / "huge.md"
    with huge.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(TooLargeError):
        read_file(huge)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        values = draft_values("---\n" + text)
    except MemoryServiceError as error:
        assert error.message
    else:
        assert values["text"].strip()
