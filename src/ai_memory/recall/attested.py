"""Whether the best hit speaks of what is asked for, or only of whom or what the question is about.

*What brand is the sewing machine?* finds *Bought a sewing machine*: the subject agrees in words and in meaning, and nothing is said
about a brand. The words of the question that the hit lacks are what it would have to say in other words. So they are compared
with it by their meaning alone, without the subject, and with the hits that follow it: where those are nearer to these words, or all
are equally far, the memories know the subject and not the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Floats
from ai_memory.recall.evidence.scores import Values
from ai_memory.text.terms import QueryTerm

VectorOf = Callable[[str], Floats | None]
"""Gives the unit vector of some words as those of a question, float32, shape (dimension,); None where that fails."""
_LEAST_DEVIATION = 0.03
"""Hits whose cosines differ by less are equally far."""


def missing_words(terms: Sequence[QueryTerm], has: NDArray[np.bool_], content: NDArray[np.bool_]) -> tuple[str, ...]:
    """The words of a question that say what it is about and that a hit lacks, in the question's order, each once.

    `has` and `content`, bool, shape (t,): which of the t terms the hit has, and which are no function words and name no time.
    """
    lacking = (term.surface for term, kept in zip(terms, content & ~has, strict=True) if kept)
    return tuple(dict.fromkeys(lacking))


def standing(vectors: Values | None, words: Floats | None) -> float:
    """By how many deviations the best hit is nearer to some words than the hits on average, in either direction.

    `vectors`: those of the m best hits, the best one's first, shape (m, dimension), NaN for one that cannot be read, or None. 0
    where the best hit or the words have none.
    """
    if vectors is None or words is None or not len(vectors):
        return 0.0
    cosines = np.einsum("ij,j->i", vectors, words.astype(np.float64))
    if np.isnan(cosines[0]):
        return 0.0
    return float((cosines[0] - np.nanmean(cosines)) / max(float(np.nanstd(cosines)), _LEAST_DEVIATION))
