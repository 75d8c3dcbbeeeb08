"""A memory as evidence in four ways: a passage by itself, as part of its memory, with its neighbours in the session, and as part
of its session.

What a conversation says about a subject is spread over turns: one turn names it, the next answers without naming it again. So
a memory is read together with its neighbours: a word of the question in a neighbour counts nearly as much as one in the memory
itself, and counts once, however many neighbours have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Floats, Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence.scores import Values
from ai_memory.recall.evidence.whole_memory import Wholes, wholes
from ai_memory.text.terms import QueryTerm

SESSION_BEST = 3
"""How many of a session's memories count as evidence for the session."""


class QuestionWords(NamedTuple):
    """What each of the question's t words gives to each of r rows."""

    rows: Rows
    """Ascending, int32, shape (r,)."""
    scores: Floats
    """BM25 by word, float32, shape (t, r); the sum over words is a row's BM25."""
    masses: Values
    """Each word's share of the question's idf mass, float64, shape (t,), adding up to 1; zeros when no word has any."""

    def coverage(self, rows: Rows, counted: NDArray[np.bool_] | None = None) -> Values:
        """The share of the question's idf mass that each of k rows covers: float64, shape (k,), in [0, 1].

        All must be among `self.rows`; only the words `counted`, bool, shape (t,), None for all.
        """
        masses = self.masses if counted is None else self.masses * counted
        covered: Values = masses @ (self.scores[:, self.rows.searchsorted(rows)] > 0.0)
        return covered

    def bm25(self, rows: Rows, counted: NDArray[np.bool_]) -> Values:
        """The BM25 of each of k rows, all among `self.rows`, by the words `counted`, bool, shape (t,): float64, shape (k,)."""
        scores: Values = self.scores[:, self.rows.searchsorted(rows)][counted].sum(axis=0, dtype=np.float64)
        return scores

    def table(self) -> Floats:
        """The scores by row: float32, shape (r + 1, t). The last row is all zero, for a neighbour that is missing to read.

        Transposed, so that all words of a row are adjacent in memory, since whole rows are gathered.
        """
        table = np.zeros((len(self.rows) + 1, len(self.scores)), np.float32)
        table[:-1] = self.scores.T
        return table

    def of_memories(self, own: Floats, table: Floats, whole: Wholes) -> Floats:
        """The best match of each word in the whole memory of each of c candidates: float32, shape (c, t).

        `own` are the candidates' own scores, of that shape, which is what those of memories with one passage keep.
        """
        if not len(whole.starts):
            return own
        edges = np.empty(2 * len(whole.starts), np.int64)
        edges[0::2] = self.rows.searchsorted(whole.starts)
        edges[1::2] = edges[0::2] + (whole.ends - whole.starts)
        best = np.maximum.reduceat(table, edges, axis=0)[0::2]
        inside = whole.member >= 0
        found = own.copy()
        found[inside] = np.maximum(own[inside], best[whole.member[inside]])
        return found

    def had_by(self, view: PartitionView, rows: Rows) -> NDArray[np.bool_]:
        """Which of the t words the whole memory of each of m rows has, bool, shape (m, t); all must be among `self.rows`."""
        table = self.table()
        own = table.take(self.rows.searchsorted(rows), axis=0)
        return self.of_memories(own, table, wholes(view, rows)) > 0.0

    def from_neighbours(self, best: Floats, table: Floats, neighbours: NDArray[np.int32]) -> Floats:
        """The best match of each word in each of c candidates, float32, shape (c, t), given `best` without its neighbours.

        `neighbours`, int32, shape (c, k), -1 for none. A word counts once, however many of them have it.
        """
        found = best.copy()
        for column in np.where(neighbours >= 0, self.rows.searchsorted(neighbours), len(self.rows)).T:
            np.maximum(found, table.take(column, axis=0), out=found)
        return found

    def gain(self, more: Floats, less: Floats) -> tuple[Values, Values]:
        """What the word scores `more` have beyond `less`, both float32, shape (c, t): BM25 and coverage, float64, shape (c,)."""
        words: Values = (more - less).sum(axis=1, dtype=np.float64)
        return words, ((more > 0.0) & (less == 0.0)) @ self.masses


def question_words(view: PartitionView, terms: Sequence[QueryTerm], rows: Rows) -> QuestionWords:
    """The question's words in r rows, int32, which must be ascending. A word that no memory has is as rare as a word can be."""
    scores, masses = view.lexical_by_term(terms, rows)
    total = float(masses.sum())
    return QuestionWords(rows, scores, masses / total if total > 0.0 else masses)


def session_evidence(sessions: NDArray[np.int32], memories: NDArray[np.int32], own: Values) -> Values:
    """The mean of the best three memories' evidence in each candidate's session: float64, shape (c,); 0 without a session.

    `sessions` and `memories` are numbers, int32, shape (c,), session 0 for none; `own` is the candidates' own evidence, shape (c,).
    Missing and negative evidence counts as 0, so a session with one good memory is a third as good as one with three.
    """
    found = np.zeros(len(own))
    inside = np.flatnonzero((sessions > 0) & (own > 0.0))
    if not len(inside):
        return found
    # By session, the best evidence first; of a memory with several passages the first one met is the best.
    best = inside[np.lexsort((-own[inside], sessions[inside]))]
    # Session and memory are packed into one number, which sorts faster than rows of two.
    _, first = np.unique((sessions[best].astype(np.int64) << 32) | memories[best], return_index=True)
    if len(first) < len(best):
        first.sort()
        best = best[first]
    session = sessions[best]
    starts = np.flatnonzero(np.concatenate(([True], session[1:] != session[:-1])))
    names = session[starts]
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(best)))
    top = np.arange(len(best)) - starts[group] < SESSION_BEST
    sums = np.bincount(group[top], weights=own[best[top]], minlength=len(names)) / SESSION_BEST
    at = np.minimum(np.searchsorted(names, sessions), len(names) - 1)
    return np.where((names[at] == sessions) & (sessions > 0), sums[at], found)


def alone_evidence(sessions: NDArray[np.int32], own: Values) -> Values:
    """The candidates' own evidence, where it is positive and they are in no session, else 0: float64, shape (c,)."""
    return np.where(sessions == 0, np.maximum(own, 0.0), 0.0)
