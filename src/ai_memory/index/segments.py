"""Immutable postings: for each term, the rows that have it and how often; and how segments become one.

A segment covers an interval of rows. Its postings are sorted by term and, within a term, by row; segments that are merged
cover adjacent intervals, so the order is kept without sorting again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MERGE_BLOCK = 1 << 20


class Segment(NamedTuple):
    """Postings of the rows `first` to `end` (exclusive).

    `terms`: int32, ascending, distinct. `offsets`: int64, one more than terms; the postings of `terms[i]` are
    `offsets[i]:offsets[i + 1]`. `rows`: int32. `counts`: uint8, occurrences in the row, 255 standing for more.
    """

    first: int
    end: int
    terms: NDArray[np.int32]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.uint8]

    def span(self, term: int) -> tuple[int, int]:
        """Where the postings of a term begin and end; an empty span when it has none."""
        at = int(self.terms.searchsorted(np.int32(term)))  # a Python int would make numpy copy the array as int64
        if at == len(self.terms) or self.terms[at] != term:
            return 0, 0
        return int(self.offsets[at]), int(self.offsets[at + 1])

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.terms.nbytes + self.offsets.nbytes + self.rows.nbytes + self.counts.nbytes


def build(
    first: int, end: int, terms: NDArray[np.int32], rows: NDArray[np.int32], counts: NDArray[np.uint8]
) -> Segment:
    """A segment of postings; each term's must be given in ascending order of row."""
    order = np.argsort(terms, kind="stable")
    ordered = terms[order]
    starts = (
        np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if len(ordered) else np.empty(0, np.int64)
    )
    offsets = np.concatenate((starts, [len(ordered)])).astype(np.int64)
    return Segment(first, end, ordered[starts], offsets, rows[order], counts[order])


def merge(parts: Sequence[Segment]) -> Segment:
    """One segment of adjacent ones, in order. Linear in the number of postings."""
    terms = np.sort(np.concatenate([part.terms for part in parts]))
    terms = terms[np.concatenate(([True], terms[1:] != terms[:-1]))]
    places = [terms.searchsorted(part.terms) for part in parts]
    lengths = np.zeros(len(terms), np.int64)
    for part, place in zip(parts, places, strict=True):
        lengths[place] += np.diff(part.offsets)
    offsets = np.zeros(len(terms) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    rows = np.empty(offsets[-1], np.int32)
    counts = np.empty(offsets[-1], np.uint8)
    filled = offsets[:-1].copy()
    for part, place in zip(parts, places, strict=True):
        _scatter(part, filled[place], rows, counts)
        filled[place] += np.diff(part.offsets)
    return Segment(parts[0].first, parts[-1].end, terms, offsets, rows, counts)


def without(part: Segment, erased: NDArray[np.bool_]) -> tuple[Segment, NDArray[np.int32]]:
    """The segment without the rows that `erased` marks (one flag a row, from row 0), and the terms those rows had."""
    keep = ~erased[part.rows]
    kept_before = np.zeros(len(keep) + 1, np.int64)
    np.cumsum(keep, out=kept_before[1:])
    offsets = kept_before[part.offsets]
    lost = part.terms[np.diff(offsets) < np.diff(part.offsets)]
    alive = np.diff(offsets) > 0
    offsets = np.concatenate((offsets[:-1][alive], offsets[-1:]))
    return part._replace(terms=part.terms[alive], offsets=offsets, rows=part.rows[keep], counts=part.counts[keep]), lost


def _scatter(part: Segment, targets: NDArray[np.int64], rows: NDArray[np.int32], counts: NDArray[np.uint8]) -> None:
    """Copy a segment's postings to where each term's begin in the merged arrays, in blocks to keep memory small."""
    begin = 0
    while begin < len(part.terms):
        end = int(part.offsets.searchsorted(part.offsets[begin] + MERGE_BLOCK, side="right")) - 1
        end = min(max(end, begin + 1), len(part.terms))
        low, high = int(part.offsets[begin]), int(part.offsets[end])
        shift = targets[begin:end] - part.offsets[begin:end]
        at = np.arange(low, high)
        at += np.repeat(shift, np.diff(part.offsets[begin : end + 1]))
        rows[at] = part.rows[low:high]
        counts[at] = part.counts[low:high]
        begin = end
