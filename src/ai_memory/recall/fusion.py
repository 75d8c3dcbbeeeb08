"""From the scores of two searches to one, in a unit that both share.

A cosine says little by itself: what counts is how far it stands out from the cosines of all other memories with the same
question. Against a background that is normal with the observed mean and deviation, a memory z deviations above it has the log
likelihood ratio z²/2 of being there for a reason rather than by chance. BM25 is a sum of log odds already (Robertson and Zaragoza,
2009), of the question's words for and against relevance. Both are evidence in nats, so they add up, and the question at hand
decides which side speaks louder: where the embedder does not understand the language, no cosine stands out and z² stays small
while rare words weigh in full; where words match everywhere, their idf is small and a cosine five deviations out decides. No
weight is set for a language, a kind of text or a kind of question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.recall.population import Background, Scored, Values
from ai_memory.recall.recipe import Recipe

SESSION_BEST = 3
"""How many of a session's memories speak for the session."""


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


def dense_evidence(cosines: Values, background: Background) -> Values:
    """Nats for each cosine: z²/2 above the background's mean, z (negative) below it, 0 where there is no vector.

    Below the mean the linear branch keeps the order of cosines without letting a poor one outweigh matching words.
    """
    if background.deviation <= 0.0:
        return np.zeros(len(cosines))
    z = np.nan_to_num((cosines - background.mean) / background.deviation, nan=0.0)
    return np.where(z > 0.0, z * z / 2.0, z)


def lexical_evidence(bm25: Values, background: Background) -> Values:
    """Nats for each BM25 score, counted from the mean over all eligible memories."""
    return bm25 - background.mean


def own_evidence(scored: Scored, cosines: Values, bm25: Values, recipe: Recipe) -> Values:
    """What a row's own words and vector say, weighed, shape (c,)."""
    dense = recipe.dense * dense_evidence(cosines, scored.dense_background)
    return dense + recipe.lexical * lexical_evidence(bm25, scored.lexical_background)


def window_evidence(scored: Scored, neighbours: NDArray[np.int32], recipe: Recipe) -> Values:
    """The neighbours' own evidence summed over both sides at each distance, shape (c, reach); 0 where there is none."""
    reach = len(recipe.window)
    flat = neighbours.ravel()
    there = flat >= 0
    found = np.zeros(len(flat))
    rows = flat[there]
    found[there] = own_evidence(scored, scored.cosines(rows), scored.bm25(rows), recipe)
    evidence = found.reshape(neighbours.shape)
    return evidence[:, reach - 1 :: -1] + evidence[:, reach:] if reach else evidence


def session_evidence(sessions: NDArray[np.int32], memories: NDArray[np.int32], own: Values) -> Values:
    """The mean of the best three memories' evidence in each candidate's session, shape (c,); 0 without a session.

    Missing and negative evidence counts as 0, so a session with one good memory is a third as good as one with three.
    """
    found = np.zeros(len(own))
    inside = np.flatnonzero((sessions > 0) & (own > 0.0))
    if not len(inside):
        return found
    best = inside[np.lexsort((-own[inside], memories[inside], sessions[inside]))]
    first = np.ones(len(best), np.bool_)
    first[1:] = (memories[best][1:] != memories[best][:-1]) | (sessions[best][1:] != sessions[best][:-1])
    best = best[first]
    best = best[np.lexsort((-own[best], sessions[best]))]
    names, starts = np.unique(sessions[best], return_index=True)
    place = np.arange(len(best)) - starts[np.searchsorted(names, sessions[best])]
    top = best[place < SESSION_BEST]
    sums = np.bincount(np.searchsorted(names, sessions[top]), weights=own[top], minlength=len(names)) / SESSION_BEST
    at = np.minimum(np.searchsorted(names, sessions), len(names) - 1)
    return np.where((names[at] == sessions) & (sessions > 0), sums[at], found)


def alone_evidence(sessions: NDArray[np.int32], own: Values) -> Values:
    """The own evidence, if it is positive, of memories outside any session; 0 for all others. Shape (c,)."""
    return np.where(sessions == 0, np.maximum(own, 0.0), 0.0)


class Beside(NamedTuple):
    """What stands beside c candidates: `window` (c, reach), `session` (c,), and `sessions`, int32 (c,), 0 for none."""

    window: Values
    session: Values
    sessions: NDArray[np.int32]

    def at(self, places: NDArray[np.int64]) -> Beside:
        """The same for some of the candidates."""
        return Beside(self.window[places], self.session[places], self.sessions[places])


def features(scored: Scored, cosines: Values, bm25: Values, beside: Beside, recipe: Recipe) -> Features:
    """All stages of the recipe that have a weight, for c candidates."""
    columns: list[tuple[str, float, Values]] = []
    if recipe.dense and scored.dense is not None:
        columns.append(("dense", recipe.dense, dense_evidence(cosines, scored.dense_background)))
    if recipe.lexical:
        columns.append(("lexical", recipe.lexical, lexical_evidence(bm25, scored.lexical_background)))
    for distance, weight in enumerate(recipe.window):
        columns.append((f"neighbours_{distance + 1}", weight, beside.window[:, distance]))
    if recipe.session:
        columns.append(("session", recipe.session, beside.session))
    if recipe.alone:
        own = own_evidence(scored, cosines, bm25, recipe)
        columns.append(("alone", recipe.alone, alone_evidence(beside.sessions, own)))
    return _stacked(columns, len(cosines))


def _stacked(columns: Sequence[tuple[str, float, Values]], count: int) -> Features:
    values = np.stack([column for _, _, column in columns], axis=1) if columns else np.zeros((count, 0))
    names = tuple(name for name, _, _ in columns)
    return Features(names, np.array([weight for _, weight, _ in columns], np.float64), values)
