"""Late interaction: the best candidates reranked by how well each word of the question is matched by a word of the memory.

One vector says what a text is about as a whole, and a short detail of a long text hardly shows in it. The same model gives
more: a vector of every token in its context. A text is as similar to the question as, on average over the question's words
without its function words, the nearest of its tokens is (MaxSim: Khattab and Zaharia, ColBERT, 2020). That takes a forward pass
over the texts, so only the best `MAX_MEMORIES` memories are read, in their order, up to `MAX_CHARACTERS` altogether. What was not
read gets the lowest value of what was: the stage reorders the best memories and lets no other one in among them.
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

MAX_MEMORIES = 10
MAX_CHARACTERS = 1_400
"""Some 380 tokens of English, twice as many in a text of rare words: measured, 190 ms for 2,000 characters of the latter."""
_WORD = re.compile(r"\w+")
_MIN_TEXTS = 3
"""A mean and a deviation over fewer texts say nothing."""
_NO_DIFFERENCE = 1e-6
"""A deviation of cosines that rounding alone may cause."""

ReadTokens = Callable[[Sequence[str]], list[TokenVectors] | None]
"""A model's token vectors of some texts; None where it has none, or failed."""


class TokenReranker(NamedTuple):
    """A question and what is needed to rerank memories by it."""

    question: str
    words: frozenset[str]
    """Its words without function words, case-folded."""
    store: Store
    read: ReadTokens

    def evidence(self, view: PartitionView, rows: Rows) -> Values | None:
        """How many deviations each of r rows, best first and one per memory, is above the mean of those that were read.

        Float64, shape (r,); what was not read gets the lowest value of what was. None where fewer than three texts can be read.
        Raises StoreError.
        """
        keys, passages = view.keys()[rows[:MAX_MEMORIES]].tolist(), view.passages()[rows[:MAX_MEMORIES]].tolist()
        stored = self.store.load(keys)
        texts: list[str] = []
        places: list[int] = []
        left = MAX_CHARACTERS
        for place, (key, passage) in enumerate(zip(keys, passages, strict=True)):
            if key not in stored:
                continue
            text = stored[key].record.text
            start, end = passage_at(text, passage)
            text = text[start:end]
            left -= len(text)
            if left < 0 and len(texts) >= _MIN_TEXTS:
                break
            texts.append(text)
            places.append(place)
        read = self.read([self.question, *texts]) if len(texts) >= _MIN_TEXTS else None
        if read is None:
            return None
        question, *others = read
        counted = content_tokens(self.question, question.spans, self.words)
        similarities = np.array([max_similarity(question.vectors[counted], each.vectors) for each in others])
        found = z_scores(similarities)
        evidence: Values = np.full(len(rows), found.min())
        evidence[places] = found
        return evidence


def content_tokens(text: str, spans: Sequence[tuple[int, int]], words: frozenset[str]) -> NDArray[np.bool_]:
    """Which of a question's q tokens, given by their spans, belong to one of `words` (case-folded): bool, shape (q,).

    All of them where none does.
    """
    kept = [match.span() for match in _WORD.finditer(text) if match.group().casefold() in words]
    counted = np.array([any(start >= a and stop <= b for a, b in kept) for start, stop in spans], np.bool_)
    return counted if counted.any() else np.ones(len(spans), np.bool_)


def max_similarity(question: NDArray[np.float32], text: NDArray[np.float32]) -> float:
    """MaxSim: the mean over the question's q tokens of the greatest cosine with one of the text's t tokens, in [-1, 1].

    Both are float32 unit vectors, shapes (q, width) and (t, width); 0 where either has no token.
    """
    if not len(question) or not len(text):
        return 0.0
    return float((question @ text.T).max(axis=1).mean(dtype=np.float64))


def z_scores(similarities: Values) -> Values:
    """How many deviations each of k values, at least one, is above their mean: float64, shape (k,); all 0 for equal values."""
    rest = similarities - similarities.mean()
    deviation = float(rest.std())
    found: Values = rest / deviation if deviation > _NO_DIFFERENCE else np.zeros(len(similarities))
    return found
