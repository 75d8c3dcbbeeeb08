"""The weights of `compare`, as `scripts/fit_compare.py` writes them, and the trees of `rivals`, as `scripts/fit_rivals.py` does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.truth.trees import Trees

FILE = Path(__file__).parent / "data" / "weights.json"
ORDER_FILE = Path(__file__).parent / "data" / "rivals.json"

Weights = dict[str, tuple[float, float, float, float]]
"""By feature: its weight for no relation, an update, a restatement and an extension."""


@cache
def weights(kind: str) -> Weights:
    """The weights for statements `with_vectors`, or `by_words` alone."""
    return {name: tuple(each) for name, each in json.loads(FILE.read_text(encoding="utf-8"))[kind].items()}


class Forest(NamedTuple):
    """The trees of `rivals`, and the features that they look at, in the order of their columns."""

    names: tuple[str, ...]
    order: Trees
    mark: Trees
    same: Trees

    def values(self, features: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
        """The features of n pairs as the trees take them, shape (n, names); what is left out is 0."""
        return np.array([[each.get(name, 0.0) for name in self.names] for each in features])


@cache
def forest(kind: str) -> Forest:
    """The trees for hits `with_vectors`, or `by_words` alone."""
    found = json.loads(ORDER_FILE.read_text(encoding="utf-8"))[kind]
    return Forest(tuple(found["names"]), *(_trees(found[name]) for name in ("order", "mark", "same")))


def _trees(written: Mapping[str, Any]) -> Trees:
    return Trees(
        written["base"],
        np.array(written["features"], np.int64),
        np.array(written["limits"], np.float64),
        np.array(written["leaves"], np.float64),
    )
