"""The contract of ai_memory/store/base.py on every backend: what supersedes what, facts that come back, and who wrote each."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from msgspec.structs import replace

from ai_memory.store.base import Action, Duplicate, Once, Rejected, Relate, Restore, Store, Stored, Unchanged
from ai_memory.types import Actor, MemoryRecord, RelationType, Selection
from tests.support.store_samples import (
    CLOCK,
    DAY,
    START,
    digest,
    kept,
    one,
    relate,
    related,
    remember,
    retire,
    revise,
    texts,
)

pytest_plugins = ["tests.support.store_backends"]


def now(store: Store, memory: MemoryRecord) -> MemoryRecord:
    (found,) = store.get(memory.namespace, [memory.id])
    assert found is not None
    return found


def superseded_by(store: Store, memory: MemoryRecord) -> list[str]:
    found = store.relations(memory.namespace, [memory.id], types=[RelationType.SUPERSEDES])
    return [each.source for each in found if each.target == memory.id]


# ── supersede ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_that_is_there_already_supersedes_what_it_is_said_to_supersede(store: Store) -> None:
    old, there = kept(store, "the port is 80"), kept(store, "the port is 443")
    command = remember("the port is 443", supersedes=(old.id,))
    result = one(store, command)
    assert isinstance(result, Duplicate)
    assert (result.record.id, result.superseded, result.ended_before) == (there.id, (old.id,), ())
    assert now(store, old).valid_to == command.at
    assert superseded_by(store, old) == [there.id]
    again = one(store, remember("the port is 443", supersedes=(old.id,)))
    assert isinstance(again, Duplicate)
    assert (again.superseded, again.ended_before) == ((), (old.id,))
    assert superseded_by(store, old) == [there.id]
    assert now(store, old).valid_to == command.at


def test_two_duplicates_in_one_batch_join_what_they_supersede_once(store: Store) -> None:
    old, there = kept(store, "the port is 80"), kept(store, "the port is 443")
    store.write([remember("the port is 443", supersedes=(old.id,)) for _ in range(2)])
    assert superseded_by(store, old) == [there.id]


def test_a_text_does_not_supersede_itself(store: Store) -> None:
    there = kept(store, "the port is 443")
    result = one(store, remember("the port is 443", supersedes=(there.id,)))
    assert isinstance(result, Duplicate)
    assert (result.superseded, result.ended_before) == ((), ())
    assert now(store, there).valid_to is None
    assert superseded_by(store, there) == []


def test_what_had_ended_before_is_not_said_to_be_superseded(store: Store) -> None:
    ended = kept(store, "the port was 8080", valid_to=START - DAY)
    gone, live = kept(store, "the port was 81"), kept(store, "the port is 80")
    one(store, retire(gone))
    result = one(store, remember("the port is 443", supersedes=(ended.id, gone.id, live.id)))
    assert isinstance(result, Stored)
    assert (result.superseded, result.ended_before) == ((live.id,), (ended.id, gone.id))
    assert now(store, ended).valid_to == START - DAY
    assert [len(superseded_by(store, each)) for each in (ended, gone, live)] == [1, 1, 1]


# ── a fact that came back ────────────────────────────────────────────────────────────────────────────────────────────────


def came_back(store: Store) -> tuple[MemoryRecord, MemoryRecord]:
    first = kept(store, "Ann lives in Berlin", valid_from=START - 900 * DAY, valid_to=START - 500 * DAY)
    return first, kept(store, "Ann lives in Berlin", valid_from=START - 100 * DAY)


def test_the_dates_of_either_period_of_a_fact_can_be_revised(store: Store) -> None:
    first, second = came_back(store)
    earlier = revise(first, first.text, valid_from=first.valid_from, valid_to=START - 400 * DAY)
    assert isinstance(one(store, earlier), Stored)
    ended = revise(second, second.text, valid_from=second.valid_from, valid_to=START - DAY)
    assert isinstance(one(store, ended), Stored)
    assert (now(store, first).valid_to, now(store, second).valid_to) == (START - 400 * DAY, START - DAY)


def test_a_revision_that_makes_two_periods_one_is_refused(store: Store) -> None:
    first, second = came_back(store)
    for twin in (revise(first, first.text), revise(second, second.text, valid_to=first.valid_to)):
        result = one(store, twin)
        assert isinstance(result, Rejected)
        assert result.code == "duplicate"


# ── who wrote it ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_write_names_who_wrote_it(store: Store) -> None:
    command = remember("the port is 80")
    (stored,) = store.write([command], actor=Actor.PERSON)
    assert isinstance(stored, Stored)
    assert stored.record is not None
    assert stored.record.actor is Actor.PERSON
    store.write([revise(stored.record, "the port is 81")], actor=Actor.AGENT)
    store.write([remember("the port is 443", supersedes=(command.id,))], actor=Actor.IMPORT)
    unknown = kept(store, "said by nobody")
    history = store.revisions("default", command.id)
    assert [each.actor for each in history] == [Actor.PERSON, Actor.AGENT, Actor.IMPORT]
    assert now(store, unknown).actor is Actor.UNKNOWN
    everywhere = [
        [each.actor for each in store.select(Selection(), limit=9, newest_first=False).memories],
        [each.record.actor for each in store.live_revisions() if each.record.retired_at is None],
        [each.actor for each in store.export() if isinstance(each, MemoryRecord) and each.retired_at is None],
    ]
    assert [sorted(actors) for actors in everywhere] == [["import", "import", "unknown"]] * 3
    entries = store.log()
    loaded = store.load([key for entry in entries for key in entry.keys])
    assert {revision.record.actor for revision in loaded.values()} == set(Actor) - {Actor.EXTRACTION, Actor.POLICY}


def test_a_restored_history_keeps_who_wrote_it(store: Store) -> None:
    at = CLOCK.now()
    record = MemoryRecord(
        id="mem_restored",
        namespace="default",
        text="t",
        created_at=at,
        recorded_at=at,
        content_hash="00",
        actor=Actor.PERSON,
    )
    keys: dict[str, Any] = {"dedup_key": digest("t"), "at": CLOCK.now()}
    store.write([Restore(revisions=(record,), **keys)], actor=Actor.IMPORT)
    assert store.revisions("default", "mem_restored") == [record]
    assert [entry.action for entry in store.log()] == [Action.RESTORED]
    other = replace(record, actor=Actor.UNKNOWN)
    (again,) = store.write([Restore(revisions=(other,), **keys)], actor=Actor.IMPORT)
    assert again == Unchanged(record=record)


def test_a_relation_names_who_made_it(store: Store) -> None:
    one_, other = kept(store, "one"), kept(store, "other")
    (made,) = store.write([relate(one_.id, other.id, "LIKES")], actor=Actor.PERSON)
    (archived,) = store.write([relate(one_.id, other.id, "HATES", actor=Actor.AGENT)], actor=Actor.IMPORT)
    (unsaid,) = store.write([relate(one_.id, other.id, "KNOWS")], actor=Actor.IMPORT)
    (again,) = store.write([relate(one_.id, other.id, "LIKES")], actor=Actor.AGENT)
    assert isinstance(made, Stored)
    assert again == Unchanged(relation=made.relation)
    (new,) = store.write([remember("new", supersedes=(one_.id,))], actor=Actor.AGENT)
    assert isinstance(new, Stored)
    found = {each.type: each.actor for each in store.relations("default", [one_.id])}
    assert found == {
        "LIKES": Actor.PERSON, "HATES": Actor.AGENT, "KNOWS": Actor.IMPORT, "SUPERSEDES": Actor.AGENT,
    }  # fmt: skip
    for result in (made, archived, unsaid):
        assert isinstance(result, Stored)
        assert result.relation is not None
        assert result.relation.actor is found[result.relation.type]
        (same,) = store.write([Relate(relation=replace(result.relation, actor=Actor.POLICY))])
        assert same == Unchanged(relation=result.relation)


@pytest.mark.parametrize("actor", [Actor.PERSON, Actor.AGENT])
def test_an_idempotent_write_names_who_wrote_it(store: Store, actor: Actor) -> None:
    command = remember("once")
    once = Once(namespace="default", key=b"key", request=b"digest")
    store.write_idempotent(once, [command], lambda results: b"done", actor=actor)
    assert store.revisions("default", command.id)[0].actor is actor


# ── whose days ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("hours", [-11, -7, 0, 5, 14])
def test_a_plain_date_is_compared_as_a_day_of_the_filters_zone(store: Store, hours: int) -> None:
    zone = dt.timezone(dt.timedelta(hours=hours))
    plain = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    midnight, before = plain.replace(tzinfo=zone), plain.replace(tzinfo=zone) - dt.timedelta(seconds=1)
    kept(store, "until May", valid_from=plain - DAY, valid_to=plain)
    kept(store, "from May", valid_from=plain)
    kept(store, "a moment before", valid_from=before)
    kept(store, "a moment after", valid_from=midnight + dt.timedelta(seconds=1))

    def found(**filters: Any) -> set[str]:
        return set(texts(store, Selection(**filters)))

    assert found(occurred_after=midnight) == {"from May", "a moment after"}
    assert found(occurred_before=midnight) == {"until May", "a moment before"}
    assert found(as_of=midnight) == {"from May", "a moment before"}
    assert found(as_of=before) == {"until May", "a moment before"}
    assert found(now=midnight, include_ended=False) == {"from May", "a moment before", "a moment after"}
    assert found(now=before, include_ended=False) == {"until May", "from May", "a moment before", "a moment after"}


@pytest.mark.parametrize("hours", [-11, 0, 14])
def test_relations_hold_by_days_of_the_zone_too(store: Store, hours: int) -> None:
    midnight = dt.datetime(2026, 5, 1, tzinfo=dt.timezone(dt.timedelta(hours=hours)))
    plain = midnight.replace(tzinfo=dt.UTC)
    one, other = kept(store, "one"), kept(store, "other")
    old = related(store, relate(one.id, other.id, "LIKES", valid_to=plain))
    new = related(store, relate(one.id, other.id, "HATES", valid_from=plain))

    def held(at: dt.datetime) -> list[str]:
        return [each.id for each in store.relations("default", [one.id], as_of=at)]

    assert held(midnight) == [new.id]
    assert held(midnight - dt.timedelta(seconds=1)) == [old.id]
