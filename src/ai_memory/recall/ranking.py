"""Candidates, rescored exactly, fused, and grouped by memory: the order of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Floats, Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence import fusion, token_rerank
from ai_memory.recall.evidence.candidates import Pools, best_of_each, session_neighbours, union
from ai_memory.recall.evidence.fusion import Candidates, Evidence, Features
from ai_memory.recall.evidence.graph_expansion import NOWHERE, SEEDS, Linked, Linker
from ai_memory.recall.evidence.periods import Period
from ai_memory.recall.evidence.scores import Scored, Values
from ai_memory.recall.evidence.session_context import QuestionWords
from ai_memory.recall.evidence.token_rerank import Rereader
from ai_memory.recall.plan import CONTENT_WEIGHT
from ai_memory.recall.recipe import Recipe
from ai_memory.store.base import Store
from ai_memory.text.terms import QueryTerm

_PRECISION = 9
"""Decimals of a score that count for order, so that rounding in sums never decides."""
WITNESSES = 10
"""The best memories, however many are asked for, whose words are looked at together."""


class Vectors(NamedTuple):
    """The question's unit vector and where the stored ones are."""

    store: Store
    generation: int
    query: Floats


class Ranking(NamedTuple):
    """The best passage of each memory, best memory first; all arrays have one entry a memory."""

    rows: Rows
    ids: tuple[str, ...]
    scores: Values
    cosines: Values
    """Exact where the vector could be read, NaN where there is none."""
    bm25: Values
    features: Features
    pools: Pools
    compared: int
    """How many candidates there were."""
    words: QuestionWords
    """The question's words in all candidates."""
    together: float
    """The share of the idf mass of the question's words, function words apart, that the ten best memories have between them."""
    linked: Linked = NOWHERE
    """Where the graph led, with `linker`."""


def rank(
    view: PartitionView,
    scored: Scored,
    terms: Sequence[QueryTerm],
    vectors: Vectors | None,
    recipe: Recipe,
    limit: int,
    *,
    filtered: bool,
    periods: Sequence[Period] = (),
    rereader: Rereader | None = None,
    linker: Linker | None = None,
) -> Ranking:
    """The best `limit` memories, fewer when there are no more. The candidate pools grow until they hold enough memories.

    With `linker` the best ones are ranked twice: what the graph leads to from the first ranking joins the second.
    """
    size = max(recipe.pool, 2 * limit)
    content = np.array([term.weight >= CONTENT_WEIGHT for term in terms], np.bool_)
    while True:
        pools = best_of_each(view, scored, size)
        candidates = _with_neighbours(view, scored, pools.rows, recipe, limit, filtered)
        evidence = fusion.gather(view, scored, candidates, terms, recipe, periods)
        linked = NOWHERE
        if linker is not None:
            first = _order(view, scored, candidates, evidence, vectors, recipe, SEEDS, pools, content, None)
            linked = linker.follow(view, scored, first.ids, first.scores)
            candidates = _with_linked(view, scored, candidates, linked.rows, recipe, filtered)
            evidence = fusion.gather(view, scored, candidates, terms, recipe, periods)
            stage = ("entities", recipe.entities, linked.at(candidates.rows))
            evidence = evidence._replace(stages=(*evidence.stages, stage))
        ranking = _order(view, scored, candidates, evidence, vectors, recipe, limit, pools, content, rereader)
        ranking = ranking._replace(linked=linked)
        if len(ranking.rows) >= limit or size >= scored.rows:
            return ranking
        size *= 4


def _order(
    view: PartitionView,
    scored: Scored,
    candidates: Candidates,
    evidence: Evidence,
    vectors: Vectors | None,
    recipe: Recipe,
    limit: int,
    pools: Pools,
    content: NDArray[np.bool_],
    rereader: Rereader | None,
) -> Ranking:
    """The best memories by approximate cosines, ordered by exact ones and, with `rereader`, by what it finds in the best."""
    cosines = scored.cosines(candidates.rows)
    rough = fusion.features(scored, cosines, evidence, recipe).scores
    short = _best_memories(view.memories()[candidates.rows], rough, limit + max(20, limit // 2))
    rows, evidence = candidates.rows[short], evidence.at(short)
    cosines = _exact(view, rows, cosines[short], vectors)
    stages = fusion.features(scored, cosines, evidence, recipe)
    if rereader is not None:
        evidence = _reread(view, rows, stages.scores, evidence, recipe, rereader)
        stages = fusion.features(scored, cosines, evidence, recipe)
    scores = stages.scores
    order, ids = _by_memory(view, rows, scores, max(limit, WITNESSES))
    together = evidence.words.together(rows[order[:WITNESSES]], content)
    order, ids = order[:limit], ids[:limit]
    return Ranking(
        rows[order],
        ids,
        scores[order],
        cosines[order],
        evidence.bm25[order],
        Features(stages.stages, stages.weights, stages.values[order]),
        pools,
        len(candidates.rows),
        evidence.words,
        together,
    )


def _reread(
    view: PartitionView, rows: Rows, scores: Values, evidence: Evidence, recipe: Recipe, rereader: Rereader
) -> Evidence:
    """The evidence with what the best memories' tokens say; all other rows are given the least that one of these has."""
    best, _ = _by_memory(view, rows, scores, token_rerank.MOST)
    found = rereader.evidence(view, rows[best])
    if found is None:
        return evidence
    values = np.full(len(rows), found.min())
    values[best] = found
    return evidence._replace(stages=(*evidence.stages, ("tokens", recipe.tokens, values)))


def _with_neighbours(
    view: PartitionView, scored: Scored, rows: Rows, recipe: Recipe, limit: int, filtered: bool
) -> Candidates:
    """The candidates with the session neighbours of the nearest ones, ascending, and what stands beside each.

    Far from the best matches neighbours have nothing to say, so they are read for the nearest rows and their neighbours only.
    """
    reach = recipe.reach
    if not reach or not len(rows):
        return Candidates(rows, np.full((len(rows), 2 * reach), -1, np.int32))
    own = fusion.own_evidence(scored, scored.cosines(rows), scored.bm25(rows), recipe)
    nearest = rows[_greatest(own, max(recipe.nearest, 4 * limit))]
    nearest = nearest[view.sessions()[nearest] > 0]
    beside = session_neighbours(view, scored, nearest, reach, filtered=filtered)
    around = union(nearest, beside[beside >= 0])
    found = session_neighbours(view, scored, around, reach, filtered=filtered)
    everyone = union(rows, around)
    neighbours = np.full((len(everyone), 2 * reach), -1, np.int32)
    neighbours[everyone.searchsorted(around)] = found
    if scored.dense is None:
        matching = scored.bm25(everyone) > 0.0
        return Candidates(everyone[matching], neighbours[matching])
    return Candidates(everyone, neighbours)


def _with_linked(
    view: PartitionView, scored: Scored, candidates: Candidates, linked: Rows, recipe: Recipe, filtered: bool
) -> Candidates:
    """The candidates with some rows more, ascending, and what stands beside each."""
    new = np.setdiff1d(linked, candidates.rows).astype(np.int32)
    rows = np.concatenate((candidates.rows, new))
    beside = session_neighbours(view, scored, new, recipe.reach, filtered=filtered)
    order = np.argsort(rows)
    return Candidates(rows[order], np.concatenate((candidates.neighbours, beside))[order])


def _greatest(scores: Values, count: int) -> NDArray[np.int64]:
    """Places of the `count` greatest scores; with ties at the border, all of them."""
    if len(scores) <= count:
        return np.arange(len(scores))
    return np.flatnonzero(scores >= np.partition(scores, len(scores) - count)[len(scores) - count])


def _best_memories(memories: NDArray[np.int32], scores: Values, count: int) -> NDArray[np.int64]:
    """Places of all candidates of the `count` best memories."""
    names, group = np.unique(memories, return_inverse=True)
    if len(names) <= count:
        return np.arange(len(memories))
    best = np.full(len(names), -np.inf)
    np.maximum.at(best, group, scores)
    keep = np.zeros(len(names), np.bool_)
    keep[_greatest(best, count)] = True
    return np.flatnonzero(keep[group])


def _exact(view: PartitionView, rows: Rows, cosines: Values, vectors: Vectors | None) -> Values:
    """Cosines with the stored float32 vectors; the approximate ones where a vector cannot be read."""
    if vectors is None or not len(rows) or np.isnan(cosines).all():
        return cosines
    wanted = list(zip(view.keys()[rows].tolist(), view.passages()[rows].tolist(), strict=True))
    found = vectors.store.vectors(vectors.generation, wanted)
    there = [at for at, name in enumerate(wanted) if name in found]
    if there:
        stacked = np.stack([found[wanted[at]] for at in there]).astype(np.float64)
        cosines = cosines.copy()
        # Not `@`: BLAS would wake its threads for a product this small, and they spin on after it.
        cosines[there] = np.einsum("ij,j->i", stacked, vectors.query.astype(np.float64))
    return cosines


def _by_memory(
    view: PartitionView, rows: Rows, scores: Values, limit: int
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Places of the best passage of each of the best memories, best first, ties by memory id, with the ids."""
    rounded = np.round(scores, _PRECISION)
    names = view.memory_ids(rows)
    best: dict[str, int] = {}
    for at in np.lexsort((view.passages()[rows], -rounded)).tolist():
        name = names[at]
        if name is not None:
            best.setdefault(name, at)
    order = sorted(best, key=lambda name: (-rounded[best[name]], name))[:limit]
    return np.array([best[name] for name in order], np.int64), tuple(order)
