"""Rivals: answers to one question that give the same attribute of the same subject different values, or the same value again.

*I rent a flat on Cooper Street* and *Slept in the house on Alder Lane for the first time* are rivals for the question in which
street I live. Both are good answers, and the newer one is the right one. Two judgements say so. `compare` has read what the two
say, whatever is asked: one updates the other, or both hold. And the question says whether both answer it in the same way:

- how similar their vectors are, compared with their similarity to the other hits, and whether each is the other's nearest;
- the words that they share, and which words of the question both have, or only one: *Bob's number* is no answer about Alice's;
- how close they are in rank, score and cosine; whether the same person says both; how long they are;
- whether the question asks about the past, for several or for an earlier value.

A logistic regression weighs both (`data/rivals.json`). It was fitted on pairs of hits of written cases (`tests/truth`: the half
that may be seen, and the development cases with a question), and of talk and notes, in which no pair is a rival; what `compare`
says of a pair came from weights that had not seen its domain. Rivals order answers and mark them; nothing in the store is changed.
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
from ai_memory.truth.features import Table, relative
from ai_memory.truth.statement import Statement, apart
from ai_memory.truth.weights import order_weights
from ai_memory.truth.wording import Wanted

ORDERED = 0.4
"""The probability from which of two hits the newer one comes first."""
MARKED = 0.7
"""How sure it has to be that two hits are rivals and do not both hold for the earlier one to be marked."""
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
_CLOSE = 0.3
"""The cosine, on the scale of `relative`, or the share of the rarer words, from which two hits are compared."""
_MOST_ODDS = 6.0
"""The odds of an update, in nats, count up to this."""
_STRAGGLER = 0.5
"""The share of the score of a group's second hit that further ones need."""
PAIRED = 4
"""Rivals are looked for next to the best hits: so many."""
COMPARED = 12
"""So many hits are compared."""
_LEAST_SPREAD = 0.06
_MOST = 8.0


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


class Asking(NamedTuple):
    """What a question says about the answers that it wants."""

    words: frozenset[str]
    about_past: bool = False
    wanted: Wanted = Wanted.NEWEST
    several: bool = False
    """Whether it asks about two or more at once."""


def rivals(
    asking: Asking,
    hits: Sequence[Statement],
    similar: NDArray[np.float64] | None,
    known: Collection[tuple[int, int]] = (),
) -> Related:
    """The rivals among some hits, best hit first, and those that say the same.

    `similar`: the cosines of the hits' vectors, shape (n, n), NaN where one has none, or None;
    `known`: pairs of places i < j that are values of one key, or of which one superseded the other: these are rivals for certain.
    Two hits of the same time are no rivals: neither is the newer one.
    """
    count = min(len(hits), COMPARED)
    if count < 2:
        return NOTHING
    if similar is not None:
        similar = similar[:count, :count]
        if np.isnan(similar).any():
            similar = None
    table = Answers(asking, hits[:count], similar)
    order = {(i, j): 1.0 for i, j in known if j < count}
    same: dict[tuple[int, int], float] = {}
    for i in range(min(PAIRED, count)):
        for j in range(i + 1, count):
            if (i, j) in order or not table.close(i, j) or not comparable(hits[i], hits[j]):
                continue
            said = table.said.features(i, j)
            chance = chances(said)
            if "vector" in said and chance[Kind.RESTATES] >= SAME and not _differ_in_value(said):
                same[i, j] = chance[Kind.RESTATES]
            elif (said["another_matter"] or said["contrast"]) and table.answers_less(i, j):
                continue  # *the staging key*, *the production key*; or a note about the same and something else
            elif apart(hits[i], hits[j]) and (answers := table.probability(i, j, chance)) >= ORDERED:
                order[i, j] = answers * (1.0 - chance[Kind.EXTENDS])
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
    """Return whether two hits differ in a number, a name, a day or a negation, are one sentence but for some words in one place, or
    the newer one only leaves words of the older one out, or only one of them is what somebody said.

    Such hits are never folded into one, however alike they are: *lost the key*, *hid the key*; *room 12*, *room 21*; *she said the
    red lamp was on*, *the lamp was red*.
    """
    differ = any(features.get(name) for name in _VALUES) or any(
        features[name] for name in features if "negation" in name
    )
    shortened = bool(features.get("gone") and features.get("nothing_come"))
    one_sentence = bool(features.get("one_run")) and features["ratio"] >= _ONE_SENTENCE
    return differ or shortened or one_sentence or bool(features.get("older_says")) != bool(features.get("newer_says"))


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


class Answers:
    """The hits of one question, and what is common to all their pairs."""

    def __init__(self, asking: Asking, hits: Sequence[Statement], similar: NDArray[np.float64] | None) -> None:
        """`similar`: the cosines of their vectors, shape (n, n), or None."""
        self._hits = hits
        self._asking = asking
        self._asked = asking.words
        frequency = Counter(word for hit in hits for word in hit.words)
        self._idf = {word: math.log(1.0 + len(hits) / n) for word, n in frequency.items()}
        self._unseen = math.log(1.0 + len(hits))
        self._mass = [self._sum(hit.words) for hit in hits]
        self._in_question = self._sum(self._asked) or 1.0
        self._similar = None if similar is None else relative(similar)
        self._cosines = np.array([hit.cosine for hit in hits])
        self.said = Table(hits, similar)

    def close(self, i: int, j: int) -> bool:
        """Return whether two hits are so alike that they may be about the same."""
        if self._similar is not None and float(self._similar[i, j]) >= _CLOSE:
            return True
        shared = self._sum(self._hits[i].words & self._hits[j].words)
        return shared >= _CLOSE * max(0.1, min(self._mass[i], self._mass[j]))

    def answers_less(self, i: int, j: int) -> bool:
        """Return whether the newer of two hits lacks words of the question that the older one has."""
        older, newer = (i, j) if self._hits[i].when < self._hits[j].when else (j, i)
        return self._sum(self._hits[older].words & self._asked) > self._sum(self._hits[newer].words & self._asked)

    def probability(self, i: int, j: int, chance: Mapping[Kind | None, float]) -> float:
        """How likely the hits at places i < j are rivals; `chance`: what `compare` says of them."""
        weights = order_weights("by_words" if self._similar is None else "with_vectors")
        odds = sum(weights[name] * value for name, value in self.features(i, j, chance) if value)
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(odds, 30.0))))

    def features(self, i: int, j: int, chance: Mapping[Kind | None, float]) -> Iterator[tuple[str, float]]:
        """What is weighed of the hits at places i < j, by name."""
        yield from self._of_words(i, j)
        yield from self._of_frame(i, j)
        yield from self._alike(i, j)
        updates, extends, nothing = chance[Kind.UPDATES], chance[Kind.EXTENDS], chance[None]
        odds = math.log(max(updates, 1e-9) / max(nothing, 1e-9))
        yield "updates", updates
        yield "extends", extends
        yield "odds", max(-_MOST_ODDS, min(odds, _MOST_ODDS))
        yield "odds_against", max(-_MOST_ODDS, min(odds, 0.0))
        for wanted in (Wanted.SEVERAL, Wanted.PAST, Wanted.EARLIER):
            yield f"wants_{wanted.value}", float(self._asking.wanted is wanted)
        yield "asks_about_several", float(self._asking.several)

    def _sum(self, words: Set[str]) -> float:
        return math.fsum(self._idf.get(word, self._unseen) for word in words)

    def _of_words(self, i: int, j: int) -> Iterator[tuple[str, float]]:
        first, second = self._hits[i], self._hits[j]
        older, newer = (first, second) if first.when < second.when else (second, first)
        shared = first.words & second.words
        share = self._sum(shared) / max(0.1, min(self._mass[i], self._mass[j]))
        both_asked = self._sum(shared & self._asked)
        of_older = self._of_question(self._sum(older.words & self._asked) - both_asked)
        of_newer = self._of_question(self._sum(newer.words & self._asked) - both_asked)
        yield "constant", 1.0
        yield "shared", share
        yield "asked", self._of_question(both_asked)
        yield "asked_of_older", of_older
        yield "asked_of_newer", of_newer
        yield "asked_of_each", min(of_older, of_newer)
        yield "score", max(-0.5, min(second.score / max(first.score, 0.1), 1.0))
        yield "places", math.log(1 + j - i)
        yield "common", math.log(1 + len(shared - self._asked))
        yield "author", float(first.author == second.author)
        yield "length", math.log(1 + min(len(first.words), len(second.words)))
        yield "lengths", abs(math.log((1 + len(first.words)) / (1 + len(second.words))))
        yield "past", float(self._asking.about_past)
        yield "framed", of_older * share
        yield "ratio", max(-0.5, min(newer.score / max(older.score, 0.1), 2.0))

    def _of_frame(self, i: int, j: int) -> Iterator[tuple[str, float]]:
        """What the sentences have in the same places."""
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
        if self._similar is None:
            return
        rest = [place for place in range(len(self._hits)) if place not in (i, j)]
        own, other = self._similar[i, rest], self._similar[j, rest]
        around = np.concatenate((own, other)) if rest else np.zeros(1)
        pair = float(self._similar[i, j])
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


def _spread(values: NDArray[np.float64]) -> float:
    """The median absolute deviation as a standard deviation, never near 0."""
    if not len(values):
        return _LEAST_SPREAD
    return max(_LEAST_SPREAD, 1.4826 * float(np.median(np.abs(values - np.median(values)))))
