"""The contracts of the two in-memory indexes and of the partition that joins them.

A partition holds one namespace, so that no query can cross a namespace. Its rows are passages, numbered 0 … n-1 in the order
they were added; a revision's passages are adjacent rows. Filters become a boolean mask over rows and are applied before
ranking. Everything here is derived: it can be rebuilt from the store's canonical rows at any time.

Determinism: equal state gives equal scores, in any process and whatever order things were added in. BM25's statistics are
exact over the passages that are in the partition, and the dense scan is integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ai_memory.text.terms import QueryTerm

__all__ = ["DenseIndex", "Floats", "LexicalIndex", "Mask", "QueryTerm", "Rows", "SparseScores"]

Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]


class SparseScores(NamedTuple):
    """Scores of the rows that have one: `rows` int32 ascending, `scores` float32 of the same length."""

    rows: Rows
    scores: Floats


class LexicalIndex(Protocol):
    """BM25 over analysed terms."""

    def add(self, row: int, terms: Sequence[str]) -> None:
        """Index a new row; rows come in ascending order. Searchable at once."""
        ...

    def add_many(self, first: int, documents: Sequence[Sequence[str]]) -> None:
        """Index the new rows `first`, `first + 1`, …, each given by its terms; rows come in ascending order."""
        ...

    def remove(self, rows: Sequence[int]) -> None:
        """Erase rows, and with them every term that no other row has."""
        ...

    def scores(self, terms: Sequence[QueryTerm]) -> SparseScores:
        """BM25 of every row that matches at least one term. Empty for no terms."""
        ...

    def matches(self, terms: Sequence[QueryTerm], row: int) -> list[str]:
        """The surfaces of the terms that this row matches."""
        ...

    def document_frequency(self, term: QueryTerm) -> int:
        """How many rows match a term."""
        ...


class DenseIndex(Protocol):
    """Cosine over unit vectors."""

    @property
    def dimension(self) -> int:
        """The vectors' dimension."""
        ...

    def add(self, rows: Sequence[int], vectors: Floats) -> None:
        """Index the vectors of some rows, shape (len(rows), dimension); a row without one scores NaN."""
        ...

    def remove(self, rows: Sequence[int]) -> None:
        """Erase the vectors of these rows."""
        ...

    def scores(self, query: Floats, n: int) -> Floats:
        """Approximate cosine of `query`, shape (dimension,), with rows 0 … n-1; float32, NaN where there is no vector.

        int8 on both sides: the true best k are among its best 2k (facts measured on real vectors), so rescore those exactly.
        """
        ...
