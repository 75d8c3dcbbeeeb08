"""Who is who, as a pure function of decisions: any decisions at all, as archives and concurrent processes make them."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ai_memory.graph.identity import Identity
from ai_memory.types import Relation, RelationType

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ENTITIES = [f"ent_{letter}" for letter in "abcdef"]
MEMORIES = ["mem_1", "mem_2", "mem_3"]
PAIRS = st.tuples(st.sampled_from(ENTITIES), st.sampled_from(ENTITIES))


def decided(kind: RelationType, source: str, target: str, memory: str | None = None, at: int = 0) -> Relation:
    return Relation(
        id=f"rel_{at}", namespace="n", source=source, target=target, type=str(kind), evidence=memory,
        recorded_at=START + dt.timedelta(days=at),
    )  # fmt: skip


def merged(*pairs: tuple[str, str]) -> list[Relation]:
    return [decided(RelationType.MERGED_INTO, source, target, at=at) for at, (source, target) in enumerate(pairs)]


DECISIONS = st.lists(
    st.one_of(
        st.builds(
            lambda pair, at: decided(RelationType.MERGED_INTO, pair[0], pair[1], at=at), PAIRS, st.integers(0, 9)
        ),
        st.builds(
            lambda pair, memory, at: decided(RelationType.SPLIT_INTO, pair[0], pair[1], memory=memory, at=at),
            PAIRS,
            st.sampled_from(MEMORIES),
            st.integers(0, 9),
        ),
    ),
    max_size=12,
)


@given(st.lists(PAIRS, max_size=12))
def test_merges_are_unions_whatever_their_order_and_however_many_rings(pairs: list[tuple[str, str]]) -> None:
    groups = {entity: {entity} for entity in ENTITIES}
    for source, target in pairs:
        joined = groups[source] | groups[target]
        groups.update(dict.fromkeys(joined, joined))
    identity = Identity(merged(*pairs))
    for entity in ENTITIES:
        root = identity.root(entity)
        assert set(identity.members(root)) == groups[entity]
        assert identity.root(root) == root


@given(DECISIONS, st.sampled_from(MEMORIES), st.sampled_from(ENTITIES))
def test_what_is_meant_comes_to_an_end_and_is_found_from_there(
    decisions: list[Relation], memory: str, entity: str
) -> None:
    identity = Identity(decisions)
    meant = identity.meant(memory, entity)
    assert identity.root(meant) == meant
    mention = Relation(
        id="rel_m", namespace="n", source=memory, target=entity, type="MENTIONS", evidence=memory, recorded_at=START
    )
    assert {memory, entity} & set(identity.behind([meant])), "a walk from there asks for the mention"
    (seen,) = identity.seen([mention], [meant])
    assert (seen.source, seen.target, seen.id) == (memory, meant, "rel_m")
    assert identity.seen([mention], [other for other in ENTITIES if other != meant]) == []


@given(DECISIONS, PAIRS)
def test_relations_never_lead_from_an_entity_to_itself_and_decisions_are_left_out(
    decisions: list[Relation], pair: tuple[str, str]
) -> None:
    identity = Identity(decisions)
    stated = Relation(id="rel_s", namespace="n", source=pair[0], target=pair[1], type="KNOWS", recorded_at=START)
    seen = identity.seen([stated, *decisions], [*ENTITIES, *MEMORIES])
    assert [each.id for each in seen] in ([], ["rel_s"])
    assert pair[0] == pair[1] or all(each.source != each.target for each in seen)


def test_decisions_stand_from_when_they_were_made_to_when_they_were_undone() -> None:
    made = decided(RelationType.MERGED_INTO, "ent_a", "ent_b", at=2)
    ended = replace(made, retired_at=made.recorded_at + dt.timedelta(days=2))
    known = [Identity([ended], START + dt.timedelta(days=day)).root("ent_a") for day in range(6)]
    assert known == ["ent_a", "ent_a", "ent_b", "ent_b", "ent_a", "ent_a"]
    assert not Identity([ended])
    assert Identity([ended]).undone == {"ent_a", "ent_b"}
    assert Identity([made]).undone == frozenset()


def test_a_decision_about_anything_but_entities_is_ignored() -> None:
    assert not Identity(
        [decided(RelationType.MERGED_INTO, "mem_1", "ent_a"), decided(RelationType.SPLIT_INTO, "ent_a", "ent_b")]
    )
