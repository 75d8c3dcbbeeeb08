"""Which rows are scored by all stages: the best of each search, and the session neighbours of the best of both.

Ties are broken by revision key and passage, which are the same in every process, never by row number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Floats, Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence.scores import Background, Scored

_NONE = np.empty(0, np.int32)
# Deviations above the mean at which a search for the best rows starts, by which it comes down, and where it gives up.
_FIRST_CUT = 2.5
_CUT_STEP = 0.75
_LAST_CUT = -2.0


class Pools(NamedTuple):
    """The best rows of each search, int32, best first; empty for a search that did not run."""

    dense: Rows
    lexical: Rows
    timed: Rows = _NONE
    """Rows inside the time that the question asks for, where it asks for nothing else."""

    @property
    def rows(self) -> Rows:
        """Rows of either pool, int32 ascending, each once."""
        return union(union(self.dense, self.lexical), self.timed)


def best_of_each(view: PartitionView, scored: Scored, size: int) -> Pools:
    """The best `size` rows of each search, fewer where there are no more."""
    dense = _NONE if scored.dense is None else _dense_best(view, scored, scored.dense, size)
    return Pools(dense, _lexical_best(view, scored, size))


def best_inside(view: PartitionView, scored: Scored, inside: Rows, size: int) -> Rows:
    """The best `size` of some eligible rows, int32: the nearest in meaning, or without vectors the newest."""
    values = scored.cosines(inside) if scored.dense is not None else view.occurred()[inside].astype(np.float64)
    return _best(view, inside, np.nan_to_num(values, nan=-1.0).astype(np.float64), size)


def union(one: Rows, other: Rows) -> Rows:
    """The rows of either array, int32 ascending, each once; empty for two empty ones.

    Sorting and dropping repeats takes, for some hundred rows, a fifth of the time of `np.union1d`, which hashes them.
    """
    rows = np.concatenate((one, other))
    rows.sort()
    first = np.ones(len(rows), np.bool_)
    np.not_equal(rows[1:], rows[:-1], out=first[1:])
    return rows[first]


def _dense_best(view: PartitionView, scored: Scored, dense: Floats, size: int) -> Rows:
    """As `_best`, over all eligible rows with a vector.

    Partitioning all rows would cost more than the scan: first only rows far above the mean are looked at, and if these are too
    few, nearer ones. The background says where that is, so a cut or two usually suffice.
    """
    for cut in _cuts(scored.dense_background, size):
        rows = np.flatnonzero(dense > cut).astype(np.int32)
        rows = rows[scored.eligible[rows]]
        if len(rows) >= size:
            return _best(view, rows, dense[rows], size)
    rows = np.flatnonzero(scored.eligible).astype(np.int32)
    rows = rows[~np.isnan(dense[rows])]
    return _best(view, rows, dense[rows], size)


def _lexical_best(view: PartitionView, scored: Scored, size: int) -> Rows:
    """As `_best`, over all rows that match."""
    rows, scores = scored.lexical
    for cut in _cuts(scored.lexical_background, size):
        far = np.flatnonzero(scores > cut)
        if len(far) >= size:
            return _best(view, rows[far], scores[far], size)
    return _best(view, rows, scores, size)


def _cuts(background: Background, size: int) -> Iterator[float]:
    """Scores to cut at, from far out in the tail, where few rows are, inwards; none where there are few rows in all."""
    cut = _FIRST_CUT if background.size > 4 * size else _LAST_CUT
    while cut > _LAST_CUT:
        yield background.mean + cut * background.deviation
        cut -= _CUT_STEP


def _best(view: PartitionView, rows: Rows, scores: Floats, size: int) -> Rows:
    """The `size` rows of greatest score, int32, best first, ties by key and passage; `scores` are those of `rows`."""
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
    """The order of rows by revision key, then passage: places in `rows`, int64, shape (len(rows),)."""
    return np.lexsort((view.passages()[rows], view.keys()[rows]))


def session_neighbours(
    view: PartitionView, scored: Scored, rows: Rows, reach: int, *, filtered: bool
) -> NDArray[np.int32]:
    """Eligible rows around each of r rows in its session: int32, shape (r, 2 * reach), nearest in the middle, -1 for none.

    Without filters the index's own order of current rows is used, which it keeps between questions; of these, the ones that are
    not eligible (they have ended) are dropped and not replaced by the next ones.
    """
    if not reach or not len(rows):
        return np.full((len(rows), 2 * reach), -1, np.int32)
    found = view.session_neighbours(rows, reach, reach, scored.eligible if filtered else None)
    found[~scored.eligible[found]] = -1  # an entry of -1 reads the last row's flag and stays -1 either way
    return found
