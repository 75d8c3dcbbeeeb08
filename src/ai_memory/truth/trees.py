"""A sum of small symmetric decision trees: how `rivals` weighs what it knows of two hits.

A symmetric tree asks the same few questions (*is this feature above that value?*) whatever the earlier answers were, so that the
answers together are the number of its leaf. The odds of an outcome are the sum of the leaves that its features come to.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class Trees(NamedTuple):
    """t trees of depth d."""

    base: float
    """The odds to which the leaves are added, in nats."""
    features: NDArray[np.int64]
    """The column that each question looks at, shape (t, d)."""
    limits: Values
    """The value above which it is answered with yes, shape (t, d)."""
    leaves: Values
    """What is added, in nats, shape (t, 2 ** d); the first question is the highest bit of a leaf's number."""

    def odds(self, values: Values) -> Values:
        """The log odds of n rows of features, shape (n, columns): shape (n,)."""
        above = values[:, self.features] > self.limits
        bits = 1 << np.arange(self.features.shape[1])[::-1]
        numbers = (above * bits).sum(axis=2)
        added: Values = self.leaves[np.arange(len(self.leaves)), numbers].sum(axis=1)
        return self.base + added

    def chances(self, values: Values) -> Values:
        """The probabilities of n rows, shape (n,), in (0, 1)."""
        chances: Values = 1.0 / (1.0 + np.exp(-np.clip(self.odds(values), -30.0, 30.0)))
        return chances
