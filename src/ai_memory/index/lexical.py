"""BM25 over analysed terms, exact at every moment.

Postings are kept in a few immutable segments and a small unsorted tail for the newest rows. Scores are computed at query time from
counts and lengths, so that every added or erased row is reflected at once. The measure is Robertson and Zaragoza, "The
Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the idf of Lucene:

    idf(w) = ln(1 + (N - n(w) + 0.5) / (n(w) + 0.5))
    score  = Σ over words w:  weight(w) · idf(w) · max over alternatives a: factor(a) · f·(k1 + 1) / (f + k1·(1 - b + b·l/avg))

w is a word of the question (`QueryTerm`), N the number of rows, n(w) that of the word's commonest alternative (its stem has
every row that its exact form has), f how often the row has the alternative (at most 255), l the row's length in primary terms.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Floats, QueryTerm, Rows, SparseScores
from ai_memory.index.growable_array import GrowableArray
from ai_memory.index.segments import Segment, build_segment, merge_segments, without_rows
from ai_memory.index.term_cache import NO_SCORES, CacheKey, TermCache, TermScores, cache_key, term_scores
from ai_memory.text.terms import EXACT, SECOND

TAIL_CAPACITY = 1 << 14
"""Postings that wait unsorted; scanning them costs a few microseconds per term."""
_MERGE_FACTOR = 4
_LARGEST_SEGMENT = 1 << 24
"""Segments are not merged beyond this many postings, so that no write waits for long."""


class Tail(NamedTuple):
    """The newest postings, each term's in ascending order of row: three arrays of at least `TAIL_CAPACITY`, `n` entries filled.

    A writer fills entries beyond `n` and then publishes a new tuple, so that readers of the old one never see them.
    """

    terms: NDArray[np.int32]
    rows: NDArray[np.int32]
    counts: NDArray[np.uint8]
    n: int

    def postings(self, term: int) -> tuple[Rows, NDArray[np.uint8]]:
        """Rows, int32 ascending, and counts, uint8, of a term, both of shape (k,); empty when the tail does not have it."""
        at = np.flatnonzero(self.terms[: self.n] == term)
        return self.rows[at], self.counts[at]


def _empty_tail(postings: int = 0) -> Tail:
    capacity = max(TAIL_CAPACITY, postings)
    return Tail(np.empty(capacity, np.int32), np.empty(capacity, np.int32), np.empty(capacity, np.uint8), 0)


class Postings(NamedTuple):
    """One alternative of a query term: its rows, int32 ascending, and counts, uint8, both (k,), and what a match by it is worth."""

    rows: Rows
    counts: NDArray[np.uint8]
    factor: float


class ByTerm(NamedTuple):
    """`scores`: float32, shape (terms, rows), whose sum over terms is BM25; `masses`: float64, shape (terms,), weight times idf."""

    scores: Floats
    masses: NDArray[np.float64]


def idf(frequency: int, rows: int) -> float:
    """Lucene's idf of a term that `frequency` of `rows` rows have, at least 0; see the module for the formula."""
    return math.log(1.0 + (max(rows - frequency, 0) + 0.5) / (frequency + 0.5))


class LexicalView:
    """The index at one moment, for one question; safe to use while the index goes on changing.

    Segments and the tail are replaced by the writer, never changed; the vocabulary only gets terms whose numbers these segments do
    not have. What is erased later may already be missing here: its terms, and its rows' lengths.
    """

    def __init__(
        self,
        vocabulary: dict[str, int],
        segments: tuple[Segment, ...],
        tail: Tail,
        lengths: NDArray[np.uint16],
        rows: int,
        length_sum: int,
        k1: float,
        b: float,
        scratch: _Scratch,
        cache: TermCache,
    ) -> None:
        self._vocabulary = vocabulary
        self._segments = segments
        self._tail = tail
        self._lengths = lengths
        self._rows = rows
        self._mean_length = length_sum / rows if length_sum else 1.0
        self._k1 = k1
        self._b = b
        self._scratch = scratch
        self._cache = cache
        self._computed: dict[CacheKey, TermScores] = {}
        """What this question computed already: several stages of recall ask for the same terms, short ones are not in the cache."""

    def scores(self, terms: Sequence[QueryTerm]) -> SparseScores:
        """BM25 of every row that matches at least one term: rows int32 ascending, scores float32. Empty for no terms."""
        total, best = self._scratch.arrays(len(self._lengths))
        total.fill(0.0)
        for term in terms:
            found = self._term_scores(term, best)
            if found.frequency:
                found.add_to(total, self._mass(term, found) * (self._k1 + 1.0))
        rows = np.flatnonzero(total != 0.0)  # twice as fast as looking for nonzero floats
        return SparseScores(rows.astype(np.int32), total[rows])

    def by_term(self, terms: Sequence[QueryTerm], rows: Rows) -> ByTerm:
        """What each of t terms gives to each of r rows, int32, shape (r,), and the idf mass of each term; 0 for no match."""
        _, best = self._scratch.arrays(len(self._lengths))
        scores = np.zeros((len(terms), len(rows)), np.float32)
        masses = np.zeros(len(terms))
        for at, term in enumerate(terms):
            found = self._term_scores(term, best)
            masses[at] = self._mass(term, found)
            if found.frequency:
                np.multiply(found.at(rows, best), np.float32(masses[at] * (self._k1 + 1.0)), out=scores[at])
        return ByTerm(scores, masses)

    @property
    def mean_length(self) -> float:
        """The mean length of the rows in primary terms; 1.0 where there is no term at all."""
        return self._mean_length

    def sharing(self, names: Iterable[str], words: int, postings: int, least: float) -> SparseScores:
        """The rows that share the rarest of some index terms, with the idf mass shared: rows int32 ascending, scores float32.

        Only rows that share at least `least` of the idf mass of the terms that were looked up, from 0 to 1.

        At most `words` terms are looked up, the rarest first, and no more of them than have about `postings` rows together: the
        cost does not grow with the index.
        """
        numbers = (self._vocabulary.get(name) for name in names)
        known = [(self._size(number), number) for number in numbers if number is not None]
        found: list[Rows] = []
        masses: list[NDArray[np.float32]] = []
        total = 0
        for size, number in sorted(known)[:words]:
            if total and total + size > postings:
                break
            rows, _ = self._postings(number)
            total += len(rows)
            found.append(rows)
            masses.append(np.full(len(rows), idf(len(rows), self._rows), np.float32))
        if not total:
            return SparseScores(np.empty(0, np.int32), np.empty(0, np.float32))
        rows, mass = np.concatenate(found), np.concatenate(masses)
        order = np.argsort(rows)
        rows, mass = rows[order], mass[order]
        first = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
        shared = np.add.reduceat(mass, first)
        enough = shared >= least * sum(float(each[0]) for each in masses if len(each))
        return SparseScores(rows[first][enough], shared[enough])

    def _size(self, number: int) -> int:
        """How many rows have a term, those of the tail left out."""
        return sum(high - low for low, high in (segment.span(number) for segment in self._segments))

    def _term_scores(self, term: QueryTerm, best: Floats) -> TermScores:
        """The scores of a term, from this question, the cache or the postings; `best` is zero before and after."""
        key = cache_key(term)
        found = self._computed.get(key)
        if found is None:
            found = self._cache.get(key)
            if found is None:
                found = self._compute(term, best)
                self._cache.put(key, found)
            self._computed[key] = found
        return found

    def _mass(self, term: QueryTerm, found: TermScores) -> float:
        """Weight times idf of a term; one that no row has is as rare as a term can be."""
        n = found.frequency
        return term.weight * term.rarity * idf(n, self._rows)

    def without(self, terms: Sequence[QueryTerm], rows: Rows) -> tuple[QueryTerm, ...]:
        """The terms, each as rare as it would be without some rows, int32: those that repeat what another row says."""
        left = self._rows - len(rows)
        _, best = self._scratch.arrays(len(self._lengths))
        found = []
        for term in terms:
            scores = self._term_scores(term, best)
            if scores.frequency:
                having = int(np.count_nonzero(scores.at(rows, best)))
                rarity = idf(max(scores.frequency - having, 0), left) / idf(scores.frequency, self._rows)
                found.append(msgspec.structs.replace(term, rarity=rarity))
            else:
                found.append(term)
        return tuple(found)

    def matches(self, terms: Sequence[QueryTerm], row: int) -> list[str]:
        """The surfaces of the terms that this row matches."""
        return [term.surface for term in terms if any(self._has(name, row) for name in term.alternatives)]

    def document_frequency(self, term: QueryTerm) -> int:
        """How many rows match a term."""
        found = [postings.rows for postings in self._alternatives(term)]
        if len(found) < 2:
            return len(found[0]) if found else 0
        return len(np.unique(np.concatenate(found)))

    def _alternatives(self, term: QueryTerm) -> list[Postings]:
        found = []
        for position, name in enumerate(term.alternatives):
            number = self._vocabulary.get(name)
            if number is not None:
                rows, counts = self._postings(number)
                if len(rows):
                    found.append(Postings(rows, counts, term.factors[position] if term.factors else 1.0))
        return found

    def _postings(self, number: int) -> tuple[Rows, NDArray[np.uint8]]:
        rows: list[Rows] = []
        counts: list[NDArray[np.uint8]] = []
        for segment in self._segments:
            low, high = segment.span(number)
            if high > low:
                rows.append(segment.rows[low:high])
                counts.append(segment.counts[low:high])
        tail_rows, tail_counts = self._tail.postings(number)
        if len(tail_rows):
            rows.append(tail_rows)
            counts.append(tail_counts)
        if len(rows) == 1:
            return rows[0], counts[0]
        return (np.concatenate(rows), np.concatenate(counts)) if rows else (tail_rows, tail_counts)

    def _compute(self, term: QueryTerm, best: Floats) -> TermScores:
        """The scores of a term from the postings of its alternatives; `best` is zero before and after."""
        found = self._alternatives(term)
        if not found:
            return NO_SCORES
        # The commonest alternative comes first: the others have few rows that it lacks, so most of the result is its rows in
        # their order. int64, because numpy indexes two to three times faster by it, the conversion included.
        found.sort(key=lambda postings: -len(postings.rows))
        places = [postings.rows.astype(np.int64) for postings in found]
        saturations = [self._saturation(postings, at) for postings, at in zip(found, places, strict=True)]
        if len(found) == 1:
            return term_scores(places[0], saturations[0], len(places[0]), len(best))
        # The best alternative of each row, by scattering all into one dense array; reading it back zeroes it, alternative by
        # alternative, so that a row that an earlier one has already given is 0 when a later one reads it and is left out.
        best[places[0]] = saturations[0]
        for at, saturation in zip(places[1:], saturations[1:], strict=True):
            best[at] = np.maximum(best[at], saturation)
        rows, kept = [places[0]], [best.take(places[0], mode="clip")]
        best[places[0]] = 0.0
        for at in places[1:]:
            rest = best.take(at, mode="clip")
            fresh = rest != 0.0
            rows.append(at[fresh])
            kept.append(rest[fresh])
            best[at] = 0.0
        return term_scores(np.concatenate(rows), np.concatenate(kept), len(places[0]), len(best))

    def _saturation(self, postings: Postings, at: NDArray[np.int64]) -> Floats:
        """The last factor of the formula without (k1 + 1), for each of k postings: float32, shape (k,)."""
        frequency = postings.counts.astype(np.float32)
        norm = self._lengths.take(at, mode="clip").astype(np.float32)
        norm *= np.float32(self._k1 * self._b / self._mean_length)
        norm += np.float32(self._k1 * (1.0 - self._b))
        norm += frequency
        frequency *= np.float32(postings.factor)
        frequency /= norm
        return frequency

    def _has(self, name: str, row: int) -> bool:
        number = self._vocabulary.get(name)
        if number is None:
            return False
        for segment in self._segments:
            if segment.first <= row < segment.end:
                low, high = segment.span(number)
                at = low + int(segment.rows[low:high].searchsorted(np.int32(row)))
                return at < high and int(segment.rows[at]) == row
        return bool((self._tail.postings(number)[0] == row).any())


class _Scratch(threading.local):
    """Two float32 arrays per thread, kept between queries, the second always left zeroed.

    Allocating and zeroing one entry per row would cost more than most questions' postings do.
    """

    def __init__(self) -> None:
        self._arrays = (np.zeros(0, np.float32), np.zeros(0, np.float32))

    def arrays(self, n: int) -> tuple[Floats, Floats]:
        """Both arrays, float32, shape (n,): the first with any contents, the second all zero, to be left so."""
        if len(self._arrays[0]) < n:
            room = n + (n >> 2)
            self._arrays = (np.empty(room, np.float32), np.zeros(room, np.float32))
        return self._arrays[0][:n], self._arrays[1][:n]


class _Vocabulary(dict[str, int]):
    """The number of each term; a term that is looked up by `[]` gets the next number if it is new."""

    def __init__(self) -> None:
        super().__init__()
        self.terms: list[str | None] = []

    def __missing__(self, name: str) -> int:
        number = self[name] = len(self.terms)
        self.terms.append(name)
        return number


class PostingsIndex:
    """BM25 in memory. One writer at a time; readers use `view()` from any thread."""

    def __init__(self, *, k1: float = 1.2, b: float = 0.75) -> None:
        """An empty index; `k1` and `b` are BM25's parameters for saturation and length."""
        self._k1 = k1
        self._b = b
        self._vocabulary = _Vocabulary()
        # Replaced as a whole by the writer, never changed in place: a view holds the tuple that it was given.
        self._segments: tuple[Segment, ...] = ()
        self._tail = _empty_tail()
        self._tail_first = 0
        self._lengths = GrowableArray(np.uint16)
        self._primary = GrowableArray(np.bool_)
        self._rows = 0
        self._length_sum = 0
        self._scratch = _Scratch()
        self._cache = TermCache(0)

    def view(self) -> LexicalView:
        """The index as it is now."""
        return LexicalView(
            self._vocabulary,
            self._segments,
            self._tail,
            self._lengths.view(),
            self._rows,
            self._length_sum,
            self._k1,
            self._b,
            self._scratch,
            self._cache,
        )

    def add(self, row: int, terms: Sequence[str]) -> None:
        """Index a new row; rows come in ascending order. Searchable at once."""
        self.add_many(row, [terms])

    def add_many(self, first: int, documents: Sequence[Sequence[str]]) -> None:
        """Index the new rows `first`, `first + 1`, …, each given by its terms; rows come in ascending order.

        The terms of all rows are numbered and counted together, which is what a bulk import spends its time on. No documents
        change nothing. Raises ValueError for a row that is not new.
        """
        if first < self._lengths.n:
            raise ValueError(f"row {first} is not new: the index has {self._lengths.n} rows")
        if not documents:
            return
        sizes = np.fromiter(map(len, documents), np.int64, len(documents))
        flat = itertools.chain.from_iterable(documents)
        terms = np.fromiter(map(self._vocabulary.__getitem__, flat), np.int64, int(sizes.sum()))
        places = np.repeat(np.arange(len(documents)), sizes)
        lengths = np.bincount(places[self._is_primary()[terms]], minlength=len(documents))
        lengths = np.minimum(lengths, 0xFFFF).astype(np.uint16)
        # One sort counts every (term, row) pair of the batch, and leaves each term's rows in ascending order.
        distinct, counts = np.unique(terms * len(documents) + places, return_counts=True)
        terms, places = np.divmod(distinct, len(documents))
        room = self._lengths.n
        self._lengths.extend(np.concatenate((np.zeros(first - room, np.uint16), lengths)))
        self._append(room, terms, first + places, np.minimum(counts, 255))
        self._rows += len(documents)
        self._length_sum += int(lengths.sum(dtype=np.int64))
        self._cache = TermCache(self._rows)

    def remove(self, rows: Sequence[int]) -> None:
        """Erase rows that are in the index, and with them every term that no other row has.

        Segments that have the rows are rewritten at once, so that no trace of an erased text remains in memory.
        """
        erased = np.zeros(self._lengths.n, np.bool_)
        erased[np.asarray(rows, np.int64)] = True
        lost: list[NDArray[np.int32]] = []
        kept_segments = []
        for segment in self._segments:
            if erased[segment.first : segment.end].any():
                kept, gone = without_rows(segment, erased)
                lost.append(gone)
                if len(kept.rows):
                    kept_segments.append(kept)
            else:
                kept_segments.append(segment)
        lost.append(self._erase_from_tail(erased))
        self._segments = tuple(kept_segments)
        lengths = self._lengths.view()
        self._rows -= int(erased.sum())
        self._length_sum -= int(lengths[erased].sum())
        lengths[erased] = 0
        self._drop_terms(np.unique(np.concatenate(lost)))
        self._cache = TermCache(self._rows)

    def scores(self, terms: Sequence[QueryTerm]) -> SparseScores:
        """BM25 of every row that matches at least one term: rows int32 ascending, scores float32. Empty for no terms."""
        return self.view().scores(terms)

    def matches(self, terms: Sequence[QueryTerm], row: int) -> list[str]:
        """The surfaces of the terms that this row matches."""
        return self.view().matches(terms, row)

    def document_frequency(self, term: QueryTerm) -> int:
        """How many rows match a term."""
        return self.view().document_frequency(term)

    def __contains__(self, term: str) -> bool:
        """Whether any row has this index term."""
        return term in self._vocabulary

    @property
    def nbytes(self) -> int:
        """Bytes of arrays and, estimated, of the vocabulary's strings."""
        arrays = sum(segment.nbytes for segment in self._segments) + 9 * len(self._tail.terms)
        return arrays + self._lengths.nbytes + self._primary.nbytes + 160 * len(self._vocabulary)

    def seal(self) -> None:
        """Sort the tail into a segment, and merge segments of similar size."""
        self._seal(self._lengths.n)

    def segments(self) -> tuple[Segment, ...]:
        """All postings as segments, the tail sealed first: what a snapshot keeps."""
        self.seal()
        return self._segments

    def vocabulary(self) -> list[str | None]:
        """The term of each number; None for one that was erased."""
        return list(self._vocabulary.terms)

    def lengths(self) -> NDArray[np.uint16]:
        """The length of each row in primary terms, uint16, shape (n,), at most 65,535; 0 for an erased row."""
        return self._lengths.view()

    def restore(
        self, terms: list[str | None], segments: Sequence[Segment], lengths: NDArray[np.uint16], live_rows: int
    ) -> None:
        """Take over what a snapshot kept; the index must be new.

        `terms` are those of `vocabulary()`, `lengths`, uint16, shape (n,), those of `lengths()`; both are kept, not copied.
        """
        self._vocabulary.terms = terms
        self._vocabulary.update((term, number) for number, term in enumerate(terms) if term is not None)
        self._segments = tuple(segments)
        self._lengths = GrowableArray(np.uint16, lengths)
        self._tail_first = len(lengths)
        self._rows = live_rows
        self._length_sum = int(lengths.sum(dtype=np.int64))
        self._cache = TermCache(live_rows)

    def _seal(self, end: int) -> None:
        """As `seal`; all rows of the tail are before `end`."""
        tail, first = self._tail, self._tail_first
        if tail.n:
            segment = build_segment(first, end, tail.terms[: tail.n], tail.rows[: tail.n], tail.counts[: tail.n])
            self._segments = self._merged([*self._segments, segment])
        self._tail = _empty_tail()
        self._tail_first = end

    def _append(self, before: int, terms: Rows, rows: Rows, counts: NDArray[np.int64]) -> None:
        """Put postings into the tail, which is sealed first when they do not fit; rows below `before` are in it or sealed."""
        if self._tail.n + len(terms) > len(self._tail.terms):
            self._seal(before)
            if len(terms) > TAIL_CAPACITY:
                self._tail = _empty_tail(len(terms))
        tail = self._tail
        end = tail.n + len(terms)
        tail.terms[tail.n : end] = terms
        tail.rows[tail.n : end] = rows
        tail.counts[tail.n : end] = counts
        # Published last: a view that was taken before reads the old `n`, and so none of the entries just written.
        self._tail = tail._replace(n=end)
        if end > TAIL_CAPACITY:
            self.seal()

    def _is_primary(self) -> NDArray[np.bool_]:
        """Whether each term counts towards a row's length, bool, one flag per term number; those of erased terms mean nothing."""
        terms = self._vocabulary.terms
        if self._primary.n < len(terms):
            fresh = terms[self._primary.n :]
            self._primary.extend([term is None or not term.startswith((EXACT, SECOND)) for term in fresh])
        return self._primary.view()

    def _merged(self, segments: list[Segment]) -> tuple[Segment, ...]:
        """Merge from the newest on while a segment is less than `_MERGE_FACTOR` times as large as all after it.

        Sizes then fall geometrically: a question reads a few segments, and a posting is rewritten a logarithmic number of times.
        """
        after = len(segments[-1].rows)
        begin = len(segments) - 1
        while begin and len(segments[begin - 1].rows) < _MERGE_FACTOR * after:
            if after + len(segments[begin - 1].rows) > _LARGEST_SEGMENT:
                break
            begin -= 1
            after += len(segments[begin].rows)
        if begin == len(segments) - 1:
            return tuple(segments)
        return (*segments[:begin], merge_segments(segments[begin:]))

    def _erase_from_tail(self, erased: NDArray[np.bool_]) -> NDArray[np.int32]:
        tail = self._tail
        gone = erased[tail.rows[: tail.n]]
        if not gone.any():
            return np.empty(0, np.int32)
        lost = tail.terms[: tail.n][gone]
        kept = int((~gone).sum())
        fresh = _empty_tail(kept)
        fresh.terms[:kept] = tail.terms[: tail.n][~gone]
        fresh.rows[:kept] = tail.rows[: tail.n][~gone]
        fresh.counts[:kept] = tail.counts[: tail.n][~gone]
        self._tail = fresh._replace(n=kept)
        return lost

    def _drop_terms(self, candidates: NDArray[np.int32]) -> None:
        """Forget those of the terms that no posting has any more; their numbers are not used again."""
        in_use = np.isin(candidates, self._tail.terms[: self._tail.n])
        for segment in self._segments:
            in_use |= np.isin(candidates, segment.terms)
        terms = self._vocabulary.terms
        for number in candidates[~in_use].tolist():
            term = terms[number]
            if term is not None:
                del self._vocabulary[term]
                terms[number] = None
