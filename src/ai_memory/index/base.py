"""Types that the indexes share.

A partition holds one namespace, so that no query can cross a namespace. Its rows are passages, numbered 0 … n-1 in the order
they were added; the passages of a revision are adjacent rows. Filters become a boolean mask over rows and are applied before
ranking. Everything here is derived: it can be rebuilt from the store's canonical rows at any time.

Determinism: equal state gives equal scores, in any process and whatever order rows were added in. BM25's statistics are
exact over the passages that are in the partition, and the dense scan is integer arithmetic.

There is no protocol for an index: docs/indexes.md says why.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.text.terms import QueryTerm

__all__ = ["Floats", "Mask", "QueryTerm", "Rows", "SparseScores"]

Rows = NDArray[np.int32]
"""Row numbers, int32."""
Mask = NDArray[np.bool_]
"""One flag per row, bool, shape (n,)."""
Floats = NDArray[np.float32]
"""Scores or vectors, float32."""


class SparseScores(NamedTuple):
    """Scores of the k rows that have one, k possibly 0: `rows` int32 ascending, `scores` float32, both of shape (k,)."""

    rows: Rows
    scores: Floats
