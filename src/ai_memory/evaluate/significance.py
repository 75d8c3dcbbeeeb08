"""How certain a mean is, and whether one recipe is really better than another.

Intervals are bootstrap percentiles (Efron and Tibshirani, 1993) over questions. Two runs are compared question by question: the
interval is that of the mean difference, and p that of the two-sided sign-flip (permutation) test, the share of random signs with
which the mean difference would be as large. The random numbers are seeded, so that equal figures give equal intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SAMPLES = 2_000
LEVEL = 0.95
_SEED = 20_260_101
_AT_ONCE = 1 << 22
"""Random numbers drawn at once, so that many questions do not take much memory."""


class Interval(NamedTuple):
    """A mean and the bounds that hold it with probability `LEVEL`."""

    mean: float
    low: float
    high: float


class Difference(NamedTuple):
    """The mean of the paired differences, its bounds, and the probability of one as large by chance."""

    mean: float
    low: float
    high: float
    p: float

    @property
    def clear(self) -> bool:
        """Return whether both bounds have the same sign."""
        return self.low > 0.0 or self.high < 0.0


def interval(values: Sequence[float]) -> Interval:
    """The bootstrap interval of a mean. All zeros for no values, without width for one."""
    if not values:
        return Interval(0.0, 0.0, 0.0)
    data = np.asarray(values, np.float64)
    means = _resampled(data)
    low, high = np.quantile(means, ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0)).tolist()
    return Interval(float(data.mean()), low, high)


def difference(figures: Sequence[float], others: Sequence[float]) -> Difference:
    """How much greater `figures` are than `others`, which must be those of the same questions in the same order.

    Raises ValueError for lists of different lengths. No questions: no difference, and p is 1.
    """
    if len(figures) != len(others):
        raise ValueError(f"{len(figures)} figures cannot be paired with {len(others)}")
    gains = np.asarray(figures, np.float64) - np.asarray(others, np.float64)
    mean, low, high = interval(gains.tolist())
    return Difference(mean, low, high, _chance(gains))


def _resampled(data: NDArray[np.float64]) -> NDArray[np.float64]:
    random = np.random.default_rng(_SEED)
    return np.concatenate(
        [data[random.integers(0, len(data), (n, len(data)))].mean(axis=1) for n in _batches(len(data))]
    )


def _chance(gains: NDArray[np.float64]) -> float:
    """The sign-flip test; the observed signs count as one of the draws, so that p is never 0."""
    moved = gains[gains != 0.0]
    if not len(moved):
        return 1.0
    random = np.random.default_rng(_SEED)
    observed = abs(moved.sum()) - 1e-12
    extreme = sum(
        int(np.count_nonzero(np.abs(random.choice((-1.0, 1.0), (n, len(moved))) @ moved) >= observed))
        for n in _batches(len(moved))
    )
    return (extreme + 1) / (SAMPLES + 1)


def _batches(width: int) -> list[int]:
    """`SAMPLES` draws in batches of few enough numbers."""
    step = max(1, min(SAMPLES, _AT_ONCE // max(width, 1)))
    return [min(step, SAMPLES - start) for start in range(0, SAMPLES, step)]
