"""A long memory as evidence as a whole: what its other passages say of the question, for each of its passages.

A report names a person in its head and a subject three pages down, in a passage of its own. Each passage has half of the
question's words, and only together do they say that the report answers it. So a passage is read with the rest of its memory, as a
turn is with its neighbours (`session_context`), but over its whole length: a word counts once, however many passages have it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Rows
from ai_memory.index.partition import PartitionView

MOST_PASSAGES = 64
"""So many passages of a memory are read, from its beginning: what a question costs must not grow with the longest text."""


class Wholes(NamedTuple):
    """The memories of c candidate rows, of which m have several passages."""

    starts: NDArray[np.int64]
    """The first row of each of these memories' passages, ascending, shape (m,)."""
    ends: NDArray[np.int64]
    """The row after the last passage that is read, shape (m,)."""
    member: NDArray[np.int64]
    """Which of the m memories each candidate is a passage of, shape (c,), -1 for a memory of one passage."""

    @property
    def rows(self) -> Rows:
        """All rows of these memories that are read, int32 ascending."""
        if not len(self.starts):
            return np.empty(0, np.int32)
        return np.concatenate([np.arange(*span, dtype=np.int32) for span in zip(self.starts, self.ends, strict=True)])


def wholes(view: PartitionView, rows: Rows) -> Wholes:
    """The memories of c rows, int32, that have several passages; none for no rows."""
    keys = view.keys()
    firsts = rows.astype(np.int64) - view.passages()[rows]
    starts, member = np.unique(firsts, return_inverse=True)
    counts = _counts(keys, starts)
    long = counts > 1
    numbers = np.where(long, np.cumsum(long) - 1, -1)
    return Wholes(starts[long], (starts + np.minimum(counts, MOST_PASSAGES))[long], numbers[member])


def _counts(keys: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many rows from each start on are of the same revision, at most a few more than `MOST_PASSAGES`: int64, shape (k,)."""
    counts = np.ones(len(starts), np.int64)
    growing = np.arange(len(starts))
    while len(growing) and counts[growing[0]] < MOST_PASSAGES:
        after = starts[growing] + counts[growing]
        inside = after < len(keys)
        same = inside & (keys[np.where(inside, after, 0)] == keys[starts[growing]])
        growing = growing[same]
        counts[growing] += 1
    return counts
