"""How likely a hit is relevant, and whether an answer should be trusted at all.

Scores are evidence for one question; what makes them comparable between questions is the size of the haystack, how far a hit
stands above its rival, and how much of the question it covers. With s the score in nats, N the number of rows that might have
answered, g the lead over the best other hit (of the best hit over the second; of the others, negative, over the best) and c the
coverage, the share of the question's idf mass that the hit's words cover,

    confidence = 1 / (1 + exp(-(0.055 s - 0.42 ln N + 0.21 g + 1.6 c - 0.13)))

The coefficients are a logistic regression on judged questions of three kinds (chat, encyclopaedia, code); docs/recall.md has the
calibration error on others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ai_memory.index.partition import PartitionView
from ai_memory.text.terms import QueryTerm

_SCORE, _HAYSTACK, _LEAD, _COVERAGE, _CONSTANT = 0.055, -0.42, 0.21, 1.6, -0.13
_TRUST_SCORE, _TRUST_COVERAGE, _TRUST_LEAST = 0.12, 5.0, 2.4


def confidence(score: float, memories: int, lead: float, coverage: float) -> float:
    """The probability in [0, 1] that a hit is relevant; see the module for the formula."""
    haystack = math.log(max(memories, 1))
    return _logistic(_SCORE * score + _HAYSTACK * haystack + _LEAD * lead + _COVERAGE * coverage + _CONSTANT)


def trusted(score: float, coverage: float) -> bool:
    """Whether the best hit says enough about the question to stand as an answer.

    Evidence and coverage make up for one another: a paraphrase shares no word but stands far out in meaning, a short exact match
    has little evidence but covers the question.
    """
    return _TRUST_SCORE * score + _TRUST_COVERAGE * coverage >= _TRUST_LEAST


def leads(scores: Sequence[float]) -> list[float]:
    """For scores in descending order: the first one's lead over the second, and the others' (negative) over the first."""
    if not scores:
        return []
    second = scores[1] if len(scores) > 1 else min(scores[0], 0.0)
    return [scores[0] - second, *(score - scores[0] for score in scores[1:])]


class Coverage:
    """The share of a question's idf mass that a memory's words cover: 1 when it has every word, 0 when it has none.

    Words that no memory has count too, as rare as a word can be.
    """

    def __init__(self, view: PartitionView, terms: Sequence[QueryTerm]) -> None:
        self._view = view
        self._terms = terms
        self._masses = [_mass(term, view.document_frequency(term), view.n) for term in terms]
        self._total = sum(self._masses)

    def matched(self, row: int) -> list[QueryTerm]:
        """The question's words that a row has, the most telling first."""
        having = set(self._view.matches(self._terms, row))
        found = [at for at, term in enumerate(self._terms) if term.surface in having]
        return [self._terms[at] for at in sorted(found, key=lambda at: (-self._masses[at], at))]

    def share(self, matched: Sequence[QueryTerm]) -> float:
        """The share, in [0, 1], that these words make up; 0 for a question without words."""
        if self._total <= 0.0:
            return 0.0
        names = {term.alternatives for term in matched}
        covered = (mass for term, mass in zip(self._terms, self._masses, strict=True) if term.alternatives in names)
        return min(1.0, sum(covered) / self._total)


def _mass(term: QueryTerm, frequency: int, rows: int) -> float:
    return term.weight * math.log(1.0 + max(0.0, rows - frequency + 0.5) / (frequency + 0.5))


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else math.exp(x) / (1.0 + math.exp(x))
