"""How likely a hit is relevant, and whether an answer should be trusted at all.

Scores are evidence for one question; what makes them comparable between questions is the size of the haystack, how far a hit is
above the next one, how much of the question it covers, and what kind of store it is in. With s the score in nats, N the number of
rows that might have answered and g the lead over the best other hit (of the best hit over the second; of the others, negative, over
the best), confidence is the logistic of

    1.451 ln(1 + s/4) - 0.362 ln N + 1.216 sign(g) ln(1 + |g|) + 0.949 c - 0.495 d - 0.446 a + 0.374 t - 0.868

with c the share of the question's words that the hit has, by weight; d the share of the store that is a dialogue of people; a 1 for
a hit outside any session, whose score has a stage more; and t the evidence that it happened when the question says.

The logarithms are there because more evidence adds less: thirty nats are certain with or without ten more, and a good second
hit is not refuted by a best one far above it.

A text that several memories repeat is one hit, with 0.3 times the logarithm of their number added.

The coefficients are a logistic regression, in which the best hit of a question counts as much as seven others of the first ten, on
judged questions of many kinds, near misses among them; docs/recall.md has the calibration error on kinds that were left out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Rows
from ai_memory.recall.evidence.session_context import QuestionWords
from ai_memory.text.terms import QueryTerm

_SCORE, _HAYSTACK, _LEAD, _COVERAGE, _DIALOGUE, _ALONE, _TIME, _CONSTANT = (
    1.451, -0.362, 1.216, 0.949, -0.495, -0.446, 0.374, -0.868,
)  # fmt: skip
_SCORE_UNIT = 4.0
_TELLINGS = 0.3
"""What is said again has been confirmed: twice is worth .2 nats, twelve times .7. Not fitted: judged questions have no copies."""
LIKELY = 0.5
"""The confidence from which a hit is likelier than not to answer."""
_TRUST_SCORE, _TRUST_COVERAGE, _TRUST_JOINT, _TRUST_LEAST = 0.04, 0.4, 0.6, 0.68

Summands = tuple[tuple[str, float, float], ...]
"""Name, value and weight of each summand of a hit's log odds."""


def confidence(of: Summands) -> float:
    """The probability in [0, 1] that a hit is relevant; see the module for the formula."""
    return _logistic(sum(value * weight for _, value, weight in of))


class Signs(NamedTuple):
    """What a hit's confidence depends on besides its score and its lead."""

    memories: int
    """How many rows might have answered."""
    coverage: float
    """The share of the question's words that it has, by weight, in [0, 1]."""
    dialogue: float
    """The share of the store that is a dialogue of people, in [0, 1]."""
    alone: bool
    """Whether it is outside any session."""
    time: float = 0.0
    """The evidence, in nats, that it happened when the question says; negative counts as 0."""
    tellings: int = 1
    """How many memories say it."""


def summands(score: float, lead: float, signs: Signs) -> Summands:
    """The terms of a hit's log odds, from its score and its lead in nats and what else is known of it."""
    found = [
        ("score", math.log1p(max(score, 0.0) / _SCORE_UNIT), _SCORE),
        ("memories", math.log(max(signs.memories, 1)), _HAYSTACK),
        ("lead", math.copysign(math.log1p(abs(lead)), lead), _LEAD),
        ("coverage", signs.coverage, _COVERAGE),
        ("dialogue", signs.dialogue, _DIALOGUE),
        ("alone", float(signs.alone), _ALONE),
        ("time", max(signs.time, 0.0), _TIME),
        ("constant", 1.0, _CONSTANT),
        ("tellings", math.log(signs.tellings), _TELLINGS),
    ]
    return tuple(term for term in found if term[1] or term[0] == "memories")


def trusted(score: float, coverage: float, joint_coverage: float) -> bool:
    """Return whether a hit is enough to be an answer, given its score, its coverage and what the best hits cover between them.

    Evidence and coverage make up for one another: a paraphrase shares no word but has a cosine far above the rest, a short exact
    match has little evidence but covers the question. And where a rare word of the question is in none of the best memories, the
    question probably names a known person or object but asks for what no memory says.
    """
    covered = _TRUST_COVERAGE * coverage + _TRUST_JOINT * joint_coverage
    return _TRUST_SCORE * score + covered >= _TRUST_LEAST


def why_trusted(greatest: float, scores: Sequence[float], shares: Sequence[float], joint_coverage: float) -> str | None:
    """Why an answer may be trusted, in words; None where no hit is enough.

    From the greatest confidence of its hits, the scores and coverages of all that were ranked, and the best ones' joint coverage.
    """
    if greatest >= LIKELY:
        return f"a hit is likelier than not to answer ({greatest:.0%})"
    enough = [pair for pair in zip(scores, shares, strict=True) if trusted(*pair, joint_coverage)]
    if not enough:
        return None
    score, share = enough[0]
    return (
        f"{score:.1f} nats of evidence, {share:.0%} of the question's words by weight, and "
        f"{joint_coverage:.0%} in the best memories together"
    )


def leads(scores: Sequence[float], together: Collection[int] = ()) -> list[float]:
    """For scores in descending order: the first one's lead over the second, and the others' (negative) over the first.

    Those at the places `together` are about the same as the first: it leads over the best of the rest. Without a rest it leads over
    a score of 0, or over nothing if its own is negative; empty for no scores.
    """
    if not scores:
        return []
    rest = (score for place, score in enumerate(scores) if place and place not in together)
    second = next(rest, min(scores[0], 0.0))
    return [scores[0] - second, *(score - scores[0] for score in scores[1:])]


class Coverage(NamedTuple):
    """For each of some rows: the question's words that it has, the rarest first, and their share of the idf mass, in [0, 1]."""

    words: list[list[QueryTerm]]
    shares: list[float]


def coverage(words: QuestionWords, terms: Sequence[QueryTerm], rows: Rows, counted: NDArray[np.bool_]) -> Coverage:
    """What each of `rows`, int32, has of a question: share 1 for every word, 0 for none or for a question without words.

    `words` are those of `terms`; `rows` must be among its rows. Only the words `counted`, bool, shape (t,), have a share.
    """
    matched = words.scores[:, words.rows.searchsorted(rows)] > 0.0
    order = np.argsort(-words.masses, kind="stable").tolist()
    found = [[terms[at] for at in order if matched[at, place]] for place in range(len(rows))]
    masses = words.masses * counted
    total = float(masses.sum())
    return Coverage(found, (masses @ matched / total if total > 0.0 else np.zeros(len(rows))).tolist())


def _logistic(x: float) -> float:
    # Two forms, so that `exp` never overflows.
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else math.exp(x) / (1.0 + math.exp(x))
