"""Synthetic but plausible texts: sentences of words from a Zipf vocabulary, the same for the same seed.

Speed depends on the form of texts and not on their meaning: a few frequent words, many rare ones, capitals and punctuation,
some identifiers, sessions of several turns, authors, contexts and tags. The exponent (1.15) gives 9,400 distinct words in the
first 50,000, between chat (6,000) and an encyclopedia (14,000).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

VOCABULARY = 50_000
TOPICS = 1_000
"""Number of topics; the vectors of one topic are distributed around one centre."""
SESSION_TURNS = 20
_BLOCK = 1_000
_SHORT = 7
_EXPONENT, _SHIFT = 1.15, 2.7
_COMMON = [
    *(
        "the",
        "of",
        "and",
        "to",
        "a",
        "in",
        "is",
        "that",
        "for",
        "it",
        "was",
        "on",
        "with",
        "as",
        "be",
        "at",
        "by",
        "this",
    ),
    *(
        "we",
        "not",
        "have",
        "are",
        "from",
        "or",
        "but",
        "they",
        "which",
        "you",
        "had",
        "has",
        "will",
        "when",
        "can",
        "there",
    ),
    *(
        "so",
        "if",
        "would",
        "what",
        "about",
        "who",
        "them",
        "were",
        "their",
        "then",
        "than",
        "our",
        "its",
        "should",
        "after",
    ),
    *("before", "because", "while"),
]
_ONSETS = [
    "b",
    "br",
    "c",
    "ch",
    "cl",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    *"hjklmnp",
    "pl",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "w",
]
_NUCLEI = [*"aeiou", "ai", "ea", "ee", "io", "ou"]
_CODAS = ["", "", "", *"lnrstm", "nd", "ck", "st"]
_ENDINGS = ["", "", "", "s", "ed", "ing", "er", "ly", "ness", "ation", "ment", "able"]
_SYLLABLES = [onset + nucleus + coda for onset in _ONSETS for nucleus in _NUCLEI for coda in _CODAS]
_EPOCH = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class Made(NamedTuple):
    """The text and the other fields of one draft."""

    text: str
    fields: dict[str, Any]


class Corpus:
    """Texts, questions and vectors of one seed; each depends on its number only, not on earlier calls."""

    def __init__(self, seed: int = 20_260) -> None:
        self._seed = seed
        self.words = _vocabulary(np.random.default_rng(seed))
        self._cumulated = np.cumsum((np.arange(1, VOCABULARY + 1) + _SHIFT) ** -_EXPONENT)
        self._cumulated /= self._cumulated[-1]
        self._subjects = [word for word in self.words[len(_COMMON) :] if len(word) <= _SHORT]

    def memories(self, first: int, count: int, shortest: int = 10, longest: int = 60) -> Iterator[Made]:
        """The memories `first` to `first + count - 1`, of `shortest` to `longest` words."""
        for block in range(first // _BLOCK, -(-(first + count) // _BLOCK)):
            rng = np.random.default_rng((self._seed, 0, block))
            lengths = rng.integers(shortest, longest + 1, _BLOCK).tolist()
            words = self._draw(rng, sum(lengths))
            start = 0
            for number, length in enumerate(lengths, block * _BLOCK):
                if first <= number < first + count:
                    yield Made(_sentences(words[start : start + length], number), _fields(number))
                start += length

    def question(self, number: int, words: int = 6) -> str:
        """A question of a few words drawn like those of the texts; a different one for each number.

        Only words of up to seven letters, since a tokenizer splits an invented word into more pieces than a real one: these
        questions have 16 tokens, those of the demonstration 10 to 15.
        """
        drawn = self._draw(np.random.default_rng((self._seed, 1, number)), 4 * words)
        short = [word for word in drawn if len(word) <= _SHORT][:words]
        return f"What did {' '.join(short)} about {self._subjects[number % len(self._subjects)]}?"

    def vectors(self, block: int, count: int, dimension: int = 384) -> NDArray[np.float32]:
        """Unit vectors around the topics' centres: shape (count, dimension), float32; different ones for each block."""
        centres = np.random.default_rng((self._seed, 2)).standard_normal((TOPICS, dimension), dtype=np.float32)
        rng = np.random.default_rng((self._seed, 3, block))
        made = centres[rng.integers(0, TOPICS, count)] * np.float32(0.8)
        made += rng.standard_normal((count, dimension), dtype=np.float32)
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        return made

    def _draw(self, rng: np.random.Generator, count: int) -> list[str]:
        words = self.words
        return [words[at] for at in self._cumulated.searchsorted(rng.random(count)).tolist()]


def _sentences(words: list[str], number: int) -> str:
    """The words as sentences of eleven; one text in four has a ticket number, one in seven a file name."""
    for start in range(0, len(words), 11):
        words[start] = words[start].capitalize()
        if start:
            words[start - 1] += "."
    if number % 4 == 0:
        words[len(words) // 2] = f"ticket-{number % 5_000}"
    if number % 7 == 0:
        words[len(words) // 3] = f"{words[1].lower()}_{words[-1].lower()}.py"
    return " ".join(words) + "."


def _fields(number: int) -> dict[str, Any]:
    session = number // SESSION_TURNS
    return {
        "session": f"session-{session}",
        "author": f"author-{number % 2 + session % 9}",
        "context": f"work/area-{session % 40}/topic-{session % 200}",
        "tags": (f"tag-{number % 50}",) if number % 3 == 0 else (),
        "valid_from": _EPOCH + dt.timedelta(minutes=3 * number),
    }


def _vocabulary(rng: np.random.Generator) -> list[str]:
    """`VOCABULARY` distinct words, the most frequent first; short ones are more frequent, as in natural languages."""
    words = dict.fromkeys(_COMMON)
    while len(words) < VOCABULARY:
        syllables = rng.integers(0, len(_SYLLABLES), (4_096, 4)).tolist()
        lengths = rng.integers(1, 3 + (len(words) > 300) + (len(words) > 20_000), 4_096).tolist()
        endings = rng.integers(0, len(_ENDINGS), 4_096).tolist()
        for chosen, length, ending in zip(syllables, lengths, endings, strict=True):
            words["".join(_SYLLABLES[at] for at in chosen[:length]) + _ENDINGS[ending]] = None
    return list(words)[:VOCABULARY]
