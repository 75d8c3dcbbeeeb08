"""From the scores of two searches to one, in a unit that both share.

A cosine says little by itself: what counts is how far it stands out from the cosines of all other memories with the same
question. Against a background that is normal with the observed mean and deviation, a memory z deviations above it has the log
likelihood ratio z²/2 of being there for a reason rather than by chance. BM25 is a sum of log odds already (Robertson and Zaragoza,
2009), of the question's words for and against relevance. So both are evidence that adds up, and the question at hand decides which
side speaks louder: where the embedder does not understand the language, no cosine stands out and z² stays small while rare words
weigh in full; where words match everywhere, their idf is small and a cosine five deviations out decides.

The weights turn evidence into log odds. They are a conditional logistic regression (a softmax over each question's candidates) on
judged questions of several kinds; docs/recall.md says which, and what each stage brings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence import session_context, static_features
from ai_memory.recall.evidence.background import ANCHORS
from ai_memory.recall.evidence.candidates import union
from ai_memory.recall.evidence.periods import Period, period_evidence
from ai_memory.recall.evidence.scores import Background, Scored, Values
from ai_memory.recall.evidence.session_context import QuestionWords, question_words
from ai_memory.recall.recipe import Recipe
from ai_memory.text.terms import QueryTerm

SMALLEST = len(ANCHORS)
"""Memories that do not answer and are always thought of, so that covering the question says something in the smallest store."""
_BALANCE = 0.85
"""BM25 for one unit of z²/2 where one number has to rank rows before the stages are known."""


class Features(NamedTuple):
    """What speaks for each of c candidates: names of the stages, weights (s,) and values, float64, shape (c, s).

    The score is `values @ weights`, so every stage's contribution is known.
    """

    stages: tuple[str, ...]
    weights: Values
    values: Values

    @property
    def contributions(self) -> Values:
        """What each stage adds to each score, shape (c, s)."""
        return self.values * self.weights

    @property
    def scores(self) -> Values:
        """The fused scores, shape (c,), in nats."""
        scores: Values = self.contributions.sum(axis=1)
        return scores


class Candidates(NamedTuple):
    """The c rows to choose from, ascending, and the rows beside each in its session, shape (c, 2 * reach), -1 for none."""

    rows: Rows
    neighbours: NDArray[np.int32]


def dense_evidence(cosines: Values, background: Background) -> Values:
    """Nats for each cosine: z²/2 above the background's mean, z (negative) below it, 0 where there is no vector.

    Below the mean the linear branch keeps the order of cosines without letting a poor one outweigh matching words.
    """
    if background.deviation <= 0.0:
        return np.zeros(len(cosines))
    z = (cosines - background.mean) / background.deviation
    z[np.isnan(z)] = 0.0
    return np.where(z > 0.0, z * z / 2.0, z)


def lexical_evidence(bm25: Values, background: Background) -> Values:
    """Nats for each BM25 score, counted from the mean over all eligible memories."""
    return bm25 - background.mean


def own_evidence(scored: Scored, cosines: Values, bm25: Values, recipe: Recipe) -> Values:
    """What a row's own words and vector say, in one number, shape (c,): to find candidates by, and for its session."""
    own = np.zeros(len(cosines))
    if recipe.dense:
        own += dense_evidence(cosines, scored.dense_background)
    if recipe.lexical:
        own += _BALANCE * lexical_evidence(bm25, scored.lexical_background)
    return own


class Evidence(NamedTuple):
    """What is known of c candidates besides their cosines: `bm25` and `sessions`, shape (c,), and finished stages."""

    words: QuestionWords
    """The question's words in the candidates and what stands beside them."""
    bm25: Values
    sessions: NDArray[np.int32]
    dense_weight: float
    stages: tuple[tuple[str, float, Values], ...]
    """Name, weight and values, shape (c,), of every stage that has a weight and no cosine of the candidate in it."""

    def at(self, places: NDArray[np.int64]) -> Evidence:
        """The same for some of the candidates."""
        stages = tuple((name, weight, values[places]) for name, weight, values in self.stages)
        return Evidence(self.words, self.bm25[places], self.sessions[places], self.dense_weight, stages)


def gather(
    view: PartitionView,
    scored: Scored,
    candidates: Candidates,
    terms: Sequence[QueryTerm],
    recipe: Recipe,
    periods: Sequence[Period] = (),
) -> Evidence:
    """Every stage of the recipe that can be told before exact cosines are read; `periods` are the times that are asked about."""
    rows, neighbours = candidates
    bm25 = scored.bm25(rows)
    words = question_words(view, terms, union(rows, neighbours[neighbours >= 0]))
    stages = [
        *_by_words(words, scored, candidates, bm25, recipe),
        ("session", recipe.session, _session(view, scored, rows, bm25, recipe) if recipe.session else None),
        ("author", recipe.author, static_features.by_named_author(view, terms, rows) if recipe.author else None),
        ("asks", recipe.asks, static_features.asking(view, rows) if recipe.asks else None),
        ("time", recipe.time, period_evidence(view, scored, rows, periods) if recipe.time else None),
    ]
    told = tuple((name, weight, values) for name, weight, values in stages if weight and values is not None)
    return Evidence(words, bm25, view.sessions()[rows], recipe.dense_weight(view.mean_length), told)


def features(scored: Scored, cosines: Values, evidence: Evidence, recipe: Recipe) -> Features:
    """All stages of the recipe that have a weight, for c candidates, given their cosines."""
    stages = list(evidence.stages)
    if recipe.dense and scored.dense is not None:
        stages.insert(0, ("dense", evidence.dense_weight, dense_evidence(cosines, scored.dense_background)))
    if recipe.alone:
        own = np.zeros(len(cosines))
        for name, weight, values in stages:
            if name in _OWN:
                own += weight * values
        stages.append(("alone", recipe.alone, session_context.alone_evidence(evidence.sessions, own)))
    columns = [values for _, _, values in stages]
    return Features(
        tuple(name for name, _, _ in stages),
        np.array([weight for _, weight, _ in stages], np.float64),
        np.stack(columns, axis=1) if columns else np.zeros((len(cosines), 0)),
    )


_OWN = ("dense", "lexical", "coverage")
_Stage = tuple[str, float, Values | None]


def _by_words(
    words: QuestionWords, scored: Scored, candidates: Candidates, bm25: Values, recipe: Recipe
) -> Iterator[_Stage]:
    """The question's words in the memories themselves and in what stands beside them."""
    if not recipe.lexical:
        return
    yield "lexical", recipe.lexical, lexical_evidence(bm25, scored.lexical_background)
    if not (recipe.coverage or recipe.beside_words or recipe.beside_coverage):
        return
    rows, neighbours = candidates
    haystack = math.log(scored.rows + SMALLEST)
    yield "coverage", recipe.coverage, words.coverage(rows) * haystack
    if neighbours.shape[1]:
        more, covered = words.beside(rows, neighbours)
        yield "beside_words", recipe.beside_words, more
        yield "beside_coverage", recipe.beside_coverage, covered * haystack


def _session(view: PartitionView, scored: Scored, rows: Rows, bm25: Values, recipe: Recipe) -> Values:
    """What the session as a whole says for each row, shape (c,)."""
    own = own_evidence(scored, scored.cosines(rows), bm25, recipe)
    return session_context.session_evidence(view.sessions()[rows], view.memories()[rows], own)
