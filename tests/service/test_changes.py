"""What changed between two instants: each kind by itself, pages, filters, and random histories against an oracle."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ai_memory import InvalidInputError
from ai_memory.clock import ManualClock
from ai_memory.operations.changes import Change, Changes
from ai_memory.python.methods import Methods
from ai_memory.service.acting import Acting
from ai_memory.service.handlers.ageing import changes as handler
from ai_memory.service.service import Service
from ai_memory.types import Actor
from tests.support.store_samples import DAY, START, Reopen

pytest_plugins = ["tests.support.store_backends"]

HOUR = dt.timedelta(hours=1)


@pytest.fixture(params=["sqlite", "neo4j-newest"])
def backend(request: pytest.FixtureRequest) -> str:
    """One line of Neo4j is enough here: what the store has to do is in the tests of its contract, on all of them."""
    return str(request.param)


@pytest.fixture
def memory(reopen: Reopen, clock: ManualClock) -> Iterator[Methods]:
    service = Service(reopen(), None, clock=clock)
    yield Methods(Acting(service, Actor.PERSON))
    service.close()


def kinds(found: Changes) -> list[tuple[str, str]]:
    return [(each.kind, each.memory.text if each.memory else "") for each in found.changes]


def everything(memory: Methods, limit: int = 1000, **fields: Any) -> tuple[list[Change], Counter[str]]:
    """All pages."""
    cursor: str | None = None
    found: list[Change] = []
    counts: Counter[str] = Counter()
    while True:
        page = memory.changes(limit=limit, cursor=cursor, **fields)
        assert len(page.changes) <= limit
        found += page.changes
        counts.update(page.counts)
        cursor = page.cursor
        if cursor is None:
            return found, counts


def test_each_kind_of_change(memory: Methods, clock: ManualClock) -> None:
    clock.advance(DAY)
    begin = clock.now()
    first = memory.remember("Lives in Ghent").memory_id or ""
    second = memory.remember("Works at Initech").memory_id or ""
    third = memory.remember("Rides a bike").memory_id or ""
    memory.remember("Waits for the plumber", ttl="1h")
    gone = memory.remember("The code is 4711").memory_id or ""
    memory.revise(third, text="Rides a tandem", reason="more exact")
    new = memory.remember("Lives in Namur", supersedes=[first]).memory_id or ""
    memory.revise(second, valid_to=clock.now())
    memory.retire(third, reason="sold")
    memory.forget(gone)
    clock.advance(2 * HOUR)
    found = memory.changes(since=begin, until=clock.now())
    assert kinds(found) == [
        ("new", "Lives in Ghent"),
        ("new", "Works at Initech"),
        ("new", "Rides a bike"),
        ("new", "Waits for the plumber"),
        ("revised", "Rides a tandem"),
        ("new", "Lives in Namur"),
        ("superseded", "Lives in Ghent"),
        ("ended", "Works at Initech"),
        ("retired", "Rides a tandem"),
        ("expired", "Waits for the plumber"),
    ]
    assert found.counts == {
        "new": 5, "revised": 1, "superseded": 1, "ended": 1, "retired": 1, "expired": 1, "forgotten": 1
    }  # fmt: skip
    by_kind = {each.kind: each for each in found.changes}
    assert by_kind["superseded"].superseded_by == new
    revised = by_kind["revised"]
    assert revised.before is not None
    assert (revised.before.text, revised.before.retired_reason, revised.differs) == (
        "Rides a bike",
        "more exact",
        ("text",),
    )
    assert by_kind["retired"].memory is not None
    assert by_kind["retired"].memory.retired_reason == "sold"
    assert {each.actor for each in found.changes} == {Actor.PERSON, Actor.UNKNOWN}
    assert "4711" not in repr(found)


def test_decisions_are_told_with_their_undoing(memory: Methods, clock: ManualClock) -> None:
    begin = clock.now()
    kept = memory.remember("Ada wrote the first program").memory_id or ""
    for name in ("Ada", "Ada Lovelace"):
        memory.relate(kept, f"entity:{name}", type="MENTIONS")
    made = memory.merge("entity:Ada Lovelace", ["entity:Ada"])
    memory.undo(made.id)
    decided = [each for each in memory.changes(since=begin).changes if each.kind == "decided"]
    assert [each.decision and each.decision.retired_at is None for each in decided] == [True, False]
    assert not [each for each in memory.changes(since=begin, types=["semantic"]).changes if each.kind == "decided"]


def test_a_span_is_half_open_and_defaults_to_a_week(memory: Methods, clock: ManualClock) -> None:
    at = memory.get(memory.remember("old").memory_id or "").recorded_at
    assert kinds(memory.changes(since=at, until=at + HOUR)) == [("new", "old")]
    assert kinds(memory.changes(since=at - HOUR, until=at)) == []
    clock.advance(8 * DAY)
    memory.remember("new")
    assert kinds(memory.changes()) == [("new", "new")]
    assert kinds(memory.changes(since="30d")) == [("new", "old"), ("new", "new")]
    assert kinds(memory.changes(since="2 weeks", until="1 week")) == [("new", "old")]
    assert kinds(memory.changes(since="2026-01-01", until="2026-01-05")) == [("new", "old")]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"since": "yesterday"}, "neither a date"),
        ({"since": "1 week", "until": "2 weeks"}, "not before"),
        ({"since": "2099-01-01"}, "not before"),
        ({"since": "0d"}, "neither a date"),
        ({"since": "1 week", "limit": 0}, "limit"),
        ({"cursor": "bm9uc2Vuc2U"}, "damaged"),
        ({"cursor": "\0"}, "damaged"),
        ({"axis": "both"}, "axis"),
        ({"since": 5}, "since"),
    ],
)
def test_what_cannot_be_meant_is_refused(memory: Methods, given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        memory.changes(**given)


def test_a_cursor_keeps_its_span_and_belongs_to_its_filters(memory: Methods, clock: ManualClock) -> None:
    for number in range(5):
        memory.remember(f"memory {number}", user="ada")
    first = memory.changes(limit=2)
    memory.remember("later", user="ada")
    second = memory.changes(limit=2, cursor=first.cursor)
    assert (second.since, second.until) == (first.since, first.until)
    third = memory.changes(limit=2, cursor=second.cursor)
    assert kinds(third) == [("new", "memory 4")]
    assert third.cursor is None
    with pytest.raises(InvalidInputError, match="other changes"):
        memory.changes(user=["ada"], cursor=first.cursor)


def test_filters_look_at_both_sides(memory: Methods) -> None:
    kept = memory.remember("moves", context="work/atlas", tags=["a"], user="ada", type="preference").memory_id or ""
    memory.remember("other", user="bo")
    memory.revise(kept, context="home")
    assert kinds(memory.changes(context="Work")) == [("new", "moves"), ("revised", "moves")]
    assert kinds(memory.changes(context="home")) == [("revised", "moves")]
    assert kinds(memory.changes(user=["bo"])) == [("new", "other")]
    assert kinds(memory.changes(types=["preference"], tags=["A"])) == [("new", "moves"), ("revised", "moves")]
    assert kinds(memory.changes(without_tags=["a"])) == [("new", "other")]
    assert kinds(memory.changes(namespace="elsewhere")) == []


def test_what_is_forgotten_has_no_user_to_filter_by(memory: Methods) -> None:
    memory.forget(memory.remember("a secret", user="ada").memory_id or "")
    assert memory.changes().counts == {"forgotten": 1}
    assert memory.changes(user=["bo"]).counts == {}


def test_what_was_true_then_and_now(memory: Methods, clock: ManualClock) -> None:
    day = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    old = memory.remember("Lives in Ghent", valid_from=day).memory_id or ""
    memory.remember("Lives in Namur", valid_from=day + 100 * DAY, supersedes=[old])
    memory.remember("Was a member", valid_from=day, valid_to=day + 50 * DAY)
    memory.remember("Always true")
    memory.remember("True for a while in between", valid_from=day + 20 * DAY, valid_to=day + 30 * DAY)
    memory.remember("Still waits", valid_from=day, expires_at=START + 10 * DAY)
    found = memory.changes(axis="valid", since="2025-01-10", until="2025-12-31")
    assert kinds(found) == [("ended", "Was a member"), ("superseded", "Lives in Ghent"), ("began", "Lives in Namur")]
    assert found.counts == {"began": 1, "ended": 1, "superseded": 1}
    later = memory.changes(axis="valid", since="2025-12-31", until="2026-02-01")
    assert kinds(later) == [("expired", "Still waits")]
    pages, _ = everything(memory, limit=1, axis="valid", since="2025-01-10", until="2025-12-31")
    assert pages == list(found.changes)


def test_the_valid_axis_is_the_difference_of_two_lists(memory: Methods) -> None:
    dice = random.Random(3)
    day = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    for number in range(80):
        begin, length = dice.randrange(100), dice.randrange(1, 60)
        bounds: dict[str, Any] = {"valid_from": day + begin * DAY} if dice.random() < 0.7 else {}
        bounds |= {"valid_to": day + (begin + length) * DAY} if dice.random() < 0.6 else {}
        memory.remember(f"memory {number}", user=dice.choice(["ada", "bo"]), **bounds)
    for _ in range(20):
        since, until = sorted(dice.sample(range(160), 2))
        span = {"since": day + since * DAY, "until": day + until * DAY}
        users = dice.choice([[], ["ada"]])
        then, now = (
            {each.id for each in memory.list(as_of=at, user=users, limit=1000).memories} for at in span.values()
        )
        found, _ = everything(memory, limit=7, axis="valid", user=users, **span)
        assert {each.memory.id for each in found if each.memory and each.kind == "began"} == now - then
        assert {each.memory.id for each in found if each.memory and each.kind != "began"} == then - now


def test_random_histories_against_an_oracle(
    memory: Methods, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "CHUNK", 7)  # so that chunks end anywhere
    dice = random.Random(11)
    log: list[tuple[dt.datetime, str, str]] = []
    """What the oracle expects: the instant, the kind and the memory's id."""
    alive: dict[str, dt.datetime | None] = {}
    """The current memories, with when they lapse."""
    ended: set[str] = set()
    replaced: list[tuple[dt.datetime, str, str]] = []
    forgotten: list[tuple[dt.datetime, str]] = []
    for number in range(160):
        clock.advance(dice.randrange(1, 30) * HOUR)
        now = clock.now()
        action = dice.choice(["remember"] * 4 + ["lapsing", "revise", "end", "retire", "forget", "supersede"])
        chosen = dice.choice(sorted(alive)) if alive else None
        if action in ("remember", "lapsing") or chosen is None:
            hours = dice.randrange(1, 200)
            receipt = memory.remember(f"memory {number}", ttl=f"{hours}h" if action == "lapsing" else None)
            log.append((now, "new", str(receipt.memory_id)))
            alive[str(receipt.memory_id)] = receipt.expires_at
        elif action == "revise":
            memory.revise(chosen, text=f"revised {number}")
            log.append((now, "revised", chosen))
        elif action == "retire":
            memory.retire(chosen)
            log.append((now, "retired", chosen))
            if (expiry := alive.pop(chosen)) is not None and expiry <= now and chosen not in ended:
                log.append((expiry, "expired", chosen))
        elif action == "forget":
            memory.forget(chosen)
            forgotten.append((now, chosen))
            del alive[chosen]
        elif chosen not in ended and (alive[chosen] is None or (alive[chosen] or now) > now):
            if action == "end":
                memory.revise(chosen, valid_to=now)
                log.append((now, "ended", chosen))
            else:
                by = str(memory.remember(f"memory {number}", supersedes=[chosen]).memory_id)
                log.append((now, "new", by))
                replaced.append((now, chosen, by))
                alive[by] = None
            ended.add(chosen)
    end = clock.now()
    log += [(at, "expired", each) for each, at in alive.items() if at is not None and at < end and each not in ended]
    gone = {each for _, each in forgotten}
    # By whom it was superseded is forgotten with that memory; that it ended is not.
    log += [(at, "ended" if by in gone else "superseded", each) for at, each, by in replaced]
    for _ in range(25):
        since, until = sorted(START + dice.randrange(int((end - START) / HOUR)) * HOUR for _ in range(2))
        if since == until:
            continue
        found, counts = everything(memory, limit=dice.choice([1, 5, 1000]), since=since, until=until)
        inside = {(kind, each) for at, kind, each in log if since <= at < until and each not in gone}
        shown = Counter((each.kind, each.memory.id) for each in found if each.memory)
        assert set(shown) == inside
        assert [each.at for each in found] == sorted(each.at for each in found)
        assert counts["forgotten"] == sum(since <= at < until for at, _ in forgotten)
        revised = sum(kind == "revised" and since <= at < until and each not in gone for at, kind, each in log)
        assert counts["revised"] == revised
