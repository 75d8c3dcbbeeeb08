"""The candidates are the best of each search, however the search for them cuts its way short."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from numpy.typing import NDArray

from ai_memory.index import parallel
from ai_memory.index.base import Floats, SparseScores
from ai_memory.index.partition import Partition, PartitionView
from ai_memory.recall.evidence.candidates import best_of_each, union
from ai_memory.recall.evidence.scores import score_all
from ai_memory.text.analysis import analyse_query
from ai_memory.types import MemoryRecord

ROWS = 3_000
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def view() -> PartitionView:
    """Three thousand memories in order of their keys; of the words some are in all of them, some in few."""
    partition = Partition("ns", 8)
    rng = np.random.default_rng(5)
    drawn = rng.zipf(1.3, (ROWS, 6)).clip(max=200)
    records = [
        MemoryRecord(
            id=f"mem_{number}",
            namespace="ns",
            text=" ".join(f"word{each}" for each in drawn[number]),
            created_at=START,
            recorded_at=START,
            content_hash="",
        )
        for number in range(ROWS)
    ]
    partition.add_many(list(enumerate(records, 1)))
    vectors = rng.standard_normal((ROWS, 8)).astype(np.float32)
    partition.set_vectors([(number + 1, 0, vectors[number]) for number in range(ROWS) if number % 7])
    return partition.view()


@pytest.mark.parametrize("size", [1, 20, 200, 900, 5_000])
@pytest.mark.parametrize("query", ["word1", "word1 word2 word199", "word17", "nothing"])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.01])
def test_the_best_of_each_search_are_those_of_sorting_everything(
    view: PartitionView, size: int, query: str, share: float
) -> None:
    eligible = np.random.default_rng(3).random(ROWS) < share
    vector = np.arange(1, 9, dtype=np.float32)
    scored = score_all(view, eligible, analyse_query(query).terms, vector / np.linalg.norm(vector))
    pools = best_of_each(view, scored, size)
    assert pools.lexical.tolist() == _sorted(scored.lexical.rows, scored.lexical.scores, size)
    assert scored.dense is not None
    there = np.flatnonzero(eligible & ~np.isnan(scored.dense)).astype(np.int32)
    assert pools.dense.tolist() == _sorted(there, scored.dense[there], size)
    assert pools.rows.tolist() == sorted({*pools.dense.tolist(), *pools.lexical.tolist()})


def _sorted(rows: NDArray[np.int32], scores: Floats, size: int) -> list[int]:
    """Rows are in the order of keys here, which breaks ties."""
    best: list[int] = rows[np.lexsort((rows, -scores))][:size].tolist()
    return best


@pytest.mark.parametrize(("one", "other"), [([], []), ([3], []), ([5, 1], [1, 9]), ([2, 2], [2])])
def test_a_union_has_every_row_once_in_order(one: list[int], other: list[int]) -> None:
    found = union(np.array(one, np.int32), np.array(other, np.int32))
    assert found.dtype == np.int32
    assert found.tolist() == sorted({*one, *other})


def test_both_searches_at_once_find_what_each_finds_alone(view: PartitionView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "MIN_PARALLEL_ROWS", 0)
    monkeypatch.setattr(parallel, "THREADS", 3)
    terms, vector = analyse_query("word1 word3").terms, np.ones(8, np.float32)
    expected_dense, expected_words = view.dense_scores(vector), view.lexical_scores(terms)
    for _ in range(50):
        dense, words = view.both_scores(vector, terms)
        assert np.array_equal(dense, expected_dense, equal_nan=True)
        _same(words, expected_words)
    without = Partition("ns").view()
    dense, words = without.both_scores(vector, terms)
    assert not len(dense)
    assert not len(words.rows)


def _same(one: SparseScores, other: SparseScores) -> None:
    assert np.array_equal(one.rows, other.rows)
    assert np.array_equal(one.scores, other.scores)
