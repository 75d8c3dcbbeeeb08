"""How much each kind of evidence counts: frozen, named sets of weights."""

from __future__ import annotations

import math

from msgspec import Struct
from msgspec.structs import replace

from ai_memory.errors import InvalidInputError

AVERAGE_LENGTH = 25.0
"""Words in a passage at which `dense` applies unchanged; see `Recipe.dense_by_length`."""
_LEAST_DENSE, _MOST_DENSE = 0.05, 1.0


class Recipe(Struct, frozen=True, kw_only=True):
    """Weights of the stages: what one unit of each kind of evidence adds to the log odds that a memory answers, in nats.

    A search (dense, lexical) with weight 0 does not run at all.
    """

    name: str
    dense: float = 0.097
    """For z²/2 of the cosine (`fusion.dense_evidence`)."""
    dense_by_length: float = 0.390
    """Added to `dense` for each factor of e by which the store's passages are longer than `AVERAGE_LENGTH` words on average: the
    vector of a long text says more than that of a short one, and its words say less.
    """
    lexical: float = 0.098
    """For BM25."""
    coverage: float = 1.053
    """For the share of the question's idf mass that the memory's words cover, times ln of the number of memories (and 32 more)."""
    reach: int = 2
    """How many memories before and after in the session are neighbours; 0 looks at none."""
    beside_words: float = 0.084
    """For the BM25 of those words of the question that neighbours have and the memory does not, or has less of."""
    beside_coverage: float = 0.485
    """For the coverage that neighbours add to the memory's own."""
    session: float = 0.146
    """For the mean evidence of the session's three best memories."""
    alone: float = 0.5
    """For a memory outside any session, instead of neighbours and session: the share of its own evidence that these add, on
    average, to a memory in a session. Without it, every conversation would outrank every single note that says as much.
    """
    author: float = 2.609
    """For a memory by an author whom the question names."""
    asks: float = -1.011
    """For a memory that ends in a question."""
    time: float = 0.7
    """For a memory near a time that the question names (`periods.period_evidence`)."""
    tokens: float = 0.0
    """For each deviation of a memory's token similarity above the mean of the best ones (`token_rerank.TokenReranker`)."""
    entities: float = 0.0
    """For each nat of evidence from the graph (`graph_expansion.GraphExpander`)."""
    newest: float = 1.0
    """Whether of rivals among the hits the newest comes first (1) or the best match (0)."""
    pool: int = 200
    """Candidates taken from each search; more when more hits are asked for."""
    nearest: int = 100
    """Candidates whose session neighbours are looked at; more when more hits are asked for."""

    def dense_weight(self, mean_length: float) -> float:
        """The weight of z²/2 in a store whose passages have `mean_length` words on average."""
        if not self.dense:
            return 0.0
        longer = self.dense_by_length * math.log(max(mean_length, 1.0) / AVERAGE_LENGTH)
        return min(max(self.dense + longer, _LEAST_DENSE), _MOST_DENSE)


_NOTHING = Recipe(
    name="nothing",
    dense=0.0,
    dense_by_length=0.0,
    lexical=0.0,
    coverage=0.0,
    reach=0,
    beside_words=0.0,
    beside_coverage=0.0,
    session=0.0,
    alone=0.0,
    author=0.0,
    asks=0.0,
    time=0.0,
    newest=0.0,
)
BALANCED = Recipe(name="balanced")
"""The default: both searches, with the evidence of neighbouring memories."""
FAST = Recipe(name="fast", reach=0, beside_words=0.0, beside_coverage=0.0, session=0.0, alone=0.0, pool=100)
"""Both searches and the memory itself, without its neighbours and its session."""
THOROUGH = Recipe(name="thorough", tokens=0.3, pool=1_000, nearest=500)
"""As `balanced`, with five times the candidates, and the best of them reranked by their tokens."""
LINKED = Recipe(name="linked", entities=0.5)
"""As `balanced`, with the memories that the graph leads to from the question and the best hits."""
WORDS = replace(_NOTHING, name="words", lexical=1.0)
"""BM25 alone."""
MEANING = replace(_NOTHING, name="meaning", dense=1.0)
"""Cosine alone."""

STAGES = (
    "dense",
    "dense_by_length",
    "lexical",
    "coverage",
    "beside_words",
    "beside_coverage",
    "session",
    "alone",
    "author",
    "asks",
    "time",
    "tokens",
    "entities",
)
"""The weights that can be 0; a stage without weight is not computed."""
NEWEST = "newest"
"""What can be switched off as a stage can, and has no weight to fit."""

RECIPES = {recipe.name: recipe for recipe in (BALANCED, FAST, THOROUGH, LINKED, WORDS, MEANING)}


def without(recipe: Recipe, stage: str) -> Recipe:
    """The recipe with one of `STAGES`, or `NEWEST`, switched off and everything else as it is.

    Raises InvalidInputError for another name.
    """
    names = (*STAGES, NEWEST)
    if stage not in names:
        raise InvalidInputError(f"there is no stage {stage!r}", hint=f"choose one of {', '.join(names)}", stage=stage)
    return replace(recipe, name=f"{recipe.name} without {stage}", **{stage: 0.0})


def recipe_named(name: str | None) -> Recipe:
    """The recipe of that name; None gives the default. Raises InvalidInputError for an unknown name."""
    if name is None:
        return BALANCED
    if name not in RECIPES:
        raise InvalidInputError(f"there is no recipe {name!r}", hint=f"choose one of {', '.join(RECIPES)}", recipe=name)
    return RECIPES[name]
