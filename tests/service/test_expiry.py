"""Memories that lapse, through the service: how it is asked for, what answers show from that instant on, and what stays.

The clock is moved by hand, and nothing is opened anew but where a test says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import InvalidInputError, NotFoundError
from ai_memory.clock import ManualClock
from ai_memory.python.methods import Methods
from ai_memory.service.acting import Acting
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.truth.ageing import policies_of
from ai_memory.types import Actor, MemoryRecord, Outcome
from ai_memory.wiring import open_service
from tests.support.store_samples import DAY, Reopen

pytest_plugins = ["tests.support.store_backends"]

POLICIES = {"working": "1d", "/scratch": "2h", "/scratch/kept": "never"}
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def memory(reopen: Reopen, clock: ManualClock) -> Iterator[Methods]:
    service = Service(reopen(), None, clock=clock, policies=policies_of(POLICIES))
    yield Methods(Acting(service, Actor.PERSON))
    service.close()


def seen(memory: Methods, **filters: Any) -> set[str]:
    """The texts that recall, list and timeline show, which must agree."""
    listed = {each.text for each in memory.list(**filters).memories}
    recalled = {hit.memory.text for hit in memory.recall("note", limit=50, **{"include_ended": True, **filters}).hits}
    sampled = {each.text for bucket in memory.timeline(samples=20, **filters).buckets for each in bucket.memories}
    assert listed == recalled == sampled
    return listed


def test_it_is_left_out_as_soon_as_the_moment_passes(memory: Methods, clock: ManualClock) -> None:
    receipt = memory.remember("a note that lapses", ttl="7d")
    memory.remember("a note that stays")
    assert receipt.expires_at is not None
    assert seen(memory) == {"a note that lapses", "a note that stays"}
    clock.advance(7 * DAY - HOUR)
    assert seen(memory) == {"a note that lapses", "a note that stays"}
    clock.advance(HOUR)
    assert seen(memory) == {"a note that stays"}
    assert seen(memory, include_expired=True) == {"a note that lapses", "a note that stays"}
    assert memory.get(receipt.memory_id or "").text == "a note that lapses"


def test_an_expired_hit_says_so_and_an_answer_says_what_it_left_out(memory: Methods, clock: ManualClock) -> None:
    memory.remember("the note about tides", ttl="60")
    clock.advance(HOUR)
    answer = memory.recall("tides")
    assert answer.hits == ()
    assert "expired_left_out" in {notice.code for notice in answer.notices}
    (hit,) = memory.recall("tides", include_expired=True).hits
    assert hit.validity == "expired"
    assert memory.recall("tides", include_expired=True, format="context").context is not None


def test_questions_about_an_earlier_time_still_see_it(memory: Methods, clock: ManualClock) -> None:
    start = clock.now()
    memory.remember("a note that lapses", ttl="1d")
    clock.advance(3 * DAY)
    assert seen(memory, as_of=start + HOUR) == {"a note that lapses"}
    assert seen(memory, known_at=start + HOUR) == {"a note that lapses"}
    assert seen(memory, known_at=start + 2 * DAY) == set()
    assert memory.recall("note", as_of=start + HOUR).hits[0].validity == "current"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ttl": "7d", "expires_at": "2030-01-01"}, "both"),
        ({"expires_at": "2020-01-01"}, "has passed"),
        ({"ttl": "0"}, "out of range"),
        ({"ttl": 0}, "out of range"),
        ({"ttl": -5}, "no length of time"),
        ({"ttl": "-7d"}, "no length of time"),
        ({"ttl": float("nan")}, "no length of time"),
        ({"ttl": float("inf")}, "no length of time"),
        ({"ttl": "99999999999d"}, "out of range"),
        ({"ttl": 10**30}, "out of range"),
        ({"ttl": "1 2d"}, "no length of time"),
        ({"ttl": "9" * 50}, "no length of time"),
        ({"ttl": "101 years"}, "out of range"),
        ({"ttl": "soon"}, "no length of time"),
        ({"ttl": "7 fortnights"}, "no length of time"),
        ({"ttl": True}, "ttl"),
        ({"ttl": ["7d"]}, "ttl"),
        ({"expires_at": "9999-12-31"}, "out of range"),
        ({"expires_at": "never"}, "not a date"),
        ({"pinned": "maybe"}, "pinned"),
    ],
)
def test_what_cannot_be_meant_is_refused(memory: Methods, given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        memory.remember("a note", **given)
    kept = memory.remember("another note").memory_id or ""
    with pytest.raises(InvalidInputError, match=words):
        memory.revise(kept, **given)
    assert seen(memory) == {"another note"}


@pytest.mark.parametrize(
    ("ttl", "seconds"),
    [("90", 90), (90, 90), (1.5, 1.5), ("1h 30m", 5400), ("12 hours", 43_200), ("1 week", 604_800), ("2w", 1_209_600),
     ("1 month", 2_592_000), ("1 year", 31_536_000), (" 7D ", 604_800), (dt.timedelta(days=2), 172_800)],
)  # fmt: skip
def test_a_length_of_time_counts_from_the_service_s_clock(
    memory: Methods, clock: ManualClock, ttl: Any, seconds: float
) -> None:
    before = clock.now()
    expiry = memory.remember("a note", ttl=ttl).expires_at
    assert expiry is not None
    assert 0 <= (expiry - before).total_seconds() - seconds < 0.01


def test_an_expiry_is_changed_and_taken_away(memory: Methods, clock: ManualClock) -> None:
    kept = memory.remember("a note", ttl="1d").memory_id or ""
    later = memory.revise(kept, ttl="10d").expires_at
    assert later is not None
    assert later > clock.now() + 9 * DAY
    assert memory.revise(kept, text="a note, longer").expires_at == later
    assert memory.revise(kept, expires_at=None).expires_at is None
    assert memory.revise(kept, ttl="1h").expires_at is not None
    assert memory.revise(kept, ttl="never").expires_at is None
    assert [each.expires_at is None for each in memory.history(kept).revisions] == [
        False,
        False,
        False,
        True,
        False,
        True,
    ]


def test_what_has_lapsed_is_revived_by_its_id(memory: Methods, clock: ManualClock) -> None:
    kept = memory.remember("a note", ttl="1d").memory_id or ""
    clock.advance(2 * DAY)
    assert memory.revise(kept, tags=["x"]).expires_at is not None
    assert seen(memory) == set()
    memory.revise(kept, expires_at=None)
    assert seen(memory) == {"a note"}


def test_new_working_memories_lapse_after_a_day_and_the_receipt_says_so(memory: Methods, clock: ManualClock) -> None:
    start = clock.now()
    receipt = memory.remember("a working note", type="working")
    assert receipt.expires_at is not None
    assert DAY <= receipt.expires_at - start < DAY + HOUR
    again = memory.remember("a working note", type="working")
    assert (again.outcome, again.expires_at, again.differs) == (Outcome.DUPLICATE_OF, receipt.expires_at, ())
    assert memory.remember("a lasting note").expires_at is None
    batch = memory.remember_many(
        [{"text": "one note", "type": "working"}, {"text": "two note", "type": "working", "ttl": "2d"}]
    )
    assert [each.expires_at is not None for each in batch.receipts] == [True, True]
    clock.advance(DAY + HOUR)
    assert seen(memory) == {"a lasting note", "two note"}


def test_defaults_pass_over_what_is_pinned_or_says_never(memory: Methods, clock: ManualClock) -> None:
    assert memory.remember("pinned note", type="working", pinned=True).expires_at is None
    assert memory.remember("endless note", type="working", ttl="never").expires_at is None
    assert memory.remember("pinned note that lapses", pinned=True, ttl="2h").expires_at is not None
    clock.advance(30 * DAY)
    assert seen(memory) == {"pinned note", "endless note"}


def test_pinning_later_takes_a_default_away(memory: Methods, clock: ManualClock) -> None:
    kept = memory.remember("a working note", type="working").memory_id or ""
    assert memory.revise(kept, pinned=True).expires_at is None
    assert memory.get(kept).pinned
    assert memory.revise(kept, pinned=False).expires_at is None
    assert memory.revise(kept, pinned=True, ttl="1h").expires_at is not None


def test_a_context_decides_before_the_type(memory: Methods, clock: ManualClock) -> None:
    start = clock.now()
    near = memory.remember("first note", type="working", context="Scratch/x").expires_at
    assert near is not None
    assert near - start < 3 * HOUR
    assert memory.remember("second note", context="scratch").expires_at is not None
    assert memory.remember("third note", type="working", context="scratch/kept/deep").expires_at is None
    assert memory.remember("fourth note", context="scratchpad").expires_at is None


def test_a_change_of_type_and_an_import_are_not_new(memory: Methods) -> None:
    kept = memory.remember("a note").memory_id or ""
    assert memory.revise(kept, type="working").expires_at is None
    report = memory.import_lines(['{"text": "imported note", "type": "working"}'])
    assert report.counts["stored"] == 1
    assert {each.expires_at for each in memory.list().memories} == {None}


def test_an_import_keeps_what_has_lapsed_by_now(memory: Methods) -> None:
    lines = [
        '{"text": "old note", "expires_at": "2020-01-01", "pinned": "yes"}',
        '{"text": "due note", "expires": "2019-05-01"}',
    ]
    assert memory.import_lines(lines).counts["stored"] == 2
    assert seen(memory) == set()
    assert seen(memory, include_expired=True) == {"old note", "due note"}
    assert {each.pinned for each in memory.list(include_expired=True).memories} == {True, False}


def test_the_value_of_a_key_that_has_lapsed_is_none(memory: Methods, clock: ManualClock) -> None:
    memory.remember("Ghent note", key="city", ttl="1d")
    assert memory.get("key:city").text == "Ghent note"
    clock.advance(2 * DAY)
    with pytest.raises(NotFoundError, match="has no value at that time"):
        memory.get("key:city")
    assert memory.remember("Ghent note", key="city").outcome is Outcome.SUPERSEDED
    assert memory.get("key:city").expires_at is None


def test_forgetting_by_filter_reaches_what_has_lapsed(memory: Methods, clock: ManualClock) -> None:
    memory.remember("lapsed note", ttl="1h")
    memory.remember("lasting note")
    clock.advance(DAY)
    assert memory.forget_many(everything=True).states == {"current": 1, "expired": 1}
    assert memory.forget_many(expires_before=clock.now(), dry_run=False).states == {"expired": 1}
    assert memory.forget_many(everything=True, include_expired=False).forgotten == 1


def test_get_as_of_a_time_after_it_lapsed_says_when(memory: Methods, clock: ManualClock) -> None:
    start = clock.now()
    kept = memory.remember("a note", ttl="1d").memory_id or ""
    assert memory.get(kept, as_of=start + HOUR).id == kept
    with pytest.raises(NotFoundError, match="was not true"):
        memory.get(kept, as_of=start + 2 * DAY)


def test_a_saved_index_knows_what_lapses(tmp_path: Path, clock: ManualClock) -> None:
    settings = Settings(data_dir=tmp_path, model="none", snapshot_rows=1)
    for opened in range(2):
        service = open_service(settings, clock=clock)
        memory = Methods(Acting(service, Actor.PERSON))
        if not opened:
            drafts: list[dict[str, Any]] = [{"text": f"note number {number}"} for number in range(1_200)]
            memory.remember_many([*drafts, {"text": "lapsing note", "ttl": "1d"}])
            assert memory.recall("lapsing").hits
        else:
            assert memory.recall("lapsing note").hits[0].memory.text == "lapsing note"
            clock.advance(2 * DAY)
            assert "lapsing note" not in {hit.memory.text for hit in memory.recall("lapsing note").hits}
        service.close()
    assert list(tmp_path.glob("memory.db.index/*")), "the index was saved"


def test_two_services_of_one_store_agree(memory: Methods, reopen: Reopen, clock: ManualClock) -> None:
    other = Service(reopen(), None, clock=clock)
    memory.remember("a note", ttl="1d")
    assert [hit.memory.text for hit in Methods(Acting(other, Actor.AGENT)).recall("note").hits] == ["a note"]
    clock.advance(2 * DAY)
    assert Methods(Acting(other, Actor.AGENT)).recall("note").hits == ()
    other.close()


def texts(memory: Methods, **fields: Any) -> list[str]:
    return [each.text for each in memory.list(order="oldest", **fields).memories]


def test_what_lapses_soon(memory: Methods, clock: ManualClock) -> None:
    memory.remember("soon", ttl="3d")
    memory.remember("later", ttl="30d")
    memory.remember("lapsed", ttl="1h")
    memory.remember("never")
    clock.advance(DAY)
    assert texts(memory, expiring="7d") == ["soon"]
    assert texts(memory, expiring="60 days") == ["soon", "later"]
    assert texts(memory, expiring="7d", include_expired=True) == ["soon", "lapsed"]
    assert texts(memory, expiring="100 years") == ["soon", "later"]
    with pytest.raises(InvalidInputError, match="no length of time"):
        memory.list(expiring="soon")


def test_what_nothing_has_confirmed_for_long(memory: Methods, clock: ManualClock) -> None:
    said = "Ada keeps her bicycle in the shed"
    memory.remember(said, session="one")
    revised = memory.remember("The old text of a note").memory_id or ""
    memory.remember("Ada once lived in Ghent", valid_to=clock.now() + HOUR)
    memory.remember("A note that is pinned", pinned=True)
    memory.remember("A note that nobody came back to")
    assert texts(memory, stale="1h") == []
    clock.advance(100 * DAY)
    assert set(texts(memory, stale="90d")) == {said, "The old text of a note", "A note that nobody came back to"}
    memory.remember(said.upper(), session="two")
    memory.revise(revised, tags=["x"])
    assert texts(memory, stale="90d") == ["A note that nobody came back to"]
    assert texts(memory, stale="101d") == []
    assert texts(memory, stale="99 years") == []


def test_pages_of_what_is_aged_count_from_the_first_page(memory: Methods, clock: ManualClock) -> None:
    for number in range(5):
        memory.remember(f"note number {number}", ttl="10d")
    clock.advance(DAY)
    found: list[MemoryRecord] = []
    cursor: str | None = None
    while True:
        page = memory.list(expiring="9d", limit=2, cursor=cursor)
        found += page.memories
        cursor = page.cursor
        clock.advance(HOUR)
        if cursor is None:
            break
    assert len(found) == 5
    for wrong in ("x", "x.y", "9" * 40 + ".y"):
        with pytest.raises(InvalidInputError, match="cursor"):
            memory.list(expiring="9d", cursor=wrong)
