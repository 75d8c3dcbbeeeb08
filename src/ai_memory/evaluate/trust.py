"""What the confidence of the best hit is worth: calibration, and whether it separates answers from near misses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

BINS = 10


class Asked(Struct, frozen=True):
    """A question and how sure of its best hit its answer was."""

    confidence: float
    """Of the best hit, in [0, 1]; 0 for an answer without hits."""
    abstained: bool
    right: bool = False
    """Whether the best hit answers it."""


class Trust(Struct, frozen=True):
    """The best hits of a data set's answers; None is what its questions cannot show."""

    confidence: float
    """The mean over the questions that have an answer."""
    right: float
    """The share of these whose best hit answers."""
    ece: float
    """The expected calibration error over them: by how much confidence and being right differ, in bins of a tenth."""
    abstained: float
    """The share of them whose answer is marked as none."""
    unanswerable: int = 0
    """How many questions have no answer."""
    auc: float | None = None
    """The chance that a best hit which is right has more confidence than that of a question without an answer."""
    recognised: float | None = None
    """The share of questions without an answer whose answer is marked as none."""


def trust(answerable: Sequence[Asked], unanswerable: Sequence[Asked]) -> Trust | None:
    """The figures of a data set; None without a question that has an answer."""
    if not answerable:
        return None
    sure = [asked.confidence for asked in answerable]
    right = [asked.right for asked in answerable]
    return Trust(
        confidence=float(np.mean(sure)),
        right=float(np.mean(right)),
        ece=calibration_error(sure, right),
        abstained=float(np.mean([asked.abstained for asked in answerable])),
        unanswerable=len(unanswerable),
        auc=separation(
            [asked.confidence for asked in answerable if asked.right], [asked.confidence for asked in unanswerable]
        ),
        recognised=float(np.mean([asked.abstained for asked in unanswerable])) if unanswerable else None,
    )


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """The mean, over bins of a tenth weighted by their size, of the difference between mean confidence and share right.

    In [0, 1]; confidences are in [0, 1], and there is at least one.
    """
    sure, correct = np.array(confidences), np.array(right, np.float64)
    bins = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    apart = np.bincount(bins, weights=sure - correct, minlength=BINS)
    return float(np.abs(apart).sum()) / len(sure)


def separation(above: Sequence[float], below: Sequence[float]) -> float | None:
    """The area under the curve: the chance that one of `above` is greater than one of `below`, equal ones counting half.

    None where either is empty.
    """
    if not above or not below:
        return None
    low = np.sort(np.array(below))
    less, up_to = low.searchsorted(above, "left"), low.searchsorted(above, "right")
    return float((less + up_to).mean()) / 2.0 / len(low)
