"""The account of a hit: what each stage added, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ai_memory.recall.answer import Stage, Trace
from ai_memory.recall.population import Scored
from ai_memory.recall.ranking import Ranking

_LEAST_REASON = 0.25
"""Contributions below this many nats are no reason."""
_WORDS = {"lexical": "words", "coverage": "words"}


def trace(scored: Scored, ranking: Ranking, at: int) -> Trace:
    """How the hit at place `at` of the ranking got there."""
    row = int(ranking.rows[at])
    dense_rank, lexical_rank = _rank(ranking.pools.dense, row), _rank(ranking.pools.lexical, row)
    found = [name for name, rank in (("dense", dense_rank), ("lexical", lexical_rank)) if rank is not None]
    cosine, bm25 = float(ranking.cosines[at]), float(ranking.bm25[at])
    return Trace(
        candidates=tuple(found) or ("session",),
        cosine=None if scored.dense is None or math.isnan(cosine) else cosine,
        bm25=bm25 if bm25 > 0.0 else None,
        dense_rank=dense_rank,
        lexical_rank=lexical_rank,
        stages=stages(ranking, at),
    )


def stages(ranking: Ranking, at: int) -> tuple[Stage, ...]:
    """Every stage of one hit; the contributions add up to its score."""
    features = ranking.features
    return tuple(
        Stage(name=name, value=float(value), weight=float(weight), contribution=float(value * weight))
        for name, value, weight in zip(features.stages, features.values[at], features.weights, strict=True)
    )


def reasons(of: Sequence[Stage], matched: Sequence[str], cosine: float | None) -> tuple[str, ...]:
    """The main reasons in words, strongest first."""
    texts = {
        "dense": "near in meaning" + ("" if cosine is None or math.isnan(cosine) else f" (cosine {cosine:.2f})"),
        "words": "has " + ", ".join(f"“{word}”" for word in matched[:5]) if matched else "",
        "beside": "what was said next to it matches",
        "session": "its session is about this",
        "author": "by the author whom the question names",
    }
    weights = dict.fromkeys(texts, 0.0)
    for stage in of:
        group = "beside" if stage.name.startswith("beside_") else _WORDS.get(stage.name, stage.name)
        if group in weights:
            weights[group] += stage.contribution
    told = [(weight, texts[name]) for name, weight in weights.items() if texts[name] and weight >= _LEAST_REASON]
    return tuple(text for _, text in sorted(told, key=lambda reason: -reason[0]))


def _rank(pool: np.ndarray[tuple[int], np.dtype[np.int32]], row: int) -> int | None:
    found = np.flatnonzero(pool == row)
    return int(found[0]) + 1 if len(found) else None
