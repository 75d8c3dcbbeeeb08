"""From the scores of two searches to one, in a unit that both share.

A cosine says little by itself: what counts is how far it is above the cosines of all other memories with the same question, in
deviations. If the cosines of what answers are distributed as those of what does not, but higher, the log likelihood ratio of the
two grows in proportion to that. BM25 is a sum of log odds already (Robertson and Zaragoza, 2009). So both are evidence that adds
up, and each question decides which search counts for more: where no memory is far nearer than the rest, rare words weigh in full;
where words match everywhere, their idf is small and a cosine five deviations out decides. Where the embedder does not know the
question's language its cosines are chance, and count for next to nothing (`Scored.familiar`).

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
from ai_memory.recall.evidence.whole_memory import Wholes, wholes
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
    """By how many deviations each of c cosines is above the background's mean, shape (c,): 0 for NaN (no vector)."""
    if background.deviation <= 0.0:
        return np.zeros(len(cosines))
    return np.nan_to_num((cosines - background.mean) / background.deviation, nan=0.0)


def lexical_evidence(bm25: Values, background: Background) -> Values:
    """Nats for each of c BM25 scores, shape (c,), counted from the mean over all eligible memories."""
    return bm25 - background.mean


def own_evidence(scored: Scored, cosines: Values, bm25: Values, recipe: Recipe) -> Values:
    """What each row's own words and vector say, in one number, shape (c,): to choose candidates by, and for its session.

    Of cosines, z²/2 above the mean: what is far out counts, wherever the weights of the stages will put it.
    """
    own = np.zeros(len(cosines))
    if recipe.dense:
        z = dense_evidence(cosines, scored.dense_background)
        own += scored.familiar * np.where(z > 0.0, z * z / 2.0, z)
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
    stages: tuple[StageValues, ...]
    """Every stage that has a weight and does not depend on the candidate's exact cosine."""

    def at(self, places: NDArray[np.int64]) -> Evidence:
        """The same for the k candidates at some places, shape (k,)."""
        stages = tuple(stage._replace(values=stage.values[places]) for stage in self.stages)
        return Evidence(self.words, self.bm25[places], self.sessions[places], stages)

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
    whole = wholes(view, rows)
    words = question_words(view, terms, union(union(rows, neighbours[neighbours >= 0]), whole.rows))
    evidence = Evidence(words, scored.bm25(rows), view.sessions()[rows], ())
    stages = [*_lexical_stages(words, scored, candidates, whole, evidence.bm25, recipe)]
    if recipe.session:
        weight = recipe.weight("session", scored.dialogue)
        stages.append(StageValues("session", weight, _session(view, scored, rows, evidence.bm25, recipe)))
    if recipe.author:
        stages.append(StageValues("author", recipe.author, _by_named_author(view, scored, terms, rows, words, recipe)))
    if recipe.asks and scored.dialogue:
        stages.append(StageValues("asks", recipe.asks, scored.dialogue * view.asks()[rows].astype(np.float64)))
    near = period_evidence(view, scored, rows, periods, inside) if recipe.time else None
    if near is not None:
        stages.append(StageValues("time", recipe.time, near))
    return evidence._replace(stages=tuple(stage for stage in stages if stage.weight))


def features(scored: Scored, cosines: Values, evidence: Evidence, recipe: Recipe) -> Features:
    """All stages of the recipe that have a weight, for c candidates, given their cosines, shape (c,), NaN for none."""
    stages = list(evidence.stages)
    if recipe.dense and scored.dense is not None:
        dense = scored.familiar * dense_evidence(cosines, scored.dense_background)
        stages.insert(0, StageValues("dense", recipe.weight("dense", scored.dialogue), dense))
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


_BESIDE = ("beside_words", "beside_coverage")
_OWN = ("dense", "lexical", "coverage", "rest_words", "rest_coverage")
"""Stages that depend on the memory alone and not on its session."""


def _lexical_stages(
    words: QuestionWords, scored: Scored, candidates: Candidates, whole: Wholes, bm25: Values, recipe: Recipe
) -> Iterator[StageValues]:
    """The question's words in the passages themselves, in the rest of their memories and in their session neighbours."""
    if not recipe.lexical:
        return
    yield StageValues("lexical", recipe.lexical, lexical_evidence(bm25, scored.lexical_background))
    if not any(getattr(recipe, stage) for stage in ("coverage", "rest_words", "rest_coverage", *_BESIDE)):
        return
    rows, neighbours = candidates
    # Having every word of the question is the rarer by chance, the more memories there are.
    haystack = math.log(scored.rows + PSEUDO_MEMORIES)
    yield StageValues("coverage", recipe.coverage, words.coverage(rows) * haystack)
    table = words.table()
    own = table.take(words.rows.searchsorted(rows), axis=0)
    memory = words.of_memories(own, table, whole)
    if memory is not own:
        more, covered = words.gain(memory, own)
        yield StageValues("rest_words", recipe.rest_words, more)
        yield StageValues("rest_coverage", recipe.rest_coverage, covered * haystack)
    if neighbours.shape[1]:
        more, covered = words.gain(words.from_neighbours(memory, table, neighbours), memory)
        yield StageValues("beside_words", recipe.weight("beside_words", scored.dialogue), more)
        yield StageValues("beside_coverage", recipe.beside_coverage, covered * haystack)


def _by_named_author(
    view: PartitionView, scored: Scored, terms: Sequence[QueryTerm], rows: Rows, words: QuestionWords, recipe: Recipe
) -> Values:
    """For the rows of an author whom the question names, how far the rest of the question agrees with them, in [0, 1], shape (c,).

    1 is the agreement of the row that agrees most, by any author; 0 for the rows of others, and for all where nobody is named.
    The words of the name agree with everything that the author wrote, and do not count.
    """
    named = view.named_authors(terms)
    if not named:
        return np.zeros(len(rows))
    rest = np.array([not view.named_authors([term]) for term in terms], np.bool_)
    own = recipe.coverage * math.log(scored.rows + PSEUDO_MEMORIES) * words.coverage(rows, rest)
    own += recipe.lexical * words.bm25(rows, rest)
    if recipe.dense and scored.dense is not None:
        near = scored.familiar * dense_evidence(scored.cosines(rows), scored.dense_background)
        own += recipe.weight("dense", scored.dialogue) * near
    most = float(own.max(initial=0.0))
    return (
        np.where(np.isin(view.authors()[rows], named), np.clip(own / most, 0.0, 1.0), 0.0) if most > 0.0 else own * 0.0
    )


def _session(view: PartitionView, scored: Scored, rows: Rows, bm25: Values, recipe: Recipe) -> Values:
    """What the session as a whole says for each row, shape (c,)."""
    own = own_evidence(scored, scored.cosines(rows), bm25, recipe)
    return session_context.session_evidence(view.sessions()[rows], view.memories()[rows], own)
