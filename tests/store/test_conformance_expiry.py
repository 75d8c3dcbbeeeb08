"""What every store does with memories that lapse: filters, texts that are said again, keys, and the same on every backend."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from ai_memory.errors import InvalidInputError
from ai_memory.store.base import Duplicate, Restore, Store, Stored
from ai_memory.types import MemoryRecord, Selection
from tests.support.store_samples import CLOCK, DAY, START, Reopen, digest, kept, one, remember, revise, texts

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
