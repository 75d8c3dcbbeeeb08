"""Matryoshka dimensions: the first values of a vector are a smaller vector of the same text (Kusupati et al. 2022).

A cut vector no longer has length 1, so it is renormalised; leaving that out is the most common mistake with such models.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from ai_memory.embed.base import Embedder, KnowsLanguages, Task, Vectors
from ai_memory.errors import EmbedderError, InvalidInputError
from ai_memory.types import EmbedderIdentity


def cut(vectors: Vectors, dimension: int) -> Vectors:
    """The first `dimension` values of each row, renormalised to unit length: (n, d) → (n, dimension), float32.

    No rows give shape (0, dimension); the full dimension returns `vectors` unchanged. Raises InvalidInputError if `dimension`
    is below 1 or above d, EmbedderError if the kept values of a row are all zero.
    """
    full = vectors.shape[1]
    if not 1 <= dimension <= full:
        raise InvalidInputError(f"vectors of {full} values cannot be cut to {dimension}", limit=full, actual=dimension)
    if dimension == full:
        return vectors
    part = vectors[:, :dimension]
    lengths = np.linalg.norm(part, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise EmbedderError(f"a vector's first {dimension} values are all zero: it has no direction")
    unit: Vectors = np.ascontiguousarray(part / lengths, dtype=np.float32)
    return unit


def check_dimension(model: str, supported: Sequence[int], dimension: int) -> None:
    """Raises InvalidInputError, listing the supported dimensions, if `dimension` is not one of them."""
    if isinstance(dimension, bool) or dimension not in supported:
        choices = ", ".join(map(str, supported))
        raise InvalidInputError(
            f"{model} has no vectors of {dimension!r} values; its dimensions are {choices}",
            hint=f"give one of {choices}",
            limit=list(supported),
            actual=dimension,
        )


class CutEmbedder:
    """An `Embedder` that cuts the vectors of another one; it shares that embedder's model."""

    def __init__(self, whole: Embedder, dimension: int) -> None:
        """Raises InvalidInputError if `whole` does not support `dimension`."""
        check_dimension(whole.identity.model, whole.dimensions, dimension)
        self._whole = whole
        self._dimension = dimension

    @property
    def whole(self) -> Embedder:
        """The embedder that makes the vectors."""
        return self._whole

    @property
    def identity(self) -> EmbedderIdentity:
        """The whole embedder's identity with this dimension."""
        return msgspec.structs.replace(self._whole.identity, dimension=self._dimension)

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The lengths that these vectors may be cut to, their own dimension first."""
        return tuple(each for each in self._whole.dimensions if each <= self._dimension)

    @property
    def max_tokens(self) -> int:
        """As the whole embedder."""
        return self._whole.max_tokens

    def embed_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> Vectors:
        """As the whole embedder, cut: unit vectors, shape (len(texts), dimension), float32."""
        return cut(self._whole.embed_queries(texts, task), self._dimension)

    def embed_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Vectors:
        """As the whole embedder, cut: unit vectors, shape (len(texts), dimension), float32."""
        return cut(self._whole.embed_documents(texts, titles), self._dimension)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As the whole embedder."""
        return self._whole.count_tokens(texts)

    def familiarity(self, text: str) -> float:
        """As the whole embedder; 1 where that does not say."""
        return self._whole.familiarity(text) if isinstance(self._whole, KnowsLanguages) else 1.0

    def close(self) -> None:
        """Close the whole embedder."""
        self._whole.close()


def at_dimension(embedder: Embedder, dimension: int) -> Embedder:
    """The embedder with vectors of `dimension` values: `embedder` itself if it has that dimension; 0 means its own."""
    if dimension in (0, embedder.identity.dimension):
        return embedder
    return CutEmbedder(embedder, dimension)
