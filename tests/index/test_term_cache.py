"""Term scores kept between questions: the same from the cache as computed, and never more bytes than allowed."""

from __future__ import annotations

import numpy as np
import pytest

from ai_memory.index import term_cache
from ai_memory.index.base import QueryTerm
from ai_memory.index.lexical import PostingsIndex
from ai_memory.index.term_cache import TermCache, TermScores, cache_key, term_scores

ROWS = 6_000
COMMON, RARER, RARE = (
    QueryTerm("the", ("the",)),
    QueryTerm("tile", ("tile", "=tiles"), 1.0, (0.9, 1.0)),
    QueryTerm("x", ("x",)),
)


@pytest.fixture
def index() -> PostingsIndex:
    made = PostingsIndex()
    dice = np.random.default_rng(7)
    texts = []
    for row in range(ROWS):
        words = ["the"] * int(dice.integers(0, 4)) + ["filler"] * int(dice.integers(1, 9))
        words += ["tile"] * int(row % 5 == 0) + ["=tiles"] * int(row % 10 == 0) + ["x"] * int(row % 1000 == 0)
        texts.append(words)
    made.add_many(0, texts)
    return made


def test_a_cached_answer_equals_the_first(index: PostingsIndex) -> None:
    view = index.view()
    first = view.scores([COMMON, RARER, RARE])
    again = view.scores([COMMON, RARER, RARE])
    assert np.array_equal(first.rows, again.rows)
    assert np.array_equal(first.scores, again.scores)


def test_adding_and_removing_start_a_new_cache(index: PostingsIndex) -> None:
    before = index.view().scores([RARER])
    index.add(ROWS, ["tile"])
    after = index.view().scores([RARER])
    assert len(after.rows) == len(before.rows) + 1
    index.remove([ROWS])
    restored = index.view().scores([RARER])
    assert np.array_equal(restored.rows, before.rows)
    assert np.allclose(restored.scores, before.scores)


def test_a_view_keeps_its_own_answer_while_the_index_changes(index: PostingsIndex) -> None:
    view = index.view()
    before = view.scores([COMMON])
    index.add(ROWS, ["the"])
    again = view.scores([COMMON])
    assert np.array_equal(before.rows, again.rows)
    assert np.array_equal(before.scores, again.scores)


def test_both_forms_of_a_term_add_the_same() -> None:
    rows = np.arange(0, 4_000, 2, dtype=np.int64)
    saturations = np.linspace(0.1, 1.0, len(rows), dtype=np.float32)
    sparse, whole = TermScores(rows, saturations, len(rows)), term_scores(rows, saturations, len(rows), 4_000)
    assert whole.rows is None
    totals = [np.ones(4_000, np.float32), np.ones(4_000, np.float32)]
    sparse.add_to(totals[0], 1.7)
    whole.add_to(totals[1], 1.7)
    assert np.array_equal(totals[0], totals[1])


def test_the_least_recently_used_term_is_dropped_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term_cache, "MIN_BYTES", 60_000)
    cache = TermCache(0)
    words = [QueryTerm(name, (name,)) for name in "abc"]
    rows = np.arange(2_000, dtype=np.int64)
    for term in words[:2]:
        cache.put(cache_key(term), TermScores(rows, np.ones(2_000, np.float32), 2_000))
    assert cache.get(cache_key(words[0])) is not None
    cache.put(cache_key(words[2]), TermScores(rows, np.ones(2_000, np.float32), 2_000))
    assert [cache.get(cache_key(term)) is not None for term in words] == [True, False, True]


def test_short_postings_are_not_kept() -> None:
    cache = TermCache(1_000_000)
    cache.put(cache_key(RARE), TermScores(np.arange(9, dtype=np.int64), np.ones(9, np.float32), 9))
    assert cache.get(cache_key(RARE)) is None
