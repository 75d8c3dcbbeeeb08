"""Drafts that people and other programs wrote as JSON lines: every surface reads them alike and loses none for a field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ai_memory import Memory
from ai_memory.operations.writing import MAX_TEXT
from tests.support.surfaces import Surface, all_surfaces, settings

SURFACES = ("python", "client", "rest", "cli")
NUMBER = iter(range(10_000))


@pytest.fixture(scope="module")
def surfaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Surface]]:
    with all_surfaces(tmp_path_factory.mktemp("drafts")) as every:
        yield every


def imported(surface: Surface, *lines: bytes) -> tuple[Any, list[Any]]:
    """The report of an import into a new namespace, and the memories in it, oldest first."""
    namespace = f"drafts{next(NUMBER)}"
    report = surface.call("import_lines", {"namespace": namespace}, lines)
    return report, surface.call("list", {"namespace": namespace, "order": "oldest"})["memories"]


@pytest.mark.parametrize("name", SURFACES)
@pytest.mark.parametrize(
    ("draft", "stored"),
    [
        ({"tags": "a, b"}, {"tags": ["a", "b"]}),
        ({"tags": "#a #b"}, {"tags": ["a", "b"]}),
        ({"tags": ["#a", "deep work"]}, {"tags": ["a", "deep work"]}),
        (
            dict.fromkeys(("title", "type", "context", "tags", "importance", "attributes", "valid_from", "session")),
            {"title": None, "type": "semantic", "context": "", "tags": [], "importance": 0.5, "attributes": {}},
        ),
        ({"title": "", "tags": "", "session": "", "valid_from": ""}, {"title": None, "tags": [], "session": None}),
        ({"importance": "0.9", "type": "Episodic"}, {"importance": 0.9, "type": "episodic"}),
        ({"created_at": "14.02.2026", "user_id": "ada"}, {"valid_from": "2026-02-14T00:00:00Z", "user": "ada"}),
        ({"metadata": {"a": "007"}}, {"attributes": {"a": "007"}}),
    ],
)
def test_drafts_are_read_as_they_were_meant(surfaces: dict[str, Surface], name: str, draft: Any, stored: Any) -> None:
    report, memories = imported(surfaces[name], json.dumps({"text": "t", **draft}).encode())
    assert report["counts"] == {"stored": 1}, report
    assert report["warnings"] == []
    assert {field: memories[0][field] for field in stored} == stored


@pytest.mark.parametrize("name", SURFACES)
@pytest.mark.parametrize(
    ("draft", "attributes"),
    [
        ({"type": "note"}, {"type": "note"}),
        ({"importance": 7}, {"importance": 7}),
        ({"valid_from": "next spring"}, {"valid_from": "next spring"}),
        ({"x": {"y": [1, None]}}, {"x": {"y": [1, None]}}),
    ],
)
def test_what_is_not_understood_becomes_an_attribute(
    surfaces: dict[str, Surface], name: str, draft: Any, attributes: Any
) -> None:
    report, memories = imported(surfaces[name], b'{"text": "first"}', json.dumps({"text": "t", **draft}).encode())
    assert report["counts"] == {"stored": 2}, report
    assert memories[1]["attributes"] == attributes
    assert [warning["line"] for warning in report["warnings"]] == [2]
    assert next(iter(draft)) in report["warnings"][0]["message"]


@pytest.mark.parametrize("name", SURFACES)
def test_a_byte_order_mark_costs_no_line(surfaces: dict[str, Surface], name: str) -> None:
    report, memories = imported(surfaces[name], b'\xef\xbb\xbf{"text": "first"}', b'{"text": "second"}')
    assert report["counts"] == {"stored": 2}
    assert [memory["text"] for memory in memories] == ["first", "second"]


@pytest.mark.parametrize("name", ["python", "rest"])
def test_lines_in_utf_16_are_named(surfaces: dict[str, Surface], name: str) -> None:
    answer = surfaces[name].call("import_lines", {"namespace": "utf16"}, ['{"text": "a"}'.encode("utf-16")])
    assert answer["error"]["code"] == "invalid_input"
    assert "UTF-16" in answer["error"]["message"]


@pytest.mark.parametrize("name", SURFACES)
def test_a_text_over_the_limit_is_stored_in_parts(surfaces: dict[str, Surface], name: str) -> None:
    text = "\n\n".join(f"Paragraph {number}: {'word ' * 60}".strip() for number in range(900))
    assert len(text) > MAX_TEXT
    line = json.dumps({"text": text, "title": "Long", "tags": ["t"], "attributes": {"a": 1}}).encode()
    report, memories = imported(surfaces[name], line)
    assert (report["lines"], report["counts"]) == (1, {"stored": 2})
    assert "2 memories" in report["warnings"][0]["message"]
    assert "\n\n".join(memory["text"] for memory in memories) == text, "cut between paragraphs"
    assert [memory["title"] for memory in memories] == ["Long (part 1 of 2)", "Long (part 2 of 2)"]
    assert [memory["attributes"] for memory in memories] == [{"a": 1, "part": n, "parts": 2} for n in (1, 2)]
    assert all(memory["tags"] == ["t"] for memory in memories)


def test_no_namespace_is_the_default_one(tmp_path: Any) -> None:
    with Memory(settings=settings(tmp_path)) as memory:
        assert memory.import_lines(['{"text": "t", "namespace": null}']).counts == {"stored": 1}
        assert memory.list().memories[0].text == "t"


def test_only_the_first_part_supersedes(tmp_path: Any) -> None:
    with Memory(settings=settings(tmp_path)) as memory:
        old = memory.remember("an old text").memory_id
        report = memory.import_lines([{"text": "x " * MAX_TEXT, "supersedes": old}])
        assert report.rejected == ()
        assert report.counts == {"stored": 1, "superseded": 1}
