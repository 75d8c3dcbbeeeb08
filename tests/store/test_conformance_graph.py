"""The store's contract on every backend: relations, entities, archives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from ai_memory.errors import InvalidInputError
from ai_memory.graph.walking import Label, walk
from ai_memory.store.base import (
    Action,
    Duplicate,
    Rejected,
    Restore,
    Store,
    Stored,
    Unchanged,
)
from ai_memory.text.properties import label_of
from ai_memory.types import Entity, MemoryRecord, Neighbour, Relation
from tests.support.store_samples import (
    CLOCK,
    DAY,
    START,
    digest,
    entity,
    forget,
    kept,
    one,
    relate,
    related,
    retire,
    revise,
    unrelate,
)

pytest_plugins = ["tests.support.store_backends"]


# ── relations and entities ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_relation_comes_back_as_it_was_given(store: Store) -> None:
    first, second, third = kept(store, "a"), kept(store, "b"), kept(store, "c")
    command = relate(
        first.id,
        second.id,
        "CAUSES",
        weight=0.25,
        attributes={"why": ["x"]},
        evidence=third.id,
        valid_from=START,
        valid_to=START + DAY,
    )
    assert related(store, command) == command.relation
    assert store.relations("default", [second.id]) == [command.relation]
    assert store.relations("default", [first.id, second.id]) == [command.relation]
    assert store.relations("default", [third.id]) == []
    assert store.relations("elsewhere", [first.id]) == []


def test_an_equal_relation_is_added_once(store: Store) -> None:
    first, second = kept(store, "a"), kept(store, "b")
    made = related(store, relate(first.id, second.id, weight=0.5))
    assert one(store, relate(first.id, second.id, weight=0.9)) == Unchanged(relation=made)
    for different in (
        relate(second.id, first.id),
        relate(first.id, second.id, "CAUSES"),
        relate(first.id, second.id, valid_from=START),
        relate(first.id, second.id, evidence=first.id),
    ):
        assert isinstance(one(store, different), Stored)
    assert isinstance(one(store, relate(first.id, second.id, evidence=first.id)), Unchanged)
    clash = one(store, relate(first.id, second.id, "SUPPORTS", id=made.id))
    assert isinstance(clash, Rejected)
    assert clash.code == "conflict"


def test_relations_need_ends_and_evidence_that_exist(store: Store) -> None:
    first, second = kept(store, "a"), kept(store, "b", namespace="elsewhere")
    for command in (
        relate(first.id, "mem_unknown"),
        relate("ent_unknown", first.id),
        relate(first.id, second.id),
        relate(first.id, first.id, evidence="mem_unknown"),
    ):
        result = one(store, command)
        assert isinstance(result, Rejected)
        assert result.code == "not_found"
    assert store.stats().relations == 0


def test_an_entity_of_the_same_name_and_kind_is_made_once(store: Store) -> None:
    record = kept(store, "a")
    thing, twin, city = entity("Atlas", aliases=("The Atlas",)), entity("ATLAS"), entity("Atlas", kind="city")
    related(store, relate(record.id, thing.id, "MENTIONS", new_entities=[thing]))
    second = one(store, relate(record.id, twin.id, "ABOUT", new_entities=[twin]))
    assert isinstance(second, Stored)
    assert second.relation is not None
    assert second.relation.target == thing.id
    related(store, relate(record.id, city.id, "MENTIONS", new_entities=[city]))
    assert store.entities("default") == [thing, city]
    assert store.entities("default", names=["the atlas"]) == [thing]
    assert store.entities("default", names=["atlas"]) == [thing, city]
    assert store.entities("default", ids=[city.id, "ent_unknown"]) == [city]
    assert store.entities("default", names=["unknown"]) == []
    assert store.entities("elsewhere") == []


def test_unrelating_ends_a_relation_once_and_keeps_it_for_the_past(store: Store) -> None:
    first, second = kept(store, "a"), kept(store, "b")
    made = related(store, relate(first.id, second.id))
    result = one(store, unrelate(made))
    assert isinstance(result, Stored)
    assert result.relation is not None
    assert store.relations("default", [first.id]) == []
    assert store.relations("default", [first.id], known_at=made.recorded_at) == [result.relation]
    assert one(store, unrelate(made)) == Unchanged(relation=result.relation)
    unknown = one(store, replace(unrelate(made), id="rel_unknown"))
    assert isinstance(unknown, Rejected)
    assert unknown.code == "not_found"
    assert isinstance(one(store, relate(first.id, second.id)), Stored)


def test_relations_are_filtered_by_type_and_time(store: Store) -> None:
    first, second = kept(store, "a"), kept(store, "b")
    past = related(store, relate(first.id, second.id, "CAUSES", valid_to=START))
    always = related(store, relate(first.id, second.id, "SUPPORTS"))
    assert store.relations("default", [first.id], types=["CAUSES", "NEVER"]) == [past]
    assert store.relations("default", [first.id], as_of=START) == [always]
    assert store.relations("default", [first.id], as_of=START - DAY) == [past, always]
    assert store.relations("default", [first.id], known_at=START - DAY) == []


def test_the_heaviest_relations_are_given_with_all_that_weigh_the_same(store: Store) -> None:
    """One with both its ends among the nodes counts twice, and so may one that leads back to its own node."""
    nodes = [kept(store, name) for name in "abc"]
    hub, beside, far = (node.id for node in nodes)
    made = [
        related(store, relate(source, target, kind, weight=weight, valid_to=until))
        for source, target, kind, weight, until in (
            (hub, far, "A", 0.5, None),
            (far, hub, "B", 1.0, None),
            (hub, far, "C", 0.25, START),
            (hub, beside, "D", 0.75, None),
            (beside, beside, "E", 0.5, None),
            (far, hub, "F", 0.5, None),
            (beside, far, "G", 0.0, None),
            (hub, far, "H", 1.0, None),
        )
    ]
    one(store, unrelate(made[7]))
    filters: tuple[dict[str, Any], ...] = ({}, {"types": list("ACEG")}, {"as_of": START}, {"known_at": CLOCK.now()})
    for how in filters:
        for asked in ([hub], [hub, beside], [beside, hub, hub]):
            everything = store.relations("default", asked, **how)
            weights = [w.weight for w in everything for end in (w.source, w.target) if end in asked]
            weights.sort(reverse=True)
            for heaviest in range(1, len(weights) + 2):
                given = store.relations("default", asked, heaviest=heaviest, **how)
                least = weights[heaviest - 1] if heaviest <= len(weights) else 0.0
                assert [each for each in given if each.weight >= least] == [
                    each for each in everything if each.weight >= least
                ]
                assert [each for each in everything if each in given] == given, "in order of writing"
    assert store.relations("default", [hub], heaviest=1) == [made[1]]
    assert store.relations("default", [hub], heaviest=3) == [made[0], made[1], made[3], made[5]]
    assert store.relations("elsewhere", [hub], heaviest=1) == []
    assert store.relations("default", [], heaviest=1) == []


def near(store: Store, node: str, *, depth: int = 1, limit: int = 100, **how: Any) -> list[Neighbour]:
    """A walk over what the store looks up, as the service takes it."""

    def labels(nodes: Sequence[str]) -> dict[str, Label]:
        found: dict[str, Label] = {each.id: ("entity", each.name) for each in store.entities("default", ids=nodes)}
        for memory in store.get("default", nodes):
            if memory is not None and memory.retired_at is None:
                found[memory.id] = ("memory", label_of(memory.title, memory.text))
        return found

    def relations(nodes: Sequence[str], heaviest: int | None) -> list[Relation]:
        return store.relations("default", nodes, heaviest=heaviest, **how)

    return walk(node, relations, labels, depth=depth, limit=limit)


def test_decisions_are_told_with_the_undone_ones_in_order_of_writing(store: Store) -> None:
    memory, here, there = kept(store, "a"), entity("Ann"), entity("Anna")
    assert store.decisions("default") == []
    related(store, relate(memory.id, here.id, "MENTIONS", new_entities=[here]))
    merged = related(store, relate(here.id, there.id, "MERGED_INTO", new_entities=[there]))
    split = related(store, relate(here.id, there.id, "SPLIT_INTO", evidence=memory.id))
    assert store.decisions("default") == [merged, split]
    assert store.decisions("elsewhere") == []
    one(store, unrelate(merged))
    assert [(each.id, each.retired_at is None) for each in store.decisions("default")] == [
        (merged.id, False),
        (split.id, True),
    ]
    one(store, forget(memory))
    assert [each.id for each in store.decisions("default")] == [merged.id], "a split goes with the memory it is about"


def test_a_forget_erases_decisions_and_adds_what_is_left_of_them(store: Store) -> None:
    memory, here, there, gone = kept(store, "a"), entity("Ann"), entity("Anna"), entity("Annabel")
    first = related(store, relate(here.id, gone.id, "MERGED_INTO", new_entities=[here, gone]))
    second = related(store, relate(there.id, gone.id, "MERGED_INTO", new_entities=[there]))
    stale = forget(memory, if_revision=7, decisions=(first.id, second.id))
    assert isinstance(one(store, stale), Rejected)
    assert store.decisions("default") == [first, second], "a refused forget erases nothing"
    numbered = entity("Ann (2)")
    left = (
        relate(there.id, here.id, "MERGED_INTO", new_entities=[there, here]),
        relate(here.id, numbered.id, "SPLIT_INTO", new_entities=[here, numbered]),
    )
    one(store, forget(memory, decisions=(first.id, second.id), left=left))
    assert store.decisions("default") == [each.relation for each in left]
    assert {each.id for each in store.entities("default")} == {here.id, there.id, numbered.id}
    assert store.relation("default", first.id) is None
    assert store.relation("default", left[0].relation.id) == left[0].relation
    assert store.relation("elsewhere", left[0].relation.id) is None
    one(store, unrelate(left[0].relation))
    assert getattr(store.relation("default", left[0].relation.id), "retired_at", None) is not None


def test_neighbours_come_nearest_first_each_once(store: Store) -> None:
    a, b, c, d = (
        kept(store, name, title=title) for name, title in (("a", None), ("b", "B!"), ("c", None), ("d", None))
    )
    thing = entity("Atlas")
    related(store, relate(a.id, b.id, weight=0.5))
    related(store, relate(a.id, thing.id, "MENTIONS", weight=0.9, new_entities=[thing]))
    related(store, relate(c.id, b.id))
    related(store, relate(b.id, a.id, "BACK", weight=0.1))
    related(store, relate(c.id, d.id, "CAUSES"))
    found = near(store, a.id)
    assert [(n.id, n.kind, n.label, n.depth) for n in found] == [
        (thing.id, "entity", "Atlas", 1),
        (b.id, "memory", "B!", 1),
    ]
    assert found[1].relation.weight == 0.5
    assert [n.id for n in near(store, a.id, depth=4)] == [thing.id, b.id, c.id, d.id]
    assert [n.depth for n in near(store, a.id, depth=4)] == [1, 1, 2, 3]
    assert [n.id for n in near(store, thing.id, depth=2, limit=1)] == [a.id]
    assert [n.id for n in near(store, d.id, types=["CAUSES"], depth=3)] == [c.id]
    assert near(store, a.id, as_of=START) != []
    one(store, retire(b))
    assert [n.id for n in near(store, a.id, depth=4)] == [thing.id]
    for depth in (0, 5):
        with pytest.raises(InvalidInputError):
            near(store, a.id, depth=depth)


# ── restore, export ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _archive(store: Store, record: MemoryRecord) -> Restore:
    revisions = tuple(store.revisions(record.namespace, record.id))
    last = revisions[-1]
    return Restore(
        revisions=revisions,
        dedup_key=digest(last.namespace, last.user, last.agent, last.session, last.text),
        at=CLOCK.now(),
    )


def test_an_archive_comes_back_with_its_times(store: Store) -> None:
    record = kept(store, "one", session="s", tags=("x",))
    one(store, revise(record, "two"))
    one(store, retire(record, reason="done"))
    archive = _archive(store, record)
    assert one(store, archive) == Unchanged(record=archive.revisions[-1])
    moved = replace(archive, revisions=tuple(replace(r, namespace="new") for r in archive.revisions))
    result = one(store, moved)
    assert isinstance(result, Stored)
    assert store.revisions("new", record.id) == list(moved.revisions)
    assert [entry.action for entry in store.log(namespace="new")] == [Action.RESTORED, Action.RESTORED]
    assert one(store, moved) == Unchanged(record=moved.revisions[-1])


def test_restoring_refuses_another_history_and_broken_ones(store: Store) -> None:
    record = kept(store, "one")
    archive = _archive(store, record)
    (first,) = archive.revisions
    one(store, revise(record, "two"))
    clash = one(store, archive)
    assert isinstance(clash, Rejected)
    assert clash.code == "conflict"
    broken = [
        replace(archive, revisions=()),
        replace(archive, revisions=(first, first)),
        replace(
            archive,
            revisions=(first, replace(first, revision=2, id="mem_other")),
        ),
        replace(archive, revisions=(first, replace(first, revision=2))),
    ]
    results = store.write(broken)
    assert [result.code if isinstance(result, Rejected) else result for result in results] == ["invalid_input"] * 4


def test_restoring_a_text_that_stands_under_another_id_is_a_duplicate(store: Store) -> None:
    record = kept(store, "one")
    archive = _archive(store, record)
    other = replace(archive, revisions=tuple(replace(r, id="mem_other") for r in archive.revisions))
    assert one(store, other) == Duplicate(record=record)


def test_an_export_brings_everything_back_into_an_empty_namespace(store: Store) -> None:
    a, b = kept(store, "a"), kept(store, "b")
    one(store, revise(a, "a2"))
    thing = entity("Atlas", aliases=("At",))
    edge = related(store, relate(a.id, thing.id, "MENTIONS", new_entities=[thing]))
    ended = related(store, relate(a.id, b.id))
    one(store, unrelate(ended))
    kept(store, "elsewhere", namespace="other")
    exported = list(store.export("default"))
    assert [type(item) for item in exported] == [MemoryRecord] * 3 + [Entity] + [Relation] * 2
    assert [item.text for item in exported if isinstance(item, MemoryRecord)] == ["a", "a2", "b"]
    relations = [item for item in exported if isinstance(item, Relation)]
    assert relations[0] == edge
    assert relations[1].retired_at is not None
    assert len(list(store.export())) == len(exported) + 1
    assert list(store.export("unknown")) == []
    for item in relations:  # what an import does with them
        assert one(store, relate(**_relation_fields(item))) == Unchanged(relation=item)


def _relation_fields(item: Relation) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(item, name) for name in item.__struct_fields__}
    return fields | {"at": fields.pop("recorded_at"), "kind": fields.pop("type")}


def test_an_export_is_one_snapshot(store: Store) -> None:
    for number in range(20):
        kept(store, f"memory {number}")
    exporting = store.export()
    first = next(exporting)
    kept(store, "too late")
    assert len([first, *exporting]) == 20
