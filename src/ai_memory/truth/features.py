"""What two statements have in common and where they differ, as numbers: the features of `compare`.

Everything is seen from the order in time: an earlier statement, and a later one that may replace it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence, Set
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.truth.lexicon import lexicon
from ai_memory.truth.reading import Reading, read
from ai_memory.truth.statement import Statement

_LEAST_SPREAD = 0.06
_SOME = 6
"""So many other words a short statement has at most: with more on both sides two texts speak of other matters too."""
_MOST_TERMS = 200
"""So many terms are aligned: the time grows with the square of their number."""
_MOST = 8.0
_BACKGROUND = 0.15
"""The cosine that texts with nothing in common are taken to have: the scale on which the weights were fitted."""
_FEWEST = 5
"""So many texts show the background of their embedder."""
_CROWDED = 0.84
"""The usual cosine of unrelated texts for an embedder that finds all texts alike."""
_LEAST_CROWDED = 0.7
"""The least cosine of an embedder that finds all texts alike."""
_LEAST_RANGE = 0.005
"""Cosines that are closer together than this distinguish no texts."""
_UNKNOWN = 0.45
"""The median cosine from which an embedder either finds all texts alike or does not know their language."""
_CUES = ("change", "ended", "negation", "also", "wish", "past", "episode", "habit", "part", "says", "copula")
_COPULA = frozenset({"is", "are", "ist", "sind", "это", "was", "war"})


def relative(similar: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Cosines on one scale for all embedders, shape (n, n) as given: what unrelated texts have becomes `_BACKGROUND`, 1 stays 1.

    One embedder gives unrelated texts a cosine of 0.1, another one 0.85. What is usual is the lower quartile of the cosines
    themselves; of very few texts only whether they are all alike can be seen. NaN stays. None where the cosines say nothing: that
    of unrelated texts in a language that the embedder does not know is anywhere between.
    """
    # A few dozen numbers: numpy's quantiles would take longer than all the rest.
    rows = similar.tolist()
    pairs = sorted(each for at, row in enumerate(rows) for each in row[at + 1 :] if each == each)
    if not pairs or (len(pairs) > 1 and pairs[-1] - pairs[0] < _LEAST_RANGE):
        return None
    if len(similar) < _FEWEST:
        usual = _CROWDED if pairs[0] >= _LEAST_CROWDED else _BACKGROUND
    else:
        usual = _quantile(pairs, 0.25)
        if _quantile(pairs, 0.5) > _UNKNOWN and usual < _LEAST_CROWDED:
            return None
    if usual <= _BACKGROUND:
        return similar
    return 1.0 - (1.0 - similar) * ((1.0 - _BACKGROUND) / max(1.0 - usual, 0.01))


def _quantile(ascending: Sequence[float], share: float) -> float:
    """The value below which a share of them is, between two neighbours in proportion."""
    place = share * (len(ascending) - 1)
    below = int(place)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (ascending[above] - ascending[below]) * (place - below)


class Table:
    """Some statements, and what is common to all their pairs."""

    def __init__(self, said: Sequence[Statement], similar: NDArray[np.float64] | None) -> None:
        """`similar`: the cosines of their vectors, shape (n, n), NaN where one has none; None where there are no vectors."""
        self.said = said
        self.similar = None if similar is None else relative(similar)
        """The cosines on the scale of `relative`."""
        self._rows: list[list[float]] | None = None if self.similar is None else self.similar.tolist()
        frequency = Counter(word for each in said for word in each.words)
        self.idf = {word: math.log(1.0 + len(said) / n) for word, n in frequency.items()}
        self.mass = [self._sum(each.words) for each in said]
        count = len(said)
        self.shared = [[0.0] * count for _ in range(count)]
        for i in range(count):
            for j in range(i + 1, count):
                if common := said[i].words & said[j].words:
                    self.shared[i][j] = self.shared[j][i] = self._sum(common)

    def _sum(self, words: Set[str]) -> float:
        return math.fsum(self.idf[word] for word in words)  # in whatever order a set gives them

    def _most_shared(self, i: int, but: int) -> float:
        return max((mass for place, mass in enumerate(self.shared[i]) if place not in (i, but)), default=0.0)

    def features(self, i: int, j: int) -> dict[str, float]:
        """The features of two statements, by name; those without a value are left out."""
        said = self.said
        older, newer = (i, j) if said[i].when <= said[j].when else (j, i)
        a, b = said[older], said[newer]
        one, two = read(a), read(b)
        mass = max(0.1, min(self.mass[i], self.mass[j]))
        shared = self.shared[i][j]
        share = shared / mass
        common = a.words & b.words
        frame = _frame(a.terms[:_MOST_TERMS], b.terms[:_MOST_TERMS])
        found: dict[str, float] = {
            "constant": 1.0,
            "share": share,
            "common": math.log1p(len(common)),
            "rarest": max((self.idf[word] for word in common), default=0.0),
            "most_shared_i": float(shared > 0.0 and shared >= self._most_shared(i, j)),
            "most_shared_j": float(shared > 0.0 and shared >= self._most_shared(j, i)),
            "ratio": frame.ratio,
            "prefix": frame.prefix,
            "suffix": frame.suffix,
            "short": 1.0 / (1.0 + min(len(a.words), len(b.words))),
            "lengths": abs(math.log((1 + len(a.words)) / (1 + len(b.words)))),
            "author": float(a.author == b.author),
        }
        found |= _subject(one, two, frame)
        found |= _attribute(one, two)
        found |= _places(one, two, frame)
        found |= _wording(one, two, share)
        found |= _numbers(one, two, share, frame)
        if self._rows is not None and not math.isnan(self._rows[i][j]):
            found |= self._alike(self._rows, i, j)
        return found

    def _alike(self, cosines: list[list[float]], i: int, j: int) -> dict[str, float]:
        """How far their vectors' similarity is above that to the others, in robust deviations, and how often it is the greatest."""
        # A dozen numbers: arrays would cost more than they save.
        rest = [place for place in range(len(self.said)) if place not in (i, j)]
        own, other = ([row[place] for place in rest if row[place] == row[place]] for row in (cosines[i], cosines[j]))
        pair = cosines[i][j]
        found = {
            "vector": 1.0,
            "cosine": pair,
            "cosine2": pair * pair,
            "nearest": float(pair >= max(own, default=-1.0)) + float(pair >= max(other, default=-1.0)),
        }
        around = own + other
        if around:
            middle = _median(around)
            spread = max(_LEAST_SPREAD, 1.4826 * _median([abs(each - middle) for each in around]))
            found["stands_out"] = min((pair - middle) / spread, _MOST)
            found["margin"] = pair - max(around)
        return found


class _Frame(NamedTuple):
    """What two sentences have in the same places."""

    ratio: float
    prefix: float
    suffix: float
    first_differs: bool
    gone: frozenset[str]
    come: frozenset[str]
    runs: int
    before: float
    """The share of what is common that is before the first difference, in [0, 1]."""
    after: float
    """The share that is after it."""
    copula: bool
    """Whether the first difference comes right after *is* or the like."""


def _frame(older: tuple[str, ...], newer: tuple[str, ...]) -> _Frame:
    matcher = SequenceMatcher(None, older, newer, autojunk=False)
    same = runs = 0
    gone: set[str] = set()
    come: set[str] = set()
    blocks = matcher.get_opcodes()
    for tag, first, last, start, end in blocks:
        if tag == "equal":
            same += last - first
        else:
            runs += 1
            gone.update(older[first:last])
            come.update(newer[start:end])
    shorter = max(1, min(len(older), len(newer)))
    first_difference = next((first for tag, first, *_ in blocks if tag != "equal"), len(older))
    before = sum(last - first for tag, first, last, *_ in blocks if tag == "equal" and last <= first_difference)
    prefix = blocks[0][2] - blocks[0][1] if blocks and blocks[0][0] == "equal" else 0
    suffix = blocks[-1][2] - blocks[-1][1] if blocks and blocks[-1][0] == "equal" else 0
    return _Frame(
        2.0 * same / max(1, len(older) + len(newer)),
        prefix / shorter,
        suffix / shorter,
        prefix == 0,
        frozenset(gone) - set(newer),
        frozenset(come) - set(older),
        runs,
        before / max(1, same),
        (same - before) / max(1, same),
        0 < first_difference <= len(older) and older[first_difference - 1] in _COPULA,
    )


def _subject(one: Reading, two: Reading, frame: _Frame) -> dict[str, float]:
    """Whether both are about the same: names, owners, persons, what the sentence begins with."""
    names = one.names & two.names
    begins = one.begins == two.begins and bool(one.begins)
    # A name that begins one sentence is somewhere in the other: it is looked for in all words.
    of_one, of_two = set(one.content), set(two.content)
    begun = float(one.begins in of_two) + float(two.begins in of_one)
    owners_differ = bool(one.owners and two.owners) and not one.owners & two.owners
    return {
        "names_shared": float(bool(names)),
        "names_differ": float(bool(one.names and two.names) and not names),
        "names_only_older": float(bool(one.names) and not two.names),
        "names_only_newer": float(bool(two.names) and not one.names),
        "begins_same": float(begins),
        "begins_found": begun,
        "begins_differ_in_frame": float(not begins and begun == 0) * frame.ratio,
        "first_differs_in_frame": float(frame.first_differs) * frame.ratio,
        "ends_differ_in_frame": float(begins) * (1.0 - frame.suffix) * frame.ratio,
        "owners_shared": float(bool(one.owners & two.owners)),
        "owners_differ": float(owners_differ),
        "people_shared": float(bool(one.people & two.people)),
        "people_newer": float(bool(two.people - one.people) and not one.people),
        "people_older": float(bool(one.people - two.people) and not two.people),
        "owners_newer": float(bool(two.owners) and not one.owners),
        "owners_older": float(bool(one.owners) and not two.owners),
        "people_differ": float(bool(one.people and two.people) and not one.people & two.people),
        "me_both": float(one.first_person and two.first_person),
        "me_one": float(one.first_person != two.first_person),
        "one_run": float(frame.runs == 1),
        "two_runs": float(frame.runs == 2) * frame.ratio,
        "three_runs": float(frame.runs > 2) * frame.ratio,
    }


def _attribute(one: Reading, two: Reading) -> dict[str, float]:
    """Whether both are about the same attribute, and whether that has one value at a time."""
    single = lexicon().single
    shared = one.attributes & two.attributes
    union = one.attributes | two.attributes
    having = "having" in shared
    shared -= {"having"}
    union -= {"having"}
    return {
        "having": float(having),
        "having_alone": float(having and not shared),
        "single_shared": float(bool(shared & single)),
        "many_shared": float(bool(shared - single)),
        "only_many_shared": float(bool(shared) and not shared & single),
        "attributes": len(shared) / len(union) if union else 0.0,
        "attributes_differ": float(bool(one.attributes and two.attributes) and not shared),
        "attributes_missing": float(not (one.attributes and two.attributes)),
    }


def _wording(one: Reading, two: Reading, share: float) -> dict[str, float]:
    """How they speak: of change, an end, a wish, the past, one occasion, several; and whether only one of them does."""
    found = {}
    for cue in _CUES:
        older, newer = cue in one.cues, cue in two.cues
        found[f"newer_{cue}"] = float(newer and not older)
        found[f"older_{cue}"] = float(older and not newer)
        found[f"both_{cue}"] = float(older and newer)
    found["change_of_shared"] = float("change" in two.cues) * share
    found["ended_of_shared"] = float("ended" in two.cues) * share
    found["negation_of_shared"] = float(("negation" in one.cues) != ("negation" in two.cues)) * share
    found["articles"] = float(one.articles and two.articles)
    return found


def _places(one: Reading, two: Reading, frame: _Frame) -> dict[str, float]:
    """How much else is different, and whether words that name one of several kinds differ: *left*, *right*."""
    marked = {each.split(":")[1] for each in one.contrasts ^ two.contrasts}
    first, second = (
        {each.split(":")[0] for each in said} for said in (one.contrasts - two.contrasts, two.contrasts - one.contrasts)
    )
    differ = first & second
    of_one, of_two = frozenset(one.content), frozenset(two.content)
    gone, come = of_one - of_two - marked - one.days, of_two - of_one - marked - two.days
    fewer = min(len(gone), len(come))
    rest = bool(gone) and bool(come)
    days = bool(one.days and two.days) and not one.days & two.days
    return {
        "contrast": float(bool(differ)),
        "contrast_and_rest": float(bool(differ) and rest),
        "contrast_in_frame": float(bool(differ)) * frame.ratio,
        "days_and_rest": float(days and len(gone) > 1 and len(come) > 1),
        "gone": math.log1p(min(len(gone), _SOME)),
        "come": math.log1p(min(len(come), _SOME)),
        "another_matter": min(max(0, fewer - _SOME), _SOME) / _SOME,
        "nothing_come": float(not come),
        "nothing_gone": float(not gone),
        "one_for_one": float(len(gone) == 1 and len(come) == 1),
        "codes_differ": float(bool(one.codes and two.codes) and not one.codes & two.codes),
        "codes_same": float(bool(one.codes & two.codes)),
        "before": frame.before,
        "after": frame.after,
        "copula_before": float(frame.copula),
        "ends_in_frame": float(frame.after == 0.0 and frame.before > 0.0) * frame.ratio,
    }


def _numbers(one: Reading, two: Reading, share: float, frame: _Frame) -> dict[str, float]:
    """Numbers and days: of one unit and different, they are values; different days next to different values are other events."""
    first = {number.value for number in one.numbers}
    second = {number.value for number in two.numbers}
    units = {number.unit for number in one.numbers if number.unit} & {
        number.unit for number in two.numbers if number.unit
    }
    differ = bool(first and second) and not first & second
    days_differ = bool(one.days and two.days) and not one.days & two.days
    return {
        "numbers_same": float(bool(first & second) and first <= second | first & second and second <= first),
        "numbers_some": float(bool(first & second)),
        "numbers_differ": float(differ),
        "numbers_differ_unit": float(differ and bool(units)),
        "numbers_differ_shared": float(differ) * share,
        "numbers_one": float(bool(first) != bool(second)),
        "days_same": float(bool(one.days & two.days)),
        "days_differ": float(days_differ),
        "days_differ_alone": float(days_differ) * frame.ratio,
        "days_and_values_differ": float(days_differ and differ),
        "days_newer": float(bool(two.days) and not one.days),
        "days_older": float(bool(one.days) and not two.days),
    }


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2.0
