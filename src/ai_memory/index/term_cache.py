"""What a word gives to each row that has it, kept between questions while the index stands still.

Questions share their frequent words, and those have the longest postings: adding up what is known is several times cheaper than
working it out. A cache belongs to one state of the index; whatever changes the index begins a new one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Floats, QueryTerm

WORTH_KEEPING = 1_000
"""Rows from which on a word is kept; shorter postings are worked out as fast as they are found."""
LEAST_BYTES = 16_000_000
BYTES_A_ROW = 96
"""Room of the cache for each row of the index: 24 words that nearly every row has, or 8 postings of rarer ones a row."""
EVERYWHERE = 4
"""A word in more than a fourth of all rows is kept as one number a row, which is smaller and faster to add."""

Key = tuple[tuple[str, ...], tuple[float, ...]]


def key_of(term: QueryTerm) -> Key:
    """What a word of a question is known by: its alternatives and what a match by each is worth."""
    return term.alternatives, term.factors


class Word(NamedTuple):
    """A word's saturated frequency in each row that has it (the best of its alternatives), float32.

    `rows`, int64, says which rows `saturations` are of, each once; None means all rows in order, 0 where the word is not.
    `frequency` is the number of rows of its commonest alternative, from which its idf follows.
    """

    rows: NDArray[np.int64] | None
    saturations: Floats
    frequency: int

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.saturations.nbytes + (0 if self.rows is None else self.rows.nbytes)

    def add_to(self, total: Floats, scale: float) -> None:
        """Add `scale` times the saturations to the rows of `total`, float32, one entry a row of the index."""
        weighed = self.saturations * np.float32(scale)
        if self.rows is None:
            total += weighed
        else:
            np.add.at(total, self.rows, weighed)  # half as dear as `total[rows] +=`

    def at(self, rows: NDArray[np.int32], scratch: Floats) -> Floats:
        """The saturations of some rows, 0 where the word is not; `scratch` has one entry a row, zero before and after."""
        if self.rows is None:
            return self.saturations.take(rows)
        scratch[self.rows] = self.saturations
        found: Floats = scratch.take(rows)
        scratch[self.rows] = 0.0
        return found


NO_ROWS = Word(np.empty(0, np.int64), np.empty(0, np.float32), 0)


def word_of(rows: NDArray[np.int64], saturations: Floats, frequency: int, index_rows: int) -> Word:
    """The word in the form that suits how many of the index's rows have it."""
    if len(rows) * EVERYWHERE <= index_rows or index_rows < WORTH_KEEPING:
        return Word(rows, saturations, frequency)
    everywhere = np.zeros(index_rows, np.float32)
    everywhere[rows] = saturations
    return Word(None, everywhere, frequency)


class WordCache:
    """Words of one state of the index, the least recently used dropped first; safe to use from several threads."""

    def __init__(self, index_rows: int) -> None:
        """An empty cache for an index of `index_rows` rows."""
        self._room = max(LEAST_BYTES, BYTES_A_ROW * index_rows)
        self._kept = 0
        self._words: OrderedDict[Key, Word] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Word | None:
        """The word as it was worked out before, or None."""
        with self._lock:
            word = self._words.get(key)
            if word is not None:
                self._words.move_to_end(key)
            return word

    def put(self, key: Key, word: Word) -> None:
        """Keep a word, if it is long enough to be worth it."""
        if word.frequency < WORTH_KEEPING or word.nbytes > self._room:
            return
        with self._lock:
            if key in self._words:
                return
            self._words[key] = word
            self._kept += word.nbytes
            while self._kept > self._room:
                _, dropped = self._words.popitem(last=False)
                self._kept -= dropped.nbytes
