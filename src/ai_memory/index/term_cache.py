"""What a query term gives to each row that matches it, kept between questions while the index does not change.

Questions share their frequent words, and those have the longest postings: adding up known values is several times cheaper than
computing them. A cache belongs to one state of the index; any change of the index starts a new one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Floats, QueryTerm

MIN_CACHED_ROWS = 1_000
"""Terms in fewer rows are not kept: short postings are scored as fast as they are found in the cache."""
MIN_BYTES = 16_000_000
BYTES_PER_ROW = 96
"""Capacity of the cache per row of the index: 24 terms that nearly every row has, or 8 postings of rarer ones per row."""
DENSE_SHARE = 4
"""A term in more than a fourth of all rows is kept as one number per row, which is smaller and faster to add."""

CacheKey = tuple[tuple[str, ...], tuple[float, ...]]


def cache_key(term: QueryTerm) -> CacheKey:
    """What identifies the scores of a query term: its alternatives and their factors, but not its weight or surface."""
    return term.alternatives, term.factors


class TermScores(NamedTuple):
    """The saturated frequency of a query term in each of the k rows that match it (the best of its alternatives).

    `saturations`: float32, shape (k,). `rows`: int64, shape (k,), each row once; or None, and then `saturations` has one entry for
    every row of the index, 0 where the term does not occur. `frequency` is the number of rows of its commonest alternative,
    from which its idf follows; 0 for a term that no row has.
    """

    rows: NDArray[np.int64] | None
    saturations: Floats
    frequency: int

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.saturations.nbytes + (0 if self.rows is None else self.rows.nbytes)

    def add_to(self, total: Floats, scale: float) -> None:
        """Add `scale` times the saturations to `total`, float32, shape (rows of the index,), in place."""
        weighed = self.saturations * np.float32(scale)
        if self.rows is None:
            total += weighed
        else:
            np.add.at(total, self.rows, weighed)  # half the cost of `total[rows] += weighed`

    def at(self, rows: NDArray[np.int32], scratch: Floats) -> Floats:
        """The saturations of some rows, float32, shape (len(rows),), 0 where the term does not occur.

        `scratch`, float32, shape (rows of the index,), must be all zero and is all zero again afterwards.
        """
        if self.rows is None:
            return self.saturations.take(rows)
        # Scattering into a dense array and reading it is faster than a sorted search: `rows` of the postings are unsorted
        # where alternatives were merged. Only the entries that were written are zeroed again.
        scratch[self.rows] = self.saturations
        found: Floats = scratch.take(rows)
        scratch[self.rows] = 0.0
        return found


NO_SCORES = TermScores(np.empty(0, np.int64), np.empty(0, np.float32), 0)
"""The scores of a term that no row has."""


def term_scores(rows: NDArray[np.int64], saturations: Floats, frequency: int, index_rows: int) -> TermScores:
    """The scores in the form that suits how many of the `index_rows` rows match: a list of rows, or one number per row.

    `rows`: int64, shape (k,), each once; `saturations`: float32, shape (k,).
    """
    if len(rows) * DENSE_SHARE <= index_rows or index_rows < MIN_CACHED_ROWS:
        return TermScores(rows, saturations, frequency)
    everywhere = np.zeros(index_rows, np.float32)
    everywhere[rows] = saturations
    return TermScores(None, everywhere, frequency)


class TermCache:
    """The scores of query terms in one state of the index, the least recently used dropped first. Thread-safe."""

    def __init__(self, index_rows: int) -> None:
        """An empty cache for an index of `index_rows` rows."""
        self._capacity = max(MIN_BYTES, BYTES_PER_ROW * index_rows)
        self._kept = 0
        self._terms: OrderedDict[CacheKey, TermScores] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: CacheKey) -> TermScores | None:
        """The scores that were kept under `key`, or None."""
        with self._lock:
            scores = self._terms.get(key)
            if scores is not None:
                self._terms.move_to_end(key)
            return scores

    def put(self, key: CacheKey, scores: TermScores) -> None:
        """Keep the scores of a term, unless it is in fewer than `MIN_CACHED_ROWS` rows or larger than the whole cache."""
        if scores.frequency < MIN_CACHED_ROWS or scores.nbytes > self._capacity:
            return
        with self._lock:
            if key in self._terms:
                return
            self._terms[key] = scores
            self._kept += scores.nbytes
            while self._kept > self._capacity:
                _, dropped = self._terms.popitem(last=False)
                self._kept -= dropped.nbytes
