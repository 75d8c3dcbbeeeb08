"""How likely a hit is relevant, and whether an answer should be trusted at all.

Scores are evidence for one question; what makes them comparable between questions is the size of the haystack and how far a hit
stands above its rival. With s the score in nats, N the number of rows that might have answered and g the lead over the best other
hit (of the best hit over the second; of the others, negative, over the best),

    confidence = 1 / (1 + exp(-(3.656 ln(1 + s/4) - 0.678 ln N + 1.281 sign(g) ln(1 + |g|) - 1.474)))

The logarithms are there because evidence is worth less the more there is: thirty nats are certain with or without ten more, and
a good second hit is not refuted by a best one that stands far above it. (With the logarithms the coverage of the question,
which the score has in it, says nothing more.)

The coefficients are a logistic regression on the ten best hits of judged questions of four kinds (chat, sentences of an
encyclopaedia, code, technical answers) and of questions that belong to another store; docs/recall.md has the calibration error on
others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ai_memory.index.base import Rows
from ai_memory.recall.evidence.session_context import QuestionWords
from ai_memory.text.terms import QueryTerm

_SCORE, _HAYSTACK, _LEAD, _CONSTANT = 3.656, -0.678, 1.281, -1.474
_SCORE_UNIT = 4.0
LIKELY = 0.5
"""The confidence from which a hit is likelier than not to answer."""
_TRUST_SCORE, _TRUST_COVERAGE, _TRUST_TOGETHER, _TRUST_LEAST = 0.05, 0.4, 0.6, 0.68


Summands = tuple[tuple[str, float, float], ...]
"""Name, value and weight of each summand of a hit's log odds."""


def confidence(of: Summands) -> float:
    """The probability in [0, 1] that a hit is relevant; see the module for the formula."""
    return _logistic(sum(value * weight for _, value, weight in of))


def summands(score: float, memories: int, lead: float) -> Summands:
    """What speaks for and against a hit being relevant."""
    return (
        ("score", math.log1p(max(score, 0.0) / _SCORE_UNIT), _SCORE),
        ("memories", math.log(max(memories, 1)), _HAYSTACK),
        ("lead", math.copysign(math.log1p(abs(lead)), lead), _LEAD),
        ("constant", 1.0, _CONSTANT),
    )


def trusted(score: float, coverage: float, together: float) -> bool:
    """Whether a hit says enough about the question to stand as an answer, given what the best hits cover `together`.

    Evidence and coverage make up for one another: a paraphrase shares no word but stands far out in meaning, a short exact match
    has little evidence but covers the question. And where a word that tells much stands in none of the best memories, the
    question is likely about a known person or thing but asks for what nobody said.
    """
    said = _TRUST_COVERAGE * coverage + _TRUST_TOGETHER * together
    return _TRUST_SCORE * score + said >= _TRUST_LEAST


def standing(likeliest: float, scores: Sequence[float], shares: Sequence[float], together: float) -> str | None:
    """Why an answer stands, in words, from its hits' greatest confidence, the scores and coverages of all that were ranked, and
    what the best of them cover together.

    None where no hit says enough.
    """
    if likeliest >= LIKELY:
        return f"a hit is likelier than not to answer ({likeliest:.0%})"
    enough = [pair for pair in zip(scores, shares, strict=True) if trusted(*pair, together)]
    if not enough:
        return None
    score, share = enough[0]
    return (
        f"{score:.1f} nats of evidence, {share:.0%} of the question's words by weight, and "
        f"{together:.0%} in the best memories together"
    )


def leads(scores: Sequence[float]) -> list[float]:
    """For scores in descending order: the first one's lead over the second, and the others' (negative) over the first."""
    if not scores:
        return []
    second = scores[1] if len(scores) > 1 else min(scores[0], 0.0)
    return [scores[0] - second, *(score - scores[0] for score in scores[1:])]


class Covered(NamedTuple):
    """For each of some rows: the question's words that it has, the most telling first, and their share of the idf mass."""

    words: list[list[QueryTerm]]
    shares: list[float]


def coverage(words: QuestionWords, terms: Sequence[QueryTerm], rows: Rows) -> Covered:
    """What each row covers of a question: 1 when it has every word, 0 when it has none or the question has no words.

    `words` are those of `terms`, in some rows that all of `rows` are among.
    """
    matched = words.scores[:, words.rows.searchsorted(rows)] > 0.0
    order = np.argsort(-words.masses, kind="stable").tolist()
    found = [[terms[at] for at in order if matched[at, place]] for place in range(len(rows))]
    return Covered(found, (words.masses @ matched).tolist())


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else math.exp(x) / (1.0 + math.exp(x))
