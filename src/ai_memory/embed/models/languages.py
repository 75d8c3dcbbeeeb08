"""The part of a multilingual model's vectors that says only which language a text is in.

Two texts of one language are nearer to each other than their subjects make them, so that where a namespace holds several languages
a question finds the memories of its own language first, whatever they are about. For models that were measured, the directions in
which the languages' means differ are shipped as data (`scripts/language_directions.py` made them), and a question's vector is
compared without them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FOLDER = Path(__file__).with_name("data")


def data_file(model: str) -> Path:
    """Where the directions of the model of this name are, if it was measured: float32, shape (k, dimension), orthonormal rows."""
    return _FOLDER / f"{model}.npy"


def without_language(vector: NDArray[np.float32], model: str) -> NDArray[np.float32]:
    """A unit vector, shape (dimension,), without its part along the model's language directions, of unit length again.

    The vector itself if the model was not measured, or if nothing but a language is in it.
    """
    directions = _directions(model)
    if directions is None or directions.shape[1] != len(vector):
        return vector
    rest = vector - directions.T @ (directions @ vector)
    length = float(np.linalg.norm(rest))
    return (rest / np.float32(length)).astype(np.float32) if length > 0.1 else vector


@cache
def _directions(model: str) -> NDArray[np.float32] | None:
    file = data_file(model)
    if "/" in model or not file.is_file():
        return None
    found: NDArray[np.float32] = np.load(file)
    return found
