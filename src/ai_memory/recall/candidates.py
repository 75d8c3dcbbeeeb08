"""Which rows are worth a closer look: the best of each search, and what stands beside the best of both in a session.

Ties are broken by revision key and passage, which are the same in every process, never by row number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Floats, Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.population import Scored

_NONE = np.empty(0, np.int32)
_FIRST_CUT = 2.5
_CUT_STEP = 0.75
_LAST_CUT = -2.0


class Pools(NamedTuple):
    """The best rows of each search, best first; empty for a side that did not search."""

    dense: Rows
    lexical: Rows

    @property
    def rows(self) -> Rows:
        """Rows of either pool, ascending, each once."""
        return np.union1d(self.dense, self.lexical).astype(np.int32)


def best_of_each(view: PartitionView, scored: Scored, size: int) -> Pools:
    """The best `size` rows of each side."""
    dense = _NONE if scored.dense is None else _dense_best(view, scored, scored.dense, size)
    lexical = _best(view, scored.lexical.rows, scored.lexical.scores, size)
    return Pools(dense, lexical)


def _dense_best(view: PartitionView, scored: Scored, dense: Floats, size: int) -> Rows:
    """As `_best`, over all eligible rows with a vector; looks far out in the tail first, where the best are few."""
    background = scored.dense_background
    cut = _FIRST_CUT if background.size > 4 * size else _LAST_CUT
    while cut > _LAST_CUT:
        rows = np.flatnonzero(dense > background.mean + cut * background.deviation).astype(np.int32)
        rows = rows[scored.eligible[rows]]
        if len(rows) >= size:
            return _best(view, rows, dense[rows], size)
        cut -= _CUT_STEP
    rows = np.flatnonzero(scored.eligible).astype(np.int32)
    rows = rows[~np.isnan(dense[rows])]
    return _best(view, rows, dense[rows], size)


def _best(view: PartitionView, rows: Rows, scores: Floats, size: int) -> Rows:
    """The `size` rows of greatest score, best first, ties by key and passage."""
    if len(rows) > size:
        cut = np.partition(scores, len(scores) - size)[len(scores) - size]
        above = scores > cut
        level = rows[scores == cut]
        wanted = size - int(above.sum())
        if len(level) > wanted:
            level = level[by_key(view, level)][:wanted]
        rows, scores = np.concatenate((rows[above], level)), np.concatenate((scores[above], np.full(wanted, cut)))
    return rows[np.lexsort((view.passages()[rows], view.keys()[rows], -scores))]


def by_key(view: PartitionView, rows: Rows) -> NDArray[np.int64]:
    """The order of rows by revision key, then passage."""
    return np.lexsort((view.passages()[rows], view.keys()[rows]))


def session_neighbours(
    view: PartitionView, scored: Scored, rows: Rows, reach: int, *, filtered: bool
) -> NDArray[np.int32]:
    """Eligible rows around each row in its session, shape (len(rows), 2 * reach), nearest in the middle, -1 where none is.

    Without filters the index's own order of current rows is used, which it keeps between questions.
    """
    if not reach or not len(rows):
        return np.full((len(rows), 2 * reach), -1, np.int32)
    found = view.session_neighbours(rows, reach, reach, scored.eligible if filtered else None)
    found[~scored.eligible[found]] = -1
    return found
