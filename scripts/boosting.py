"""Fit the trees of `truth/trees.py`: gradient boosting of symmetric trees for a weighted yes or no, by the logistic loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ai_memory.truth.trees import Trees, Values

DEPTH = 3
TREES = 160
_RATE = 0.12
_PENALTY = 12.0
"""What is added to the weight of every leaf: one with few cases adds little."""
_BINS = 24
_LOOKED_AT = 0.3
"""The share of the features that each tree may look at."""


def fitted(values: Values, right: Values, weight: Values, trees: int = TREES) -> Trees:
    """Trees for features, shape (n, columns), whether each row is right, 0 or 1, shape (n,), and how much it counts, shape (n,)."""
    values, right, weight = (each[weight > 0.0] for each in (values, right, weight))
    some = np.random.default_rng(0)
    limits = [_limits(column) for column in values.T]
    binned = np.stack(
        [np.searchsorted(edges, column, side="left") for edges, column in zip(limits, values.T, strict=True)]
    )
    usable = np.flatnonzero([len(edges) > 0 for edges in limits])
    share = float((weight * right).sum() / weight.sum())
    odds = np.full(len(values), np.log(share / (1.0 - share)))
    base = float(odds[0])
    asked, at, leaves = [], [], []
    for _ in range(trees):
        chance = 1.0 / (1.0 + np.exp(-odds))
        slope, curve = weight * (right - chance), weight * chance * (1.0 - chance)
        group = np.zeros(len(values), np.int64)
        looked_at = some.choice(usable, min(len(usable), max(DEPTH, int(_LOOKED_AT * len(usable)))), replace=False)
        questions = []
        for depth in range(DEPTH):
            column, edge = _best(binned, limits, group, 1 << depth, slope, curve, looked_at)
            questions.append((column, float(limits[column][edge])))
            group = 2 * group + (binned[column] > edge)
        size = 1 << DEPTH
        leaf = _RATE * np.bincount(group, slope, size) / (np.bincount(group, curve, size) + _PENALTY)
        odds += leaf[group]
        asked.append([column for column, _ in questions])
        at.append([limit for _, limit in questions])
        leaves.append(leaf)
    return Trees(base, np.array(asked), np.array(at), np.array(leaves))


def _limits(column: Values) -> Values:
    """Between which values a feature is divided: midpoints between quantiles of what occurs, ascending."""
    occurring = np.unique(np.round(np.quantile(column, np.linspace(0.0, 1.0, 4 * _BINS)), 6))
    if len(occurring) < 2:
        occurring = np.unique(column)
    between = (occurring[1:] + occurring[:-1]) / 2.0
    return between if len(between) <= _BINS else between[np.linspace(0, len(between) - 1, _BINS).astype(np.int64)]


def _best(
    binned: NDArray[np.int64],
    limits: list[Values],
    group: NDArray[np.int64],
    groups: int,
    slope: Values,
    curve: Values,
    looked_at: NDArray[np.int64],
) -> tuple[int, int]:
    """The column and the number of its limit that divide all groups best."""
    best, found = -1.0, (int(looked_at[0]), 0)
    for column in looked_at.tolist():
        bins = len(limits[column]) + 1
        place = group * bins + binned[column]
        slopes = np.bincount(place, slope, groups * bins).reshape(groups, bins).cumsum(1)
        curves = np.bincount(place, curve, groups * bins).reshape(groups, bins).cumsum(1)
        below, weighed = slopes[:, :-1], curves[:, :-1]
        above, rest = slopes[:, -1:] - below, curves[:, -1:] - weighed
        gain = (below**2 / (weighed + _PENALTY) + above**2 / (rest + _PENALTY)).sum(0)
        edge = int(gain.argmax())
        if gain[edge] > best:
            best, found = float(gain[edge]), (column, edge)
    return found
