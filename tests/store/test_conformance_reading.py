"""The store's contract on every backend: selecting, following, vectors."""

from __future__ import annotations

import datetime as dt
import threading
from itertools import pairwise, product
from typing import Any

import msgspec
import numpy as np
import pytest

from ai_memory.errors import ConflictError, InvalidInputError, NotFoundError
from ai_memory.store.base import (
    Action,
    Store,
    Stored,
    VectorRow,
)
from ai_memory.types import MemoryRecord, MemoryType, Selection
from tests.support.store_samples import (
    DAY,
    START,
    Reopen,
    forget,
    identity,
    kept,
    one,
    relate,
    related,
    remember,
    retire,
    revise,
    texts,
    unit,
    unrelate,
)

pytest_plugins = ["tests.support.store_backends"]


# ── selecting ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def library(store: Store) -> Store:
    """Eight memories that differ in everything a selection looks at."""
    base: dict[str, Any] = {"at": START}
    store.write(
        [
            remember("a", user="ann", type=MemoryType.CODE, context="work", tags=("x",), importance=0.9, **base),
            remember("b", user="ann", context="work/atlas", tags=("x", "y"), confidence=0.2, **base),
            remember("c", user="bob", context="work/atlas/deep", tags=("y",), author="Eve", **base),
            remember("d", user="bob", context="workshop", agent="bot", session="s1", **base),
            remember(
                "e", session="s2", context="work-2", valid_from=START - 10 * DAY, valid_to=START - 5 * DAY, **base
            ),
            remember("f", context="home", valid_from=START + 10 * DAY, at=START + DAY),
            remember("g", context="home", tags=("x", "z"), at=START + 2 * DAY),
            remember("other", namespace="other", context="work", tags=("x",), **base),
        ]
    )
    return store


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), "abcdefg"),
        (Selection(namespace="nowhere"), ""),
        (Selection(user=("ann",)), "ab"),
        (Selection(user=("ann", "bob")), "abcd"),
        (Selection(agent=("bot",)), "d"),
        (Selection(session=("s1", "s2")), "de"),
        (Selection(types=(MemoryType.CODE,)), "a"),
        (Selection(types=(MemoryType.CODE, MemoryType.SEMANTIC)), "abcdefg"),
        (Selection(author=("Eve",)), "c"),
        (Selection(context="work"), "abc"),
        (Selection(context="work/atlas/"), "bc"),
        (Selection(context="work/at"), ""),
        (Selection(tags=("x",)), "abg"),
        (Selection(tags=("x", "y")), "b"),
        (Selection(any_tags=("y", "z")), "bcg"),
        (Selection(without_tags=("x",)), "cdef"),
        (Selection(tags=("x",), without_tags=("y", "z")), "a"),
        (Selection(min_importance=0.6), "a"),
        (Selection(min_confidence=0.5), "acdefg"),
        (Selection(occurred_after=START), "abcdfg"),
        (Selection(occurred_before=START), "e"),
        (Selection(occurred_after=START + DAY, occurred_before=START + 10 * DAY), "g"),
        (Selection(recorded_after=START + DAY), "fg"),
        (Selection(recorded_before=START + DAY), "abcde"),
        (Selection(as_of=START - 6 * DAY), "abcdeg"),
        (Selection(as_of=START - 5 * DAY), "abcdg"),
        (Selection(as_of=START - 10 * DAY), "abcdeg"),
        (Selection(known_at=START), "abcde"),
        (Selection(known_at=START + DAY), "abcdef"),
        (Selection(include_ended=False, now=START), "abcdfg"),
        (Selection(include_ended=False, now=START - 6 * DAY), "abcdefg"),
        (Selection(user=("ann",), context="work", tags=("y",)), "b"),
    ],
    ids=str,
)
def test_a_selection_means_what_it_says(library: Store, selection: Selection, expected: str) -> None:
    assert sorted(texts(library, selection)) == list(expected)


def test_a_selection_by_id(library: Store) -> None:
    wanted = {memory.text: memory.id for memory in library.select(Selection(), limit=100).memories}
    assert sorted(texts(library, Selection(ids=(wanted["b"], wanted["g"], "mem_unknown")))) == ["b", "g"]
    assert texts(library, Selection(namespace="other", ids=(wanted["b"],))) == []


def test_pages_join_to_the_whole_in_both_directions(library: Store) -> None:
    for newest_first in (False, True):
        whole = library.select(Selection(), limit=100, newest_first=newest_first).memories
        paged: list[MemoryRecord] = []
        cursor: str | None = None
        while True:
            page = library.select(Selection(), limit=2, cursor=cursor, newest_first=newest_first)
            paged.extend(page.memories)
            cursor = page.cursor
            if cursor is None:
                break
        assert paged == list(whole)
        order = [(memory.valid_from or memory.created_at, memory.id) for memory in whole]
        assert order == sorted(order, reverse=newest_first)


def test_a_cursor_stays_right_while_others_write(library: Store) -> None:
    first = library.select(Selection(), limit=3, newest_first=False)
    kept(library, "before", at=START - 30 * DAY)
    kept(library, "after", at=START + 30 * DAY)
    one(library, retire(first.memories[0]))
    rest = library.select(Selection(), limit=100, cursor=first.cursor, newest_first=False)
    seen = [memory.text for memory in (*first.memories, *rest.memories)]
    assert len(seen) == len(set(seen)) == 8
    assert "before" not in seen


def test_a_cursor_that_is_damaged_or_anothers_is_refused(library: Store) -> None:
    cursor = library.select(Selection(), limit=2).cursor
    assert cursor is not None
    for wrong in ("", "x", "*", cursor[:-3], cursor[1:], cursor + "A", "\ud800"):
        with pytest.raises(InvalidInputError):
            library.select(Selection(), limit=2, cursor=wrong)
    with pytest.raises(InvalidInputError):
        library.select(Selection(user=("ann",)), limit=2, cursor=cursor)
    with pytest.raises(InvalidInputError):
        library.select(Selection(), limit=2, cursor=cursor, newest_first=False)
    with pytest.raises(InvalidInputError):
        library.select(Selection(), limit=0)


def test_a_cursor_outlives_the_moment_it_was_made(library: Store) -> None:
    first = library.select(Selection(include_ended=False, now=START), limit=2)
    rest = library.select(Selection(include_ended=False, now=START + DAY), limit=100, cursor=first.cursor)
    assert len(first.memories) + len(rest.memories) == 6


def test_leaving_out_the_ended_needs_an_instant(store: Store) -> None:
    kept(store, "a")
    with pytest.raises(InvalidInputError):
        store.select(Selection(include_ended=False), limit=1)


def test_what_was_known_at_an_instant(store: Store) -> None:
    first = kept(store, "draft")
    revised = one(store, revise(first, "final"))
    assert isinstance(revised, Stored)
    assert revised.record is not None
    retired = one(store, retire(first))
    assert isinstance(retired, Stored)
    assert retired.record is not None
    assert retired.record.retired_at is not None
    instants = [
        (first.recorded_at - dt.timedelta(microseconds=1), None),
        (first.recorded_at, "draft"),
        (revised.record.recorded_at - dt.timedelta(microseconds=1), "draft"),
        (revised.record.recorded_at, "final"),
        (retired.record.retired_at, None),
    ]
    for instant, text in instants:
        (memory,) = store.get("default", [first.id], known_at=instant)
        assert (memory.text if memory else None) == text
        assert texts(store, Selection(known_at=instant)) == ([text] if text else [])
    (latest,) = store.get("default", [first.id])
    assert latest == retired.record


def test_get_keeps_the_order_and_the_wall(store: Store) -> None:
    a, b = kept(store, "a"), kept(store, "b", namespace="other")
    assert store.get("default", ["mem_x", a.id, b.id, a.id]) == [None, a, None, a]


SPELT = (
    ("one", "Work/Atlas", ("Finance", "Straße")),
    ("two", "work/atlas/Deep", ("FINANCE",)),
    ("three", "WORK", ("finance", "ÄRGER")),
    ("four", "work-2", ("finances",)),
    ("five", "workshop/atlas", ("financ", "ärger")),
    ("six", "Работа/Отдых", ("Слово", "ΟΔΟΣ")),
    ("seven", "", ()),
)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(tags=("FINANCE",)), "one two three"),
        (Selection(tags=("fINANCE", "Ärger")), "three"),
        (Selection(any_tags=("STRASSE", "straße", "слово")), "one six"),
        (Selection(any_tags=("ärger", "οδος")), "three five six"),
        (Selection(without_tags=("Finance", "ÄRGER")), "four six seven"),
        (Selection(tags=("finan",)), ""),
        (Selection(context="work"), "one two three"),
        (Selection(context="WORK/"), "one two three"),
        (Selection(context="wORK/ATLAS"), "one two"),
        (Selection(context="Work/Atlas/deep"), "two"),
        (Selection(context="WORKSHOP"), "five"),
        (Selection(context="Work-2"), "four"),
        (Selection(context="работа"), "six"),
        (Selection(context="work/atl"), ""),
        (Selection(context="Work", tags=("FINANCE",), without_tags=("straße",)), "two three"),
    ],
)
def test_tags_and_contexts_are_compared_without_case(
    store: Store, selection: Selection, expected: str, known: bool
) -> None:
    commands = [remember(text, context=context, tags=tags, at=START) for text, context, tags in SPELT]
    assert all(isinstance(result, Stored) for result in store.write(commands))
    if known:
        selection = msgspec.structs.replace(selection, known_at=START + DAY)
    page = store.select(selection, limit=100, newest_first=False)
    assert {memory.text for memory in page.memories} == set(expected.split())
    assert {(memory.text, memory.context, memory.tags) for memory in page.memories} <= set(SPELT)


def test_a_context_in_very_many_spellings(store: Store) -> None:
    spelt = ["".join(made) for made in product("pP", "aA", "tT", "hH", "sS")]
    store.write([remember(path, context=f"{path}/x", at=START) for path in spelt])
    assert sorted(texts(store, Selection(context="Paths"))) == sorted(spelt)
    assert sorted(texts(store, Selection(context="PATHS/X"))) == sorted(spelt)
    assert texts(store, Selection(context="path")) == []


def test_counts_by_context_namespace_and_type(library: Store) -> None:
    gone = library.select(Selection(context="home"), limit=1).memories[0]
    one(library, retire(gone))
    assert library.contexts("default") == [
        ("home", 1), ("work", 1), ("work-2", 1), ("work/atlas", 1), ("work/atlas/deep", 1), ("workshop", 1)
    ]  # fmt: skip
    assert library.contexts("nowhere") == []
    assert library.namespaces() == [("default", 6), ("other", 1)]
    stats = library.stats("default")
    assert (stats.memories, stats.revisions, stats.retired, stats.by_type) == (6, 7, 1, {"code": 1, "semantic": 5})
    assert library.stats().memories == 7
    assert library.stats("nowhere").memories == 0


# ── following ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_tells_every_change_in_order(store: Store, reopen: Reopen) -> None:
    record = kept(store, "a")
    one(store, revise(record, "b"))
    one(store, retire(record, reason="r"))
    edge = related(store, relate(kept(store, "x").id, kept(store, "y", namespace="default").id))
    one(store, unrelate(edge))
    one(store, forget(record))
    log = store.log()
    assert [entry.action for entry in log] == [
        Action.REMEMBERED, Action.REVISED, Action.RETIRED, Action.REMEMBERED, Action.REMEMBERED, Action.RELATED,
        Action.UNRELATED, Action.FORGOTTEN,
    ]  # fmt: skip
    sequences = [entry.sequence for entry in log]
    assert all(before < after for before, after in pairwise(sequences))
    assert store.sequence() == sequences[-1]
    first, second = log[0].sequence, log[1].sequence
    assert (log[0].keys, log[1].keys, log[1].retired_keys, log[2].retired_keys) == (
        (first,),
        (second,),
        (first,),
        (second,),
    )
    assert log[7].keys == (first, second)
    assert (log[5].relation_id, log[6].relation_id) == (edge.id, edge.id)
    assert len({entry.digest for entry in log}) == len(log)
    assert store.log(after=first, limit=2) == log[1:3]
    assert store.log(namespace="nowhere") == []
    assert reopen().log() == log


def test_revisions_are_followed_by_key(store: Store) -> None:
    record = kept(store, "a")
    one(store, revise(record, "b"))
    kept(store, "c", namespace="other")
    live = store.live_revisions()
    assert [revision.record.text for revision in live] == ["a", "b", "c"]
    assert live[0].record.retired_at is not None
    assert store.live_revisions(after=live[0].key, limit=1) == live[1:2]
    assert store.load([live[2].key, live[0].key, 999]) == {live[0].key: live[0], live[2].key: live[2]}


def test_another_opening_sees_a_write_at_its_next_call(store: Store, reopen: Reopen) -> None:
    other = reopen()
    assert other.store_id == store.store_id
    record = kept(store, "a")
    assert other.sequence() == store.sequence()
    assert other.get("default", [record.id]) == [record]
    second = kept(other, "b")
    assert store.get("default", [second.id]) == [second]


# ── vectors ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_is_owed_until_it_is_paid(store: Store, reopen: Reopen) -> None:
    before = kept(store, "before")
    generation = store.create_generation(identity(), activate=True)
    assert store.create_generation(identity(), activate=False) == generation
    assert (generation.state, generation.embedder) == ("active", identity())
    after = kept(store, "after")
    pending = store.pending(generation.id, limit=10)
    assert [revision.record for revision in pending] == [before, after]
    assert store.pending(generation.id, limit=1) == pending[:1]
    assert (store.pending_count(generation.id), store.stats().pending, store.stats("default").pending) == (2, 2, 2)
    key = pending[0].key
    rows = [VectorRow(key=key, passage=p, vector=unit(1, p, 0, 0)) for p in (0, 1)]
    store.put_vectors(generation.id, rows, [key])
    store.put_vectors(generation.id, [VectorRow(key=777, passage=0, vector=unit(1, 0, 0, 0))], [777])
    assert [revision.record for revision in reopen().pending(generation.id, limit=10)] == [after]
    found = reopen().vectors(generation.id, [(key, 0), (key, 1), (key, 2), (777, 0)])
    assert set(found) == {(key, 0), (key, 1)}
    for row in rows:
        got = found[row.key, row.passage]
        assert got.dtype == np.float32
        assert np.array_equal(got, row.vector)
    store.put_vectors(generation.id, [], [pending[1].key])
    assert store.pending_count(generation.id) == 0
    store.put_vectors(
        generation.id, [VectorRow(key=pending[1].key, passage=0, vector=unit(0, 0, 0, 1))], [pending[1].key]
    )


def test_everything_is_owed_before_the_first_generation(store: Store) -> None:
    record = kept(store, "a")
    one(store, revise(record, "a, revised"))
    kept(store, "b", namespace="other")
    assert (store.stats().pending, store.stats("default").pending, store.stats("other").pending) == (3, 2, 1)
    generation = store.create_generation(identity(), activate=False)
    assert store.stats().pending == 3  # one that is being built answers no question yet
    store.activate_generation(generation.id)
    live = store.pending_count(generation.id)
    assert (store.stats().pending, store.stats("other").pending) == (live, 1)


def test_something_is_owed_at_every_moment_while_the_first_generation_comes(store: Store) -> None:
    for number in range(20):
        kept(store, f"memory {number}")
    seen: list[int] = []
    begun, come = threading.Event(), threading.Event()

    def watch() -> None:
        while not come.is_set():
            seen.append(store.stats().pending)
            begun.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert begun.wait(30)
    store.create_generation(identity(), activate=True)
    come.set()
    watcher.join(30)
    assert set(seen) == {20}


def test_a_revision_that_keeps_its_words_keeps_its_vectors(store: Store) -> None:
    generation = store.create_generation(identity(), activate=True)
    record, remaining = kept(store, "a"), kept(store, "b")
    (pending, *_) = store.pending(generation.id, limit=1)
    store.put_vectors(generation.id, [VectorRow(key=pending.key, passage=0, vector=unit(1, 2, 3, 4))], [pending.key])
    position = store.vector_position(generation.id)
    one(store, remember("c", supersedes=(record.id,)))
    one(store, revise(remaining, "b", tags=("new",)))
    still = store.pending(generation.id, limit=10)
    assert [(revision.record.text, revision.record.revision) for revision in still] == [("b", 1), ("c", 1), ("b", 2)]
    ended = next(revision for revision in store.live_revisions() if revision.record.revision == 2)
    assert np.array_equal(store.vectors(generation.id, [(ended.key, 0)])[ended.key, 0], unit(1, 2, 3, 4))
    assert [row.key for row in store.vector_rows(generation.id, after=position)[0]] == [ended.key]
    one(store, revise(record, "a, but longer"))
    assert store.pending_count(generation.id) == 4


def test_vectors_of_the_wrong_size_or_length_are_refused(store: Store) -> None:
    generation = store.create_generation(identity(dimension=4), activate=True)
    kept(store, "a")
    (pending,) = store.pending(generation.id, limit=1)
    for vector in (
        unit(1, 0, 0),
        np.array([2, 0, 0, 0], np.float32),
        np.array([np.nan, 0, 0, 0], np.float32),
        unit(1, 0, 0, 0)[None],
    ):
        with pytest.raises(InvalidInputError):
            store.put_vectors(generation.id, [VectorRow(key=pending.key, passage=0, vector=vector)], [pending.key])
    with pytest.raises(NotFoundError):
        store.put_vectors(99, [], [])
    assert store.pending_count(generation.id) == 1


def test_followers_read_vectors_in_the_order_they_were_added(store: Store) -> None:
    generation = store.create_generation(identity(), activate=True)
    other = store.create_generation(identity("other", 2), activate=False)
    records = [kept(store, text) for text in "abc"]
    keys = [revision.key for revision in store.live_revisions()]
    assert store.vector_position(generation.id) == 0
    assert store.vector_rows(generation.id) == ([], 0)
    for key in (keys[1], keys[0]):
        store.put_vectors(generation.id, [VectorRow(key=key, passage=0, vector=unit(1, key, 0, 0))], [key])
        store.put_vectors(other.id, [VectorRow(key=key, passage=0, vector=unit(1, key))], [key])
    position = store.vector_position(generation.id)
    rows, read = store.vector_rows(generation.id)
    assert ([row.key for row in rows], read) == ([keys[1], keys[0]], position)
    assert store.vector_rows(generation.id, after=read) == ([], read)
    half, middle = store.vector_rows(generation.id, limit=1)
    assert [row.key for row in (*half, *store.vector_rows(generation.id, after=middle)[0])] == [keys[1], keys[0]]
    one(store, forget(records[0]))
    store.put_vectors(generation.id, [VectorRow(key=keys[2], passage=0, vector=unit(1, 0, 0, 0))], [keys[2]])
    assert store.vector_position(generation.id) > position
    for each, newest in ((generation.id, store.vector_position(generation.id)), (99, 0), (None, 0)):
        assert store.positions(each) == (store.sequence(), newest)
    assert [row.key for row in store.vector_rows(generation.id, after=position)[0]] == [keys[2]]
    store.put_vectors(other.id, [VectorRow(key=keys[2], passage=0, vector=unit(1, 0))], [keys[2]])


def test_generations_are_switched_to_and_back(store: Store) -> None:
    first = store.create_generation(identity("one"), activate=True)
    second = store.create_generation(identity("two"), activate=False)
    kept(store, "a")
    assert (store.pending_count(first.id), store.pending_count(second.id)) == (1, 1)
    assert [g.state for g in store.generations()] == ["active", "building"]
    store.activate_generation(second.id)
    assert [g.state for g in store.generations()] == ["retired", "active"]
    kept(store, "b")
    store.activate_generation(first.id)
    assert [g.state for g in store.generations()] == ["active", "retired"]
    assert store.pending_count(first.id) == 2
    with pytest.raises(NotFoundError):
        store.activate_generation(99)


def _embed_all(store: Store, generation: int, dimension: int) -> None:
    for revision in store.pending(generation, limit=100):
        vector = unit(*[1.0] * dimension)
        store.put_vectors(generation, [VectorRow(key=revision.key, passage=0, vector=vector)], [revision.key])


def test_a_generation_is_switched_to_once_it_loses_nothing(store: Store) -> None:
    first = store.create_generation(identity("one"), activate=True)
    kept(store, "a")
    _embed_all(store, first.id, 4)
    second = store.create_generation(identity("two"), activate=False)
    assert store.activate_generation(second.id, complete=True) is False, "it owes what the active one has"
    assert [g.state for g in store.generations()] == ["active", "building"]
    _embed_all(store, second.id, 4)
    kept(store, "b")
    assert (store.pending_count(first.id), store.pending_count(second.id)) == (1, 1)
    assert store.activate_generation(second.id, complete=True) is True, "b is found by words only in either"
    assert [g.state for g in store.generations()] == ["retired", "active"]
    assert (store.pending_count(first.id), store.pending_count(second.id)) == (0, 1)
    assert store.activate_generation(second.id, complete=True) is True
    _embed_all(store, second.id, 4)
    assert store.activate_generation(first.id, complete=True) is False, "it is not being built"
    assert [g.state for g in store.generations()] == ["retired", "active"]
    store.create_generation(identity("one"), activate=False)
    assert store.activate_generation(first.id, complete=True) is False, "b was written since"
    assert [revision.record.text for revision in store.pending(first.id, limit=10)] == ["b"]


def test_one_generation_is_built_at_a_time(store: Store, reopen: Reopen) -> None:
    first = store.create_generation(identity("one"), activate=True)
    second = store.create_generation(identity("two"), activate=False)
    assert reopen().create_generation(identity("two"), activate=False) == second
    with pytest.raises(ConflictError, match="is being built"):
        reopen().create_generation(identity("two", 8), activate=False)
    assert [g.id for g in store.generations()] == [first.id, second.id], "nothing was written"
    store.retire_generation(second.id)
    third = store.create_generation(identity("two", 8), activate=False)
    assert store.activate_generation(second.id, complete=True) is False
    assert [g.state for g in store.generations()] == ["active", "retired", "building"]
    assert store.activate_generation(second.id) is True
    assert [g.state for g in store.generations()] == ["retired", "active", "building"]
    store.retire_generation(third.id)


def test_a_generation_set_aside_is_owed_nothing_and_keeps_what_was_paid(store: Store) -> None:
    store.create_generation(identity("one"), activate=True)
    kept(store, "a")
    second = store.create_generation(identity("two"), activate=False)
    (pending,) = store.pending(second.id, limit=10)
    _embed_all(store, second.id, 4)
    kept(store, "b")
    store.retire_generation(second.id)
    store.retire_generation(second.id)
    kept(store, "c")
    assert store.pending_count(second.id) == 0
    assert set(store.vectors(second.id, [(pending.key, 0)])) == {(pending.key, 0)}
    again = store.create_generation(identity("two"), activate=False)
    assert (again.id, again.state) == (second.id, "building")
    assert [revision.record.text for revision in store.pending(second.id, limit=10)] == ["b", "c"]


def test_a_dropped_generation_is_gone_with_its_vectors(store: Store, reopen: Reopen) -> None:
    first = store.create_generation(identity("one"), activate=True)
    kept(store, "a")
    second = store.create_generation(identity("two"), activate=False)
    (pending,) = store.pending(second.id, limit=10)
    _embed_all(store, second.id, 4)
    for number in (first.id, second.id):
        with pytest.raises(ConflictError):
            store.drop_generation(number)
    with pytest.raises(ConflictError):
        store.retire_generation(first.id)
    store.retire_generation(second.id)
    reopen().drop_generation(second.id)
    assert [g.id for g in store.generations()] == [first.id]
    assert store.vectors(second.id, [(pending.key, 0)]) == {}
    for missing in (store.drop_generation, store.retire_generation, store.activate_generation):
        with pytest.raises(NotFoundError):
            missing(second.id)
    assert store.pending_count(first.id) == 1


def test_what_is_owed_is_read_on_from_a_key(store: Store) -> None:
    generation = store.create_generation(identity(), activate=True)
    for text in "abc":
        kept(store, text)
    everything = store.pending(generation.id, limit=10)
    assert [revision.record.text for revision in everything] == ["a", "b", "c"]
    assert store.pending(generation.id, limit=10, after=everything[0].key) == everything[1:]
    assert store.pending(generation.id, limit=1, after=everything[0].key) == everything[1:2]
    assert store.pending(generation.id, limit=10, after=everything[2].key) == []


def test_retired_memories_are_selected_when_asked_each_in_its_latest_revision(store: Store) -> None:
    first, second, other = kept(store, "a", user="u"), kept(store, "b", user="u"), kept(store, "c", user="v")
    one(store, revise(first, "a2", tags=("t",)))
    one(store, retire(first, reason="over"))
    mine = Selection(user=("u",))
    assert texts(store, mine) == ["b"]
    page = store.select(mine, limit=10, newest_first=False, retired=True)
    assert [(each.text, each.retired_reason) for each in page.memories] == [("a2", "over"), ("b", None)]
    tagged = store.select(Selection(tags=("T",)), limit=10, retired=True)
    assert [each.id for each in tagged.memories] == [first.id]
    newest = store.select(Selection(), limit=2, retired=True)
    assert [each.id for each in newest.memories] == [other.id, second.id]
    rest = store.select(Selection(), limit=2, cursor=newest.cursor, retired=True)
    assert [each.id for each in rest.memories] == [first.id]
    with pytest.raises(InvalidInputError):
        store.select(Selection(), limit=2, cursor=newest.cursor)
