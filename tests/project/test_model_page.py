"""The page on models names tests and numbers: they exist."""

from __future__ import annotations

import re
from pathlib import Path

from ai_memory.embed.base import Task
from ai_memory.embed.models.known import EMBEDDING_GEMMA

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) >= 16
    tests = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_every_task_has_its_prompt() -> None:
    for task in Task:
        prompt = EMBEDDING_GEMMA.prompts.for_query(task).replace("|", r"\|")
        assert f"| `{task}`" in PAGE
        assert not prompt or f"`{prompt}`" in PAGE


def test_every_dimension_has_its_row() -> None:
    assert all(f"\n| {dimension} |" in PAGE for dimension in EMBEDDING_GEMMA.dimensions)
    assert EMBEDDING_GEMMA.terms in PAGE
    assert all(copy in PAGE for copy in EMBEDDING_GEMMA.copies)
