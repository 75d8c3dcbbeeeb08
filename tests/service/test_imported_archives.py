"""An archive's relations: carried whole by an import that is resumed, and refused where `relate` refuses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ai_memory import Memory
from ai_memory.errors import MemoryServiceError
from ai_memory.operations.moving import ExportRequest, ImportRequest
from ai_memory.settings import Settings

MEMORIES, RELATIONS = 6, 30


def _open(folder: Path) -> Memory:
    return Memory(settings=Settings(data_dir=folder, model="none", extract=False))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of a store with relations from memories to entities, each of which several need."""
    with _open(tmp_path_factory.mktemp("source")) as memory:
        ids = [memory.remember(f"memory {number}").memory_id or "" for number in range(MEMORIES)]
        for number in range(RELATIONS):
            memory.relate(ids[number % MEMORIES], f"entity:person/Person {number % 7}", type=f"KNOWS_{number}")
        return _archive(memory)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Memory]:
    with _open(tmp_path / "target") as memory:
        yield memory


def _archive(memory: Memory) -> list[bytes]:
    return list(memory._service.export(ExportRequest()))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8, 1.0])
def test_an_import_that_ended_among_the_relations_is_resumed_whole(
    archive: list[bytes], target: Memory, share: float
) -> None:
    request = ImportRequest(resume_key="one")
    end = len(archive) - RELATIONS + int(share * RELATIONS)
    killed = target._service.begin_import(request)
    killed.read(archive[:end])  # and nothing more: what was flushed is on disk, what was pending is gone
    report = target._service.import_lines(request, archive)
    assert report.skipped > 0
    assert report.rejected == ()
    assert report.state == "done"
    assert sorted(_archive(target)) == sorted(archive)


def test_a_resumed_import_moves_entities_into_the_namespace_that_was_asked_for(
    archive: list[bytes], target: Memory
) -> None:
    request = ImportRequest(resume_key="one", namespace="elsewhere")
    killed = target._service.begin_import(request)
    killed.read(archive[: -RELATIONS // 2])
    assert target._service.import_lines(request, archive).rejected == ()
    assert target.stats(namespace="elsewhere").relations == RELATIONS


BAD: dict[str, dict[str, Any]] = {
    "a loop": {"target": "SOURCE"},
    "an unknown memory": {"source": "mem_00000000000000000000000000"},
    "an unknown entity": {"target": "ent_00000000000000000000000000"},
    "an end that is no id": {"target": "Anna"},
    "an end without a name": {"target": "entity:"},
    "an empty end": {"target": ""},
    "unknown evidence": {"evidence": "mem_00000000000000000000000000"},
    "an entity as evidence": {"evidence": "TARGET"},
    "a type that is no name": {"type": "!!"},
    "a weight above 1": {"weight": 1.5},
    "a weight below 0": {"weight": -0.1},
    "an end before the beginning": {"valid_from": "2026-02-01T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z"},
    "an empty period": {"valid_from": "2026-02-01T00:00:00Z", "valid_to": "2026-02-01T00:00:00Z"},
    "a memory of another namespace": {"source": "FOREIGN"},
    "an entity of another namespace": {"target": "FOREIGN ENTITY"},
    "deep attributes": {"attributes": json.loads('{"a":' * 200 + "1" + "}" * 200)},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_import_refuses_what_relate_refuses(target: Memory, change: dict[str, Any]) -> None:
    source, other = (target.remember(text).memory_id or "" for text in ("one", "two"))
    entity = target.relate(source, "entity:person/Anna", type="KNOWS").target
    foreign = target.remember("three", namespace="other").memory_id or ""
    foreign_entity = target.relate(foreign, "entity:person/Otto", type="KNOWS", namespace="other").target
    sound = {"source": source, "target": other, "type": "SEES", "evidence": None}
    names = {"SOURCE": source, "TARGET": entity, "FOREIGN": foreign, "FOREIGN ENTITY": foreign_entity}
    asked = sound | {
        name: names.get(value, value) if isinstance(value, str) else value for name, value in change.items()
    }
    with pytest.raises(MemoryServiceError):
        target.relate(asked.pop("source"), asked.pop("target"), **asked)
    line = {
        "record": "relation", "id": "rel_00000000000000000000000000", "namespace": "default",
        "recorded_at": "2026-01-01T00:00:00Z", **sound,
    } | {name: names.get(value, value) if isinstance(value, str) else value for name, value in change.items()}  # fmt: skip
    known = [
        {"record": "entity", "id": foreign_entity, "namespace": "other", "name": "Otto", "kind": "person",
         "created_at": "2026-01-01T00:00:00Z"}
    ]  # fmt: skip
    before = list(target.export())
    report = target.import_lines([msgspec.json.encode(each) for each in (*known, line)])
    assert [rejected.line for rejected in report.rejected] == [2]
    assert report.rejected[0].reason
    assert list(target.export()) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "x" * 30), ("id", "rel_" + "x" * 200), ("retired_at", "2025-01-01T00:00:00Z"),
        ("type", "MERGED_INTO"), ("type", "SPLIT_INTO"), ("actor", 5), ("recorded_at", "yesterday"),
    ],
)  # fmt: skip
def test_what_relate_never_makes_is_refused(target: Memory, field: str, value: Any) -> None:
    source, other = (target.remember(text).memory_id for text in ("one", "two"))
    line = {
        "record": "relation", "id": "rel_00000000000000000000000000", "namespace": "default", "source": source,
        "target": other, "type": "SEES", "recorded_at": "2026-01-01T00:00:00Z", field: value,
    }  # fmt: skip
    report = target.import_lines([msgspec.json.encode(line)])
    assert [rejected.line for rejected in report.rejected] == [1]


@pytest.mark.parametrize(
    ("field", "value"), [("id", "mem_1"), ("name", " "), ("name", "x" * 301), ("kind", ""), ("namespace", "")]
)
def test_an_entity_that_relate_could_not_have_made_is_refused(target: Memory, field: str, value: str) -> None:
    line = {
        "record": "entity", "id": "ent_00000000000000000000000000", "namespace": "default", "name": "Anna",
        "created_at": "2026-01-01T00:00:00Z", field: value,
    }  # fmt: skip
    assert [rejected.line for rejected in target.import_lines([msgspec.json.encode(line)]).rejected] == [1]
