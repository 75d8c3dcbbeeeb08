"""The best candidates read once more, word by word: how well each word of the question is met by some word of the memory.

One vector says what a text is about as a whole, and a short detail of a long text hardly shows in it. The same model knows more:
what it makes of every token in its context. So a text is as alike to the question as, on average over the question's words
without its function words, the nearest of its tokens is (late interaction: Khattab and Zaharia, ColBERT, 2020). That takes a
forward pass over the texts, so only the best `MOST` memories are read, in their order, up to `MOST_CHARACTERS` altogether. What
was not read counts as the least of what was: reading puts the best in order, and no other memory among them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.base import TokenVectors
from ai_memory.index.base import Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence.scores import Values
from ai_memory.store.base import Store
from ai_memory.text.passages import passage_at

MOST = 10
MOST_CHARACTERS = 1_400
"""Some 380 tokens of English, twice as many of a text of rare words: measured, 190 ms for 2,000 characters of the latter."""
_WORD = re.compile(r"\w+")
_FEWEST = 3
"""With fewer texts nothing stands out."""
_NO_DIFFERENCE = 1e-6
"""Deviations of cosines that rounding alone may give."""

ReadTokens = Callable[[Sequence[str]], list[TokenVectors] | None]
"""What a model makes of the tokens of some texts; None where it does not tell, or failed."""


class Rereader(NamedTuple):
    """A question and what is needed to read memories with it."""

    question: str
    words: frozenset[str]
    """Its words without function words, case-folded."""
    store: Store
    read: ReadTokens

    def evidence(self, view: PartitionView, rows: Rows) -> Values | None:
        """How many deviations each of some rows, best first and one a memory, lies above the mean of those that were read.

        Shape (r,); what was not read counts as the least of what was. None where nothing can be told.
        """
        keys, passages = view.keys()[rows[:MOST]].tolist(), view.passages()[rows[:MOST]].tolist()
        stored = self.store.load(keys)
        texts: list[str] = []
        places: list[int] = []
        left = MOST_CHARACTERS
        for place, (key, passage) in enumerate(zip(keys, passages, strict=True)):
            if key not in stored:
                continue
            text = stored[key].record.text
            start, end = passage_at(text, passage)
            text = text[start:end]
            left -= len(text)
            if left < 0 and len(texts) >= _FEWEST:
                break
            texts.append(text)
            places.append(place)
        read = self.read([self.question, *texts]) if len(texts) >= _FEWEST else None
        if read is None:
            return None
        question, *others = read
        counted = counted_tokens(self.question, question.spans, self.words)
        alike = np.array([likeness(question.vectors[counted], each.vectors) for each in others])
        found = standing_out(alike)
        evidence: Values = np.full(len(rows), found.min())
        evidence[places] = found
        return evidence


def counted_tokens(text: str, spans: Sequence[tuple[int, int]], words: frozenset[str]) -> NDArray[np.bool_]:
    """Which tokens of a question, given by their spans, belong to one of `words` (case-folded); all where none does."""
    kept = [match.span() for match in _WORD.finditer(text) if match.group().casefold() in words]
    counted = np.array([any(start >= a and stop <= b for a, b in kept) for start, stop in spans], np.bool_)
    return counted if counted.any() else np.ones(len(spans), np.bool_)


def likeness(question: NDArray[np.float32], text: NDArray[np.float32]) -> float:
    """The mean over the question's q tokens of the greatest cosine with one of the text's t tokens, in [-1, 1].

    Both are unit vectors, shapes (q, width) and (t, width); 0 where either has no token.
    """
    if not len(question) or not len(text):
        return 0.0
    return float((question @ text.T).max(axis=1).mean(dtype=np.float64))


def standing_out(alike: Values) -> Values:
    """Deviations of each of k texts above their mean, shape (k,); all 0 where the texts do not differ."""
    rest = alike - alike.mean()
    deviation = float(rest.std())
    found: Values = rest / deviation if deviation > _NO_DIFFERENCE else np.zeros(len(alike))
    return found
