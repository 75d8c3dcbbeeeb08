"""From the scores of two searches to one, in a unit that both share.

A cosine says little by itself: what counts is how far it is above the cosines of all other memories with the same question.
Against a background that is normal with the observed mean and deviation, a memory z deviations above it has the log likelihood
ratio z²/2 of being there for a reason rather than by chance. BM25 is a sum of log odds already (Robertson and Zaragoza, 2009),
of the question's words for and against relevance. So both are evidence that adds up, and each question decides which search
counts for more: where the embedder does not understand the language, no cosine is far above the rest and z² stays small while
rare words weigh in full; where words match everywhere, their idf is small and a cosine five deviations out decides.

The weights turn evidence into log odds. They are a conditional logistic regression (a softmax over each question's candidates) on
judged questions of several kinds; docs/recall.md says which, and what each stage contributes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence import session_context
from ai_memory.recall.evidence.background import BACKGROUND_SENTENCES
from ai_memory.recall.evidence.candidates import union
from ai_memory.recall.evidence.periods import Period, period_evidence
from ai_memory.recall.evidence.scores import Background, Scored, Values
from ai_memory.recall.evidence.session_context import QuestionWords, question_words
from ai_memory.recall.recipe import Recipe
from ai_memory.text.terms import QueryTerm

PSEUDO_MEMORIES = len(BACKGROUND_SENTENCES)
"""Pseudocount: memories that do not answer and are added to every store, so that coverage is evidence in the smallest store too."""
_BALANCE = 0.85
"""BM25 for one unit of z²/2 where one number has to rank rows before the stages are known."""


class StageValues(NamedTuple):
    """One stage of the score for c candidates: its weight, and what it says of each, float64, shape (c,)."""

    name: str
    weight: float
    values: Values


class Features(NamedTuple):
    """The s stages of c candidates as one table: names, weights, float64, shape (s,), and values, float64, shape (c, s).

    The score is `values @ weights`, so every stage's contribution is known.
    """

    stages: tuple[str, ...]
    weights: Values
    values: Values

    @property
    def contributions(self) -> Values:
        """What each stage adds to each score, in nats, shape (c, s)."""
        return self.values * self.weights

    @property
    def scores(self) -> Values:
        """The fused scores, shape (c,), in nats."""
        scores: Values = self.contributions.sum(axis=1)
        return scores


class Candidates(NamedTuple):
    """The c rows to choose from, int32 ascending, and each one's session neighbours, int32, shape (c, 2 * reach), -1 for none."""

    rows: Rows
    neighbours: NDArray[np.int32]


def dense_evidence(cosines: Values, background: Background) -> Values:
    """Nats for each of c cosines, shape (c,): z²/2 above the background's mean, z (negative) below it, 0 for NaN (no vector).

    Below the mean the linear branch keeps the order of cosines without letting a poor one outweigh matching words.
    """
    if background.deviation <= 0.0:
        return np.zeros(len(cosines))
    z = (cosines - background.mean) / background.deviation
    z[np.isnan(z)] = 0.0
    return np.where(z > 0.0, z * z / 2.0, z)


def lexical_evidence(bm25: Values, background: Background) -> Values:
    """Nats for each of c BM25 scores, shape (c,), counted from the mean over all eligible memories."""
    return bm25 - background.mean


def own_evidence(scored: Scored, cosines: Values, bm25: Values, recipe: Recipe) -> Values:
    """What each row's own words and vector say, in one number, shape (c,): to choose candidates by, and for its session."""
    own = np.zeros(len(cosines))
    if recipe.dense:
        own += dense_evidence(cosines, scored.dense_background)
    if recipe.lexical:
        own += _BALANCE * lexical_evidence(bm25, scored.lexical_background)
    return own


class Evidence(NamedTuple):
    """What is known of c candidates apart from their cosines."""

    words: QuestionWords
    """The question's words in the candidates and in their session neighbours."""
    bm25: Values
    """Shape (c,)."""
    sessions: NDArray[np.int32]
    """The number of each one's session, 0 for none, shape (c,)."""
    dense_weight: float
    stages: tuple[StageValues, ...]
    """Every stage that has a weight and does not depend on the candidate's exact cosine."""

    def at(self, places: NDArray[np.int64]) -> Evidence:
        """The same for the k candidates at some places, shape (k,)."""
        stages = tuple(stage._replace(values=stage.values[places]) for stage in self.stages)
        return Evidence(self.words, self.bm25[places], self.sessions[places], self.dense_weight, stages)

    def plus(self, stage: StageValues) -> Evidence:
        """The same with one more stage for the same c candidates, after the others."""
        return self._replace(stages=(*self.stages, stage))


def gather(
    view: PartitionView,
    scored: Scored,
    candidates: Candidates,
    terms: Sequence[QueryTerm],
    recipe: Recipe,
    periods: Sequence[Period] = (),
    inside: Rows | None = None,
) -> Evidence:
    """Every stage of the recipe that does not need exact cosines; `periods` are the times that the question names, and `inside`
    the rows of these times where it asks for nothing else.
    """
    rows, neighbours = candidates
    words = question_words(view, terms, union(rows, neighbours[neighbours >= 0]))
    evidence = Evidence(words, scored.bm25(rows), view.sessions()[rows], recipe.dense_weight(view.mean_length), ())
    stages = [*_lexical_stages(words, scored, candidates, evidence.bm25, recipe)]
    if recipe.session:
        stages.append(StageValues("session", recipe.session, _session(view, scored, rows, evidence.bm25, recipe)))
    if recipe.author:
        stages.append(StageValues("author", recipe.author, _by_named_author(view, terms, rows)))
    if recipe.asks:
        stages.append(StageValues("asks", recipe.asks, view.asks()[rows].astype(np.float64)))
    near = period_evidence(view, scored, rows, periods, inside) if recipe.time else None
    if near is not None:
        stages.append(StageValues("time", recipe.time, near))
    return evidence._replace(stages=tuple(stage for stage in stages if stage.weight))


def features(scored: Scored, cosines: Values, evidence: Evidence, recipe: Recipe) -> Features:
    """All stages of the recipe that have a weight, for c candidates, given their cosines, shape (c,), NaN for none."""
    stages = list(evidence.stages)
    if recipe.dense and scored.dense is not None:
        dense = dense_evidence(cosines, scored.dense_background)
        stages.insert(0, StageValues("dense", evidence.dense_weight, dense))
    if recipe.alone:
        own = np.zeros(len(cosines))
        for stage in stages:
            if stage.name in _OWN:
                own += stage.weight * stage.values
        stages.append(StageValues("alone", recipe.alone, session_context.alone_evidence(evidence.sessions, own)))
    columns = [stage.values for stage in stages]
    return Features(
        tuple(stage.name for stage in stages),
        np.array([stage.weight for stage in stages], np.float64),
        np.stack(columns, axis=1) if columns else np.zeros((len(cosines), 0)),
    )


_OWN = ("dense", "lexical", "coverage")
"""Stages that depend on the memory alone and not on its session."""


def _lexical_stages(
    words: QuestionWords, scored: Scored, candidates: Candidates, bm25: Values, recipe: Recipe
) -> Iterator[StageValues]:
    """The question's words in the memories themselves and in their session neighbours."""
    if not recipe.lexical:
        return
    yield StageValues("lexical", recipe.lexical, lexical_evidence(bm25, scored.lexical_background))
    if not (recipe.coverage or recipe.beside_words or recipe.beside_coverage):
        return
    rows, neighbours = candidates
    # Having every word of the question is the rarer by chance, the more memories there are.
    haystack = math.log(scored.rows + PSEUDO_MEMORIES)
    yield StageValues("coverage", recipe.coverage, words.coverage(rows) * haystack)
    if neighbours.shape[1]:
        more, covered = words.from_neighbours(rows, neighbours)
        yield StageValues("beside_words", recipe.beside_words, more)
        yield StageValues("beside_coverage", recipe.beside_coverage, covered * haystack)


def _by_named_author(view: PartitionView, terms: Sequence[QueryTerm], rows: Rows) -> Values:
    """1 for the rows of an author whom the question names, 0 for the others, shape (c,); all 0 when it names none."""
    named = view.named_authors(terms)
    return np.isin(view.authors()[rows], named).astype(np.float64) if named else np.zeros(len(rows))


def _session(view: PartitionView, scored: Scored, rows: Rows, bm25: Values, recipe: Recipe) -> Values:
    """What the session as a whole says for each row, shape (c,)."""
    own = own_evidence(scored, scored.cosines(rows), bm25, recipe)
    return session_context.session_evidence(view.sessions()[rows], view.memories()[rows], own)
