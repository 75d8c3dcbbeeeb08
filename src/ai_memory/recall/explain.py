"""Explanations: what each stage added to a hit, in numbers and in words, and what the question was understood as."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import msgspec
import numpy as np

from ai_memory.clock import from_micros
from ai_memory.recall.answer import Asked, AskedTime, AskedWord, Stage, Trace
from ai_memory.recall.confidence import Summands
from ai_memory.recall.evidence.candidates import union
from ai_memory.recall.evidence.periods import Period
from ai_memory.recall.evidence.scores import Scored
from ai_memory.recall.plan import Plan
from ai_memory.recall.ranking import Ranking
from ai_memory.types import Selection

_LEAST_REASON = 0.25
"""Contributions below this many nats are not given as reasons."""
_WORDS = {"lexical": "words", "coverage": "words"}


def asked(plan: Plan, periods: Sequence[Period], zone: dt.tzinfo, ranking: Ranking, trusted: str | None) -> Asked:
    """What the question was understood as, with the times that it names, in `zone`.

    `trusted` is why its answer may be trusted, if it may.
    """
    shares, (pools, compared, expansion) = ranking.words.masses.tolist(), ranking.sources
    searched = union(pools.rows, expansion.rows)
    found = {
        "dense": len(pools.dense),
        "lexical": len(pools.lexical),
        "time": len(pools.timed),
        "graph": len(expansion.rows),
        "session": compared - len(searched),
    }
    return Asked(
        words=tuple(AskedWord(text=term.surface, share=share) for term, share in zip(plan.terms, shares, strict=True)),
        phrases=plan.phrases,
        times=tuple(
            AskedTime(since=_instant(period.since, zone), until=_instant(period.until, zone)) for period in periods
        ),
        filters=_filters(plan.selection),
        candidates=compared,
        origins={name: count for name, count in found.items() if count},
        trusted=trusted,
    )


def _instant(micros: int | None, zone: dt.tzinfo) -> dt.datetime | None:
    if micros is None:
        return None
    try:
        return from_micros(micros).astimezone(zone)
    except OverflowError:
        return from_micros(micros)  # the first or last day of the calendar, in another zone


def _filters(selection: Selection) -> dict[str, str]:
    """The fields of a selection that filter, by name, as text."""
    plain = Selection(namespace=selection.namespace, now=selection.now, include_ended=False, include_expired=False)
    given = ((name, getattr(selection, name)) for name in selection.__struct_fields__)
    return {name: _as_text(value) for name, value in given if value != getattr(plain, name)}


def _as_text(value: object) -> str:
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


def trace(scored: Scored, ranking: Ranking, at: int, certain: Summands) -> Trace:
    """How the hit at place `at` of the ranking got there, and what its confidence consists of."""
    row, pools = int(ranking.rows[at]), ranking.sources.pools
    dense_rank, lexical_rank = _rank(pools.dense, row), _rank(pools.lexical, row)
    found = [name for name, rank in (("dense", dense_rank), ("lexical", lexical_rank)) if rank is not None]
    if row in pools.timed:
        found.append("time")
    path = ranking.sources.expansion.paths.get(ranking.ids[at], ())
    if path:
        found.append("graph")
    cosine, bm25 = float(ranking.cosines[at]), float(ranking.bm25[at])
    return Trace(
        candidates=tuple(found) or ("session",),
        cosine=None if scored.dense is None or math.isnan(cosine) else cosine,
        bm25=bm25 if bm25 > 0.0 else None,
        dense_rank=dense_rank,
        lexical_rank=lexical_rank,
        stages=stages(ranking, at),
        certainty=tuple(map(_stage, *zip(*certain, strict=True))),
        path=path,
    )


def stages(ranking: Ranking, at: int) -> tuple[Stage, ...]:
    """Every stage of one hit; the contributions add up to its score."""
    features = ranking.features
    return tuple(map(_stage, features.stages, features.values[at].tolist(), features.weights.tolist()))


def _stage(name: str, value: float, weight: float) -> Stage:
    return Stage(name=name, value=value, weight=weight, contribution=value * weight)


def reasons(of: Sequence[Stage], matched: Sequence[str], cosine: float | None) -> tuple[str, ...]:
    """The main reasons in words, strongest first."""
    texts = {
        "dense": "similar in meaning" + ("" if cosine is None or math.isnan(cosine) else f" (cosine {cosine:.2f})"),
        "words": "has " + ", ".join(f"“{word}”" for word in matched[:5]) if matched else "",
        "beside": "what was said next to it matches",
        "session": "its session is about this",
        "author": "by the author whom the question names",
        "tokens": "compared token by token, similar to the question",
        "entities": "linked to what the question names, or to a better hit",
        "time": "from about the time that the question names",
    }
    weights = dict.fromkeys(texts, 0.0)
    for stage in of:
        group = "beside" if stage.name.startswith("beside_") else _WORDS.get(stage.name, stage.name)
        if group in weights:
            weights[group] += stage.contribution
    strong = [(weight, texts[name]) for name, weight in weights.items() if texts[name] and weight >= _LEAST_REASON]
    return tuple(text for _, text in sorted(strong, key=lambda reason: -reason[0]))


def _rank(pool: np.ndarray[tuple[int], np.dtype[np.int32]], row: int) -> int | None:
    found = np.flatnonzero(pool == row)
    return int(found[0]) + 1 if len(found) else None
