"""How much each kind of evidence counts: frozen, named sets of weights."""

from __future__ import annotations

from msgspec import Struct

from ai_memory.errors import InvalidInputError


class Recipe(Struct, frozen=True, kw_only=True):
    """Weights of the stages. All evidence is in nats (see `fusion`), so that a weight of 1 means: taken at its word.

    A side with weight 0 is not searched at all.
    """

    name: str
    dense: float = 1.0
    lexical: float = 0.85
    window: tuple[float, ...] = (0.2, 0.15)
    """For the evidence of the neighbours at distance 1, 2, … in the session, on each side."""
    session: float = 0.2
    """For the mean evidence of the session's three best memories."""
    alone: float = 0.3
    """For a memory outside any session, in place of neighbours and session: the share of its own evidence that these add, on
    average, to a memory in a session. Without it, every conversation would outrank every single note that says as much.
    """
    pool: int = 200
    """Candidates taken from each side; more when more hits are asked for."""


BALANCED = Recipe(name="balanced")
"""The default: both sides, with the evidence of neighbouring memories."""
WORDS = Recipe(name="words", dense=0.0, window=(), session=0.0, alone=0.0)
"""BM25 alone."""
MEANING = Recipe(name="meaning", lexical=0.0, window=(), session=0.0, alone=0.0)
"""Cosine alone."""

RECIPES = {recipe.name: recipe for recipe in (BALANCED, WORDS, MEANING)}


def recipe_named(name: str | None) -> Recipe:
    """The recipe of that name; None gives the default. Raises InvalidInputError for an unknown name."""
    if name is None:
        return BALANCED
    if name not in RECIPES:
        raise InvalidInputError(f"there is no recipe {name!r}", hint=f"choose one of {', '.join(RECIPES)}", recipe=name)
    return RECIPES[name]
