"""The contract of ai_memory/store/base.py on every backend: a key has one value at any moment, whatever arrives first."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from typing import NamedTuple

from msgspec.structs import replace

from ai_memory.store.base import Duplicate, Rejected, Remember, Restore, Store, Stored, Unchanged
from ai_memory.types import MemoryRecord, RelationType, Selection
from tests.support.store_samples import CLOCK, DAY, START, digest, forget, kept, one, remember, retire, revise, texts

pytest_plugins = ["tests.support.store_backends"]

CITY = "user.home.city"
LATER = START + 4_000 * DAY


def at(store: Store, when: dt.datetime, key: str = CITY, *, user: tuple[str, ...] = ()) -> list[str]:
    """The texts of a key's values that hold at an instant."""
    return texts(store, Selection(keys=(key,), as_of=when, user=user))


def now(store: Store, memory: MemoryRecord) -> MemoryRecord:
    (found,) = store.get(memory.namespace, [memory.id])
    assert found is not None
    return found


def superseded_by(store: Store, memory: MemoryRecord) -> list[str]:
    found = store.relations(memory.namespace, [memory.id], types=[RelationType.SUPERSEDES])
    return [each.source for each in found if each.target == memory.id and each.retired_at is None]


def test_the_same_key_again_supersedes(store: Store) -> None:
    berlin = kept(store, "lives in Berlin", key=CITY)
    assert berlin.valid_from == berlin.created_at, "a value without a date holds from when it is stored"
    result = one(store, remember("lives in Munich", key=CITY))
    assert isinstance(result, Stored)
    assert result.record is not None
    assert result.superseded == (berlin.id,)
    assert result.ended_by is None
    assert now(store, berlin).valid_to == result.record.valid_from
    assert superseded_by(store, berlin) == [result.memory_id]
    assert at(store, LATER) == ["lives in Munich"]
    assert at(store, berlin.created_at) == ["lives in Berlin"]


def test_a_value_that_arrives_late_takes_its_place_between_the_others(store: Store) -> None:
    first = kept(store, "one", key=CITY, valid_from=START)
    last = kept(store, "three", key=CITY, valid_from=START + 20 * DAY)
    assert superseded_by(store, first) == [last.id]
    result = one(store, remember("two", key=CITY, valid_from=START + 10 * DAY))
    assert isinstance(result, Stored)
    assert result.record is not None
    assert result.ended_by == last
    assert result.superseded == (first.id,)
    assert result.record.valid_to == START + 20 * DAY
    assert result.record.revision == 1
    assert superseded_by(store, first) == [result.memory_id], "the last value no longer supersedes the first one"
    assert superseded_by(store, result.record) == [last.id]
    days = (0, 9, 10, 19, 20, 100)
    assert [at(store, START + day * DAY) for day in days] == [["one"], ["one"], ["two"], ["two"], ["three"], ["three"]]
    assert at(store, START - DAY) == []


def test_keys_are_of_one_user_and_of_one_namespace(store: Store) -> None:
    kept(store, "Ann lives in Ghent", key=CITY, user="ann")
    kept(store, "Bob lives in Bruges", key=CITY, user="bob")
    kept(store, "nobody's city", key=CITY)
    kept(store, "elsewhere", key=CITY, namespace="other")
    assert at(store, LATER, user=("ann",)) == ["Ann lives in Ghent"]
    assert at(store, LATER, user=("bob",)) == ["Bob lives in Bruges"]
    assert sorted(at(store, LATER)) == ["Ann lives in Ghent", "Bob lives in Bruges", "nobody's city"]
    kept(store, "Ann lives in Namur", key=CITY, user="ann", session="another", agent="another")
    assert at(store, LATER, user=("ann",)) == ["Ann lives in Namur"], "sessions and agents of a user share her keys"


def test_the_value_that_holds_told_again_is_a_duplicate_and_a_value_that_comes_back_is_not(store: Store) -> None:
    red = kept(store, "red", key="colour")
    again = one(store, remember("red", key="colour", session="tomorrow"))
    assert isinstance(again, Duplicate)
    assert again.record.id == red.id
    kept(store, "blue", key="colour")
    back = one(store, remember("red", key="colour"))
    assert isinstance(back, Stored)
    assert back.memory_id != red.id
    assert at(store, LATER, "colour") == ["red"]
    dated = one(store, remember("red", key="colour", valid_from=LATER))
    assert isinstance(dated, Stored), "dated later, it holds again from there on, whatever comes between"
    kept(store, "green", key="colour", valid_from=LATER - DAY)
    assert [at(store, LATER - day * DAY, "colour") for day in (2, 1, 0)] == [["red"], ["green"], ["red"]]


def test_two_keys_may_have_the_same_text_and_a_text_without_a_key_is_another_memory(store: Store) -> None:
    plain = kept(store, "enabled")
    one_key, other_key = kept(store, "enabled", key="feature.a"), kept(store, "enabled", key="feature.b")
    assert len({plain.id, one_key.id, other_key.id}) == 3
    again = one(store, remember("enabled"))
    assert isinstance(again, Duplicate)
    assert again.record.id == plain.id


def test_of_two_values_from_the_same_instant_the_later_told_counts(store: Store) -> None:
    before = kept(store, "first flat", key=CITY, valid_from=START - DAY)
    wrong = kept(store, "typo", key=CITY, valid_from=START)
    result = one(store, remember("correct", key=CITY, valid_from=START))
    assert isinstance(result, Stored)
    assert result.superseded == (wrong.id,)
    assert now(store, wrong).valid_to == START, "it was never true"
    assert now(store, before).valid_to == START
    assert [at(store, START - DAY), at(store, START), at(store, LATER)] == [["first flat"], ["correct"], ["correct"]]


def test_a_value_with_an_end_of_its_own_leaves_a_gap(store: Store) -> None:
    kept(store, "Berlin", key=CITY, valid_from=START)
    result = one(store, remember("Lisbon", key=CITY, valid_from=START + DAY, valid_to=START + 3 * DAY))
    assert isinstance(result, Stored)
    assert result.ended_by is None
    assert [at(store, START + day * DAY) for day in range(5)] == [["Berlin"], ["Lisbon"], ["Lisbon"], [], []]
    late = kept(store, "Porto", key=CITY, valid_from=START + 5 * DAY)
    assert superseded_by(store, late) == []
    assert at(store, LATER) == ["Porto"]


def test_a_revision_may_not_give_a_key_two_values_at_a_moment(store: Store) -> None:
    first = kept(store, "one", key=CITY, valid_from=START)
    second = kept(store, "two", key=CITY, valid_from=START + 10 * DAY)
    for fields in ({"valid_from": START}, {"valid_from": START, "valid_to": START + 11 * DAY}):
        refused = one(store, revise(first, "one", key=CITY, **fields))
        assert isinstance(refused, Rejected)
        assert (refused.code, refused.details["memory_id"]) == ("conflict", second.id)
        assert CITY in refused.reason
    ended = {"valid_from": START, "valid_to": START + 10 * DAY}
    assert isinstance(one(store, revise(first, "one", key=CITY, **ended)), Unchanged)
    assert isinstance(one(store, revise(first, "uno", key=CITY, **ended)), Stored)
    plain = kept(store, "without a key", valid_from=START + 12 * DAY)
    refused = one(store, revise(plain, "without a key", key=CITY, valid_from=plain.valid_from))
    assert isinstance(refused, Rejected)
    other = one(store, revise(plain, "without a key", key="another", valid_from=plain.valid_from))
    assert isinstance(other, Stored)
    assert at(store, LATER, "another") == ["without a key"]


def test_retired_and_forgotten_values_stand_in_nobody_s_way(store: Store) -> None:
    wrong = kept(store, "wrong", key=CITY, valid_from=START)
    one(store, retire(wrong))
    right = kept(store, "right", key=CITY, valid_from=START)
    assert at(store, LATER) == ["right"]
    one(store, forget(right))
    assert at(store, LATER) == []
    after = one(store, remember("after", key=CITY, valid_from=START))
    assert isinstance(after, Stored)
    assert after.superseded == ()


def test_commands_of_one_batch_see_one_another(store: Store) -> None:
    days = (20, 0, 10)
    results = store.write([remember(f"day {day}", key=CITY, valid_from=START + day * DAY) for day in days])
    assert all(isinstance(result, Stored) for result in results)
    assert [at(store, START + day * DAY) for day in (0, 10, 20)] == [["day 0"], ["day 10"], ["day 20"]]
    by_text = {memory.text: memory for memory in store.select(Selection(), limit=10).memories}
    assert superseded_by(store, by_text["day 0"]) == [by_text["day 10"].id]
    assert superseded_by(store, by_text["day 10"]) == [by_text["day 20"].id]


def test_a_restored_value_takes_its_place_and_keeps_its_history(store: Store) -> None:
    present = kept(store, "present", key=CITY, valid_from=START + 10 * DAY)
    future = kept(store, "future", key=CITY, valid_from=START + 30 * DAY)
    record = replace(present, id="mem_archived", text="archived", valid_from=START + 20 * DAY, valid_to=None)
    result = one(store, Restore(revisions=(record,), dedup_key=digest("archived"), at=CLOCK.now()))
    assert isinstance(result, Stored)
    assert result.record is not None
    assert (result.record.valid_to, result.record.revision) == (START + 30 * DAY, 2)
    assert now(store, present).valid_to == START + 20 * DAY
    assert superseded_by(store, result.record) == [future.id]
    found = [at(store, START + day * DAY) for day in (10, 20, 30)]
    assert found == [["present"], ["archived"], ["future"]]


# ── whatever arrives first ───────────────────────────────────────────────────────────────────────────────────────────────


class Telling(NamedTuple):
    value: str
    start: int
    end: int | None


def held_at(arrived: list[Telling], day: int) -> str | None:
    """The oracle: of what began by then the newest, the later told where two began at once; nothing once that has ended."""
    begun = [telling for telling in arrived if telling.start <= day]
    if not begun:
        return None
    newest = max(enumerate(begun), key=lambda each: (each[1].start, each[0]))[1]
    return newest.value if newest.end is None or newest.end > day else None


def tellings(chance: random.Random) -> list[Telling]:
    made = []
    for _ in range(chance.randint(2, 6)):
        start = chance.randint(0, 8)
        end = start + chance.randint(1, 5) if chance.random() < 0.25 else None
        made.append(Telling(chance.choice("abcd"), start, end))
    return made


def command(key: str, telling: Telling) -> Remember:
    end = None if telling.end is None else START + telling.end * DAY
    return remember(telling.value, key=key, valid_from=START + telling.start * DAY, valid_to=end)


def test_any_order_of_arrival_gives_the_same_values(store: Store, backend: str) -> None:
    orders = 10_000 if backend == "sqlite" else 100
    chance = random.Random(20261130)
    arrived = {f"key {number}": tellings(chance) for number in range(orders)}
    commands = [command(key, telling) for key, made in arrived.items() for telling in made]
    for start in range(0, len(commands), 2_000):
        store.write(commands[start : start + 2_000])
    values: dict[str, list[MemoryRecord]] = {}
    cursor = None
    while True:
        page = store.select(Selection(), limit=5_000, cursor=cursor)
        for memory in page.memories:
            values.setdefault(memory.key or "", []).append(memory)
        cursor = page.cursor
        if cursor is None:
            break
    for key, made in arrived.items():
        for day in range(-1, 15):
            moment = START + day * DAY
            held = [
                memory.text
                for memory in values[key]
                if memory.valid_from is not None
                and memory.valid_from <= moment
                and (memory.valid_to is None or memory.valid_to > moment)
            ]
            expected = held_at(made, day)
            assert held == ([] if expected is None else [expected]), (key, made, day)


def test_all_orders_of_distinct_values_leave_the_same_relations(store: Store) -> None:
    for number, order in enumerate(itertools.permutations((0, 1, 2, 3))):
        key = f"key {number}"
        made = {day: kept(store, f"{day}", key=key, valid_from=START + day * DAY) for day in order}
        chain = [superseded_by(store, made[day]) for day in range(4)]
        assert chain == [[made[1].id], [made[2].id], [made[3].id], []], order
