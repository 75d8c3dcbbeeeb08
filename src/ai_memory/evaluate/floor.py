"""The baseline of every retrieval figure: textbook BM25 without stems, languages or vectors.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with k1 = 1.5, b = 0.75, the
non-negative idf ln(1 + (N - n + 0.5) / (n + 0.5)), and 52 English function words left out.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping

K1 = 1.5
B = 0.75
_FUNCTION_WORDS = """
a an the of to in on at for and or is are was were be been do does did has have had with by from as it its this that what when
where who how which why i my me you your he she they we his her their our not
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())


def words(text: str) -> list[str]:
    """Lower-case words that are not stop words, in order."""
    return [word for word in re.findall(r"\w+", text.lower()) if word not in STOP_WORDS]


class TextbookBM25:
    """BM25 over a fixed set of texts by id."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._ids = list(texts)
        bags = [words(text) for text in texts.values()]
        self._mean = (sum(map(len, bags)) / len(bags) if bags else 0.0) or 1.0
        self._lengths = [len(bag) for bag in bags]
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, bag in enumerate(bags):
            for word, count in Counter(bag).items():
                self._postings[word].append((number, count))

    def search(self, query: str, limit: int = 50) -> list[str]:
        """The ids of the best texts that share a word with the query, best first, ties in order of the texts."""
        scores: dict[int, float] = defaultdict(float)
        for word in set(words(query)):
            postings = self._postings.get(word, [])
            idf = math.log(1 + (len(self._ids) - len(postings) + 0.5) / (len(postings) + 0.5))
            for number, count in postings:
                norm = K1 * (1 - B + B * self._lengths[number] / self._mean)
                scores[number] += idf * count * (K1 + 1) / (count + norm)
        best = sorted(scores, key=lambda number: (-scores[number], number))
        return [self._ids[number] for number in best[:limit]]
