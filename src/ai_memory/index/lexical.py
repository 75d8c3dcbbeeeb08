"""BM25 over analysed terms, exact at every moment.

Postings live in a few immutable segments and a small unsorted tail for the newest rows. Scores are computed at query time from
counts and lengths, so that every added or erased row is reflected at once. The measure is Robertson and Zaragoza, "The
Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the idf of Lucene:

    idf(w) = ln(1 + (N - n(w) + 0.5) / (n(w) + 0.5))
    score  = Σ over words w:  weight(w) · idf(w) · max over alternatives a: factor(a) · f·(k1 + 1) / (f + k1·(1 - b + b·l/avg))

N is the number of rows, n(w) that of the word's commonest alternative (its stem has every row that its exact form has), f how
often the row has the alternative (255 at most), l the row's length in primary terms.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index import segments
from ai_memory.index.base import Floats, QueryTerm, Rows, SparseScores
from ai_memory.index.growable_array import Growing
from ai_memory.index.segments import Segment
from ai_memory.index.term_cache import NO_ROWS, Key, Word, WordCache, key_of, word_of
from ai_memory.text.terms import EXACT, SECOND

TAIL_CAPACITY = 1 << 14
"""Postings that wait unsorted; scanning them costs a few microseconds a term."""
_MERGE_FACTOR = 4
_LARGEST_SEGMENT = 1 << 24
"""Segments are not merged beyond this many postings, so that no write waits for long."""


class Tail(NamedTuple):
    """The newest postings, each term's in ascending order of row: three arrays of `TAIL_CAPACITY` or more, `n` filled."""

    terms: NDArray[np.int32]
    rows: NDArray[np.int32]
    counts: NDArray[np.uint8]
    n: int

    def postings(self, term: int) -> tuple[Rows, NDArray[np.uint8]]:
        """Rows and counts of a term."""
        at = np.flatnonzero(self.terms[: self.n] == term)
        return self.rows[at], self.counts[at]


def _empty_tail(postings: int = 0) -> Tail:
    capacity = max(TAIL_CAPACITY, postings)
    return Tail(np.empty(capacity, np.int32), np.empty(capacity, np.int32), np.empty(capacity, np.uint8), 0)


class Postings(NamedTuple):
    """Rows ascending, counts, of one alternative of a word, with what a match by it is worth."""

    rows: Rows
    counts: NDArray[np.uint8]
    factor: float


class ByTerm(NamedTuple):
    """`scores`: float32, shape (terms, rows), which BM25 sums up; `masses`: float64, shape (terms,), weight times idf."""

    scores: Floats
    masses: NDArray[np.float64]


class LexicalView:
    """The index as it stood at one moment; safe to use while the index goes on changing."""

    def __init__(
        self,
        vocabulary: dict[str, int],
        parts: tuple[Segment, ...],
        tail: Tail,
        lengths: NDArray[np.uint16],
        rows: int,
        length_sum: int,
        k1: float,
        b: float,
        scratch: _Scratch,
        cache: WordCache,
    ) -> None:
        self._vocabulary = vocabulary
        self._parts = parts
        self._tail = tail
        self._lengths = lengths
        self._rows = rows
        self._mean_length = length_sum / rows if length_sum else 1.0
        self._k1 = k1
        self._b = b
        self._scratch = scratch
        self._cache = cache
        self._worked: dict[Key, Word] = {}
        """What was worked out for the question at hand: its words are asked for by several stages."""

    def scores(self, terms: Sequence[QueryTerm]) -> SparseScores:
        """BM25 of every row that matches at least one term. Empty for no terms."""
        total, best = self._scratch.arrays(len(self._lengths))
        total.fill(0.0)
        for term in terms:
            word = self._known(term, best)
            if word.frequency:
                word.add_to(total, self._mass(term, word) * (self._k1 + 1.0))
        rows = np.flatnonzero(total != 0.0)  # twice as fast as looking for nonzero floats
        return SparseScores(rows.astype(np.int32), total[rows])

    def by_term(self, terms: Sequence[QueryTerm], rows: Rows) -> ByTerm:
        """What each term gives to each of some rows, and the idf mass of each term."""
        _, best = self._scratch.arrays(len(self._lengths))
        scores = np.zeros((len(terms), len(rows)), np.float32)
        masses = np.zeros(len(terms))
        for at, term in enumerate(terms):
            word = self._known(term, best)
            masses[at] = self._mass(term, word)
            if word.frequency:
                np.multiply(word.at(rows, best), np.float32(masses[at] * (self._k1 + 1.0)), out=scores[at])
        return ByTerm(scores, masses)

    @property
    def mean_length(self) -> float:
        """The mean length of the rows; 1.0 where there is no word at all."""
        return self._mean_length

    def _known(self, term: QueryTerm, best: Floats) -> Word:
        """A word, worked out now or before; `best` is zero before and after."""
        key = key_of(term)
        word = self._worked.get(key)
        if word is None:
            word = self._cache.get(key)
            if word is None:
                word = self._word(term, best)
                self._cache.put(key, word)
            self._worked[key] = word
        return word

    def _mass(self, term: QueryTerm, word: Word) -> float:
        """Weight and idf of a term; one that no row has is as rare as a term can be."""
        n = word.frequency
        return term.weight * math.log(1.0 + (self._rows - n + 0.5) / (n + 0.5))

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
        for part in self._parts:
            low, high = part.span(number)
            if high > low:
                rows.append(part.rows[low:high])
                counts.append(part.counts[low:high])
        tail_rows, tail_counts = self._tail.postings(number)
        if len(tail_rows):
            rows.append(tail_rows)
            counts.append(tail_counts)
        if len(rows) == 1:
            return rows[0], counts[0]
        return (np.concatenate(rows), np.concatenate(counts)) if rows else (tail_rows, tail_counts)

    def _word(self, term: QueryTerm, best: Floats) -> Word:
        """Work out what a word gives to each of its rows; `best` is zero before and after."""
        found = self._alternatives(term)
        if not found:
            return NO_ROWS
        # The commonest alternative comes first: the others have few rows that it has not. int64, since numpy indexes by it.
        found.sort(key=lambda postings: -len(postings.rows))
        places = [postings.rows.astype(np.int64) for postings in found]
        saturations = [self._saturation(postings, at) for postings, at in zip(found, places, strict=True)]
        if len(found) == 1:
            return word_of(places[0], saturations[0], len(places[0]), len(best))
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
        return word_of(np.concatenate(rows), np.concatenate(kept), len(places[0]), len(best))

    def _saturation(self, postings: Postings, at: NDArray[np.int64]) -> Floats:
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
        for part in self._parts:
            if part.first <= row < part.end:
                low, high = part.span(number)
                at = low + int(part.rows[low:high].searchsorted(np.int32(row)))
                return at < high and int(part.rows[at]) == row
        return bool((self._tail.postings(number)[0] == row).any())


class _Scratch(threading.local):
    """Two float32 arrays a thread, kept between queries, the second always left zeroed."""

    def __init__(self) -> None:
        self._arrays = (np.zeros(0, np.float32), np.zeros(0, np.float32))

    def arrays(self, n: int) -> tuple[Floats, Floats]:
        if len(self._arrays[0]) < n:
            room = n + (n >> 2)
            self._arrays = (np.empty(room, np.float32), np.zeros(room, np.float32))
        return self._arrays[0][:n], self._arrays[1][:n]


class _Vocabulary(dict[str, int]):
    """The number of each term; a term that is looked up by `[]` gets the next number if it is new."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str | None] = []

    def __missing__(self, name: str) -> int:
        number = self[name] = len(self.words)
        self.words.append(name)
        return number


class PostingsIndex:
    """BM25 in memory (`LexicalIndex`). One writer at a time; readers use `view()` from any thread."""

    def __init__(self, *, k1: float = 1.2, b: float = 0.75) -> None:
        self._k1 = k1
        self._b = b
        self._vocabulary = _Vocabulary()
        self._parts: tuple[Segment, ...] = ()
        self._tail = _empty_tail()
        self._tail_first = 0
        self._lengths = Growing(np.uint16)
        self._primary = Growing(np.bool_)
        self._rows = 0
        self._length_sum = 0
        self._scratch = _Scratch()
        self._cache = WordCache(0)

    def view(self) -> LexicalView:
        """The index as it stands now."""
        return LexicalView(
            self._vocabulary,
            self._parts,
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

        The terms of all rows are numbered and counted together, which is what a bulk import spends its time on.
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
        distinct, counts = np.unique(terms * len(documents) + places, return_counts=True)
        terms, places = np.divmod(distinct, len(documents))
        room = self._lengths.n
        self._lengths.extend(np.concatenate((np.zeros(first - room, np.uint16), lengths)))
        self._append(room, terms, first + places, np.minimum(counts, 255))
        self._rows += len(documents)
        self._length_sum += int(lengths.sum(dtype=np.int64))
        self._cache = WordCache(self._rows)

    def remove(self, rows: Sequence[int]) -> None:
        """Erase rows that are in the index, and with them every term that no other row has."""
        erased = np.zeros(self._lengths.n, np.bool_)
        erased[np.asarray(rows, np.int64)] = True
        lost: list[NDArray[np.int32]] = []
        parts = []
        for part in self._parts:
            if erased[part.first : part.end].any():
                kept, gone = segments.without(part, erased)
                lost.append(gone)
                if len(kept.rows):
                    parts.append(kept)
            else:
                parts.append(part)
        lost.append(self._erase_from_tail(erased))
        self._parts = tuple(parts)
        lengths = self._lengths.view()
        self._rows -= int(erased.sum())
        self._length_sum -= int(lengths[erased].sum())
        lengths[erased] = 0
        self._drop_words(np.unique(np.concatenate(lost)))
        self._cache = WordCache(self._rows)

    def scores(self, terms: Sequence[QueryTerm]) -> SparseScores:
        """BM25 of every row that matches at least one term. Empty for no terms."""
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
        arrays = sum(part.nbytes for part in self._parts) + 9 * len(self._tail.terms)
        return arrays + self._lengths.nbytes + self._primary.nbytes + 160 * len(self._vocabulary)

    def seal(self) -> None:
        """Sort the tail into a segment, and merge segments of like size."""
        self._seal(self._lengths.n)

    def parts(self) -> tuple[Segment, ...]:
        """All postings as segments, the tail sealed first: what a snapshot keeps."""
        self.seal()
        return self._parts

    def words(self) -> list[str | None]:
        """The term of each number; None for one that was erased."""
        return list(self._vocabulary.words)

    def lengths(self) -> NDArray[np.uint16]:
        """The length of each row in primary terms, 0 for an erased one."""
        return self._lengths.view()

    def restore(
        self, words: list[str | None], parts: Sequence[Segment], lengths: NDArray[np.uint16], live_rows: int
    ) -> None:
        """Take over what a snapshot kept; the index must be new."""
        self._vocabulary.words = words
        self._vocabulary.update((word, number) for number, word in enumerate(words) if word is not None)
        self._parts = tuple(parts)
        self._lengths = Growing(np.uint16, lengths)
        self._tail_first = len(lengths)
        self._rows = live_rows
        self._length_sum = int(lengths.sum(dtype=np.int64))
        self._cache = WordCache(live_rows)

    def _seal(self, end: int) -> None:
        """As `seal`; the tail's rows lie before `end`."""
        tail, first = self._tail, self._tail_first
        if tail.n:
            part = segments.build(first, end, tail.terms[: tail.n], tail.rows[: tail.n], tail.counts[: tail.n])
            self._parts = self._merged([*self._parts, part])
        self._tail = _empty_tail()
        self._tail_first = end

    def _append(self, before: int, terms: Rows, rows: Rows, counts: NDArray[np.int64]) -> None:
        """Put postings into the tail, which is sealed first when they do not fit; rows up to `before` are in it or sealed."""
        if self._tail.n + len(terms) > len(self._tail.terms):
            self._seal(before)
            if len(terms) > TAIL_CAPACITY:
                self._tail = _empty_tail(len(terms))
        tail = self._tail
        end = tail.n + len(terms)
        tail.terms[tail.n : end] = terms
        tail.rows[tail.n : end] = rows
        tail.counts[tail.n : end] = counts
        self._tail = tail._replace(n=end)
        if end > TAIL_CAPACITY:
            self.seal()

    def _is_primary(self) -> NDArray[np.bool_]:
        """Whether each term counts for a row's length; one flag a number, those of erased terms mean nothing."""
        words = self._vocabulary.words
        if self._primary.n < len(words):
            fresh = words[self._primary.n :]
            self._primary.extend([word is None or not word.startswith((EXACT, SECOND)) for word in fresh])
        return self._primary.view()

    def _merged(self, parts: list[Segment]) -> tuple[Segment, ...]:
        """Merge from the newest on while a segment is not `_MERGE_FACTOR` times as large as all after it."""
        after = len(parts[-1].rows)
        begin = len(parts) - 1
        while begin and len(parts[begin - 1].rows) < _MERGE_FACTOR * after:
            if after + len(parts[begin - 1].rows) > _LARGEST_SEGMENT:
                break
            begin -= 1
            after += len(parts[begin].rows)
        if begin == len(parts) - 1:
            return tuple(parts)
        return (*parts[:begin], segments.merge(parts[begin:]))

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

    def _drop_words(self, candidates: NDArray[np.int32]) -> None:
        """Forget those of the terms that no posting has any more."""
        in_use = np.isin(candidates, self._tail.terms[: self._tail.n])
        for part in self._parts:
            in_use |= np.isin(candidates, part.terms)
        words = self._vocabulary.words
        for number in candidates[~in_use].tolist():
            word = words[number]
            if word is not None:
                del self._vocabulary[word]
                words[number] = None
