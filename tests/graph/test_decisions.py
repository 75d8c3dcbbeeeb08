"""Merging and splitting what memories name, on every backend: what answers then, and that undone it is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ai_memory.clock import ManualClock
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.errors import ConflictError, InvalidInputError, NotFoundError
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
    PATH,
    RELATE,
    UNRELATE,
    EntitiesRequest,
    Graph,
    GraphRequest,
    NeighboursRequest,
    PathRequest,
    RelateRequest,
    UnrelateRequest,
)
from ai_memory.operations.moving import ExportRequest, ImportRequest
from ai_memory.operations.writing import FORGET, REMEMBER, ForgetRequest, RememberRequest
from ai_memory.service.service import Service
from ai_memory.store.graph_file import GraphFile
from tests.support.store_samples import Reopen

pytest_plugins = ["tests.support.store_backends"]

TEXTS = (
    "Anna Petrova works at Acme since May 2025.",
    "Acme is based in Berlin.",
    "Boris Ivanov reports to Anna Petrova.",
    "Anna Smith met Boris Ivanov.",
    "Anna Petrova moved to Paris.",
)

Opened = Callable[[], Service]


@pytest.fixture(params=["sqlite", "neo4j-newest"])
def backend(request: pytest.FixtureRequest) -> str:
    """One line of Neo4j is enough here: what the store has to do is in the tests of its contract, on all of them."""
    return str(request.param)


@pytest.fixture
def another(reopen: Reopen, tmp_path: Path, clock: ManualClock) -> Iterator[Opened]:
    """Opens a service of its own on the test's store, as another process would."""
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
    made = another()
    for text in TEXTS:
        remember(made, text)
    return made


def remember(service: Service, text: str, namespace: str = "default") -> str:
    return str(service.carry_out(REMEMBER, RememberRequest(text=text, namespace=namespace)).memory_id)


def merge(service: Service, into: str, *things: str, namespace: str = "default") -> Decision:
    return service.carry_out(MERGE, MergeRequest(into=into, things=things, namespace=namespace))


def split(service: Service, thing: str, into: str, *ids: str) -> Decision:
    return service.carry_out(SPLIT, SplitRequest(thing=thing, into=into, ids=ids))


def undo(service: Service, decision: Decision) -> Decision:
    return service.carry_out(UNDO, UndoRequest(id=decision.id))


def ids(service: Service) -> dict[str, str]:
    """The memories by their texts."""
    return {node.label: node.id for node in whole(service).nodes if node.kind == "memory"}


def whole(service: Service) -> Graph:
    return service.carry_out(GRAPH, GraphRequest(limit=1000))


def names(service: Service) -> dict[str, int]:
    found = service.carry_out(ENTITIES, EntitiesRequest(limit=1000)).entities
    return {" / ".join((each.entity.name, *each.entity.aliases)): each.memories for each in found}


def reached(service: Service, node: str, *types: str) -> set[str]:
    found = service.carry_out(NEIGHBOURS, NeighboursRequest(id=node, types=types)).neighbours
    return {each.label for each in found}


def state(service: Service) -> object:
    """All that the graph answers."""
    return (
        whole(service),
        service.carry_out(ENTITIES, EntitiesRequest(limit=1000)),
        reached(service, "entity:Anna Petrova"),
    )


# ── merging ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_merged_things_answer_as_one(service: Service) -> None:
    made = merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    assert (made.kind, made.into.name, [thing.name for thing in made.things]) == (
        "merge",
        "Anna Petrova",
        ["Anna Smith"],
    )
    assert names(service)["Anna Petrova / Anna Smith"] == 4
    for name in ("entity:Anna Petrova", "entity:Anna Smith", made.things[0].id):
        assert service.carry_out(NEIGHBOURS, NeighboursRequest(id=name)).id == made.into.id
        assert reached(service, name, "MENTIONS") == {TEXTS[0], TEXTS[2], TEXTS[3], TEXTS[4]}
        assert reached(service, name, "WORKS_AT") == {"Acme"}
    way = service.carry_out(PATH, PathRequest(source=ids(service)[TEXTS[3]], target="entity:Acme")).paths
    assert [node.label for node in way[0].nodes] == [TEXTS[3], "Anna Petrova", "Acme"]
    assert {node.label for node in whole(service).nodes} & {"Anna Smith"} == set()


def test_a_memory_that_names_both_counts_once_and_relations_between_them_are_none(service: Service) -> None:
    both = remember(service, "Anna Smith works with Anna Petrova.")
    merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    assert names(service)["Anna Petrova / Anna Smith"] == 5
    edges = service.carry_out(GRAPH, GraphRequest(id=both, depth=1)).edges
    assert [edge.type for edge in edges if both in (edge.source, edge.target)] == ["MENTIONS"]
    assert all(edge.source != edge.target for edge in whole(service).edges)


def test_a_merge_that_is_undone_leaves_the_graph_as_it_was(service: Service, another: Opened) -> None:
    before = state(service)
    made = merge(service, "entity:Anna Petrova", "entity:Anna Smith", "entity:Boris Ivanov")
    assert "Anna Petrova / Anna Smith / Boris Ivanov" in names(service)
    ended = undo(service, made)
    assert ended.undone_at is not None
    assert state(service) == before
    assert undo(service, made) == ended, "and stays undone"
    assert state(another()) == before, "also where everything was read again"
    assert service.carry_out(DECISIONS, DecisionsRequest()).total == 0
    assert service.carry_out(DECISIONS, DecisionsRequest(undone=True)).decisions == (ended,)


def test_memories_that_are_read_later_or_anew_lead_to_the_survivor(service: Service, another: Opened) -> None:
    merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    remember(service, "Anna Smith likes tea.")
    remember(service, "Anna flew home.")
    assert {"Anna Smith likes tea.", "Anna flew home."} <= reached(service, "entity:Anna Petrova", "MENTIONS"), (
        "a short name that both have is no longer ambiguous"
    )
    assert names(service)["Anna Petrova / Anna Smith"] == 6
    elsewhere = another()
    assert whole(elsewhere) == whole(service), "another process has read everything itself"
    service.doctor(rebuild=True)
    assert whole(elsewhere) == whole(service)


def test_other_services_see_a_decision_at_their_next_call(service: Service, another: Opened) -> None:
    other = another()
    assert names(other)["Anna Smith"] == 1
    made = merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    assert "Anna Smith" not in names(other)
    undo(other, made)
    assert names(service)["Anna Smith"] == 1


def test_chains_and_rings_of_merges(service: Service) -> None:
    first = merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    second = merge(service, "entity:Boris Ivanov", "entity:Anna Smith")
    assert second.things == (first.into,), "what was merged into an entity goes with it"
    assert "Boris Ivanov / Anna Petrova / Anna Smith" in names(service)
    assert merge(service, "entity:Boris Ivanov", "entity:Anna Petrova") == second, (
        "a decision already made is returned again"
    )
    with pytest.raises(ConflictError, match="merged into"):
        merge(service, "entity:Anna Smith", "entity:Boris Ivanov")
    undo(service, first)
    assert {"Boris Ivanov / Anna Petrova", "Anna Smith"} <= names(service).keys()
    undo(service, second)
    assert {"Boris Ivanov", "Anna Petrova", "Anna Smith"} <= names(service).keys()


def test_two_processes_that_merge_at_once_end_in_one_thing(service: Service, another: Opened) -> None:
    """Each writes before it sees the other: A into B, B into A. Every process that reads both finds the same single entity."""
    made = merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    (line,) = [line for line in service.export(ExportRequest()) if b"MERGED_INTO" in line]
    source, target = made.things[0].id.encode(), made.into.id.encode()
    turned = (
        line.replace(source, b"?").replace(target, source).replace(b"?", target).replace(b'"id":"rel_', b'"id":"rel_x')
    )
    assert service.import_lines(ImportRequest(), [turned]).counts == {"stored": 1}
    assert names(service)["Anna Petrova / Anna Smith"] == 4
    assert whole(another()) == whole(service)


def test_kinds_may_differ_and_the_survivor_keeps_its_own(service: Service) -> None:
    merge(service, "entity:Acme", "entity:Berlin")
    found = service.carry_out(ENTITIES, EntitiesRequest(kinds=("organisation",))).entities
    assert [(each.entity.name, each.entity.aliases) for each in found] == [("Acme", ("Berlin",))]
    assert service.carry_out(ENTITIES, EntitiesRequest(kinds=("place",))).total == 1, "Paris"


def test_a_new_name_may_stand_for_all_and_is_gone_with_the_decision(service: Service) -> None:
    before = state(service)
    made = merge(service, "entity:Anna of Acme", "entity:Anna Petrova", "entity:Anna Smith")
    assert made.into.kind == "person", "as all of them are"
    assert names(service)["Anna of Acme / Anna Petrova / Anna Smith"] == 4
    undo(service, made)
    assert state(service) == before
    with pytest.raises(NotFoundError, match="Anna of Acme"):
        service.carry_out(NEIGHBOURS, NeighboursRequest(id="entity:Anna of Acme"))


def test_relations_of_people_go_with_the_things(service: Service) -> None:
    made = service.carry_out(RELATE, RelateRequest(source="entity:Anna Smith", target="entity:Tea", type="LIKES"))
    merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    assert reached(service, "entity:Anna Petrova", "LIKES") == {"Tea"}
    more = service.carry_out(RELATE, RelateRequest(source="entity:Anna Smith", target="entity:Milk", type="LIKES"))
    assert more.source != made.source, "a new relation is the survivor's"
    service.carry_out(UNRELATE, UnrelateRequest(id=made.id))
    assert reached(service, "entity:Anna Petrova", "LIKES") == {"Milk"}


def test_history_shows_what_was_decided_then(service: Service, clock: ManualClock) -> None:
    apart = clock.now()
    made = merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    joined = clock.now()
    undo(service, made)

    def mentions(known_at: object) -> int:
        asked = NeighboursRequest(id=made.into.id, types=("MENTIONS",), known_at=known_at)  # type: ignore[arg-type]
        return len(service.carry_out(NEIGHBOURS, asked).neighbours)

    assert [mentions(apart), mentions(joined), mentions(None)] == [3, 4, 3]


# ── splitting ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_memory_that_means_another_thing(service: Service, another: Opened) -> None:
    paris = ids(service)[TEXTS[4]]
    made = split(service, "entity:Anna Petrova", "entity:Anna Sidorova", paris)
    assert (made.kind, made.into.name, made.into.kind, made.memories) == ("split", "Anna Sidorova", "person", (paris,))
    assert reached(service, "entity:Anna Sidorova") == {TEXTS[4], "Paris"}, "what the memory states goes along"
    assert reached(service, "entity:Anna Petrova") == {TEXTS[0], TEXTS[2], "Acme", "Boris Ivanov"}
    assert names(service)["Anna Sidorova"] == 1
    assert names(service)["Anna Petrova"] == 2
    assert split(service, "entity:Anna Petrova", "entity:Anna Sidorova", paris) == made, "twice is once"
    assert whole(another()) == whole(service), "and holds where everything was read again"


def test_a_split_that_is_undone_leaves_the_graph_as_it_was(service: Service, another: Opened) -> None:
    before = state(service)
    found = ids(service)
    made = split(service, "entity:Anna Petrova", "entity:Anna Sidorova", found[TEXTS[4]], found[TEXTS[2]])
    further = split(service, "entity:Anna Sidorova", "entity:Boris Ivanov", found[TEXTS[4]])
    assert TEXTS[4] in reached(service, "entity:Boris Ivanov")
    undo(service, further)
    assert names(service)["Anna Sidorova"] == 2
    undo(service, made)
    assert state(service) == before
    assert state(another()) == before


def test_splits_and_merges_together(service: Service) -> None:
    smith = ids(service)[TEXTS[3]]
    merged = merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    apart = split(service, "entity:Anna Petrova", "entity:Anna Sidorova", smith)
    assert reached(service, "entity:Anna Sidorova", "MENTIONS") == {TEXTS[3]}, "what was read as Smith is split off too"
    joined = merge(service, "entity:Anna Petrova", "entity:Anna Sidorova")
    assert TEXTS[3] in reached(service, "entity:Anna Petrova", "MENTIONS"), "and merged again"
    for decision in (joined, apart, merged):
        undo(service, decision)
    assert {name: count for name, count in names(service).items() if "Anna" in name} == {
        "Anna Petrova": 3,
        "Anna Smith": 1,
    }


def test_a_forgotten_memory_takes_its_split_along(service: Service, another: Opened) -> None:
    paris = ids(service)[TEXTS[4]]
    made = split(service, "entity:Anna Petrova", "entity:Anna Sidorova", paris)
    service.carry_out(FORGET, ForgetRequest(id=paris))
    assert service.carry_out(DECISIONS, DecisionsRequest(undone=True)).total == 0
    assert "Anna Sidorova" not in names(service)
    assert not [line for line in service.export(ExportRequest()) if b"Sidorova" in line]
    with pytest.raises(NotFoundError):
        undo(service, made)
    assert whole(another()) == whole(service)


def test_a_merge_leaves_with_the_last_memory_that_has_one_of_its_names(service: Service) -> None:
    merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    for memory in ids(service).values():
        service.carry_out(FORGET, ForgetRequest(id=memory))
    assert names(service) == {}
    assert service.carry_out(DECISIONS, DecisionsRequest(undone=True)).total == 0
    remember(service, "Anna Smith came back.")
    assert names(service) == {"Anna Smith": 1}


# ── moving, and what is refused ──────────────────────────────────────────────────────────────────────────────────────────


def test_decisions_go_with_an_archive(service: Service, another: Opened) -> None:
    merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    undo(service, merge(service, "entity:Acme", "entity:Berlin"))
    split(service, "entity:Anna Petrova", "entity:Anna Sidorova", ids(service)[TEXTS[4]])
    lines = list(service.export(ExportRequest()))
    report = service.import_lines(ImportRequest(namespace="copy"), lines)
    assert report.rejected == ()
    copy = service.carry_out(ENTITIES, EntitiesRequest(namespace="copy")).entities
    assert {(each.entity.name, each.entity.aliases, each.memories) for each in copy} == {
        (each.entity.name, each.entity.aliases, each.memories)
        for each in service.carry_out(ENTITIES, EntitiesRequest()).entities
    }
    shown = [
        [(each.kind, each.into.name, each.undone_at) for each in service.carry_out(DECISIONS, asked).decisions]
        for asked in (DecisionsRequest(undone=True), DecisionsRequest(undone=True, namespace="copy"))
    ]
    assert shown[0] == shown[1]


def test_decisions_about_one_thing(service: Service) -> None:
    first = merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    merge(service, "entity:Acme", "entity:Berlin")
    assert service.carry_out(DECISIONS, DecisionsRequest(about="entity:Anna Smith")).decisions == (first,)
    assert service.carry_out(DECISIONS, DecisionsRequest(limit=1)).total == 2
    assert service.carry_out(DECISIONS, DecisionsRequest(about="entity:Paris")).decisions == ()


def test_what_is_refused_changes_nothing(service: Service) -> None:
    remember(service, "Otto Lang works at Initech.", namespace="elsewhere")
    before, lines = state(service), list(service.export(ExportRequest()))
    memory = ids(service)[TEXTS[4]]
    with pytest.raises(NotFoundError, match="Otto Lang"):
        merge(service, "entity:Anna Petrova", "entity:Otto Lang")
    with pytest.raises(NotFoundError, match="ent_nothing"):
        merge(service, "entity:Anna Petrova", "ent_nothing")
    for same in ("entity:Anna Petrova", "entity:anna PETROVA"):
        with pytest.raises(InvalidInputError, match="itself"):
            merge(service, "entity:Anna Petrova", same)
    with pytest.raises(InvalidInputError, match="a memory, not an entity"):
        merge(service, memory, "entity:Anna Petrova")
    with pytest.raises(InvalidInputError, match="itself"):
        split(service, "entity:Anna Petrova", "entity:Anna Petrova", memory)
    with pytest.raises(InvalidInputError, match="a memory, not an entity"):
        split(service, "entity:Anna Petrova", memory, memory)
    with pytest.raises(NotFoundError, match="names no entity:Berlin"):
        split(service, "entity:Berlin", "entity:Hamburg", memory)
    with pytest.raises(NotFoundError, match="no memory mem_nothing"):
        split(service, "entity:Anna Petrova", "entity:Hamburg", "mem_nothing")
    with pytest.raises(InvalidInputError, match="reserved for decisions"):
        service.carry_out(RELATE, RelateRequest(source="entity:Acme", target="entity:Berlin", type="MERGED_INTO"))
    assert state(service) == before
    assert list(service.export(ExportRequest())) == lines


def test_a_decision_of_another_namespace_is_not_there(service: Service) -> None:
    made = merge(service, "entity:Anna Petrova", "entity:Anna Smith")
    with pytest.raises(NotFoundError):
        service.carry_out(UNDO, UndoRequest(id=made.id, namespace="elsewhere"))
    assert service.carry_out(DECISIONS, DecisionsRequest(namespace="elsewhere")).total == 0
