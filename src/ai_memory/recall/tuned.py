"""Weights that were fitted to a user's own judged questions, in a file that replaces a shipped recipe.

The file is JSON, so that a person can read what it changes; deleting it undoes the change. Weights belong to the embedder whose
cosines they were fitted to: where the store has another one by now, the shipped recipe is used, and the answer says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_json
from ai_memory.errors import InvalidInputError
from ai_memory.recall.recipe import IN_DIALOGUE, RECIPES, STAGES, Recipe

MAX_WEIGHT = 1_000.0
"""No weight may be greater, in either direction: a unit of evidence is a few nats at most."""


class Tuned(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contents of the file."""

    version: Literal[1] = 1
    base: str
    """The name of the recipe that these weights replace."""
    embedder: str | None = None
    """The model whose vectors they were fitted to; None where there was none."""
    weights: dict[str, float]
    """Weights by stage; a stage that is not named has the weight of the base."""
    held_out: dict[str, dict[str, float]] = {}
    """What the fit gained on questions that it did not see, by measure: for people, recall does not read it."""

    def recipe(self) -> Recipe:
        """The base with these weights; its name, which every answer carries, says that it was tuned."""
        return msgspec.structs.replace(RECIPES[self.base], name=tuned_name(self.base), **self.weights)


def tuned_name(base: str) -> str:
    """The name of a recipe that was tuned, from that of the shipped one."""
    return f"{base}, tuned"


def decode(data: bytes, place: str) -> Tuned:
    """The weights in a file; `place` is its path, for the message.

    Raises InvalidInputError for anything but what `encode` returns: other JSON, an unknown base or stage, a weight out of range.
    """
    try:
        tuned = from_json(data, Tuned)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(place, str(error)) from None
    if tuned.base not in RECIPES:
        raise _broken(place, f"there is no recipe {tuned.base!r}, only {', '.join(RECIPES)}")
    for name, weight in tuned.weights.items():
        if name not in STAGES:
            raise _broken(place, f"there is no stage {name!r}, only {', '.join(STAGES)}")
        if not math.isfinite(weight) or abs(weight) > MAX_WEIGHT:
            raise _broken(place, f"the weight of {name} is {weight:g}, not within {MAX_WEIGHT:g}")
    return tuned


def encode(tuned: Tuned) -> bytes:
    """The file's bytes."""
    return msgspec.json.format(msgspec.json.encode(tuned), indent=2) + b"\n"


def scaled(recipe: Recipe, factors: Mapping[str, float]) -> Recipe:
    """The recipe with stages' weights multiplied; what is added in a dialogue, where there is such, is multiplied with it."""
    both = {f"{stage}{IN_DIALOGUE}": factor for stage, factor in factors.items()} | dict(factors)
    changed = {stage: getattr(recipe, stage) * factor for stage, factor in both.items() if stage in STAGES}
    return msgspec.structs.replace(recipe, name=tuned_name(recipe.name), **changed)


def _broken(place: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"{place} is not a recipe file: {why}",
        hint="delete it to go back to the shipped weights, or run ai-memory tune again",
    )
