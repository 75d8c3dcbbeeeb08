"""What a new statement says about earlier ones: the same again, another value of the same, its end, or something more.

No question is asked here, and no language model: `features` turns two statements into numbers (the subject, the attribute, words of
change, what the sentences have in the same places, numbers and days, how similar their vectors are compared with those of the other
candidates), and a logistic regression weighs them (`weights`). It is made on written cases, `tests/truth`: the half that may be
seen, and `tests/truth/development`; `scripts/score_compare.py` prints how often it is right on the other half.

A finding is a proposal. Which of the two is true now, time says: the one that began later.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.text.normal import normal_form
from ai_memory.truth.features import Table
from ai_memory.truth.reading import comparable
from ai_memory.truth.statement import Statement, apart
from ai_memory.truth.weights import weights

PROPOSED = 0.7
"""The confidence from which an update or a contradiction is worth a person's look."""
CERTAIN = 0.98
"""The confidence from which it may be acted upon without one."""
_AROUND = " \t\n.,;:!…。、！？?\"'“”„«»‘’()[]"


class Kind(Enum):
    """How a new statement relates to an earlier one."""

    COPY = "copy"
    """The same words, apart from letter case, blanks and punctuation around them."""
    RESTATES = "restates"
    """The same in other words."""
    UPDATES = "updates"
    """Another value of the same attribute of the same subject; the one that began later holds now."""
    CONTRADICTS = "contradicts"
    """One says that what the other says is no longer so, or never was, or both give other values for the same time."""
    EXTENDS = "extends"
    """Something else about the same: both hold."""


class Finding(NamedTuple):
    """One candidate to which the new statement relates."""

    place: int
    """Its place among the candidates, from 0."""
    kind: Kind
    confidence: float
    """The estimated probability of that kind, in [0, 1]."""
    reason: str
    """Why, in English and without words of the texts."""


def compare(
    new: Statement, candidates: Sequence[Statement], similar: NDArray[np.float64] | None = None
) -> list[Finding]:
    """The candidates to which a new statement relates, the surest first; empty where there are none.

    `similar`: the cosines of the vectors of the new statement and the candidates, in this order, shape (1 + n, 1 + n), NaN where
    one has none; None where there are no vectors. A question relates to nothing, and neither do statements of different users, or
    statements in the first person by different authors. The candidates should be those most like the new statement: how alike two
    are counts against how alike the others are.
    """
    if new.asks or not new.words or not candidates:
        return []
    table = Table((new, *candidates), similar)
    found = [finding for place in range(len(candidates)) if (finding := _finding(table, place))]
    return sorted(found, key=lambda finding: (-finding.confidence, finding.place))


def chances(features: Mapping[str, float]) -> dict[Kind | None, float]:
    """The probability of each kind but COPY and CONTRADICTS, which is among UPDATES; None stands for no relation."""
    by_name = weights("with_vectors" if "vector" in features else "by_words")
    none = updates = restates = extends = 0.0
    for name, value in features.items():  # unrolled: this is most of what a comparison costs
        if value:
            weight = by_name[name]
            none += weight[0] * value
            updates += weight[1] * value
            restates += weight[2] * value
            extends += weight[3] * value
    most = max(none, updates, restates, extends)
    scaled = [math.exp(each - most) for each in (none, updates, restates, extends)]
    whole = sum(scaled)
    return dict(zip((None, Kind.UPDATES, Kind.RESTATES, Kind.EXTENDS), (each / whole for each in scaled), strict=True))


def _finding(table: Table, place: int) -> Finding | None:
    new, old = table.said[0], table.said[place + 1]
    if not comparable(new, old):
        return None
    if _plain(new.text) and _plain(new.text) == _plain(old.text):
        return Finding(place, Kind.COPY, 1.0, "the same words")
    features = table.features(0, place + 1)
    found = chances(features)
    kind = max(found, key=lambda each: found[each])
    if kind is None:
        return None
    confidence = found[kind]
    if kind is Kind.UPDATES and (_ends(features) or not apart(new, old)):
        kind = Kind.CONTRADICTS
    return Finding(place, kind, confidence, "; ".join(_reasons(features)) or "alike in meaning")


def _ends(features: Mapping[str, float]) -> bool:
    """Return whether the later statement says that something has ended, and gives no other value."""
    ended = features.get("newer_ended") or features.get("negation_of_shared")
    return (
        bool(ended)
        and not (features.get("newer_change") or features.get("both_change"))
        and not features.get("numbers_differ")
    )


def _plain(text: str) -> str:
    return " ".join(normal_form(text).casefold().split()).strip(_AROUND)


def _reasons(features: Mapping[str, float]) -> Iterator[str]:
    for name, words in _WORDED.items():
        if features.get(name):
            yield words


_WORDED = {
    "begins_same": "both begin with the same word",
    "names_shared": "both have the same name",
    "people_shared": "both are about the same person",
    "owners_shared": "both are about what belongs to the same",
    "single_shared": "the same attribute, which has one value at a time",
    "only_many_shared": "the same attribute, which may have several values",
    "numbers_same": "the same number",
    "numbers_differ": "another number",
    "days_differ": "another day",
    "newer_change": "the later one has a word of change",
    "newer_ended": "the later one has a word of an end",
    "negation_of_shared": "one of them denies",
}
