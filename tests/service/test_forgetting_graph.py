"""Names that only forgotten memories have leave the graph, its file, decisions, exports and pictures, on every store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ai_memory.cli.output.graph_picture import draw
from ai_memory.clock import ManualClock
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.errors import NotFoundError
from ai_memory.extraction import extract
from ai_memory.operations.deciding import (
    DECISIONS,
    MERGE,
    SPLIT,
    UNDO,
    Decision,
    DecisionsRequest,
    MergeRequest,
    SplitRequest,
    UndoRequest,
)
from ai_memory.operations.graph import (
    ENTITIES,
    GRAPH,
    NEIGHBOURS,
    RELATE,
    EntitiesRequest,
    GraphRequest,
    NeighboursRequest,
    RelateRequest,
)
from ai_memory.operations.moving import ExportRequest
from ai_memory.operations.writing import (
    FORGET,
    FORGET_MANY,
    REMEMBER,
    RETIRE,
    REVISE,
    ForgetManyRequest,
    ForgetRequest,
    RememberRequest,
    RetireRequest,
    ReviseRequest,
)
from ai_memory.service.service import Service
from ai_memory.store.graph_file import GraphFile
from tests.support.disk import files_with, stored_in
from tests.support.store_samples import Reopen

pytest_plugins = ["tests.support.store_backends"]

FULL = "Aurelia Maximova works at Globex."
SHORT = "Aurelia likes green tea."
NAME = "Maximova"
"""What only `FULL` has."""

Opened = Callable[[], Service]


@pytest.fixture(params=["sqlite", "neo4j-newest"])
def backend(request: pytest.FixtureRequest) -> str:
    """One line of Neo4j is enough here: what the store has to do is in the tests of its contract, on all of them."""
    return str(request.param)


@pytest.fixture
def another(reopen: Reopen, tmp_path: Path, clock: ManualClock) -> Iterator[Opened]:
    """Opens a service of its own on the test's store, as another process would, with a graph file of its own."""
    services: list[Service] = []

    def opened() -> Service:
        store = reopen()
        path = tmp_path / f"{len(services)}.graph"
        services.append(
            Service(
                store,
                lambda _: HashingEmbedder(),
                clock=clock,
                graph_file=lambda digest_at: GraphFile(path, store.store_id, extract.VERSION, digest_at),
            )
        )
        return services[-1]

    yield opened
    for service in services:
        service.close()


@pytest.fixture
def service(another: Opened) -> Service:
    return another()


def remember(service: Service, text: str) -> str:
    return str(service.carry_out(REMEMBER, RememberRequest(text=text)).memory_id)


def forget(service: Service, memory: str) -> None:
    service.carry_out(FORGET, ForgetRequest(id=memory))


def retire(service: Service, memory: str) -> None:
    service.carry_out(RETIRE, RetireRequest(id=memory))


def names(service: Service) -> dict[str, int]:
    found = service.carry_out(ENTITIES, EntitiesRequest(limit=1000)).entities
    return {" / ".join((each.entity.name, *each.entity.aliases)): each.memories for each in found}


def reached(service: Service, node: str) -> set[str]:
    return {each.label for each in service.carry_out(NEIGHBOURS, NeighboursRequest(id=node)).neighbours}


def assert_gone(service: Service, folder: Path, word: str = NAME) -> None:
    """In no answer of the graph, no export, no picture, no backup and no byte of the files."""
    assert word not in str(service.carry_out(GRAPH, GraphRequest(limit=1000)))
    assert word not in str(names(service))
    assert word.encode() not in b"".join(service.export(ExportRequest()))
    copy = folder / "copy.db"
    service._parts.store.backup(copy)
    whole = service.carry_out(GRAPH, GraphRequest(limit=300))
    assert not whole.nodes or word not in draw(whole)
    with pytest.raises(NotFoundError):
        service.carry_out(NEIGHBOURS, NeighboursRequest(id=f"entity:Aurelia {word}"))
    assert files_with(folder, [word]) == []
    copy.unlink()
    assert word.lower() not in stored_in(service._parts.store).lower()


# ── names that several memories share ────────────────────────────────────────────────────────────────────────────────────


def test_a_name_goes_with_the_memory_that_spells_it_and_the_shorter_form_stays(
    service: Service, another: Opened, tmp_path: Path
) -> None:
    full, short = remember(service, FULL), remember(service, SHORT)
    assert names(service) == {"Aurelia Maximova": 2, "Globex": 1}
    other = another()
    assert names(other) == {"Aurelia Maximova": 2, "Globex": 1}
    forget(service, full)
    assert [found for found in files_with(tmp_path, [NAME]) if not found.startswith("1.graph")] == []
    assert names(service) == {"Aurelia": 1}
    assert reached(service, "entity:Aurelia") == {SHORT}
    assert reached(service, short) == {"Aurelia"}
    assert names(other) == {"Aurelia": 1}
    assert_gone(other, tmp_path)
    assert names(another()) == {"Aurelia": 1}, "where everything was read again it is the same"


def test_a_name_that_another_memory_spells_stays(service: Service) -> None:
    full = remember(service, FULL)
    remember(service, SHORT)
    remember(service, "Aurelia Maximova sings.")
    assert names(service) == {"Aurelia Maximova": 3, "Globex": 1}
    forget(service, full)
    assert names(service) == {"Aurelia Maximova": 2}
    assert reached(service, "entity:Aurelia Maximova") == {SHORT, "Aurelia Maximova sings."}


def test_a_retired_memory_and_an_old_revision_take_their_names_with_them(service: Service, tmp_path: Path) -> None:
    """They are no longer in the graph when they are forgotten, but what they left in its file must not stay."""
    retired, revised = remember(service, FULL), remember(service, "Leopoldine Traunfellner works at Globex.")
    remember(service, SHORT)
    remember(service, "Leopoldine plays chess.")
    assert names(service) == {"Aurelia Maximova": 2, "Leopoldine Traunfellner": 2, "Globex": 2}
    retire(service, retired)
    service.carry_out(REVISE, ReviseRequest(id=revised, text="Somebody works there."))
    assert names(service) == {"Aurelia": 1, "Leopoldine": 1}
    forget(service, retired)
    forget(service, revised)
    assert_gone(service, tmp_path)
    assert files_with(tmp_path, ["Traunfellner"]) == []


def test_the_spelling_shown_is_one_that_a_memory_has(service: Service, tmp_path: Path) -> None:
    first = remember(service, "Met with Aurelia Maximova in Paris.")
    remember(service, "AURELIA MAXIMOVA sings in Paris.")
    shown = next(name for name in names(service) if "ax" in name.lower())
    forget(service, first)
    (name,) = (name for name in names(service) if "ax" in name.lower())
    assert (shown, name) == ("Aurelia Maximova", "AURELIA MAXIMOVA")
    assert "Maximova" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*")).decode("latin-1")


def test_statements_follow_what_the_name_means_now(service: Service) -> None:
    full = remember(service, FULL)
    remember(service, "Aurelia reports to Boris Ivanov.")
    remember(service, "Aurelia Smith moved to Rome.")
    assert reached(service, "entity:Aurelia Maximova") >= {"Boris Ivanov"}
    forget(service, full)
    assert reached(service, "entity:Aurelia") >= {"Boris Ivanov"}
    assert "Boris Ivanov" not in reached(service, "entity:Aurelia Smith"), "as if the forgotten one had never been"


def test_an_entity_that_a_person_made_for_a_forgotten_memory_goes_with_it(service: Service, tmp_path: Path) -> None:
    """No memory ever had the name: people gave it, to relate what is forgotten now, and a memory was read by it."""
    memory = remember(service, "The one who sings.")
    node = "entity:person/Aurelia Maximova"
    service.carry_out(RELATE, RelateRequest(source=memory, target=node, type="ABOUT"))
    service.carry_out(RELATE, RelateRequest(source=node, target="entity:Rome", type="LIVES_IN", evidence=memory))
    remember(service, SHORT)
    assert names(service) == {"Aurelia Maximova": 1, "Rome": 0}
    forget(service, memory)
    assert_gone(service, tmp_path)
    assert names(service) == {"Aurelia": 1}
    assert service.doctor() == ()


def test_what_is_read_while_another_forgets_brings_no_name_back(service: Service, tmp_path: Path) -> None:
    """A page was read with the name known, and is stored after the name is gone."""
    full = remember(service, FULL)
    assert "Aurelia Maximova" in names(service)
    reader = service._parts.graph
    assert reader is not None
    remember(service, SHORT)
    directory = reader._directory("default")
    forget(service, full)
    reader._directories["default"] = directory
    assert names(service) == {"Aurelia": 1}
    assert files_with(tmp_path, [NAME]) == []


# ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def merge(service: Service, into: str, *things: str) -> Decision:
    return service.carry_out(MERGE, MergeRequest(into=into, things=things))


def split(service: Service, thing: str, into: str, *ids: str) -> Decision:
    return service.carry_out(SPLIT, SplitRequest(thing=thing, into=into, ids=ids))


def decisions(service: Service) -> list[tuple[str, str, set[str]]]:
    """The undone ones too."""
    found = service.carry_out(DECISIONS, DecisionsRequest(undone=True)).decisions
    return [(each.kind, each.into.name, {thing.name for thing in each.things}) for each in found]


@pytest.mark.parametrize("turned", [False, True])
def test_a_merge_with_a_name_that_leaves_is_erased(service: Service, tmp_path: Path, turned: bool) -> None:
    full, other = remember(service, FULL), remember(service, "Lia sings in Rome.")
    ends = ["entity:Aurelia Maximova", "entity:Lia"]
    merge(service, *(reversed(ends) if turned else ends))
    assert len(decisions(service)) == 1
    forget(service, full)
    assert decisions(service) == []
    assert_gone(service, tmp_path)
    assert names(service) == {"Lia": 1, "Rome": 1}
    assert reached(service, "entity:Lia") >= {"Lia sings in Rome."}
    forget(service, other)
    assert names(service) == {}
    assert service._parts.store.entities("default") == []
    assert service.doctor() == ()


def test_those_that_stay_are_still_one(service: Service, tmp_path: Path) -> None:
    full = remember(service, FULL)
    remember(service, "Lia sings in Rome.")
    remember(service, "Anna Petrova dances.")
    made = merge(service, "entity:Aurelia Maximova", "entity:Lia", "entity:Anna Petrova")
    assert names(service)["Aurelia Maximova / Anna Petrova / Lia"] == 3
    forget(service, full)
    assert_gone(service, tmp_path)
    assert {tuple(sorted(name.split(" / "))): count for name, count in names(service).items() if "Lia" in name} == {
        ("Anna Petrova", "Lia"): 2
    }
    (left,) = service.carry_out(DECISIONS, DecisionsRequest()).decisions
    assert (left.id, left.decided_at, left.kind) == (made.id, made.decided_at, "merge")
    service.carry_out(UNDO, UndoRequest(id=made.id))
    assert {"Lia", "Anna Petrova"} <= names(service).keys(), "and can be undone"
    assert service.doctor() == ()


def test_two_decisions_over_a_name_that_leaves_join_what_stays(service: Service, tmp_path: Path) -> None:
    remember(service, "Lia sings in Rome.")
    full = remember(service, FULL)
    remember(service, "Anna Petrova dances.")
    merge(service, "entity:Aurelia Maximova", "entity:Lia")
    merge(service, "entity:Anna Petrova", "entity:Aurelia Maximova")
    forget(service, full)
    assert_gone(service, tmp_path)
    assert names(service)["Anna Petrova / Lia"] == 2
    assert len(decisions(service)) == 1
    assert service.doctor() == ()


def test_an_undone_decision_keeps_no_name(service: Service, tmp_path: Path) -> None:
    full = remember(service, FULL)
    remember(service, "Lia sings in Rome.")
    made = merge(service, "entity:Lia", "entity:Aurelia Maximova")
    service.carry_out(UNDO, UndoRequest(id=made.id))
    assert len(decisions(service)) == 1
    forget(service, full)
    assert decisions(service) == []
    assert_gone(service, tmp_path)
    assert service.doctor() == ()


def test_a_decision_stays_while_any_revision_has_the_name(service: Service, tmp_path: Path) -> None:
    full, again = remember(service, FULL), remember(service, "Aurelia Maximova sings.")
    remember(service, "Lia sings in Rome.")
    merge(service, "entity:Aurelia Maximova", "entity:Lia")
    forget(service, full)
    assert names(service)["Aurelia Maximova / Lia"] == 2
    retire(service, again)
    remember(service, "Boris Ivanov met Lia.")
    assert decisions(service) == [("merge", "Aurelia Maximova", {"Lia"})], "retired is not forgotten"
    forget(service, remember(service, "Boris Ivanov left."))
    assert decisions(service) == [("merge", "Aurelia Maximova", {"Lia"})]
    forget(service, again)
    assert decisions(service) == []
    assert_gone(service, tmp_path)
    assert service.doctor() == ()


def test_what_a_person_related_stays_with_its_decisions(service: Service) -> None:
    full = remember(service, FULL)
    remember(service, "Lia sings in Rome.")
    service.carry_out(RELATE, RelateRequest(source="entity:Aurelia Maximova", target="entity:Rome", type="LIVES_IN"))
    merge(service, "entity:Aurelia Maximova", "entity:Lia")
    forget(service, full)
    assert names(service)["Aurelia Maximova / Lia"] == 1
    assert len(decisions(service)) == 1
    assert service.doctor() == ()


def test_a_split_from_a_name_that_leaves_holds_for_what_the_memory_says(
    service: Service, another: Opened, tmp_path: Path
) -> None:
    full, short = remember(service, FULL), remember(service, SHORT)
    split(service, "entity:Aurelia Maximova", "entity:Aurelia Smith", short)
    remember(service, "Aurelia Smith lives in Rome.")
    assert reached(service, short) == {"Aurelia Smith"}
    forget(service, full)
    assert_gone(service, tmp_path)
    assert reached(service, short) == {"Aurelia Smith"}
    assert decisions(service) == [("split", "Aurelia Smith", {"Aurelia"})]
    assert reached(another(), short) == {"Aurelia Smith"}, "where everything was read again it holds too"
    assert service.doctor() == ()


def test_a_split_to_a_name_that_leaves_still_parts_the_two(service: Service, another: Opened, tmp_path: Path) -> None:
    remember(service, "Aurelia Smith lives in Rome.")
    short = remember(service, SHORT)
    full = remember(service, FULL)
    split(service, "entity:Aurelia Smith", "entity:Aurelia Maximova", short)
    assert reached(service, short) == {"Aurelia Maximova"}
    assert reached(another(), short) == {"Aurelia Maximova"}, "where everything was read again too"
    forget(service, full)
    assert [found for found in files_with(tmp_path, [NAME]) if not found.startswith("1.graph")] == []
    assert reached(service, short) == {"Aurelia Smith (2)"}, "not the one that it was split off from"
    assert reached(another(), short) == {"Aurelia Smith (2)"}
    assert service.doctor() == ()


def test_all_of_a_namespace_leaves_no_decision(service: Service, tmp_path: Path) -> None:
    remember(service, FULL)
    retire(service, remember(service, "Lia sings in Rome."))
    merge(service, "entity:Aurelia Maximova", "entity:Globex")
    service.carry_out(FORGET_MANY, ForgetManyRequest(everything=True, dry_run=False))
    assert decisions(service) == []
    lines = b"".join(service.export(ExportRequest())).splitlines()
    assert {json.loads(line)["record"] for line in lines} == {"archive", "tombstone"}
    assert files_with(tmp_path, [NAME, "Globex"]) == []
    assert service.doctor() == ()
