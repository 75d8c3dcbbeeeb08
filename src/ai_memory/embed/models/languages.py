"""The part of a multilingual model's vectors that says only which language a text is in.

Two texts of one language are nearer to each other than their subjects make them, so that where a namespace holds several languages
a question finds the memories of its own language first, whatever they are about. For models that were measured, the directions in
which the languages' means differ are shipped as data (`scripts/language_directions.py` made them), and a question's vector is
compared without them.

And whether a model knows the language of a text at all, which its tokenizer shows without a list of languages: words of a language
that it has learnt are a token or two, those of another fall apart into letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
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


LEAST_FAMILIAR = 0.05
"""A model that does not know a language is not quite useless: names and numbers are the same, and something has to be first."""
_LETTERS, _WORDS = 1.2, 2.5
"""Characters for each token at which a model knows nothing of a language, and from which on it knows it: MiniLM has 3.9 in English,
2.7 in German and 1.0 in Russian, where it finds 12 of 100 paragraphs; multilingual-e5-small has more than 3 in all of them."""
_WIDE = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_USUAL = "今天我们可以一起去学校工作，什么时候开始学习？因为没有时间，所以他们现在已经知道这个问题了。"
"""The most usual words of Chinese: a model that knows the language has tokens for words, another has them for single characters."""
_SINGLE = 0.85
"""Tokens for each character from which on they are for single characters."""


def familiarity(count: Callable[[Sequence[str]], list[int]], text: str) -> float:
    """How well a model knows the language of a text, from `LEAST_FAMILIAR` to 1.

    `count` gives the tokens of some texts, with whatever is added to every text. 1 for a text without a character that counts.
    """
    whole, usual, empty = count([text, _USUAL, ""])
    letters = sum(not character.isspace() for character in text)
    wide = len(_WIDE.findall(text))
    if not letters or whole <= empty:
        return 1.0
    if 2 * wide > letters:
        known = 1.0 if usual - empty < _SINGLE * len(_USUAL) else 0.0
    else:
        known = (letters / (whole - empty) - _LETTERS) / (_WORDS - _LETTERS)
    return min(max(known, LEAST_FAMILIAR), 1.0)
