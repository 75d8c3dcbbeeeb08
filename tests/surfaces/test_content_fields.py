"""Every field of a memory's content through the surfaces: what a caller gives comes back, and what carries it over keeps it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ai_memory import Memory
from ai_memory.cli import main
from ai_memory.types import Content, Outcome
from tests.support.content_samples import FIELDS, sample, values
from tests.support.surfaces import all_surfaces, plain, settings

every_field = pytest.mark.parametrize("field", FIELDS)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(settings=settings(tmp_path / "data")) as opened:
        yield opened


def _remembered(memory: Memory, number: int, **more: Any) -> str:
    receipt = memory.remember(**values(number), **more)
    assert receipt.outcome in (Outcome.STORED, Outcome.SUPERSEDED), receipt
    return receipt.memory_id or ""


def _content(memory: Memory, memory_id: str) -> dict[str, Any]:
    found = memory.get(memory_id)
    return {field: getattr(found, field) for field in FIELDS}


@every_field
def test_a_revision_of_one_field_keeps_the_others(memory: Memory, field: str) -> None:
    memory_id = _remembered(memory, 1)
    assert _content(memory, memory_id) == values(1)
    receipt = memory.revise(memory_id, **{field: sample(field, 2)})
    assert receipt.revision == 2
    assert _content(memory, memory_id) == values(1) | {field: sample(field, 2)}
    first, second = memory.history(memory_id).revisions
    assert getattr(first, field) == sample(field, 1)
    assert getattr(second, field) == sample(field, 2)


def test_a_superseded_memory_keeps_all_but_its_end(memory: Memory) -> None:
    old = _remembered(memory, 1)
    _remembered(memory, 2, supersedes=[old])
    assert _content(memory, old) == values(1) | {"valid_to": sample("valid_from", 2)}


def test_a_retired_memory_keeps_all(memory: Memory) -> None:
    memory_id = _remembered(memory, 1)
    memory.retire(memory_id, reason="over")
    assert _content(memory, memory_id) == values(1)


def test_a_merge_of_entities_leaves_the_memories_alone(memory: Memory) -> None:
    memory_id = _remembered(memory, 1)
    for name in ("Ada", "Ada Lovelace"):
        memory.relate(memory_id, f"entity:{name}", type="MENTIONS")
    before = memory.history(memory_id)
    memory.merge("entity:Ada Lovelace", ["entity:Ada"])
    assert memory.history(memory_id) == before
    assert _content(memory, memory_id) == values(1)


def test_an_archive_brings_everything_back(memory: Memory, tmp_path: Path) -> None:
    memory_id = _remembered(memory, 1)
    memory.revise(memory_id, **values(2))
    archive = list(memory.export())
    for line in archive:
        if line["record"] == "memory":
            assert set(FIELDS) <= line.keys()
    with Memory(settings=settings(tmp_path / "other")) as other:
        assert other.import_lines(archive).counts["stored"] == 1
        assert other.history(memory_id) == memory.history(memory_id)
        assert list(other.export()) == archive


def test_every_surface_takes_and_gives_every_field(tmp_path: Path) -> None:
    given = plain(values(1))
    with all_surfaces(tmp_path) as surfaces:
        for name, surface in surfaces.items():
            receipt = surface.call("remember", given)
            read = surface.call("get", {"id": receipt["memory_id"]})
            assert {field: read[field] for field in FIELDS} == given, name


def _run(words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    for name in list(os.environ):
        if name.startswith("AI_MEMORY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AI_MEMORY_DATA_DIR", str(folder))
    monkeypatch.setenv("AI_MEMORY_MODEL", "none")
    assert main(words) == 0
    return capsys.readouterr().out


def _parts(value: Any) -> list[str]:
    """What a reader of a printed value must find, whichever way it is laid out."""
    if isinstance(value, bool):
        return ["pinned"]  # named where it is set
    if isinstance(value, float):
        return [f"{value:g}"]
    if isinstance(value, dict | list):
        return list(value)
    return [value[:10] if value[:2].isdigit() else value]


@every_field
def test_the_command_line_shows_every_field(
    field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Memory(settings=settings(tmp_path)) as memory:
        memory_id = _remembered(memory, 1)
    shown = _run(["get", memory_id], tmp_path, monkeypatch, capsys)
    for part in _parts(plain(values(1))[field]):
        assert part in shown


@every_field
def test_front_matter_gives_every_field(
    field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    front = {name: value for name, value in values(1).items() if name != "text"}
    front |= {"type": str(front["type"]), "tags": list(front["tags"])}
    note = f"---\n{yaml.safe_dump(front, allow_unicode=True)}---\n{sample('text', 1)}\n"
    (notes / "note.md").write_text(note, encoding="utf-8")
    _run(["remember", "--folder", str(notes)], tmp_path / "data", monkeypatch, capsys)
    listed = json.loads(_run(["list", "--json"], tmp_path / "data", monkeypatch, capsys))
    (read,) = listed["memories"]
    assert read[field] == plain(values(1))[field]


def test_the_samples_cover_the_content() -> None:
    assert set(values(1)) == set(Content.__struct_fields__)
