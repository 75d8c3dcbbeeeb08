"""How likely a hit is relevant, and whether an answer should be trusted at all.

Scores are evidence for one question. What can be compared between questions is how far a hit is above the next one, among how many
memories, how near it is in meaning, how many of the question's words it has, and whether the best hit speaks of what is asked
for (`attested`) and is by whom the question names. Confidence is the logistic of the sum of `summands`.

The logarithms are there because more evidence adds less: thirty nats are certain with or without ten more, and a good second
hit is not refuted by a best one far above it. A text that several memories repeat is one hit, and their number counts.

The coefficients are a logistic regression on the best hits of judged questions of many kinds. Near misses, questions about
somebody known after what nobody said, count 0.15 each, so that confidence is that of a question which has an answer, and questions
from elsewhere, which have nothing to do with the store, count twice; docs/recall.md has the calibration error, and how many of
both are recognised.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.recall.evidence.fusion import PSEUDO_MEMORIES
from ai_memory.recall.evidence.scores import Values
from ai_memory.text.terms import QueryTerm

_WEIGHTS = {
    "lead": 1.495,
    "memories": -0.422,
    "nearness": 1.439,
    "language": -1.289,
    "present": 2.168,
    "missing": -0.241,
    "standing": 0.303,
    "named": -0.955,
    "author": 0.639,
    "time": 1.196,
    "dialogue": 0.541,
    "constant": -0.685,
    "tellings": 0.3,
}
"""What each summand's value is worth in log odds. That of `tellings` is not fitted, since judged questions have no copies: what is
said again has been confirmed, twice is worth .2 nats, twelve times .7."""
_DECIDED = 2.5
"""Log odds, of a confidence of 92 or 8 %, beyond which the vector of the words that a hit lacks is not computed."""
LIKELY = 0.5
"""The confidence from which a hit is likelier than not to answer."""
TRUSTED = 0.3
"""The confidence of the best hit from which an answer is not marked as none: of the right ones 7 in 100 have less."""

Summands = tuple[tuple[str, float, float], ...]
"""Name, value and weight of each summand of a hit's log odds."""


def confidence(of: Summands) -> float:
    """The probability in [0, 1] that a hit is relevant; see the module for the formula."""
    return _logistic(sum(value * weight for _, value, weight in of))


def is_open(of: Summands) -> bool:
    """Return whether the log odds of a hit are so near to even that one more summand may decide."""
    return abs(sum(value * weight for _, value, weight in of)) <= _DECIDED


class Signs(NamedTuple):
    """What a hit's confidence depends on besides its score and its lead."""

    memories: int
    """How many rows might have answered."""
    dialogue: float
    """The share of the store that is a dialogue of people, in [0, 1]."""
    nearness: float = 0.0
    """Its cosine above the mean of all, as a share of what the mean lacks of 1; 0 without vectors."""
    time: float = 0.0
    """The evidence, in nats, that it happened when the question says; negative counts as 0."""
    familiar: float = 0.0
    """How well the embedder knows the question's language, in [0, 1]; 0 without vectors."""
    words: int = 0
    """How many words of the question say what it is about."""
    missing: int = 0
    """How many of these it lacks."""
    standing: float = 0.0
    """How near the best hit is to the words that it lacks (`attested.standing`); 0 for the others."""
    author_lead: float | None = None
    """By how many nats the named author's best memory is ahead of anybody else's, its author aside; None if nobody is named."""
    tellings: int = 1
    """How many memories say it."""


def summands(lead: float, signs: Signs) -> Summands:
    """The terms of a hit's log odds, from its lead in nats (`leads`) and what else is known of it."""
    values = {
        "lead": _less(lead),
        "memories": math.log(signs.memories + PSEUDO_MEMORIES),
        "nearness": signs.familiar * signs.nearness,
        "language": signs.familiar,
        "present": math.log1p(signs.words - signs.missing),
        "missing": math.log1p(signs.missing),
        "standing": signs.standing,
        "named": float(signs.author_lead is not None),
        "author": _less(signs.author_lead or 0.0),
        "time": max(signs.time, 0.0),
        "dialogue": signs.dialogue,
        "constant": 1.0,
        "tellings": math.log(signs.tellings),
    }
    return tuple((name, value, _WEIGHTS[name]) for name, value in values.items() if value)


def _less(nats: float) -> float:
    """A difference of scores as more of it adds less, with its sign."""
    return math.copysign(math.log1p(abs(nats)), nats)


def why_trusted(best: float) -> str | None:
    """Why an answer may be trusted, in words, from the confidence of its best hit; None where that is not enough."""
    if best >= LIKELY:
        return f"a hit is likelier than not to answer ({best:.0%})"
    return f"a hit may answer ({best:.0%})" if best >= TRUSTED else None


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


def words_of(has: NDArray[np.bool_], masses: Values, terms: Sequence[QueryTerm]) -> list[list[QueryTerm]]:
    """The question's words that each of m memories has, the rarest first.

    `has`, bool, shape (m, t), says which of t terms each one has; `masses`, shape (t,), is their share of the idf mass.
    """
    order = np.argsort(-masses, kind="stable").tolist()
    return [[terms[at] for at in order if matched[at]] for matched in has]


def _logistic(x: float) -> float:
    # Two forms, so that `exp` never overflows.
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else math.exp(x) / (1.0 + math.exp(x))
