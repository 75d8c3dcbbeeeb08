"""Ranking measures: pure functions of a ranking and of what is known to be relevant.

`ranked` has document ids, best first, each once; `relevant` maps the id of every relevant document to its grade (> 0) and is not
empty: a question without relevant documents has no measure, and callers leave it out of the means.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

CUTOFFS = (1, 5, 10, 50)
"""Depths at which recall is reported."""

Relevant = Mapping[str, float]


def recall_at(ranked: Sequence[str], relevant: Relevant, k: int) -> float:
    """R@k: the share of the relevant documents that are among the first k."""
    return _found(ranked, relevant, k) / len(relevant)


def any_at(ranked: Sequence[str], relevant: Relevant, k: int) -> float:
    """1.0 when at least one relevant document is among the first k, else 0.0."""
    return float(_found(ranked, relevant, k) > 0)


def all_at(ranked: Sequence[str], relevant: Relevant, k: int) -> float:
    """1.0 when every relevant document is among the first k, else 0.0."""
    return float(_found(ranked, relevant, k) == len(relevant))


def reciprocal_rank(ranked: Sequence[str], relevant: Relevant) -> float:
    """1 / the rank of the first relevant document, 0.0 when there is none; its mean over questions is MRR."""
    return next((1.0 / rank for rank, document in enumerate(ranked, 1) if document in relevant), 0.0)


def ndcg_at(ranked: Sequence[str], relevant: Relevant, k: int) -> float:
    """Normalised discounted cumulative gain with linear gains and a log2(rank + 1) discount (Järvelin and Kekäläinen, 2002)."""
    gain = _discounted(relevant.get(document, 0.0) for document in ranked[:k])
    return gain / _discounted(sorted(relevant.values(), reverse=True)[:k])


def measure(ranked: Sequence[str], relevant: Relevant) -> dict[str, float]:
    """Every measure of one question, by the name it has in a report."""
    figures = {f"R@{k}": recall_at(ranked, relevant, k) for k in CUTOFFS}
    figures["MRR"] = reciprocal_rank(ranked, relevant)
    figures["nDCG@10"] = ndcg_at(ranked, relevant, 10)
    figures |= {f"any@{k}": any_at(ranked, relevant, k) for k in (1, 5, 10)}
    figures |= {f"all@{k}": all_at(ranked, relevant, k) for k in (1, 5, 10)}
    return figures


def mean(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each measure over questions; empty for no questions."""
    if not figures:
        return {}
    return {name: sum(question[name] for question in figures) / len(figures) for name in figures[0]}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank); 0.0 for no values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _found(ranked: Sequence[str], relevant: Relevant, k: int) -> int:
    return sum(document in relevant for document in ranked[:k])


def _discounted(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
