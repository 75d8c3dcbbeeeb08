"""Rivals: answers to one question that give the same attribute of the same subject different values, or the same value again.

*I rent a flat on Cooper Street* and *Slept in the house on Alder Lane for the first time* are rivals for the question in which
street I live. Both are good answers, and the newer one is the right one. `answers` turns two hits and the question into numbers,
and three sums of small trees (`data/rivals.json`) decide apart from one another:

- **order**: whether the newer one comes first. That costs nothing where both answer the question alike, so little is needed;
- **mark**: whether the newer one has replaced the other, which is then marked. That needs more;
- **same**: whether both give the same value in other words, so that they are one hit.

`scripts/fit_rivals.py` makes the trees, on pairs of hits of written cases: `tests/truth`, the half that may be seen, the
development cases, and talk and notes in which nothing replaces anything. Nothing in the store is changed by them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.truth.answers import Answers, Asking
from ai_memory.truth.compare import Kind, chances
from ai_memory.truth.statement import Statement, apart
from ai_memory.truth.weights import forest

ORDERED = 0.3
"""The probability from which of two hits the newer one comes first."""
ORDERED_IN_TALK = 0.55
"""The same where all hits are turns of a conversation: most are about what happened, and the newer one replaces nothing."""
_HARDLY = 0.25
"""How likely it has to be that the newer one replaced the other for it to come first without words of the question."""
MARKED = 0.5
"""How sure it has to be that the newer of two hits replaced the older one for that to be marked."""
SAME = 0.4
"""How sure it has to be that two hits give the same value for them to be one hit."""
RESTATED = 0.85
"""So sure that one restates the other is enough too, whatever is asked."""
_VALUES = (
    "numbers_differ",
    "numbers_one",
    "codes_differ",
    "names_differ",
    "people_differ",
    "owners_differ",
    "days_differ",
    "contrast",
    "value_swapped",
)
"""Features of two hits that have different values."""
_ONE_SENTENCE = 0.6
"""The share of both sentences in the same places from which they are one, with other words in one place."""
_STRAGGLER = 0.5
"""The share of the score of a group's second hit that further ones need."""
PAIRED = 4
"""Rivals are looked for next to the best hits: so many."""
COMPARED = 12
"""So many hits are compared."""


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
    order = {(i, j): 1.0 for i, j in known if j < count}
    same: dict[tuple[int, int], float] = {}
    answers = Answers(asking, hits[:count], similar)
    pairs = [pair for pair in answers.pairs() if pair not in order and not answers.distinguished(*pair)]
    if pairs:
        trees = forest("with_vectors" if answers.with_vectors else "by_words")
        features = [answers.features(i, j) for i, j in pairs]
        values = trees.values(features)
        newer_first, replaced, alike = (each.chances(values) for each in (trees.order, trees.mark, trees.same))
        least = ORDERED_IN_TALK if _is_talk(hits[:count]) else ORDERED
        for at, (i, j) in enumerate(pairs):
            chance = chances(answers.said(i, j))
            again = max(float(alike[at]) - SAME, chance[Kind.RESTATES] - RESTATED)
            if answers.with_vectors and again >= 0.0 and not _differ_in_value(features[at]):
                same[i, j] = again
            elif (
                newer_first[at] >= least
                and apart(hits[i], hits[j])
                and not _is_worse(features[at], float(replaced[at]))
            ):
                order[i, j] = float(replaced[at]) * (1.0 - chance[Kind.EXTENDS])
    stay = {place for pair in known for place in pair}
    groups = (_without_stragglers(places, hits, stay) for places in _connected(order))
    return Related(
        [
            Group(places, tuple(max(chance for pair, chance in order.items() if place in pair) for place in places))
            for places in groups
        ],
        list(_connected(same)),
    )


def _is_talk(hits: Sequence[Statement]) -> bool:
    """Return whether all hits were said by somebody, and not all by the same."""
    authors = {hit.author for hit in hits}
    return len(authors) > 1 and None not in authors


def _is_worse(features: Mapping[str, float], replaced: float) -> bool:
    """Return whether the newer of two hits lacks words of the question that the older one has, and is hardly another value of the
    same: it is about another kind, or says much else, or is not at all likely to have `replaced` the older one.

    *The staging key*, *the production key*; a note about the same and something else; *the favourite editor*, *the editor font*.
    """
    lacks = features["in_older"] > features["in_newer"]
    other = features.get("another_matter") or features.get("contrast")
    return lacks and (bool(other) or replaced < _HARDLY)


def _without_stragglers(places: tuple[int, ...], hits: Sequence[Statement], stay: Set[int]) -> tuple[int, ...]:
    """The group without hits that answer much worse than its two best, which only share a word with one of them; `stay` stay."""
    least = _STRAGGLER * hits[places[1]].score
    return tuple(place for at, place in enumerate(places) if at < 2 or place in stay or hits[place].score >= least)


def _differ_in_value(features: Mapping[str, float]) -> bool:
    """Return whether two hits differ in a number or a day, are one sentence but for some words in one place or a negation, or the
    newer one only leaves words of the older one out, or only one of them is what somebody said.

    Such hits are never folded into one, however alike they are: *lost the key*, *hid the key*; *room 12*, *room 21*; *she said the
    red lamp was on*, *the lamp was red*.
    """
    differ = any(features.get(name) for name in _VALUES)
    shortened = bool(features.get("gone") and features.get("nothing_come"))
    one_sentence = features["ratio"] >= _ONE_SENTENCE and bool(
        features.get("one_run") or any(features.get(f"{which}_negation") for which in ("newer", "older"))
    )
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
