"""An embedder without a model: hashed character n-grams, for tests and demonstrations.

Signed feature hashing (Weinberger et al. 2009): each n-gram adds +1 or -1 to one of `dimension` positions, both chosen by its
hash; the sum is scaled to unit length. Texts with similar spelling get similar vectors; meaning plays no part. It needs no file,
loads at once and gives the same vectors on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.base import Cancellation, Encoded, Inputs, Task, TooLong, Vectors
from ai_memory.embed.texts import as_texts, replace_surrogates
from ai_memory.errors import EmbedderUnavailableError, InvalidInputError
from ai_memory.types import EmbedderIdentity

_SIZES = (3, 4)
_VERSION = "1"
"""Part of the identity; must change whenever the vectors change."""


class HashingEmbedder:
    """An `Embedder` of hashed character 3- and 4-grams of the lower-cased text.

    Tasks make no difference; a title is treated as part of its text.
    """

    def __init__(self, dimension: int = 64) -> None:
        """Raises InvalidInputError if `dimension` is below 8."""
        if dimension < 8:
            raise InvalidInputError(f"the dimension must be at least 8, not {dimension}", limit=8, actual=dimension)
        self._dimension = dimension
        self._closed = False

    @property
    def identity(self) -> EmbedderIdentity:
        """Everything that determines a vector."""
        recipe = f"{_VERSION} {_SIZES} {self._dimension}"
        return EmbedderIdentity(
            model="hashing",
            revision=hashlib.sha256(recipe.encode()).hexdigest(),
            prompts=hashlib.sha256(b"").hexdigest(),
            dtype="float32",
            dimension=self._dimension,
        )

    @property
    def dimensions(self) -> tuple[int, ...]:
        """Only the full one: hashed positions have no order of importance."""
        return (self._dimension,)

    @property
    def max_tokens(self) -> int:
        """The size that callers cut passages to; a text of any length is embedded whole."""
        return 256

    def embed_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32."""
        del task  # tasks make no difference here
        return self._embed(as_texts(texts))

    def embed_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32. Raises InvalidInputError unless there is one title per text."""
        kept = as_texts(texts)
        if titles is None:
            return self._embed(kept)
        if len(titles) != len(kept):
            raise InvalidInputError(f"there are {len(kept)} texts and {len(titles)} titles")
        return self._embed([f"{title}\n{text}" if title else text for title, text in zip(titles, kept, strict=True)])

    def embed(
        self,
        inputs: Inputs,
        *,
        too_long: TooLong = TooLong.WINDOWS,
        urgent: bool = False,
        max_total: int | None = None,
        cancellation: Cancellation | None = None,
    ) -> Encoded:
        """Unit vectors, shape (len(inputs.texts), dimension); no text is too long, and no call waits."""
        del too_long, urgent, max_total, cancellation
        vectors = self.embed_documents(inputs.texts, inputs.titles)
        return Encoded(vectors, tuple(self.count_tokens(inputs.texts)), (0,) * len(vectors))

    @property
    def waiting(self) -> int:
        """Always 0."""
        return 0

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words of each text plus 2, as a model's two special tokens, so that limits behave as with a model."""
        if self._closed:
            raise EmbedderUnavailableError("the embedder has been closed")
        return [len(replace_surrogates(text).split()) + 2 for text in as_texts(texts)]

    def close(self) -> None:
        """Refuse further calls: embedding after this raises EmbedderUnavailableError."""
        self._closed = True

    def _embed(self, texts: Sequence[str]) -> Vectors:
        if self._closed:
            raise EmbedderUnavailableError("the embedder has been closed")
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for row, text in enumerate(texts):
            self._add_ngrams(vectors[row], f"\x02{replace_surrogates(text).lower()}\x03")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[lengths[:, 0] == 0, 0] = 1.0  # all signs cancelled out: a fixed direction instead of none
        lengths[lengths == 0] = 1.0
        unit: Vectors = vectors / lengths
        return unit

    def _add_ngrams(self, row: NDArray[np.float32], text: str) -> None:
        """Add the n-grams of `text` to `row`, float32 (dimension,), in place."""
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.uint64)
        for size in _SIZES:
            if len(codes) < size and size > _SIZES[0]:
                continue
            grams = np.lib.stride_tricks.sliding_window_view(codes, min(size, len(codes)))
            hashes = np.full(len(grams), 0xCBF29CE484222325, np.uint64)  # FNV-1a over code points, then a final mix
            for column in range(grams.shape[1]):
                hashes = (hashes ^ grams[:, column]) * np.uint64(0x100000001B3)
            hashes ^= hashes >> np.uint64(29)
            hashes *= np.uint64(0xBF58476D1CE4E5B9)
            hashes ^= hashes >> np.uint64(32)
            signs = 1.0 - 2.0 * (hashes & np.uint64(1)).astype(np.float32)
            np.add.at(row, ((hashes >> np.uint64(1)) % np.uint64(self._dimension)).astype(np.int64), signs)
