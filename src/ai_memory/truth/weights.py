"""The weights of `compare`, as `scripts/fit_compare.py` writes them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "data" / "weights.json"

Weights = dict[str, tuple[float, float, float, float]]
"""By feature: its weight for no relation, an update, a restatement and an extension."""


@cache
def weights(kind: str) -> Weights:
    """The weights for statements `with_vectors`, or `by_words` alone."""
    return {name: tuple(each) for name, each in json.loads(FILE.read_text(encoding="utf-8"))[kind].items()}
