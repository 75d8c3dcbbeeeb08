"""Candidates, rescored exactly, fused, and grouped by memory: the order of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Floats, Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence import fusion, token_rerank
from ai_memory.recall.evidence.candidates import Pools, best_inside, best_of_each, session_neighbours, union
from ai_memory.recall.evidence.fusion import Candidates, Evidence, Features, StageValues
from ai_memory.recall.evidence.graph_expansion import NO_EXPANSION, SEEDS, Expansion, GraphExpander
from ai_memory.recall.evidence.periods import Period, rows_inside
from ai_memory.recall.evidence.scores import Scored, Values
from ai_memory.recall.evidence.session_context import QuestionWords
from ai_memory.recall.evidence.token_rerank import TokenReranker
from ai_memory.recall.plan import CONTENT_WEIGHT
from ai_memory.recall.recipe import Recipe
from ai_memory.store.base import Store
from ai_memory.text.terms import QueryTerm

_PRECISION = 9
"""Decimals of a score that count for order, so that rounding in sums never decides."""


class Vectors(NamedTuple):
    """The question's unit vector, float32, shape (dimension,), and where the stored ones are."""

    store: Store
    generation: int
    query: Floats


class Search(NamedTuple):
    """One question over one namespace: what every pass over the candidates needs, and none of them changes."""

    view: PartitionView
    scored: Scored
    terms: Sequence[QueryTerm]
    recipe: Recipe
    limit: int
    """How many memories are asked for."""
    filtered: bool
    """Whether anything but the namespace and the rule on ended memories decided which rows are eligible."""
    vectors: Vectors | None = None
    """None to keep the approximate cosines."""
    periods: Sequence[Period] = ()
    """The times that the question names."""
    only_time: bool = False
    """Whether the question asks for nothing but what happened then."""
    time_words: frozenset[str] = frozenset()
    """The words that name the times: a memory of that time need not repeat them."""
    inside: Rows | None = None
    """The rows of those times, for such a question where there are any; `rank` fills it in."""
    reranker: TokenReranker | None = None
    expander: GraphExpander | None = None

    @property
    def content(self) -> NDArray[np.bool_]:
        """Which terms say what the question is about: no function words, and none that name a time."""
        kept = (term.weight >= CONTENT_WEIGHT and term.surface not in self.time_words for term in self.terms)
        return np.fromiter(kept, np.bool_, len(self.terms))


class Sources(NamedTuple):
    """Where the candidates of a ranking came from."""

    pools: Pools
    compared: int
    """How many candidates there were, session neighbours included."""
    expansion: Expansion = NO_EXPANSION
    """Where the graph led, if it was followed."""


class Ranking(NamedTuple):
    """The best passage of each of m memories, best memory first; arrays are of shape (m,)."""

    rows: Rows
    ids: tuple[str, ...]
    scores: Values
    """In nats, descending."""
    cosines: Values
    """Exact where the vector could be read, NaN where there is none."""
    bm25: Values
    features: Features
    words: QuestionWords
    """The question's words in all candidates."""
    author_lead: float | None
    """By how many nats the best memory of the authors whom the question names is ahead of anybody else's, their authors aside.

    None where nobody is named, 0 where only these, or none of these, are candidates.
    """
    sources: Sources
    vectors: Values | None
    """The stored vectors of the passages, shape (m, dimension), NaN for one that cannot be read; None where none was."""

    def first(self, count: int) -> Ranking:
        """The best `count` memories of it."""
        if count >= len(self.rows):
            return self
        return self.only(range(count))

    def only(self, places: Sequence[int]) -> Ranking:
        """The memories at some places, in this order; their scores are to be descending."""
        chosen = np.fromiter(places, np.int64, len(places))
        return self._replace(
            rows=self.rows[chosen],
            ids=tuple(self.ids[place] for place in places),
            scores=self.scores[chosen],
            cosines=self.cosines[chosen],
            bm25=self.bm25[chosen],
            features=self.features._replace(values=self.features.values[chosen]),
            vectors=None if self.vectors is None else self.vectors[chosen],
        )


def rank(search: Search) -> Ranking:
    """The best `search.limit` memories, fewer when there are no more. The candidate pools grow until they hold enough memories.

    With an expander the best ones are ranked twice: what the graph leads to from the first ranking joins the second. Raises
    StoreError.
    """
    if search.only_time:
        inside = rows_inside(search.view, search.scored, search.periods)
        if len(inside):
            # The words of such a question are those of its time, and a memory of another time that has them answers nothing.
            silent = dict.fromkeys(
                ("coverage", "rest_words", "rest_coverage", "beside_words", "beside_coverage", "session"), 0.0
            )
            search = search._replace(inside=inside, recipe=msgspec.structs.replace(search.recipe, **silent))
    size = max(search.recipe.pool, 2 * search.limit)
    while True:
        ranking = _rank_pools(search, size)
        if len(ranking.rows) >= search.limit or size >= search.scored.rows:
            return ranking
        # Rare: the best passages may be those of a few long memories.
        size *= 4


def _rank_pools(search: Search, size: int) -> Ranking:
    """The ranking from the best `size` rows of each search."""
    pools = best_of_each(search.view, search.scored, size)
    if search.inside is not None:
        pools = pools._replace(timed=best_inside(search.view, search.scored, search.inside, size))
    candidates = _with_neighbours(search, pools.rows)
    evidence = _evidence(search, candidates)
    sources = Sources(pools, len(candidates.rows))
    if search.expander is not None:
        first = _order(search, candidates, evidence, sources, SEEDS, None)
        expansion = search.expander.expand(search.view, search.scored, first.ids, first.scores)
        candidates = _with_rows(search, candidates, expansion.rows)
        evidence = _evidence(search, candidates).plus(
            StageValues("entities", search.recipe.entities, expansion.at(candidates.rows))
        )
        sources = Sources(pools, len(candidates.rows), expansion)
    return _order(search, candidates, evidence, sources, search.limit, search.reranker)


def _evidence(search: Search, candidates: Candidates) -> Evidence:
    return fusion.gather(
        search.view, search.scored, candidates, search.terms, search.recipe, search.periods, search.inside
    )


def _order(
    search: Search,
    candidates: Candidates,
    evidence: Evidence,
    sources: Sources,
    limit: int,
    reranker: TokenReranker | None,
) -> Ranking:
    """The best memories by approximate cosines, ordered by exact ones and, with `reranker`, by the tokens of the best."""
    view, scored, recipe = search.view, search.scored, search.recipe
    cosines = scored.cosines(candidates.rows)
    roughly = fusion.features(scored, cosines, evidence, recipe)
    rough = roughly.scores
    # int8 cosines give nearly the exact order: half as many memories more than asked for are kept for exact ones to reorder.
    short = _best_memories(view.memories()[candidates.rows], rough, limit + max(20, limit // 2))
    rows, evidence = candidates.rows[short], evidence.at(short)
    cosines, stored = _exact(view, rows, cosines[short], search.vectors)
    stages = fusion.features(scored, cosines, evidence, recipe)
    if reranker is not None:
        evidence = _rerank(view, rows, stages.scores, evidence, recipe, reranker)
        stages = fusion.features(scored, cosines, evidence, recipe)
    scores = stages.scores
    order, ids = _by_memory(view, rows, scores, limit)
    return Ranking(
        rows[order],
        ids,
        scores[order],
        cosines[order],
        evidence.bm25[order],
        Features(stages.stages, stages.weights, stages.values[order]),
        evidence.words,
        _author_lead(search, candidates.rows, roughly),
        sources,
        None if stored is None else stored[order],
    )


def _author_lead(search: Search, rows: Rows, features: Features) -> float | None:
    """As `Ranking.author_lead`, from the stages of all c candidates, `rows`."""
    named = search.view.named_authors(search.terms)
    if not named:
        return None
    own = np.isin(search.view.authors()[rows], named)
    if own.all() or not own.any():
        return 0.0
    scores = features.scores
    if "author" in features.stages:
        scores = scores - features.contributions[:, features.stages.index("author")]
    return float(scores[own].max() - scores[~own].max())


def _rerank(
    view: PartitionView, rows: Rows, scores: Values, evidence: Evidence, recipe: Recipe, reranker: TokenReranker
) -> Evidence:
    """The evidence with what the best memories' tokens say; all other rows get the lowest value that one of these has."""
    best, _ = _by_memory(view, rows, scores, token_rerank.MAX_MEMORIES)
    found = reranker.evidence(view, rows[best])
    if found is None:
        return evidence
    values = np.full(len(rows), found.min())
    values[best] = found
    return evidence.plus(StageValues("tokens", recipe.tokens, values))


def _with_neighbours(search: Search, rows: Rows) -> Candidates:
    """The candidates `rows` together with the session neighbours of the nearest ones, and the neighbours of each.

    A neighbour can change little for a memory that is far from the best ones, so neighbours are read for the nearest rows and for
    those rows' neighbours only.
    """
    view, scored, recipe = search.view, search.scored, search.recipe
    reach = recipe.reach
    if not reach or not len(rows):
        return Candidates(rows, np.full((len(rows), 2 * reach), -1, np.int32))
    own = fusion.own_evidence(scored, scored.cosines(rows), scored.bm25(rows), recipe)
    nearest = rows[_greatest(own, max(recipe.nearest, 4 * search.limit))]
    nearest = nearest[view.sessions()[nearest] > 0]
    first = session_neighbours(view, scored, nearest, reach, filtered=search.filtered)
    around = union(nearest, first[first >= 0])
    found = session_neighbours(view, scored, around, reach, filtered=search.filtered)
    everyone = union(rows, around)
    neighbours = np.full((len(everyone), 2 * reach), -1, np.int32)
    neighbours[everyone.searchsorted(around)] = found
    if scored.dense is None:
        # Without vectors a row that matches no word has no evidence of its own, and is not offered for its neighbours' sake.
        matching = scored.bm25(everyone) > 0.0
        if search.inside is not None:
            matching |= np.isin(everyone, search.inside)
        return Candidates(everyone[matching], neighbours[matching])
    return Candidates(everyone, neighbours)


def _with_rows(search: Search, candidates: Candidates, more: Rows) -> Candidates:
    """The candidates together with some more rows, and the neighbours of each."""
    new = np.setdiff1d(more, candidates.rows).astype(np.int32)
    rows = np.concatenate((candidates.rows, new))
    neighbours = session_neighbours(search.view, search.scored, new, search.recipe.reach, filtered=search.filtered)
    order = np.argsort(rows)
    return Candidates(rows[order], np.concatenate((candidates.neighbours, neighbours))[order])


def _greatest(scores: Values, count: int) -> NDArray[np.int64]:
    """Places of the `count` greatest scores, int64 ascending; with ties for the last place, all of them."""
    if len(scores) <= count:
        return np.arange(len(scores))
    return np.flatnonzero(scores >= np.partition(scores, len(scores) - count)[len(scores) - count])


def _best_memories(memories: NDArray[np.int32], scores: Values, count: int) -> NDArray[np.int64]:
    """Places of all candidates of the `count` best memories, int64 ascending; `memories` has each candidate's memory number."""
    names, group = np.unique(memories, return_inverse=True)
    if len(names) <= count:
        return np.arange(len(memories))
    best = np.full(len(names), -np.inf)
    np.maximum.at(best, group, scores)
    keep = np.zeros(len(names), np.bool_)
    keep[_greatest(best, count)] = True
    return np.flatnonzero(keep[group])


def _exact(view: PartitionView, rows: Rows, cosines: Values, vectors: Vectors | None) -> tuple[Values, Values | None]:
    """Cosines with the stored float32 vectors, shape (c,), and these, shape (c, dimension), NaN where one cannot be read.

    There the cosine is the approximate one.
    """
    if vectors is None or not len(rows) or np.isnan(cosines).all():
        return cosines, None
    wanted = list(zip(view.keys()[rows].tolist(), view.passages()[rows].tolist(), strict=True))
    found = vectors.store.vectors(vectors.generation, wanted)
    there = [at for at, name in enumerate(wanted) if name in found]
    if not there:
        return cosines, None
    stacked = np.full((len(rows), len(vectors.query)), np.nan)
    stacked[there] = [found[wanted[at]] for at in there]
    cosines = cosines.copy()
    # Not `@`: BLAS would wake its threads for a product this small, and they spin on after it.
    cosines[there] = np.einsum("ij,j->i", stacked[there], vectors.query.astype(np.float64))
    return cosines, stacked


def _by_memory(
    view: PartitionView, rows: Rows, scores: Values, limit: int
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Places of the best passage of each of the best `limit` memories, best first, ties by memory id; and the ids.

    Memories erased since the view was taken have no id and are left out.
    """
    rounded = np.round(scores, _PRECISION)
    names = view.memory_ids(rows)
    best: dict[str, int] = {}
    for at in np.lexsort((view.passages()[rows], -rounded)).tolist():
        name = names[at]
        if name is not None:
            best.setdefault(name, at)
    order = sorted(best, key=lambda name: (-rounded[best[name]], name))[:limit]
    return np.array([best[name] for name in order], np.int64), tuple(order)
