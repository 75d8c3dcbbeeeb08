"""What a new statement says about earlier ones: the same again, another value of the same, or nothing of the kind.

A first version, which knows shared words only: it finds copies for certain, and proposes the rest with care.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.text.normal import normal_form
from ai_memory.text.stopwords import FIRST_PERSON, FIRST_PERSON_WIDE
from ai_memory.truth.statement import Statement

PROPOSED = 0.5
"""The confidence from which an update or a contradiction is worth a person's look."""
CERTAIN = 0.95
"""The confidence from which it may be acted upon without one."""
_AROUND = " \t\n.,;:!…。、！？?\"'“”„«»‘’()[]"
_LEAST_SHARED = 0.5
_SAME = 0.85
_MOST_CONFIDENT = 0.9


class Kind(Enum):
    """How a new statement relates to an earlier one."""

    COPY = "copy"
    RESTATES = "restates"
    UPDATES = "updates"
    CONTRADICTS = "contradicts"
    EXTENDS = "extends"


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
    """The candidates to which a new statement relates, the surest first; empty where there are none."""
    del similar
    if new.asks or not new.words:
        return []
    found = [finding for place, old in enumerate(candidates) if (finding := _finding(place, new, old))]
    return sorted(found, key=lambda finding: (-finding.confidence, finding.place))


def _finding(place: int, new: Statement, old: Statement) -> Finding | None:
    if old.asks or not old.words or new.user != old.user:
        return None
    if new.author != old.author and (_first_person(new) or _first_person(old)):
        return None
    if _plain(new.text) == _plain(old.text):
        return Finding(place, Kind.COPY, 1.0, "the same words")
    shared = len(new.words & old.words) / max(len(new.words), len(old.words))
    if shared >= _SAME:
        return Finding(place, Kind.RESTATES, _MOST_CONFIDENT * shared, "nearly the same words")
    if shared >= _LEAST_SHARED and new.terms[:1] == old.terms[:1]:
        confidence = min(_MOST_CONFIDENT, 0.25 + shared / 2.0)
        return Finding(place, Kind.UPDATES, confidence, "the same frame with another value")
    return None


def _first_person(said: Statement) -> bool:
    return not FIRST_PERSON.isdisjoint(said.text.casefold().split()) or any(
        each in said.text for each in FIRST_PERSON_WIDE
    )


def _plain(text: str) -> str:
    return " ".join(normal_form(text).casefold().split()).strip(_AROUND)
