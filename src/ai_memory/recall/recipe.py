"""How much each kind of evidence counts: frozen, named sets of weights."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from ai_memory.errors import InvalidInputError

IN_DIALOGUE = "_in_dialogue"
"""The suffix of what is added to a stage's weight where the store is a dialogue of people, by the share of it that is one."""


class Recipe(Struct, frozen=True, kw_only=True):
    """Weights of the stages: what one unit of each kind of evidence adds to the log odds that a memory answers, in nats.

    A search (dense, lexical) with weight 0 does not run at all.
    """

    name: str
    dense: float = 1.28
    """For each deviation of the cosine above the mean, where the model knows the question's language (`fusion.dense_evidence`)."""
    dense_in_dialogue: float = -0.90
    """A turn of a conversation says less by itself than a fact that was written down, and so does its vector."""
    lexical: float = 0.13
    """For BM25."""
    coverage: float = 0.94
    """For the share of the question's idf mass that the memory's words cover, times ln of the number of memories (and 32 more)."""
    rest_words: float = 0.05
    """For the BM25 of those words of the question that other passages of the same memory have and this one does not, or less of."""
    rest_coverage: float = 0.6
    """For the coverage that a memory's other passages add to the passage's own."""
    reach: int = 2
    """How many memories before and after in the session are neighbours; 0 looks at none."""
    beside_words: float = 0.04
    """For the BM25 of those words of the question that neighbours have and the memory does not, or has less of."""
    beside_words_in_dialogue: float = 0.14
    beside_coverage: float = 0.56
    """For the coverage that neighbours add to the memory's own."""
    session: float = 0.04
    """For the mean evidence of the session's three best memories."""
    session_in_dialogue: float = 0.16
    alone: float = 0.5
    """For a memory outside any session, instead of neighbours and session: the share of its own evidence that these add, on
    average, to a memory in a session. Without it, every conversation would outrank every single note that says as much.
    """
    author: float = 1.87
    """For a memory by an author whom the question names, as far as its words and its vector agree with the question too."""
    asks: float = -0.93
    """For a memory that ends in a question, by the share of the store that is a dialogue of people."""
    time: float = 2.75
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

    def weight(self, stage: str, dialogue: float) -> float:
        """A stage's weight in a store of which this share, in [0, 1], is a dialogue of people; 0 for a stage that is off."""
        plain: float = getattr(self, stage)
        return plain + dialogue * getattr(self, stage + IN_DIALOGUE, 0.0) if plain else 0.0


_NOTHING = Recipe(
    name="nothing",
    dense=0.0,
    lexical=0.0,
    coverage=0.0,
    rest_words=0.0,
    rest_coverage=0.0,
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
LINKED = Recipe(name="linked", entities=1.0)
"""As `balanced`, with the memories that the graph leads to from the question and the best hits."""
WORDS = replace(_NOTHING, name="words", lexical=1.0)
"""BM25 alone."""
MEANING = replace(_NOTHING, name="meaning", dense=1.0)
"""Cosine alone."""

STAGES = (
    "dense",
    "dense_in_dialogue",
    "lexical",
    "coverage",
    "rest_words",
    "rest_coverage",
    "beside_words",
    "beside_words_in_dialogue",
    "beside_coverage",
    "session",
    "session_in_dialogue",
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


_FITTED: dict[str, dict[str, float]] = {
    "multilingual-e5-small": {
        "dense": 2.14,
        "dense_in_dialogue": -1.51,
        "lexical": 0.11,
        "coverage": 0.46,
        "rest_words": 0.04,
        "rest_coverage": 0.3,
        "beside_words": 0.02,
        "beside_words_in_dialogue": 0.17,
        "beside_coverage": 0.23,
        "session": 0.01,
        "session_in_dialogue": 0.37,
        "author": 2.16,
        "asks": -0.92,
    }
}
"""The weights for the vectors of a model to which they were fitted apart, by its name. Those of `BALANCED` were fitted to
all-MiniLM-L6-v2, and are what is used with any other: a better model loses little by them."""


def fitted(recipe: Recipe, model: str) -> Recipe:
    """The recipe with the weights that were fitted to a model, in place of those that are still the default's.

    What was switched off, tuned or set otherwise stays; the name stays too.
    """
    weights = _FITTED.get(model, {})
    return replace(
        recipe, **{name: weight for name, weight in weights.items() if getattr(recipe, name) == getattr(BALANCED, name)}
    )


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
