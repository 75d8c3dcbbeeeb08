"""The hits of one question, two by two, as numbers: do both answer it in the same way, and what does the one say about the other?

What two texts say, whatever is asked, `features` has read. Here is what the question adds: which of its words both have, or only
one; whether both have a value of the kind that it asks for; which words they share that are not the question's; and how far they
are above the other hits. Everything is seen from the order in time, the older one and the newer one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.truth.features import Table
from ai_memory.truth.reading import Reading, comparable, read
from ai_memory.truth.statement import Statement, statement
from ai_memory.truth.wording import Sought, Wanted, sought

PAIRED = 4
"""Rivals are looked for next to the best hits: so many."""
_CLOSE = 0.3
"""The cosine, on the scale of `relative`, or the share of the rarer words, from which two hits are compared."""
_LEAST_SPREAD = 0.06
_LEAST_SPREAD_OF_ANSWERS = 0.03
_MOST = 8.0
_MOST_SHARED = 6.0
_STEP = 4.0
"""Nats of a score that count as 1."""
_NO_WORDS = statement("", 0)


class Asking(NamedTuple):
    """What a question says about the answers that it wants."""

    words: frozenset[str]
    about_past: bool = False
    wanted: Wanted = Wanted.NEWEST
    several: bool = False
    """Whether it asks about two or more at once."""
    said: Statement = _NO_WORDS
    """The question itself."""


class Answers:
    """The hits of one question, and what is common to all their pairs."""

    def __init__(self, asking: Asking, hits: Sequence[Statement], similar: NDArray[np.float64] | None) -> None:
        """`similar`: the cosines of the hits' vectors, shape (n, n), or None; with one that is NaN only words are compared."""
        if similar is not None:
            similar = similar[: len(hits), : len(hits)]
            similar = None if np.isnan(similar).any() else similar
        self._hits = hits
        self._asking = asking
        self._asked = asking.words
        self._question = read(asking.said)
        self._sought = sought(asking.said.text)
        self._said = Table(hits, similar)
        self._idf, self._mass, self._similar = self._said.idf, self._said.mass, self._said.similar
        self._unseen = math.log(1.0 + len(hits))
        self._in_question = self._sum(self._asked) or 1.0
        self._cosines = np.array([hit.cosine for hit in hits])
        self._compared: dict[tuple[int, int], dict[str, float]] = {}

    @property
    def with_vectors(self) -> bool:
        """Whether vectors say how alike two hits are; else their words alone."""
        return self._similar is not None

    def pairs(self) -> Iterator[tuple[int, int]]:
        """The places i < j of the hits that may be about the same."""
        for i in range(min(PAIRED, len(self._hits))):
            for j in range(i + 1, len(self._hits)):
                if self._close(i, j) and comparable(self._hits[i], self._hits[j]):
                    yield i, j

    def distinguished(self, i: int, j: int) -> bool:
        """Whether the question has a number or an identifier that only one of two hits has.

        *What did note 3 say?* asks for that note, however alike the notes are.
        """
        first, second = (_numbers_and_codes(read(self._hits[at])) for at in (i, j))
        return bool(_numbers_and_codes(self._question) & (first ^ second))

    def _close(self, i: int, j: int) -> bool:
        if self._similar is not None and float(self._similar[i, j]) >= _CLOSE:
            return True
        return self._said.shared[i][j] >= _CLOSE * max(0.1, min(self._mass[i], self._mass[j]))

    def said(self, i: int, j: int) -> dict[str, float]:
        """What they say about one another, whatever is asked: the features of `compare`, a part of `features`."""
        if (i, j) not in self._compared:
            self._compared[i, j] = self._said.features(i, j)
        return self._compared[i, j]

    def features(self, i: int, j: int) -> dict[str, float]:
        """What is known of the hits at places i < j, by name; what is left out is 0."""
        older, newer = (i, j) if self._hits[i].when < self._hits[j].when else (j, i)
        said = self.said(i, j)
        return {
            **said,
            **dict(self._of_words(i, j, older, newer)),
            **dict(self._of_values(older, newer)),
            **dict(self._of_kind(older, newer, said)),
            **dict(self._of_rank(i, j, older)),
            **dict(self._of_vectors(i, j, older, newer)),
            **{f"wants_{each.value}": float(self._asking.wanted is each) for each in Wanted},
            "asks_about_several": float(self._asking.several),
            "past": float(self._asking.about_past),
        }

    def _sum(self, words: Set[str]) -> float:
        return math.fsum(self._idf.get(word, self._unseen) for word in words)

    def _of_question(self, mass: float) -> float:
        return mass / self._in_question

    def _of_words(self, i: int, j: int, at_older: int, at_newer: int) -> Iterator[tuple[str, float]]:
        """The words that they share, and those of the question that both have, or one of them, or none."""
        older, newer = self._hits[at_older], self._hits[at_newer]
        shared = older.words & newer.words
        both_asked = self._sum(shared & self._asked)
        in_older, in_newer = self._sum(older.words & self._asked), self._sum(newer.words & self._asked)
        of_older, of_newer = self._of_question(in_older - both_asked), self._of_question(in_newer - both_asked)
        share = self._sum(shared) / max(0.1, min(self._mass[i], self._mass[j]))
        yield "shared", share
        yield "asked", self._of_question(both_asked)
        yield "asked_of_older", of_older
        yield "asked_of_newer", of_newer
        yield "asked_of_each", min(of_older, of_newer)
        yield "in_older", self._of_question(in_older)
        yield "in_newer", self._of_question(in_newer)
        yield "in_newer_of_older", min(in_newer / max(0.5, in_older), 2.0)
        yield "unasked_common", math.log1p(len(shared - self._asked))
        yield "length", math.log1p(min(len(older.words), len(newer.words)))
        yield "framed", of_older * share
        replaced, replacing, frame = _aligned(older, newer)
        yield "replaced", self._of_question(self._sum(replaced & self._asked))
        yield "replacing", self._of_question(self._sum(replacing & self._asked))
        yield "frame", frame

    def _of_values(self, at_older: int, at_newer: int) -> Iterator[tuple[str, float]]:
        """What they say beyond the words of the question, which is where their values are, and whether it is the same."""
        older, newer = self._hits[at_older], self._hits[at_newer]
        first, second = older.words - self._asked, newer.words - self._asked
        common, in_first, in_second = self._sum(first & second), self._sum(first), self._sum(second)
        yield "value_shared", common / max(0.5, min(in_first, in_second))
        yield "value_of_newer_shared", common / max(0.5, in_second)
        yield "value_mass_shared", min(common, _MOST_SHARED)
        one, two = (_values(read(each)) - self._asked for each in (older, newer))
        yield "value_come", float(bool(two - one))
        yield "value_gone", float(bool(one - two))
        yield "value_swapped", float(bool(two - one) and bool(one - two))
        yield "value_common", float(bool(one & two))
        yield "value_same", float(bool(one) and one == two)

    def _of_kind(self, at_older: int, at_newer: int, said: Mapping[str, float]) -> Iterator[tuple[str, float]]:
        """Whether they have a value of the kind that is asked for, and the names, persons and attributes that the question has."""
        older, newer, asked = read(self._hits[at_older]), read(self._hits[at_newer]), self._question
        yield "seeks_place", float(self._sought is Sought.PLACE)
        if self._sought in _HAS_SOUGHT:
            first, second = _HAS_SOUGHT[self._sought](older), _HAS_SOUGHT[self._sought](newer)
            yield f"seeks_{self._sought.value}", 1.0
            yield "both_have_sought", float(first and second)
            yield "older_has_sought", float(first and not second)
            yield "newer_has_sought", float(second and not first)
            if self._sought is Sought.NUMBER:
                yield "sought_differs", float(first and second and bool(said.get("numbers_differ")))
        words_of_older, words_of_newer = self._hits[at_older].words, self._hits[at_newer].words
        in_older, in_newer = asked.names & words_of_older, asked.names & words_of_newer
        yield "asked_name_of_older", float(bool(in_older - words_of_newer))
        yield "asked_name_of_newer", float(bool(in_newer - words_of_older))
        yield "asked_name_of_both", float(bool(in_older & in_newer))
        yield "newer_has_other_name", float(bool(in_older - words_of_newer) and bool(newer.names - asked.names))
        yield "older_has_other_name", float(bool(in_newer - words_of_older) and bool(older.names - asked.names))
        attributes = asked.attributes - {"having"}
        yield "asked_attribute_of_both", float(bool(attributes & older.attributes & newer.attributes))
        for name, of_question, of_older, of_newer in (
            ("attribute", attributes, older.attributes, newer.attributes),
            ("person", asked.people, older.people, newer.people),
            ("contrast", asked.contrasts, older.contrasts, newer.contrasts),
        ):
            first, second = bool(of_question & of_older), bool(of_question & of_newer)
            yield f"asked_{name}_of_older", float(first and not second)
            yield f"asked_{name}_of_newer", float(second and not first)
        yield "asks_for_now", float("change" in asked.cues)

    def _of_rank(self, i: int, j: int, older: int) -> Iterator[tuple[str, float]]:
        """Where they are among the hits, and how far above the others."""
        scores = [hit.score for hit in self._hits]
        best = max((score for place, score in enumerate(scores) if place not in (i, j)), default=-5.0)
        top = max(scores[0], 1.0)
        gap = scores[i] - scores[j]
        yield "second_margin", max(-1.0, min((scores[j] - best) / top, 1.0))
        yield "first_margin", max(-1.0, min((scores[i] - best) / top, 1.0))
        yield "newer_is_better", float(older == j)
        yield "gap", min(gap / _STEP, _STEP)
        yield "log_gap", math.log1p(max(0.0, gap))
        yield "first", float(i == 0)
        yield "first_two", float(i == 0 and j == 1)
        yield "score", max(-0.5, min(scores[j] / max(scores[i], 0.1), 1.0))
        yield "places", math.log(1 + j - i)

    def _of_vectors(self, i: int, j: int, older: int, newer: int) -> Iterator[tuple[str, float]]:
        """How far their similarity is above that to the others, in robust deviations, how often it is the greatest, and their
        cosines with the question compared with one another and with those of the others.
        """
        if self._similar is None:
            return
        rest = [place for place in range(len(self._hits)) if place not in (i, j)]
        own, other = self._similar[i, rest], self._similar[j, rest]
        around = np.concatenate((own, other)) if rest else np.zeros(1)
        pair, cosines = float(self._similar[i, j]), self._cosines
        less = float(cosines[older] - cosines[newer]) / max(0.2, abs(float(cosines[older])))
        yield "similar", min((pair - float(np.median(around))) / _spread(around), _MOST)
        yield "nearest_hit", float(pair >= own.max(initial=-1.0)) + float(pair >= other.max(initial=-1.0))
        yield "apart", min(abs(float(cosines[i] - cosines[j])) / _spread(cosines[rest]), _MOST)
        yield "answers_less", max(-1.0, min(less, 1.0))
        if rest:
            usual = float(np.median(cosines[rest]))
            spread = _spread(cosines[rest], _LEAST_SPREAD_OF_ANSWERS)
            of_older, of_newer = (max(-3.0, min((float(cosines[at]) - usual) / spread, _MOST)) for at in (older, newer))
            yield "answers_of_older", of_older
            yield "answers_of_newer", of_newer
            yield "answers_of_both", min(of_older, of_newer)
            greatest = float(cosines[rest].max())
            above = (float(cosines[newer]) - greatest) / max(0.05, 1.0 - greatest)
            yield "newer_above_rest", max(-1.0, min(above, 1.0))


def _aligned(older: Statement, newer: Statement) -> tuple[set[str], set[str], float]:
    """The older hit's words that the newer one has others for, the newer one's such words, and the share of the common frame."""
    matcher = SequenceMatcher(None, older.terms, newer.terms, autojunk=False)
    replaced: set[str] = set()
    replacing: set[str] = set()
    same = 0
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag == "replace":
            replaced.update(older.terms[first:last])
            replacing.update(newer.terms[start:end])
        elif tag == "equal":
            same += last - first
    frame = 2.0 * same / max(1, len(older.terms) + len(newer.terms))
    return replaced - newer.words, replacing - older.words, frame


def _values(said: Reading) -> frozenset[str]:
    """What is a value wherever it occurs: numbers, days, addresses and names."""
    return frozenset({number.value for number in said.numbers} | said.codes | said.days | said.names)


_HAS_SOUGHT = {
    Sought.NUMBER: lambda said: bool(said.numbers),
    Sought.TIME: lambda said: bool(said.days or said.numbers),
    Sought.PERSON: lambda said: bool(said.names or said.people or said.begins),
}
"""By the kind of value that a question asks for: whether a text has one."""


def _spread(values: NDArray[np.float64], least: float = _LEAST_SPREAD) -> float:
    """The median absolute deviation as a standard deviation, never near 0."""
    if not len(values):
        return least
    return max(least, 1.4826 * float(np.median(np.abs(values - np.median(values)))))


def _numbers_and_codes(reading: Reading) -> frozenset[str]:
    return reading.codes | {number.value for number in reading.numbers}
