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
LEAST_ROOM = 1_000_000

Key = tuple[tuple[str, ...], tuple[float, ...]]


class Word(NamedTuple):
    """A word's rows, each once, and its saturated frequency in each (the best of its alternatives): int64 and float32.

    `frequency` is the number of rows of its commonest alternative, from which its idf follows.
    """

    rows: NDArray[np.int64]
    saturations: Floats
    frequency: int


NO_ROWS = Word(np.empty(0, np.int64), np.empty(0, np.float32), 0)


class WordCache:
    """Words of one state of the index, the least recently used dropped first; safe to use from several threads."""

    def __init__(self, index_rows: int) -> None:
        """Room for as many postings as four frequent words of an index of `index_rows` rows, 12 bytes each."""
        self._room = max(LEAST_ROOM, 4 * index_rows)
        self._kept = 0
        self._words: OrderedDict[Key, Word] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, term: QueryTerm) -> Word | None:
        """The word as it was worked out before, or None."""
        key = (term.alternatives, term.factors)
        with self._lock:
            word = self._words.get(key)
            if word is not None:
                self._words.move_to_end(key)
            return word

    def put(self, term: QueryTerm, word: Word) -> None:
        """Keep a word, if it is long enough to be worth it and short enough to fit."""
        size = len(word.rows)
        if not WORTH_KEEPING <= size <= self._room:
            return
        key = (term.alternatives, term.factors)
        with self._lock:
            if key in self._words:
                return
            self._words[key] = word
            self._kept += size
            while self._kept > self._room:
                _, dropped = self._words.popitem(last=False)
                self._kept -= len(dropped.rows)
