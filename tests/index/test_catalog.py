import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_memory.errors import InvalidInputError
from ai_memory.index.catalog import Catalog
from ai_memory.types import MemoryRecord, MemoryType, Selection

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAYS = st.integers(0, 6).map(lambda days: START + dt.timedelta(days=days))
MAYBE_DAY = st.none() | DAYS
NAME = st.sampled_from(["ann", "bo", "cy"])
CONTEXTS = ["", "work", "work/x", "work/x/y", "workshop", "home"]
TAGS = st.lists(st.sampled_from(["t1", "T1", "t2", "t3", "Я", "я"]), max_size=2).map(tuple)
SHARES = st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0])


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.just(()) | st.lists(values, max_size=2).map(tuple)


@st.composite
def records(draw: st.DrawFn) -> MemoryRecord:
    recorded = draw(DAYS)
    return MemoryRecord(
        id=draw(st.sampled_from([f"mem_{n}" for n in range(8)])),
        namespace="ns",
        user=draw(st.none() | NAME),
        agent=draw(st.none() | NAME),
        session=draw(st.none() | NAME),
        type=draw(st.sampled_from(MemoryType)),
        context=draw(st.sampled_from(CONTEXTS)),
        author=draw(st.none() | NAME),
        text="",
        tags=draw(TAGS),
        importance=draw(SHARES),
        confidence=draw(SHARES),
        valid_from=draw(MAYBE_DAY),
        valid_to=draw(MAYBE_DAY),
        created_at=recorded - dt.timedelta(days=draw(st.integers(0, 2))),
        recorded_at=recorded,
        retired_at=draw(MAYBE_DAY),
        content_hash="",
    )


SELECTIONS = st.builds(
    Selection,
    user=some(NAME),
    agent=some(NAME),
    session=some(NAME),
    types=st.lists(st.sampled_from(MemoryType), max_size=4).map(tuple),
    context=st.sampled_from(["", *CONTEXTS, "wor", "work/", "WORK", "Work/Atlas", "elsewhere"]),
    tags=TAGS,
    any_tags=TAGS,
    without_tags=TAGS,
    author=some(NAME),
    ids=some(st.sampled_from(["mem_1", "mem_2", "mem_99"])),
    occurred_after=MAYBE_DAY,
    occurred_before=MAYBE_DAY,
    recorded_after=MAYBE_DAY,
    recorded_before=MAYBE_DAY,
    min_importance=st.just(0.0) | SHARES,
    min_confidence=st.just(0.0) | SHARES,
    as_of=MAYBE_DAY,
    known_at=MAYBE_DAY,
    include_ended=st.booleans(),
    now=DAYS,
)
ONE_FIELD = st.builds(
    lambda full, name: Selection(**{name: getattr(full, name), "now": full.now}),
    SELECTIONS,
    st.sampled_from([name for name in Selection.__struct_fields__ if name not in ("namespace", "now")]),
)


def lower(names: tuple[str, ...]) -> set[str]:
    return {name.lower() for name in names}


def means(s: Selection, r: MemoryRecord) -> bool:
    """What the docstrings of `Selection` say, one line a field."""
    occurred = r.valid_from or r.created_at
    ended_by = s.now if not s.include_ended else None
    return all(
        (
            not s.user or r.user in s.user,
            not s.agent or r.agent in s.agent,
            not s.session or r.session in s.session,
            not s.types or r.type in s.types,
            not s.context or f"{r.context}/".lower().startswith(f"{s.context}/".lower()),
            lower(s.tags) <= lower(r.tags),
            not s.any_tags or lower(s.any_tags) & lower(r.tags),
            not lower(s.without_tags) & lower(r.tags),
            not s.author or r.author in s.author,
            not s.ids or r.id in s.ids,
            s.occurred_after is None or occurred >= s.occurred_after,
            s.occurred_before is None or occurred < s.occurred_before,
            s.recorded_after is None or r.recorded_at >= s.recorded_after,
            s.recorded_before is None or r.recorded_at < s.recorded_before,
            r.importance >= s.min_importance,
            r.confidence >= s.min_confidence,
            s.as_of is None or r.valid_from is None or r.valid_from <= s.as_of,
            s.as_of is None or r.valid_to is None or s.as_of < r.valid_to,
            s.known_at is not None or r.retired_at is None,
            s.known_at is None or r.recorded_at <= s.known_at,
            s.known_at is None or r.retired_at is None or s.known_at < r.retired_at,
            ended_by is None or r.valid_to is None or r.valid_to > ended_by,
        )
    )


def filled(listed: Sequence[MemoryRecord], passages: int = 1) -> Catalog:
    catalog = Catalog()
    for number, record in enumerate(listed):
        catalog.add(10 + number, record, passages)
    return catalog


def remember(session: str | None = None, day: int = 0, **fields: Any) -> MemoryRecord:
    at = START + dt.timedelta(days=day)
    base = MemoryRecord(
        id="m", namespace="ns", text="", session=session, created_at=at, recorded_at=at, content_hash=""
    )
    return msgspec.structs.replace(base, **fields)


@settings(max_examples=120, deadline=None)
@given(st.lists(records(), max_size=25), st.lists(SELECTIONS | ONE_FIELD, min_size=1, max_size=4), st.data())
def test_a_mask_means_what_the_selection_says(
    listed: list[MemoryRecord], selections: list[Selection], data: st.DataObject
) -> None:
    catalog = filled(listed)
    gone = data.draw(st.lists(st.sampled_from(range(len(listed))), unique=True)) if listed else []
    retired = data.draw(st.none() | st.sampled_from(range(len(listed)))) if listed else None
    if retired is not None:
        at = data.draw(DAYS)
        listed[retired] = msgspec.structs.replace(listed[retired], retired_at=at)
        assert catalog.retire(10 + retired, at)
    catalog.remove(np.array(gone, np.int32))
    for selection in selections:
        mask = catalog.mask(selection, catalog.n)
        assert mask.tolist() == [row not in gone and means(selection, record) for row, record in enumerate(listed)]


def test_leaving_out_the_ended_needs_an_instant() -> None:
    with pytest.raises(InvalidInputError, match="needs `now`"):
        Catalog().mask(Selection(include_ended=False), 0)


def test_a_mask_covers_the_rows_asked_for_and_is_the_callers_own() -> None:
    catalog = filled([remember(tags=("a",), valid_to=START)] * 3, passages=2)
    mask = catalog.mask(Selection(), 4)
    assert mask.tolist() == [True] * 4
    mask[:] = False
    assert catalog.mask(Selection(any_tags=("a", "b")), 6).tolist() == [True] * 6


def test_keys_out_of_order_are_found() -> None:
    catalog = Catalog()
    for key in (5, 9, 2, 7):
        catalog.add(key, remember(), 2)
    assert [catalog.rows_of(key).tolist() for key in (2, 5, 7, 9, 1, 100)] == [[4, 5], [0, 1], [6, 7], [2, 3], [], []]
    catalog.remove(catalog.rows_of(2))
    assert catalog.find_rows(np.array([9, 2, 5, 6])).tolist() == [2, -1, 0, -1]


def test_erased_names_are_dropped() -> None:
    catalog = filled(
        [remember(id="mem_1", author="ann", tags=("x",)), remember(id="mem_2", author="bo", tags=("x", "y"))]
    )
    catalog.remove(catalog.rows_of(11))
    assert catalog.names["author"].names == [None, "ann", None]
    assert catalog.names["memory"].find("mem_2") is None
    assert set(catalog.tags) == {"x"}
    assert catalog.tags["x"].view().tolist() == [0]


def oracle_neighbours(
    listed: Sequence[MemoryRecord | None], row: int, before: int, after: int, chosen: Sequence[bool]
) -> list[int]:
    record = listed[row]
    if record is None or record.session is None:
        return [-1] * (before + after)
    line = sorted(
        (r.valid_from or r.created_at, at)
        for at, r in enumerate(listed)
        if r is not None and r.session == record.session
    )
    place = [at for _, at in line].index(row)
    left = [at for _, at in line[:place] if chosen[at]]
    right = [at for _, at in line[place + 1 :] if chosen[at]]
    return ([-1] * before + left)[len(left) :] + (right + [-1] * after)[:after]


@settings(max_examples=60, deadline=None)
@given(st.lists(records(), min_size=1, max_size=30), st.integers(0, 3), st.integers(0, 3), st.data())
def test_session_neighbours(listed: list[MemoryRecord], before: int, after: int, data: st.DataObject) -> None:
    catalog = filled(listed)
    rows = np.arange(len(listed), dtype=np.int32)
    alive: list[MemoryRecord | None] = list(listed)
    for _ in range(2):
        current = [r is not None and r.retired_at is None for r in alive]
        mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(listed), max_size=len(listed))))
        for chosen, argument in ((current, None), (mask.tolist(), mask)):
            found = catalog.session_neighbours(rows, before, after, argument)
            assert found.dtype == np.int32
            for row in rows.tolist():
                assert found[row].tolist() == oracle_neighbours(alive, row, before, after, chosen)
        gone = data.draw(st.lists(st.sampled_from(range(len(listed))), unique=True, max_size=3))
        fresh = [row for row in gone if alive[row] is not None]
        catalog.remove(np.array(fresh, np.int32))
        alive = [None if row in gone else record for row, record in enumerate(alive)]


def test_many_unwanted_neighbours_are_stepped_over() -> None:
    catalog = filled([remember("s", day) for day in range(300)])
    mask = np.zeros(300, np.bool_)
    mask[[1, 290, 295]] = True
    found = catalog.session_neighbours(np.array([0, 150, 299], np.int32), 2, 2, mask)
    assert found.tolist() == [[-1, -1, 1, 290], [-1, 1, 290, 295], [290, 295, -1, -1]]


def test_a_whole_session_in_order() -> None:
    catalog = filled(
        [remember("s", 3), remember("t", 1), remember("s", 1), remember(None, 0), remember("s", 2)], passages=2
    )
    assert catalog.session_rows(0).tolist() == [4, 5, 8, 9, 0, 1]
    assert catalog.session_rows(6).tolist() == []
    catalog.retire(14, START)
    assert catalog.session_rows(0).tolist() == [4, 5, 0, 1]
    assert catalog.session_rows(0, np.ones(9, np.bool_)).tolist() == [4, 5, 8, 0, 1]
