"""Rivals: answers to one question that give the same attribute of the same subject different values, or the same value again.

*I rent a flat on Cooper Street* and *Slept in the house on Alder Lane for the first time* are rivals for the question in which
street I live. Both are good answers, and the newer one is the right one. No word says so: what distinguishes them from two answers
that have nothing to do with each other is that both stand out from the other answers in the same way. Of two hits it counts

- how similar their vectors are, compared with their similarity to the other hits, and whether each is the other's nearest;
- the words that they share, the rarer among the hits the more, and which words of the question both have, or only one;
- whether one has another word where the other has one of the question's: *Bob's phone number* is no answer about Alice's;
- how close they are in rank, score and cosine; whether the same person says both; how long they are;
- whether the question asks about the past, where events are asked for and not states.

The weights are a logistic regression on pairs of hits of written cases (`tests/truth`, the half that may be seen: updates, chains
and restatements against other hits; sentences of one frame about two subjects) and of judged questions about chats and notes, in
which no pair is a rival. They order answers and mark them; nothing in the store is changed by them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.truth.compare import Kind, chances, comparable
from ai_memory.truth.features import Table
from ai_memory.truth.statement import Statement, apart

CERTAIN = 0.5
"""The probability from which two hits count as rivals for a question."""
_BOTH_HOLD = 0.8
"""The probability that both hold from which they do not."""
_ANSWERED = 0.7
"""What it counts that both answer the question in the same way: so much of that probability makes what is no update one."""
MARKED = 0.85
"""How sure an update has to be for the earlier one to be marked: a wrong order costs less than doubt about what holds."""
SAME = 0.85
"""The probability of a restatement from which two hits are one."""
_VALUES = (
    "numbers_differ",
    "numbers_one",
    "codes_differ",
    "names_differ",
    "people_differ",
    "owners_differ",
    "days_differ",
    "contrast",
)
"""Features of two hits that have different values."""
_ONE_SENTENCE = 0.6
"""The share of both sentences in the same places from which they are one, with other words in one place."""
_CLOSE = 0.35
"""The cosine, or the share of the rarer words, from which two hits are compared whatever is asked."""
_CERTAIN_BY_WORDS = 0.8
"""The same where only words can be compared."""
_ALIKE = 0.45
"""The median cosine of the hits with each other from which an embedder finds everything alike, and only words are compared."""
_STRAGGLER = 0.5
"""The share of the score of a group's second hit that further ones need."""
_PAIRED = 4
"""Rivals are looked for next to the best hits: so many."""
COMPARED = 12
"""So many hits are compared."""
_LEAST_SPREAD = 0.06
_MOST = 8.0

_WEIGHTS = {
    # feature: its weight with vectors, and with words alone
    "constant": (-4.13, -3.76),
    "similar": (0.289, 0.0),
    "nearest": (0.562, 0.0),
    "apart": (-0.542, 0.0),
    "shared": (14.3, 15.5),
    "asked": (1.00, 1.44),
    "asked_of_older": (6.37, 4.53),
    "asked_of_newer": (2.36, 1.23),
    "score": (2.39, 2.76),
    "places": (-1.65, -1.85),
    "common": (-0.62, -0.55),
    "author": (4.83, 4.65),
    "length": (-1.17, -1.29),
    "lengths": (-1.77, -2.01),
    "past": (-0.67, -0.53),
    "replaced": (-3.41, -2.56),
    "replacing": (-5.24, -4.75),
    "frame": (-13.0, -11.6),
    "framed": (-8.97, -7.62),
    "answers_less": (0.92, 0.0),
    "ratio": (0.294, 0.037),
}

_MOST_OF_VECTORS = _MOST * _WEIGHTS["similar"][0] + 2.0 * _WEIGHTS["nearest"][0] + _WEIGHTS["answers_less"][0]
"""What vectors can add to the odds of a pair at most."""


class Group(NamedTuple):
    """Hits that are rivals, by their places, ascending; for each how sure it is that it was replaced by another, or replaced it."""

    places: tuple[int, ...]
    certainty: tuple[float, ...]
    """In its surest pair; 1 where one is known to have replaced the other."""


class Related(NamedTuple):
    """What some hits are to one another."""

    groups: list[Group]
    """The groups of rivals, in the order of their best hits."""
    same: list[tuple[int, ...]]
    """Hits that say the same in other words, by their places, ascending."""


NOTHING = Related([], [])


def rivals(
    asked: frozenset[str],
    about_past: bool,
    hits: Sequence[Statement],
    similar: NDArray[np.float64] | None,
    known: Collection[tuple[int, int]] = (),
) -> Related:
    """The rivals among some hits, best hit first, and those that say the same.

    `asked`: the question's words; `similar`: the cosines of the hits' vectors, shape (n, n), NaN where one has none, or None;
    `known`: pairs of places i < j that are values of one key, or of which one superseded the other: these are rivals for certain.
    Two hits of the same time are no rivals: neither is the newer one.
    """
    count = min(len(hits), COMPARED)
    if count < 2:
        return NOTHING
    table = _Table(asked, about_past, hits[:count], similar)
    judged = Table(hits[:count], table.similar)
    order = {(i, j): 1.0 for i, j in known if j < count}
    same: dict[tuple[int, int], float] = {}
    for i in range(min(_PAIRED, count)):
        for j in range(i + 1, count):
            first, second = hits[i], hits[j]
            if (i, j) in order or not table.comparable(i, j):
                continue
            newer = apart(first, second)
            answers = table.probability(i, j) if newer else 0.0
            if not (answers or table.close(i, j)) or not comparable(first, second):
                continue
            features = judged.features(i, j)
            chance = chances(features)
            if "vector" in features and chance[Kind.RESTATES] >= SAME and not _differ_in_value(features):
                same[i, j] = chance[Kind.RESTATES]
            elif answers and chance[Kind.EXTENDS] < _BOTH_HOLD:
                order[i, j] = 1.0 - (1.0 - chance[Kind.UPDATES]) * (1.0 - _ANSWERED * answers)
    stay = {place for pair in known for place in pair}
    groups = (_without_stragglers(places, hits, stay) for places in _connected(order))
    return Related(
        [
            Group(places, tuple(max(chance for pair, chance in order.items() if place in pair) for place in places))
            for places in groups
        ],
        list(_connected(same)),
    )


def _without_stragglers(places: tuple[int, ...], hits: Sequence[Statement], stay: Set[int]) -> tuple[int, ...]:
    """The group without hits that answer much worse than its two best, which only share a word with one of them; `stay` stay."""
    least = _STRAGGLER * hits[places[1]].score
    return tuple(place for at, place in enumerate(places) if at < 2 or place in stay or hits[place].score >= least)


def _differ_in_value(features: Mapping[str, float]) -> bool:
    """Return whether two hits differ in a number, a name, a day or a negation, or are one sentence but for some words in one place.

    Such hits are never folded into one, however alike they are: *lost the key*, *hid the key*; *room 12*, *room 21*.
    """
    differ = any(features.get(name) for name in _VALUES) or any(
        features[name] for name in features if "negation" in name
    )
    return differ or (bool(features.get("one_run")) and features["ratio"] >= _ONE_SENTENCE)


def _connected(pairs: dict[tuple[int, int], float]) -> Iterator[tuple[int, ...]]:
    """The places that pairs connect, group by group, each ascending."""
    group: dict[int, set[int]] = {}
    for i, j in pairs:
        joined = group.get(i, {i}) | group.get(j, {j})
        for place in joined:
            group[place] = joined
    for first in sorted(group):
        if first == min(group[first]):
            yield tuple(sorted(group[first]))


class _Table:
    """The hits of one question, and what is common to all their pairs."""

    def __init__(
        self, asked: frozenset[str], about_past: bool, hits: Sequence[Statement], similar: NDArray[np.float64] | None
    ) -> None:
        self._hits = hits
        self._asked = asked
        self._past = float(about_past)
        frequency = Counter(word for hit in hits for word in hit.words)
        self._idf = {word: math.log(1.0 + len(hits) / n) for word, n in frequency.items()}
        self._unseen = math.log(1.0 + len(hits))
        self._mass = [self._sum(hit.words) for hit in hits]
        self._in_question = self._sum(asked) or 1.0
        self.similar = None if similar is None else _telling(similar[: len(hits), : len(hits)])
        self._cosines = np.array([hit.cosine for hit in hits])
        # Of each hit the similarity to its second neighbour: the greatest one is its own, the next that of its first.
        self._second = np.full(len(hits), -1.0) if self.similar is None else np.sort(self.similar, axis=1)[:, -3:][:, 0]
        self.least = _CERTAIN_BY_WORDS if self.similar is None else CERTAIN

    def comparable(self, i: int, j: int) -> bool:
        """Return whether two hits share a word, or have vectors to compare."""
        return self.similar is not None or not self._hits[i].words.isdisjoint(self._hits[j].words)

    def close(self, i: int, j: int) -> bool:
        """Return whether two hits are so alike that they may be about the same, whatever is asked."""
        if self.similar is not None:
            pair = float(self.similar[i, j])
            return pair >= _CLOSE and pair >= min(self._second[i], self._second[j])
        shared = self._sum(self._hits[i].words & self._hits[j].words)
        return shared >= _CLOSE * max(0.1, min(self._mass[i], self._mass[j]))

    def probability(self, i: int, j: int) -> float:
        """How likely the hits at places i < j are rivals; 0 where that is less than counts.

        Most pairs are none, and the features that cost most come last: a pair is given up as soon as those can no longer save it.
        """
        column = 1 if self.similar is None else 0
        least = math.log(self.least / (1.0 - self.least))
        odds = 0.0
        for features, still in ((self._of_words, _MOST_OF_VECTORS), (self._alike, 0.0), (self._of_frame, 0.0)):
            odds += sum(_WEIGHTS[name][column] * value for name, value in features(i, j))
            if odds + (still if column == 0 else 0.0) < least:
                return 0.0
        return 1.0 / (1.0 + math.exp(-odds))

    def _sum(self, words: Set[str]) -> float:
        return math.fsum(self._idf.get(word, self._unseen) for word in words)

    def _of_words(self, i: int, j: int) -> Iterator[tuple[str, float]]:
        first, second = self._hits[i], self._hits[j]
        older, newer = (first, second) if first.when < second.when else (second, first)
        shared = first.words & second.words
        share = self._sum(shared) / max(0.1, min(self._mass[i], self._mass[j]))
        both_asked = self._sum(shared & self._asked)
        of_older = self._of_question(self._sum(older.words & self._asked) - both_asked)
        yield "constant", 1.0
        yield "shared", share
        yield "asked", self._of_question(both_asked)
        yield "asked_of_older", of_older
        yield "asked_of_newer", self._of_question(self._sum(newer.words & self._asked) - both_asked)
        yield "score", max(-0.5, min(second.score / max(first.score, 0.1), 1.0))
        yield "places", math.log(1 + j - i)
        yield "common", math.log(1 + len(shared - self._asked))
        yield "author", float(first.author == second.author)
        yield "length", math.log(1 + min(len(first.words), len(second.words)))
        yield "lengths", abs(math.log((1 + len(first.words)) / (1 + len(second.words))))
        yield "past", self._past
        yield "framed", of_older * share
        yield "ratio", max(-0.5, min(newer.score / max(older.score, 0.1), 2.0))

    def _of_frame(self, i: int, j: int) -> Iterator[tuple[str, float]]:
        """What the sentences have in the same places: all of it speaks against rivals."""
        first, second = self._hits[i], self._hits[j]
        replaced, replacing, frame = _aligned(*((first, second) if first.when < second.when else (second, first)))
        yield "replaced", self._of_question(self._sum(replaced & self._asked))
        yield "replacing", self._of_question(self._sum(replacing & self._asked))
        yield "frame", frame

    def _of_question(self, mass: float) -> float:
        return mass / self._in_question

    def _alike(self, i: int, j: int) -> Iterator[tuple[str, float]]:
        """What their vectors say of two hits: how far their similarity is above that to the others, in robust deviations, how often
        it is the greatest, and how far apart their cosines with the question are.
        """
        if self.similar is None:
            return
        rest = [place for place in range(len(self._hits)) if place not in (i, j)]
        own, other = self.similar[i, rest], self.similar[j, rest]
        around = np.concatenate((own, other)) if rest else np.zeros(1)
        pair = float(self.similar[i, j])
        cosines = self._cosines
        older, newer = (i, j) if self._hits[i].when < self._hits[j].when else (j, i)
        less = float(cosines[older] - cosines[newer]) / max(0.2, abs(float(cosines[older])))
        yield "similar", min((pair - float(np.median(around))) / _spread(around), _MOST)
        yield "nearest", float(pair >= own.max(initial=-1.0)) + float(pair >= other.max(initial=-1.0))
        yield "apart", min(abs(float(cosines[i] - cosines[j])) / _spread(cosines[rest]), _MOST)
        yield "answers_less", max(-1.0, min(less, 1.0))


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


def _telling(similar: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The similarities themselves, if all are known and they distinguish texts from one another."""
    pairs = similar[np.triu_indices(len(similar), 1)]
    return None if np.isnan(pairs).any() or float(np.median(pairs)) > _ALIKE else similar


def _spread(values: NDArray[np.float64]) -> float:
    """The median absolute deviation as a standard deviation, never near 0."""
    if not len(values):
        return _LEAST_SPREAD
    return max(_LEAST_SPREAD, 1.4826 * float(np.median(np.abs(values - np.median(values)))))
