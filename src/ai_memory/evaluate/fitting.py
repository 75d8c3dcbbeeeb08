"""Fits to judged questions how much each stage of recall counts.

The model is that of the shipped weights: a conditional logistic regression, in which the probability that a candidate is the one
that answers is the softmax of the scores over the question's candidates. What is fitted is a factor for each stage's weight, drawn
to 1 by a ridge penalty, so that few questions change little, and no stage changes its sign. A common factor of all weights changes
no order; so the penalty ignores a common factor, the temperature, and in the end the factors are rescaled so that the mean score of
relevant memories stays the same, since confidence depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Marks = NDArray[np.bool_]

RIDGE = 30.0
"""The strength of the pull to the shipped weights: about that of the evidence in as many questions."""
_ROUNDS = 300
_HALVINGS = 30
_STILL = 1e-8


class Example(NamedTuple):
    """One question's c candidates.

    `contributions`: what each of s stages adds to the score, in nats, float64, shape (c, s). `relevant`: which candidates answer,
    bool, shape (c,).
    """

    contributions: Values
    relevant: Marks


def fit(examples: Sequence[Example], stages: int, *, ridge: float = RIDGE) -> Values:
    """A factor of at least 0 for each stage's weight, float64, shape (stages,); ones where there is nothing to learn from.

    Questions without a candidate that answers, or without one that does not, are ignored. Deterministic.
    """
    informative = [example for example in examples if example.relevant.any() and not example.relevant.all()]
    if not informative:
        return np.ones(stages)
    table = _Table.of(informative, stages)
    steep, temperature = np.ones(stages), 1.0
    for _ in range(_ROUNDS):
        before = steep
        steep = _step(table, steep, temperature, ridge)
        temperature = float((steep @ steep) / steep.sum())
        if np.abs(steep - before).max() < _STILL:
            break
    return table.keeping_scale(steep / temperature)


class _Table(NamedTuple):
    """All examples as one array: q questions of at most c candidates each, shorter ones padded."""

    contributions: Values
    """Shape (q, c, s)."""
    filled: Marks
    """Whether an entry is padding, shape (q, c)."""
    relevant: Values
    """The share of each candidate in what answers its question, shape (q, c), adding up to 1."""

    @classmethod
    def of(cls, examples: Sequence[Example], stages: int) -> _Table:
        longest = max(len(example.relevant) for example in examples)
        contributions = np.zeros((len(examples), longest, stages))
        filled, relevant = np.ones((len(examples), longest), np.bool_), np.zeros((len(examples), longest))
        for at, example in enumerate(examples):
            count = len(example.relevant)
            contributions[at, :count], filled[at, :count] = example.contributions, False
            relevant[at, :count] = example.relevant / example.relevant.sum()
        return cls(contributions, filled, relevant)

    def shares(self, steep: Values) -> tuple[Values, float]:
        """The probability of each candidate, shape (q, c), and the negative log likelihood of those that answer."""
        scores = self.contributions @ steep
        scores[self.filled] = -np.inf
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        totals = odds.sum(axis=1, keepdims=True)
        log_shares = np.where(self.filled, 0.0, scores - np.log(totals))
        return odds / totals, -float((self.relevant * log_shares).sum())

    def keeping_scale(self, factors: Values) -> Values:
        """The factors, shape (s,), rescaled so that the mean score of relevant candidates stays the same, if it is above 0."""
        answering = np.einsum("qc,qcs->s", self.relevant, self.contributions)
        before, after = float(answering.sum()), float(answering @ factors)
        return factors * (before / after) if before > 0.0 and after > 0.0 else factors


def _step(table: _Table, steep: Values, temperature: float, ridge: float) -> Values:
    """One step of Newton's method on the penalised likelihood, halved until the cost does not grow."""
    shares, cost = table.shares(steep)
    cost += _pull(steep, temperature, ridge)
    expected = np.einsum("qc,qcs->qs", shares, table.contributions)
    slope = expected.sum(axis=0) - np.einsum("qc,qcs->s", table.relevant, table.contributions)
    slope += ridge * (steep / temperature - 1.0) / temperature
    apart = ((table.contributions - expected[:, None, :]) * np.sqrt(shares)[:, :, None]).reshape(-1, len(steep))
    curve = apart.T @ apart + ridge / temperature**2 * np.eye(len(steep))
    free = (steep > 0.0) | (slope < 0.0)  # the others are at their bound of 0 and would move below it
    step = np.zeros(len(steep))
    step[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
    for _ in range(_HALVINGS):
        moved: Values = np.maximum(steep - step, 0.0)
        if moved.any() and table.shares(moved)[1] + _pull(moved, temperature, ridge) <= cost:
            return moved
        step /= 2.0
    return steep


def _pull(steep: Values, temperature: float, ridge: float) -> float:
    apart = steep / temperature - 1.0
    return ridge / 2.0 * float(apart @ apart)
