"""How each search scores the memories that may answer, and the background that a score is compared with.

Everything here looks at all rows that pass the filters, once per question; the later stages see candidates only. Sums are taken in
float64, so that the order of rows, which may differ between processes, does not change a score by more than the last bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Floats, Mask, Rows, SparseScores
from ai_memory.index.copies import NO_GROUPS, Groups
from ai_memory.index.partition import PartitionView
from ai_memory.text.terms import QueryTerm

Values = NDArray[np.float64]
"""Evidence or scores of candidates, float64."""


class Background(NamedTuple):
    """Mean and standard deviation of one search's scores over all eligible rows; `size` rows had a score."""

    mean: float
    deviation: float
    size: int


NO_BACKGROUND = Background(0.0, 0.0, 0)


class Scored(NamedTuple):
    """The eligible rows of a namespace as both searches score them."""

    eligible: Mask
    """Rows that pass the filters, bool, shape (n,)."""
    rows: int
    """How many rows are eligible."""
    dense: Floats | None
    """Approximate cosines, float32, shape (n,), NaN where there is no vector; None when recall works lexically alone."""
    dense_background: Background
    lexical: SparseScores
    """BM25 of the eligible rows that match."""
    lexical_background: Background
    copies: Groups
    """Rows that pass the filters and were left out of `eligible`, since another row says the same, and that row."""
    familiar: float = 1.0
    """How well the embedder knows the question's language, in (0, 1]: where it does not, cosines are chance."""
    dialogue: float = 0.0
    """The share of the namespace that is a dialogue of people, in [0, 1]."""

    def cosines(self, rows: Rows) -> Values:
        """Approximate cosines of r rows, float64, shape (r,), NaN where there is none."""
        if self.dense is None:
            return np.full(len(rows), np.nan)
        return self.dense[rows].astype(np.float64)

    def bm25(self, rows: Rows) -> Values:
        """BM25 of r rows, float64, shape (r,), 0 where no word matches."""
        found = self.lexical
        if not len(found.rows):
            return np.zeros(len(rows))
        at = np.minimum(found.rows.searchsorted(rows), len(found.rows) - 1)
        return np.where(found.rows[at] == rows, found.scores[at], 0.0).astype(np.float64)


def score_all(
    view: PartitionView,
    eligible: Mask,
    terms: Sequence[QueryTerm],
    query_vector: Floats | None,
    background_vectors: Floats | None = None,
    copies: Groups = NO_GROUPS,
    familiar: float = 1.0,
) -> Scored:
    """Both searches over the eligible rows, `eligible` of shape (n,). A search without a query (no words, no vector) finds nothing.

    `query_vector` is a float32 unit vector of shape (dimension,). `background_vectors`, float32 unit vectors, shape (m, dimension),
    or None, count in the background of cosines as m rows that do not answer. `copies` were left out of `eligible` already.
    `familiar` is how well the embedder knows the question's language, in (0, 1]. With no eligible row, both searches are empty.
    """
    rows = int(np.count_nonzero(eligible))
    dense, lexical = _searched(view, terms, query_vector) if rows else (None, _NO_SCORES)
    dense_background = NO_BACKGROUND
    if dense is not None and query_vector is not None:
        others = np.empty(0, np.float32) if background_vectors is None else background_vectors @ query_vector
        dense_background = _dense_background(dense, eligible, rows, others)
        if not dense_background.size:
            dense = None
    if rows < len(eligible) or len(lexical.rows) > rows:
        lexical = _kept(lexical, eligible)
    lexical_background = _lexical_background(lexical, rows)
    return Scored(eligible, rows, dense, dense_background, lexical, lexical_background, copies, familiar, view.dialogue)


_NO_SCORES = SparseScores(np.empty(0, np.int32), np.empty(0, np.float32))


def _searched(
    view: PartitionView, terms: Sequence[QueryTerm], query_vector: Floats | None
) -> tuple[Floats | None, SparseScores]:
    if query_vector is None or view.dimension != len(query_vector):
        return None, view.lexical_scores(terms)
    return view.both_scores(query_vector, terms)


def _kept(found: SparseScores, eligible: Mask) -> SparseScores:
    """Only the eligible rows; those added after the view was taken are beyond the mask and go too."""
    inside = found.rows < len(eligible)
    rows, scores = (found.rows, found.scores) if inside.all() else (found.rows[inside], found.scores[inside])
    keep = eligible[rows]
    return SparseScores(rows, scores) if keep.all() else SparseScores(rows[keep], scores[keep])


def _dense_background(dense: Floats, eligible: Mask, rows: int, others: Floats) -> Background:
    """The background of the eligible rows' cosines and the `others`; NO_BACKGROUND when no eligible row has a vector."""
    values = dense if rows == len(dense) else dense[eligible]
    total = float(values.sum(dtype=np.float64))
    # A NaN in the sum says that some row has no vector: cheaper than looking for NaN in every row of every question.
    if np.isnan(total):
        values = values[~np.isnan(values)]
        total = float(values.sum(dtype=np.float64))
    there = len(values)
    if len(others) and there:
        values = np.concatenate([values, others])
        total += float(others.sum(dtype=np.float64))
    return _background(total, values, len(values))._replace(size=there)


def _lexical_background(found: SparseScores, rows: int) -> Background:
    """Rows that do not match count as zeros."""
    return _background(float(found.scores.sum(dtype=np.float64)), found.scores, rows)


def _background(total: float, values: Floats, count: int) -> Background:
    """Mean and deviation of `count` scores, of which those not among `values` are 0; `total` is the sum of all."""
    if not count:
        return NO_BACKGROUND
    mean = total / count
    squares = float(np.einsum("i,i->", values, values, dtype=np.float64))
    return Background(mean, max(0.0, squares / count - mean * mean) ** 0.5, count)
