"""Which sentences of many stand for all of them: extractive, by centrality and coverage, and no two that say the same.

A sentence is central where it is like many others, by the words that they share, weighed by how rare these are, and by the vectors
of their passages where there are any. Sentences are taken one by one: each time the one that is most central, says most that has
not been said, and is least like what was taken. Pure functions; nothing here reads a clock, a store or a model.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.types import Content, MemoryType

DIGEST = "digest"
"""The attribute of an insight that is a digest: what it is one of."""
CENTRAL, COVERED, REPEATED = 0.4, 0.6, 0.5
"""What it counts that a sentence is central, says something new, and is like one that was taken; each is in [0, 1]."""
SAME_WORDS, SAME_VECTORS = 0.7, 0.97
"""From these similarities on two sentences say the same, and one of them is enough."""
FROM_ONE_MEMORY = 2
"""At most so many sentences are taken from one memory, unless the others have no more."""


class Sentence(NamedTuple):
    """One sentence of one memory."""

    memory: int
    """The number of its memory; numbers ascend with time."""
    terms: tuple[str, ...]
    """Its words as they are compared; a sentence without any is never taken."""
    weight: float = 1.0
    """How much its memory matters, above 0."""
    vector: NDArray[np.float32] | None = None
    """The vector of its passage, of length 1; None where there is none."""


def is_digest(content: Content) -> bool:
    """Whether a memory is a digest that `consolidate` made of others: what it says is said elsewhere."""
    return content.type is MemoryType.INSIGHT and DIGEST in content.attributes


def chosen(sentences: Sequence[Sentence], count: int) -> list[int]:
    """The places of at most `count` sentences that say most of what all say, ascending; empty for none.

    The same sentences always give the same places: where two are as good, the earlier one is taken.
    """
    places = [place for place, sentence in enumerate(sentences) if sentence.terms]
    if not places or count < 1:
        return []
    words, rarity = _words([sentences[place] for place in places])
    alike, same = _similarities([sentences[place] for place in places], words)
    weights = np.array([sentences[place].weight for place in places])
    central = _scaled((alike.sum(axis=1) - alike.diagonal()) * weights)
    holds = words > 0
    most = max(float((holds @ rarity).max()), 1e-12)
    taken: list[int] = []
    left = np.ones(len(places), dtype=bool)
    unsaid = np.ones(words.shape[1], dtype=bool)
    of_memory: Counter[int] = Counter()
    while left.any() and len(taken) < count:
        gain = (holds & unsaid) @ rarity
        nearest = alike[:, taken].max(axis=1) if taken else np.zeros(len(places))
        score = CENTRAL * central + COVERED * gain / most - REPEATED * nearest
        often = np.array([of_memory[sentences[place].memory] >= FROM_ONE_MEMORY for place in places])
        able = left & ~often if (left & ~often).any() else left
        best = int(np.argmax(np.where(able, score, -math.inf)))
        taken.append(best)
        of_memory[sentences[places[best]].memory] += 1
        unsaid &= ~holds[best]
        left[best] = False
        left &= ~same[best]
    return sorted(places[each] for each in taken)


def _words(sentences: Sequence[Sentence]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows of weighed words of length 1, one for each sentence, and the rarity of each word."""
    names = sorted({term for sentence in sentences for term in sentence.terms})
    column = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(sentences), len(names)))
    for row, sentence in enumerate(sentences):
        for term in sentence.terms:
            counts[row, column[term]] += 1
    rarity = np.log1p(len(sentences) / (counts > 0).sum(axis=0))
    weighed = np.sqrt(counts) * rarity
    return weighed / np.linalg.norm(weighed, axis=1, keepdims=True), rarity


def _similarities(
    sentences: Sequence[Sentence], words: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """How alike each two are, in [0, 1], and which say the same."""
    by_words = words @ words.T
    alike, same = by_words.copy(), by_words >= SAME_WORDS
    with_vector = [row for row, sentence in enumerate(sentences) if sentence.vector is not None]
    if len(with_vector) > 1:
        stacked = np.stack([sentences[row].vector for row in with_vector]).astype(np.float64)  # type: ignore[misc]
        by_vectors = np.clip(stacked @ stacked.T, 0.0, 1.0)
        block = np.ix_(with_vector, with_vector)
        alike[block] = (by_words[block] + by_vectors) / 2
        # Sentences of one passage share a vector: only with words in common does it say that they say the same.
        same[block] |= (by_vectors >= SAME_VECTORS) & (by_words[block] >= SAME_WORDS / 2)
    return alike, same


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values divided by the greatest; zeros where there is none above 0."""
    most = float(values.max())
    return values / most if most > 0 else np.zeros_like(values)
