"""The graph of a store: what is read from memories, how it follows them, and the walks over it."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ai_memory import Memory
from ai_memory.errors import InvalidInputError, NotFoundError
from ai_memory.settings import Settings
from ai_memory.store.graph_file import GraphFile, ReadRevision
from ai_memory.types import Entity
from ai_memory.wiring import doctor
from tests.support.disk import files_with

TEXTS = (
    "Anna Petrova works at Acme since May 2025.",
    "Acme is based in Berlin.",
    "Boris Ivanov reports to Anna Petrova.",
    "PostgreSQL replaced MySQL in March 2026.",
)


def opened(folder: Path, **flags: object) -> Memory:
    return Memory(settings=Settings(data_dir=folder, model="none", **flags))  # type: ignore[arg-type]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with opened(tmp_path / "data") as opened_memory:
        opened_memory.remember_many(list(TEXTS))
        yield opened_memory


def names(memory: Memory, search: str = "") -> dict[str, int]:
    return {each.entity.name: each.memories for each in memory.entities(search).entities}


def reached(memory: Memory, node: str, **how: object) -> set[tuple[str, str]]:
    return {(each.relation.type, each.label) for each in memory.neighbours(node, **how).neighbours}  # type: ignore[arg-type]


def test_what_memories_name_is_read(memory: Memory) -> None:
    assert names(memory) == {
        "Acme": 2, "Anna Petrova": 2, "Berlin": 1, "Boris Ivanov": 1, "MySQL": 1, "PostgreSQL": 1
    }  # fmt: skip
    assert names(memory, "PETROVA") == {"Anna Petrova": 2}
    assert memory.entities(kinds=["place"]).total == 1
    assert memory.entities().unread == 0
    assert memory.stats().unread == 0
    assert [part.state for part in memory.health().parts if part.name == "graph"] == ["ok"]


def test_statements_are_relations_with_dates_evidence_and_span(memory: Memory) -> None:
    (works,) = [each.relation for each in memory.neighbours("entity:Anna Petrova", types=["WORKS_AT"]).neighbours]
    assert works.valid_from == dt.datetime(2025, 5, 1, tzinfo=dt.UTC)
    said = memory.get(works.evidence or "").text
    assert said == TEXTS[0]
    assert said[works.attributes["start"] : works.attributes["end"]] == "Anna Petrova works at Acme since May 2025"
    assert reached(memory, "entity:Anna Petrova", types=["WORKS_AT"], as_of="2025-04-30") == set()
    assert reached(memory, "entity:Anna Petrova", types=["WORKS_AT"], as_of="2025-05-01") == {("WORKS_AT", "Acme")}
    assert reached(memory, "entity:Anna Petrova", known_at="2020-01-01") == set()


def test_a_revised_memory_supports_what_it_says_now(memory: Memory) -> None:
    (berlin,) = [each for each in memory.list().memories if each.text == TEXTS[1]]
    memory.revise(berlin.id, text="Acme is based in Hamburg.")
    assert ("LOCATED_IN", "Hamburg") in reached(memory, "entity:Acme")
    with pytest.raises(NotFoundError, match="Berlin"):
        memory.neighbours("entity:Berlin")
    memory.retire(berlin.id)
    assert names(memory)["Acme"] == 1
    assert "Hamburg" not in names(memory)


def test_a_forgotten_memory_leaves_no_name_on_disk(memory: Memory, tmp_path: Path) -> None:
    assert files_with(tmp_path, ["Boris Ivanov"]) != []
    assert "Boris Ivanov" in names(memory)
    (boris,) = [each for each in memory.list().memories if each.text == TEXTS[2]]
    memory.forget(boris.id)
    assert files_with(tmp_path, ["Boris Ivanov"]) == []
    assert "Boris Ivanov" not in names(memory)
    assert ("REPORTS_TO", "Anna Petrova") not in reached(memory, "entity:Anna Petrova")
    assert names(memory)["Anna Petrova"] == 1


def test_a_person_relates_things_that_were_read(memory: Memory) -> None:
    made = memory.relate("entity:Anna Petrova", "entity:MySQL", type="MISSES")
    read = {each.entity.name: each.entity.id for each in memory.entities().entities}
    assert (made.source, made.target) == (read["Anna Petrova"], read["MySQL"])
    for each in memory.list().memories:
        memory.forget(each.id)
    assert reached(memory, "entity:Anna Petrova") == {("MISSES", "MySQL")}, (
        "which outlives the memories that named them"
    )


def test_short_names_and_later_texts_join_one_entity(memory: Memory) -> None:
    memory.remember("Anna moved to Hamburg.")
    assert names(memory)["Anna Petrova"] == 3
    assert ("MOVED_TO", "Hamburg") in reached(memory, "entity:Anna Petrova")


def test_paths(memory: Memory) -> None:
    (found,) = memory.path("entity:Boris Ivanov", "entity:Berlin", types=["REPORTS_TO", "WORKS_AT", "LOCATED_IN"]).paths
    assert [node.label for node in found.nodes] == ["Boris Ivanov", "Anna Petrova", "Acme", "Berlin"]
    assert [each.type for each in found.relations] == ["REPORTS_TO", "WORKS_AT", "LOCATED_IN"]
    back = memory.path("entity:Berlin", "entity:Boris Ivanov", types=["REPORTS_TO", "WORKS_AT", "LOCATED_IN"]).paths[0]
    assert back.nodes == found.nodes[::-1]
    assert memory.path("entity:Boris Ivanov", "entity:Berlin", max_length=2).paths == ()
    assert memory.path("entity:Boris Ivanov", "entity:MySQL").paths == ()
    both = memory.path("entity:Anna Petrova", "entity:Acme", types=["WORKS_AT", "MENTIONS"], limit=5).paths
    assert [len(each.relations) for each in both] == [1], "only the shortest"
    with pytest.raises(InvalidInputError, match="the same"):
        memory.path("entity:Acme", "entity:Acme")


def test_every_shortest_path_is_given_once(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as memory:
        left, right, *middle = (str(memory.remember(f"step {number}").memory_id) for number in range(6))
        for each in middle:
            memory.relate(left, each)
            memory.relate(each, right)
        memory.relate(middle[0], middle[1])
        found = memory.path(left, right, limit=100).paths
        assert sorted(each.nodes[1].id for each in found) == sorted(middle)
        assert {len(each.relations) for each in found} == {2}
        assert len(memory.path(left, right, limit=3).paths) == 3
        memory.retire(middle[2])
        assert len(memory.path(left, right, limit=100).paths) == 3, "a retired memory is no step"


def test_a_part_of_the_graph(memory: Memory) -> None:
    whole = memory.graph()
    assert {node.label for node in whole.nodes} == {*TEXTS, *names(memory)}
    assert not whole.truncated
    inside = {node.id for node in whole.nodes}
    assert {end for edge in whole.edges for end in (edge.source, edge.target)} <= inside
    assert sorted(edge.type for edge in whole.edges if edge.type != "MENTIONS") == [
        "LOCATED_IN", "REPLACED", "REPORTS_TO", "WORKS_AT"
    ]  # fmt: skip
    around = memory.graph("entity:MySQL", depth=1)
    assert {node.label for node in around.nodes} == {"MySQL", "PostgreSQL", TEXTS[3]}
    assert memory.graph(limit=2).truncated
    things = memory.graph(kinds=["person", "organisation"])
    assert {node.label for node in things.nodes} == {"Anna Petrova", "Acme", "Boris Ivanov"}


def test_extraction_can_be_switched_off(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as memory:
        memory.remember(TEXTS[0])
        assert names(memory) == {"Acme": 1, "Anna Petrova": 1}
    with opened(tmp_path / "data", extract=False) as memory:
        assert names(memory) == {}
        assert memory.stats().unread is None
        assert not (tmp_path / "data" / "memory.db.graph").exists()
    with opened(tmp_path / "data") as memory:
        assert names(memory) == {"Acme": 1, "Anna Petrova": 1}, "read again"


def test_the_file_is_derived(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with opened(folder) as memory:
        memory.remember_many(list(TEXTS))
        before = memory.graph()
    (folder / "memory.db.graph").unlink()
    with opened(folder) as memory:
        assert memory.graph() == before, "a lost file is re-created, with the same ids"
    assert doctor(Settings(data_dir=folder, model="none"), rebuild=True) == ()
    with opened(folder) as memory:
        assert memory.stats().unread == 0, "doctor has read everything"
        assert memory.graph() == before


def _nothing_forgotten() -> tuple[set[int], set[str]]:
    return set(), set()


class _Unasked:
    """A reader that is not needed where nothing was read."""

    def made_by_people(self, namespace: str, ids: Sequence[str]) -> set[str]:
        raise AssertionError((namespace, ids))

    def read_again(
        self, namespace: str, keys: Sequence[int], known: Sequence[tuple[int, Entity]]
    ) -> list[ReadRevision]:
        raise AssertionError((namespace, keys, known))


def test_another_version_of_extraction_reads_everything_again(tmp_path: Path) -> None:
    def position(version: str) -> int:
        file = GraphFile(
            tmp_path / "graph", "a store", version, lambda sequence: f"entry {sequence}" if sequence else ""
        )
        try:
            file.take([], [], file.position(), file.position() + 7, _nothing_forgotten, _Unasked())
            return file.position()
        finally:
            file.close()

    assert [position("1"), position("1"), position("2"), position("2")] == [7, 14, 7, 14]


def test_what_another_process_read_is_not_read_twice(tmp_path: Path) -> None:
    file = GraphFile(tmp_path / "graph", "a store", "1", lambda sequence: str(sequence or ""))
    assert file.take([], [], 0, 5, _nothing_forgotten, _Unasked())
    assert not file.take([], [], 0, 5, _nothing_forgotten, _Unasked())
    assert file.position() == 5
    file.close()


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    """Killed again and again while it reads; the next process goes on, and the graph is as if none had been killed."""
    folder = tmp_path / "data"
    count = 1_500
    with opened(folder, extract=False) as memory:
        memory.remember_many(
            [f"Person Anna Petrova uses tool-{number} in Berlin, see #t{number}." for number in range(count)]
        )
    script = (
        f"from ai_memory import Memory\nm = Memory(data_dir={str(folder)!r}, model='none')\n"
        "print(m.entities().total, flush=True)\nm.close()\n"
    )
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL) as child:
            file = folder / "memory.db.graph"
            deadline = time.monotonic() + 30
            while not file.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.15)
            child.send_signal(signal.SIGKILL)
    with opened(folder) as memory:
        while memory.stats().unread:
            memory.entities(limit=1)
        assert names(memory, "Berlin") == {"Berlin": count}
        assert memory.entities(kinds=["tag"]).total == count


def test_a_graph_file_that_cannot_be_kept_hinders_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "data" / "memory.db.graph").mkdir(parents=True)
    with opened(tmp_path / "data") as memory:
        memory.remember("kept all the same")
        assert memory.recall("kept").hits
        assert memory.stats().unread is None
        assert [part.state for part in memory.health().parts if part.name == "graph"] == ["degraded"]
