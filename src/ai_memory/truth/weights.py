"""The weights of `compare`, as `scripts/fit_compare.py` writes them, and of `rivals`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "data" / "weights.json"
ORDER_FILE = Path(__file__).parent / "data" / "rivals.json"

Weights = dict[str, tuple[float, float, float, float]]
"""By feature: its weight for no relation, an update, a restatement and an extension."""


@cache
def weights(kind: str) -> Weights:
    """The weights for statements `with_vectors`, or `by_words` alone."""
    return {name: tuple(each) for name, each in json.loads(FILE.read_text(encoding="utf-8"))[kind].items()}


@cache
def order_weights(kind: str) -> dict[str, float]:
    """By feature of two hits its weight for rivals, for hits `with_vectors`, or `by_words` alone."""
    found: dict[str, dict[str, float]] = json.loads(ORDER_FILE.read_text(encoding="utf-8"))
    return found[kind]
