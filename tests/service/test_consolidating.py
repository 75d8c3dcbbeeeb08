"""Summing up: a digest with citations that is erased with its sources, copies proposed, facts that changed; on both stores."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ai_memory import InvalidInputError, Memory
from ai_memory.clock import ManualClock
from ai_memory.inbox import ProposalKind
from ai_memory.operations.inbox import Digest
from ai_memory.python.methods import Methods
from ai_memory.service.acting import Acting
from ai_memory.service.service import Service
from ai_memory.store.base import Rejected
from ai_memory.types import Actor, MemoryType, RelationType
from tests.support.store_samples import DAY, Reopen, one, remember

pytest_plugins = ["tests.support.store_backends"]

SAID = (
    "Mara and I planned the move to Ghent.",
    "The van is booked for the third of May at eight in the morning.",
    "The flat near the canal costs 980 euros a month.",
    "the van is booked for the third of May at eight in the morning",
    "What should we pack first?",
    "The landlord is called Pieter and wants a deposit of two months.",
)


@pytest.fixture(params=["sqlite", "neo4j-newest"])
def backend(request: pytest.FixtureRequest) -> str:
    """One line of Neo4j is enough here."""
    return str(request.param)


@pytest.fixture
def service(reopen: Reopen, clock: ManualClock) -> Iterator[Service]:
    made = Service(reopen(), None, clock=clock)
    yield made
    made.close()


@pytest.fixture
def memory(service: Service) -> Methods:
    return Methods(Acting(service, Actor.PERSON))


def told(memory: Methods, clock: ManualClock, *texts: str, **fields: Any) -> list[str]:
    ids = []
    for text in texts or SAID:
        ids.append(str(memory.remember(text, **{"session": "move", **fields}).memory_id))
        clock.advance(DAY)
    return ids


def only(memory: Methods, **fields: Any) -> Digest:
    (digest,) = memory.consolidate(**{"session": "move", **fields}).digests
    return digest


def test_a_dry_run_shows_and_writes_nothing(memory: Methods, service: Service, clock: ManualClock) -> None:
    ids = told(memory, clock)
    before = service._parts.store.sequence()
    shown = memory.consolidate(session="move")
    assert service._parts.store.sequence() == before
    assert shown.dry_run
    assert shown.memories == 6
    (digest,) = shown.digests
    assert (digest.outcome, digest.memory_id) == (None, None)
    assert digest.text.splitlines()[0] == "2026-01-01: Mara and I planned the move to Ghent. [1]"
    assert "?" not in digest.text
    assert digest.sources == (ids[0], ids[1], ids[2], ids[5])
    (copy,) = shown.repeated
    assert (copy.id, copy.of, copy.proposal) == (ids[3], ids[1], None)


def test_it_is_kept_as_an_insight_that_names_its_sources_and_a_second_time_changes_nothing(
    memory: Methods, service: Service, clock: ManualClock
) -> None:
    ids = told(memory, clock)
    made = memory.consolidate(session="move", dry_run=False)
    (digest,) = made.digests
    assert digest.outcome == "stored"
    kept = memory.get(str(digest.memory_id))
    assert (kept.type, kept.session, kept.key) == (MemoryType.INSIGHT, "move", "digest/session/move")
    assert kept.attributes["derived_from"] == list(digest.sources)
    (copy,) = made.repeated
    assert copy.proposal is not None
    assert (copy.proposal.kind, copy.proposal.memory_id) == (ProposalKind.COPY, ids[3])
    edges = service._parts.store.relations("default", [kept.id], types=[RelationType.DIGEST_OF])
    assert sorted(each.target for each in edges) == sorted(digest.sources)
    before = service._parts.store.sequence()
    clock.advance(DAY)
    again = memory.consolidate(session="move", dry_run=False)
    assert again.digests[0].outcome == "duplicate_of"
    assert again.digests[0].memory_id == kept.id
    assert service._parts.store.sequence() == before
    assert [memory.get(each).retired_at for each in ids] == [None] * 6, "the sources stay"
    assert service.doctor() == ()


def test_what_was_said_since_makes_another_one_that_supersedes_it(memory: Methods, clock: ManualClock) -> None:
    told(memory, clock)
    first = only(memory, dry_run=False)
    told(memory, clock, "The electricity contract ends on the last day of April.")
    second = only(memory, dry_run=False)
    assert second.outcome == "superseded"
    assert "electricity" in second.text
    assert memory.get(str(first.memory_id)).valid_to is not None


def test_forgetting_a_source_erases_the_digests_that_repeat_it_and_the_ended_ones(
    memory: Methods, service: Service, clock: ManualClock
) -> None:
    ids = told(memory, clock)
    first = only(memory, dry_run=False)
    told(memory, clock, "The electricity contract ends on the last day of April.")
    second = only(memory, dry_run=False)
    assert memory.recall("deposit of the landlord").hits
    memory.forget(ids[5])
    for digest in (first, second):
        assert service._parts.store.get("default", [str(digest.memory_id)]) == [None]
    assert all("deposit" not in hit.memory.text for hit in memory.recall("deposit of the landlord").hits)
    made = only(memory, dry_run=False)
    assert made.outcome == "stored"
    assert "deposit" not in made.text
    assert service.doctor() == ()


def test_forgetting_many_erases_them_too(memory: Methods, service: Service, clock: ManualClock) -> None:
    told(memory, clock, tags=["gone"])
    digest = only(memory, dry_run=False)
    memory.forget_many(tags=["gone"], dry_run=False, allow_share=1.0)
    assert service._parts.store.get("default", [str(digest.memory_id)]) == [None]
    assert memory.stats().memories == 0
    assert service.doctor() == ()


def test_no_digest_of_what_is_gone_meanwhile(service: Service, memory: Methods, clock: ManualClock) -> None:
    (kept, gone) = told(memory, clock, "It stays.", "It goes.")
    memory.forget(gone)
    command = replace(remember("It stays. It goes."), sources=(kept, gone))
    refused = one(service._parts.store, command)
    assert isinstance(refused, Rejected)
    assert refused.code == "not_found"


def test_undone_by_forgetting_the_digest_answers_are_byte_for_byte_as_before(
    memory: Methods, clock: ManualClock
) -> None:
    told(memory, clock)
    now = clock.now() + DAY
    asked = ("When is the van booked?", "landlord", "move to Ghent")
    before = [memory.recall(each, now=now, session="move", explain=True).answer_hash for each in asked]
    digest = only(memory, dry_run=False)
    assert [memory.recall(each, now=now, session="move", explain=True).answer_hash for each in asked] != before
    memory.forget(str(digest.memory_id))
    assert [memory.recall(each, now=now, session="move", explain=True).answer_hash for each in asked] == before


def test_users_never_meet_and_what_lapses_is_left_out(memory: Methods, clock: ManualClock) -> None:
    told(memory, clock, "Ann collects stamps from Peru.", user="ann")
    told(memory, clock, "Bo collects coins from Chile.", user="bo")
    told(memory, clock, "The door code is four two one.", user="bo", ttl="30d")
    found = memory.consolidate(session="move", dry_run=False)
    assert [(each.user, len(each.sources)) for each in found.digests] == [("ann", 1), ("bo", 1)]
    assert not any("door code" in each.text for each in found.digests)
    assert "Peru" not in found.digests[1].text
    assert [each.user for each in memory.consolidate(session="move", user="ann").digests] == ["ann"]


def test_facts_that_changed_are_shown_oldest_first(memory: Methods, clock: ManualClock) -> None:
    (old,) = told(memory, clock, "I live in Berlin.")
    (middle,) = told(memory, clock, "I live in Ghent now.", supersedes=[old])
    (new,) = told(memory, clock, "I live in Lisbon now.", supersedes=[middle])
    found = memory.consolidate(session="move")
    ((first, second, third),) = found.changed
    assert [first.id, second.id, third.id] == [old, middle, new]
    assert (first.until, second.until, third.until) == (second.since, third.since, None)
    (digest,) = found.digests
    assert "2026-01-01 → 2026-01-02: I live in Berlin. [1]" in digest.text.splitlines()


def test_a_topic_and_a_context(memory: Methods, clock: ManualClock) -> None:
    told(memory, clock, context="work/atlas")
    told(memory, clock, "Tulips need water twice a week.", context="home", session="garden")
    assert memory.consolidate(context="work").memories == 6
    found = memory.consolidate(topic="van booked for May", dry_run=False)
    assert "van" in found.digests[0].text
    assert "Tulips" not in found.digests[0].text
    assert memory.consolidate(topic="van booked for May", dry_run=False).digests[0].outcome == "duplicate_of"
    assert memory.consolidate(session="nothing of it").digests == ()


def test_a_digest_takes_no_part_in_what_is_true(memory: Methods, clock: ManualClock) -> None:
    (old,) = told(memory, clock, "Ann works in Berlin.")
    digest = only(memory, dry_run=False)
    receipt = memory.remember("Ann now works in Munich.")
    assert str(digest.memory_id) not in {each.id for each in receipt.similar}
    assert old in {each.id for each in receipt.similar}


def test_a_digest_states_nothing_in_the_graph(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="none") as memory:
        source = str(memory.remember("Ada Lovelace works at Initech.", session="s").memory_id)
        digest = memory.consolidate(session="s", dry_run=False).digests[0]
        found = {each: memory.neighbours(each).neighbours for each in (source, str(digest.memory_id))}
        assert "Ada Lovelace" in {each.label for each in found[source]}
        assert {each.relation.type for each in found[str(digest.memory_id)]} == {"DIGEST_OF"}


@pytest.mark.parametrize("fields", [{}, {"session": "a", "topic": "b"}, {"session": "a", "context": ""}])
def test_one_of_three_is_asked_for(memory: Methods, fields: dict[str, Any]) -> None:
    if fields == {"session": "a", "context": ""}:
        assert memory.consolidate(**fields).memories == 0, "an empty one is not given"
        return
    with pytest.raises(InvalidInputError, match="session, a topic or a context"):
        memory.consolidate(**fields)


def test_the_relation_of_a_digest_is_not_for_callers(memory: Methods, clock: ManualClock) -> None:
    first, second = told(memory, clock, "one note", "another note")
    with pytest.raises(InvalidInputError, match="reserved for digests"):
        memory.relate(first, second, type="DIGEST_OF")


def test_the_zone_of_dates_is_the_users(reopen: Reopen, clock: ManualClock) -> None:
    zone = dt.timezone(dt.timedelta(hours=13))
    service = Service(reopen(), None, clock=clock, zone=zone)
    memory = Methods(Acting(service, Actor.PERSON))
    told(memory, clock, "A note of the evening.")
    assert only(memory).text == "2026-01-02: A note of the evening. [1]"
    service.close()
