"""Immutable postings: for each term, the rows that have it and how often; and how segments are merged.

A segment covers an interval of rows. Its postings are sorted by term and, within a term, by row; segments that are merged
cover adjacent intervals, so the order is kept without sorting again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MERGE_BLOCK = 1 << 20
"""Postings copied at once in a merge, so that its index arrays take 8 MB each at most."""


class Segment(NamedTuple):
    """Postings of the rows `first` to `end` (exclusive), p postings of t terms; both may be 0.

    `terms`: int32, shape (t,), ascending, distinct. `offsets`: int64, shape (t + 1,); the postings of `terms[i]` are
    `offsets[i]:offsets[i + 1]`. `rows`: int32, shape (p,). `counts`: uint8, shape (p,), occurrences in the row, 255 for any
    more than that.
    """

    first: int
    end: int
    terms: NDArray[np.int32]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.uint8]

    def span(self, term: int) -> tuple[int, int]:
        """Where the postings of a term begin and end (exclusive); (0, 0) when it has none."""
        at = int(self.terms.searchsorted(np.int32(term)))  # a Python int would make numpy copy the array as int64
        if at == len(self.terms) or self.terms[at] != term:
            return 0, 0
        return int(self.offsets[at]), int(self.offsets[at + 1])

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.terms.nbytes + self.offsets.nbytes + self.rows.nbytes + self.counts.nbytes


def build_segment(
    first: int, end: int, terms: NDArray[np.int32], rows: NDArray[np.int32], counts: NDArray[np.uint8]
) -> Segment:
    """A segment of p postings, three arrays of shape (p,); each term's must be given in ascending order of row.

    Of the rows `first` to `end` (exclusive). No postings give a segment without terms.
    """
    # Stable, so that each term's rows keep the order in which they came, which is ascending.
    order = np.argsort(terms, kind="stable")
    ordered = terms[order]
    starts = (
        np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if len(ordered) else np.empty(0, np.int64)
    )
    offsets = np.concatenate((starts, [len(ordered)])).astype(np.int64)
    return Segment(first, end, ordered[starts], offsets, rows[order], counts[order])


def merge_segments(segments: Sequence[Segment]) -> Segment:
    """One segment from adjacent ones, at least one, given in order. Linear in the number of postings.

    Their intervals follow each other, so a term's rows are those of each segment in turn, already ascending: postings are copied
    to their places and never compared.
    """
    terms = np.sort(np.concatenate([segment.terms for segment in segments]))
    terms = terms[np.concatenate(([True], terms[1:] != terms[:-1]))]
    places = [terms.searchsorted(segment.terms) for segment in segments]
    lengths = np.zeros(len(terms), np.int64)
    for segment, place in zip(segments, places, strict=True):
        lengths[place] += np.diff(segment.offsets)
    offsets = np.zeros(len(terms) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    rows = np.empty(offsets[-1], np.int32)
    counts = np.empty(offsets[-1], np.uint8)
    filled = offsets[:-1].copy()
    for segment, place in zip(segments, places, strict=True):
        _scatter(segment, filled[place], rows, counts)
        filled[place] += np.diff(segment.offsets)
    return Segment(segments[0].first, segments[-1].end, terms, offsets, rows, counts)


def without_rows(segment: Segment, erased: NDArray[np.bool_]) -> tuple[Segment, NDArray[np.int32]]:
    """The segment without some rows, and the terms, int32 ascending, that those rows had.

    `erased`: bool, one flag per row of the whole index, from row 0.
    """
    keep = ~erased[segment.rows]
    # How many postings are kept before each place: the new offset of a term is that number at its old offset.
    kept_before = np.zeros(len(keep) + 1, np.int64)
    np.cumsum(keep, out=kept_before[1:])
    offsets = kept_before[segment.offsets]
    lost = segment.terms[np.diff(offsets) < np.diff(segment.offsets)]
    alive = np.diff(offsets) > 0
    offsets = np.concatenate((offsets[:-1][alive], offsets[-1:]))
    kept = segment._replace(
        terms=segment.terms[alive], offsets=offsets, rows=segment.rows[keep], counts=segment.counts[keep]
    )
    return kept, lost


def _scatter(segment: Segment, targets: NDArray[np.int64], rows: NDArray[np.int32], counts: NDArray[np.uint8]) -> None:
    """Copy a segment's postings into the merged arrays, each term's to `targets`, in blocks to keep memory small."""
    begin = 0
    while begin < len(segment.terms):
        end = int(segment.offsets.searchsorted(segment.offsets[begin] + MERGE_BLOCK, side="right")) - 1
        end = min(max(end, begin + 1), len(segment.terms))
        low, high = int(segment.offsets[begin]), int(segment.offsets[end])
        # All postings of one term move by the same distance, so targets need no loop over terms.
        shift = targets[begin:end] - segment.offsets[begin:end]
        at = np.arange(low, high)
        at += np.repeat(shift, np.diff(segment.offsets[begin : end + 1]))
        rows[at] = segment.rows[low:high]
        counts[at] = segment.counts[low:high]
        begin = end
