"""What every store does with memories that lapse: filters, texts that are said again, keys, and the same on every backend."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from msgspec.structs import replace

from ai_memory.errors import InvalidInputError
from ai_memory.store.base import Duplicate, LogEntry, Restore, Store, Stored
from ai_memory.types import MemoryRecord, Selection
from tests.support.store_samples import (
    CLOCK,
    DAY,
    START,
    Reopen,
    digest,
    forget,
    kept,
    one,
    remember,
    retire,
    revise,
    texts,
)

pytest_plugins = ["tests.support.store_backends"]

SOON = START + 10 * DAY
AT = CLOCK.now


def lasting(now: dt.datetime, **more: object) -> Selection:
    return Selection(include_expired=False, now=now, **more)  # type: ignore[arg-type]


def test_what_has_expired_is_left_out_from_its_instant_on(store: Store, reopen: Reopen) -> None:
    kept(store, "lapses", expires_at=SOON)
    kept(store, "stays")
    last = SOON - dt.timedelta(microseconds=1)
    for opened in (store, reopen()):
        assert texts(opened, lasting(last)) == ["lapses", "stays"]
        assert texts(opened, lasting(SOON)) == ["stays"]
        assert texts(opened, Selection()) == ["lapses", "stays"]


def test_an_earlier_time_still_has_it(store: Store) -> None:
    kept(store, "lapses", expires_at=SOON)
    late = SOON + DAY
    assert texts(store, lasting(late, as_of=SOON - DAY)) == ["lapses"]
    assert texts(store, lasting(late, known_at=SOON - DAY)) == ["lapses"]
    assert texts(store, lasting(late, known_at=late, as_of=SOON - DAY)) == ["lapses"]
    assert texts(store, lasting(late, as_of=late)) == []
    assert texts(store, lasting(late, known_at=late)) == []


def test_a_time_that_was_given_in_another_zone(store: Store) -> None:
    kept(store, "lapses", expires_at=SOON)
    tokyo = dt.timezone(dt.timedelta(hours=9))
    assert texts(store, lasting(SOON.astimezone(tokyo))) == []
    assert texts(store, lasting((SOON - DAY).astimezone(tokyo))) == ["lapses"]


def test_without_an_instant_nothing_can_be_left_out(store: Store) -> None:
    kept(store, "a")
    with pytest.raises(InvalidInputError, match="expired"):
        store.select(Selection(include_expired=False), limit=1)


def test_what_lapses_before_an_instant(store: Store) -> None:
    kept(store, "first", expires_at=SOON)
    kept(store, "second", expires_at=SOON + DAY)
    kept(store, "never")
    assert texts(store, Selection(expires_before=SOON)) == []
    assert texts(store, Selection(expires_before=SOON + DAY)) == ["first"]
    assert texts(store, Selection(expires_before=SOON + 2 * DAY)) == ["first", "second"]
    assert texts(store, lasting(SOON, expires_before=SOON + 2 * DAY)) == ["second"]


def test_a_text_is_said_again_once_it_has_lapsed(store: Store) -> None:
    first = kept(store, "again", expires_at=SOON)
    before = one(store, remember("again", at=SOON - DAY))
    assert isinstance(before, Duplicate)
    assert before.record.id == first.id
    after = one(store, remember("again", at=SOON + DAY))
    assert isinstance(after, Stored)
    assert after.memory_id != first.id
    twice = one(store, remember("again", at=SOON + 2 * DAY))
    assert isinstance(twice, Duplicate)
    assert twice.record.id == after.memory_id


def test_a_batch_that_says_a_lapsed_text_twice_stores_it_once(store: Store) -> None:
    kept(store, "again", expires_at=SOON)
    results = store.write([remember("again", at=SOON + DAY), remember("again", at=SOON + DAY)])
    assert [type(each) for each in results] == [Stored, Duplicate]


def test_reviving_a_lapsed_text_that_was_said_again_is_refused(store: Store) -> None:
    old = kept(store, "again", expires_at=SOON)
    new = one(store, remember("again", at=SOON + DAY))
    assert isinstance(new, Stored)
    revived = one(store, revise(old, "again", at=SOON + 2 * DAY))
    assert getattr(revived, "code", None) == "duplicate"
    lapsing = one(store, revise(old, "again", tags=("x",), expires_at=SOON, at=SOON + 2 * DAY))
    assert isinstance(lapsing, Stored)


def test_a_value_of_a_key_is_said_again_once_it_has_lapsed(store: Store) -> None:
    first = kept(store, "Ghent", key="home", expires_at=SOON)
    same = one(store, remember("Ghent", key="home", at=SOON - DAY))
    assert isinstance(same, Duplicate)
    later = one(store, remember("Ghent", key="home", at=SOON + DAY))
    assert isinstance(later, Stored)
    assert later.superseded == (first.id,)


def test_a_lapsed_memory_is_restored_next_to_one_that_says_it_now(store: Store) -> None:
    old = kept(store, "again", expires_at=SOON)
    kept(store, "again", namespace="elsewhere", at=SOON + DAY)
    moved = MemoryRecord(**{name: getattr(old, name) for name in old.__struct_fields__} | {"namespace": "elsewhere"})
    command = Restore(revisions=(moved,), dedup_key=digest("elsewhere", None, None, None, "again"), at=SOON + 2 * DAY)
    assert isinstance(one(store, command), Stored)


def test_the_whole_selection_against_an_oracle(store: Store) -> None:
    dice = random.Random(7)
    made: list[MemoryRecord] = []
    for number in range(60):
        expiry = START + dice.randrange(5, 60) * DAY if dice.random() < 0.6 else None
        made.append(kept(store, f"memory {number}", expires_at=expiry, valid_from=START - dice.randrange(9) * DAY))
    for _ in range(60):
        now = START + dice.randrange(70) * DAY
        as_of = START + dice.randrange(70) * DAY if dice.random() < 0.4 else None
        before = START + dice.randrange(70) * DAY if dice.random() < 0.4 else None
        include = dice.random() < 0.3
        selection = Selection(include_expired=include, now=now, as_of=as_of, expires_before=before)
        wanted = {
            each.id
            for each in made
            if (include or each.expires_at is None or each.expires_at > (as_of or now))
            and (before is None or (each.expires_at is not None and each.expires_at < before))
        }
        assert {each.id for each in store.select(selection, limit=100).memories} == wanted


def test_the_log_in_order_of_time(store: Store) -> None:
    begin = AT()
    made = [kept(store, f"memory {number}", at=begin + (9 - number) * DAY) for number in range(6)]
    kept(store, "elsewhere", namespace="elsewhere", at=begin + 5 * DAY)
    order = [each.id for each in reversed(made)]
    found: list[LogEntry] = []
    place = (begin + 4 * DAY, 0)
    while page := store.log_between("default", after=place, until=begin + 9 * DAY, limit=2):
        assert len(page) <= 2
        found += page
        place = (page[-1].at, page[-1].sequence)
    assert [each.memory_id for each in found] == order[:-1], "from an instant on, until just before another"
    assert [each for each in store.log(namespace="default") if each in found] == sorted(
        found, key=lambda each: each.sequence
    )
    assert store.log_between("nowhere", after=(begin, 0), until=begin + 9 * DAY, limit=9) == []


def test_what_lapsed_while_it_was_current(store: Store) -> None:
    begin = AT()
    first = kept(store, "first", at=begin, expires_at=begin + 3 * DAY)
    kept(store, "second", at=begin, expires_at=begin + 2 * DAY)
    kept(store, "never", at=begin)
    retired = kept(store, "retired", at=begin, expires_at=begin + 4 * DAY)
    one(store, retire(retired, at=begin + DAY))
    late = kept(store, "retired later", at=begin, expires_at=begin + 5 * DAY)
    one(store, retire(late, at=begin + 6 * DAY))
    kept(store, "ended", at=begin, expires_at=begin + 4 * DAY, valid_to=begin + DAY)
    kept(store, "lapsed before it was stored", at=begin, expires_at=begin - DAY)
    one(store, revise(first, "first", expires_at=begin + 8 * DAY, at=begin + 4 * DAY))

    def lapsed(after: tuple[dt.datetime, int], until: dt.datetime, limit: int = 9) -> list[str]:
        return [each.record.text for each in store.lapsed("default", after=after, until=until, limit=limit)]

    start = (begin - 9 * DAY, 0)
    assert lapsed(start, begin + 9 * DAY) == ["second", "first", "retired later", "first"]
    assert lapsed(start, begin + 3 * DAY) == ["second"]
    assert lapsed((begin + 3 * DAY, 0), begin + 8 * DAY) == ["first", "retired later"]
    (only,) = store.lapsed("default", after=start, until=begin + 9 * DAY, limit=1)
    assert lapsed((begin + 2 * DAY, only.key), begin + 9 * DAY, limit=2) == ["first", "retired later"]
    assert store.lapsed("nowhere", after=start, until=begin + 9 * DAY, limit=9) == []


def test_what_is_pinned(store: Store) -> None:
    kept(store, "pinned", pinned=True)
    kept(store, "not pinned")
    assert texts(store, Selection(pinned=True)) == ["pinned"]
    assert texts(store, Selection(pinned=False)) == ["not pinned"]


def test_what_lapsed_is_erased_without_a_tombstone(store: Store) -> None:
    made = kept(store, "lapsed")
    assert isinstance(one(store, replace(forget(made), lapsed=True)), Stored)
    assert store.tombstoned("default", ["lapsed"]) == [False]
    assert store.revisions("default", made.id) == []
    assert isinstance(one(store, remember("lapsed")), Stored)
