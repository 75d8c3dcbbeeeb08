"""Cosine over unit vectors by an exact scan of their int8 copies.

A vector v is kept as q = round(v / s), s = max|v| / 127. The dot product of two int8 vectors is an exact integer (at most
127² · dimension, which int32 holds up to 133,000 dimensions), so that a score depends on the two vectors and on nothing else:
not on the machine, the block or the number of threads. The true best k are among the best 2k by these scores (measured on real
vectors), so recall rescores those with the float32 vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.errors import EmbedderMismatchError, InvalidInputError
from ai_memory.index.base import Floats
from ai_memory.index.parallel import run_in_chunks

simsimd: Any
try:
    import simsimd
except ImportError:  # there is no wheel for this platform; numpy computes the same integers, slower
    simsimd = None

Codes = NDArray[np.int8]

BLOCK_ROWS = 1 << 16
"""Rows of a block. Growing copies one block at most, and never moves what readers scan."""
_FIRST_ROWS = 1 << 10


class Block(NamedTuple):
    """At most `BLOCK_ROWS` rows: `codes` int8 (rows, dimension), `scales` float32 (rows,), NaN for a row without a vector."""

    codes: Codes
    scales: NDArray[np.float32]


class DenseView:
    """The vectors at one moment; a vector erased or replaced later may already show."""

    def __init__(self, dimension: int, blocks: tuple[Block, ...]) -> None:
        """A view of `blocks`, whose codes have `dimension` columns."""
        self.dimension = dimension
        self._blocks = blocks

    def scores(self, query: Floats, n: int, meanwhile: Callable[[], None] | None = None) -> Floats:
        """Approximate cosine of `query`, float32, shape (dimension,), with rows 0 … n-1: float32, shape (n,).

        NaN for a row without a vector. `meanwhile` runs on this thread while others start to scan. Raises like `checked`.
        """
        codes, scale = quantise(checked(query[None], self.dimension))
        scores = np.full(n, np.nan, np.float32)

        def scan(first: int, end: int) -> None:
            """Score the rows `first` to `end`."""
            while first < end:
                number, at = divmod(first, BLOCK_ROWS)
                if number >= len(self._blocks):
                    return
                block = self._blocks[number]
                stop = min(at + end - first, len(block.codes))
                if stop <= at:
                    return
                part = scores[first : first + stop - at]
                np.multiply(_dot(codes, block.codes[at:stop]), block.scales[at:stop], out=part)
                part *= scale[0]
                first += stop - at

        run_in_chunks(n, scan, meanwhile)
        return scores


class ExactDenseIndex:
    """int8 vectors in memory. One writer at a time; readers use `view()` from any thread."""

    def __init__(self, dimension: int) -> None:
        """An empty index for vectors of `dimension` values."""
        self._dimension = dimension
        self._blocks: tuple[Block, ...] = ()

    @property
    def dimension(self) -> int:
        """The vectors' dimension."""
        return self._dimension

    @property
    def nbytes(self) -> int:
        """Bytes held, spare capacity included."""
        return sum(block.codes.nbytes + block.scales.nbytes for block in self._blocks)

    def view(self) -> DenseView:
        """The vectors as they are now."""
        return DenseView(self._dimension, self._blocks)

    def add(self, rows: Sequence[int], vectors: Floats) -> None:
        """Index the vectors of r rows, float32, shape (r, dimension), of any norm except 0; a row's earlier vector is replaced.

        No rows change nothing. Raises EmbedderMismatchError for another dimension, and InvalidInputError for NaN, infinity, a zero
        vector, or another number of vectors than rows.
        """
        codes, scales = quantise(checked(vectors, self._dimension))
        at = np.asarray(rows, np.int64)
        if len(at) != len(codes):
            raise InvalidInputError(f"{len(codes)} vectors were given for {len(at)} rows")
        if not len(at):
            return
        self._make_room(int(at.max()) + 1)
        for number in np.unique(at // BLOCK_ROWS).tolist():
            chosen = at // BLOCK_ROWS == number
            block = self._blocks[number]
            block.codes[at[chosen] % BLOCK_ROWS] = codes[chosen]
            block.scales[at[chosen] % BLOCK_ROWS] = scales[chosen]

    def remove(self, rows: Sequence[int]) -> None:
        """Erase the vectors of these rows; rows without one are left as they are."""
        for row in rows:
            number, place = divmod(row, BLOCK_ROWS)
            if number < len(self._blocks) and place < len(self._blocks[number].codes):
                self._blocks[number].codes[place] = 0
                self._blocks[number].scales[place] = np.nan

    def scores(self, query: Floats, n: int) -> Floats:
        """As `DenseView.scores` of the vectors as they are now."""
        return self.view().scores(query, n)

    def present(self, n: int) -> NDArray[np.bool_]:
        """Which of the rows 0 … n-1 have a vector: bool, shape (n,)."""
        found = np.zeros(n, np.bool_)
        for number, block in enumerate(self._blocks):
            first = number * BLOCK_ROWS
            rows = max(0, min(n - first, len(block.scales)))
            found[first : first + rows] = ~np.isnan(block.scales[:rows])
        return found

    def blocks(self) -> tuple[Block, ...]:
        """All blocks in order: what a snapshot keeps."""
        return self._blocks

    def restore(self, blocks: Sequence[Block]) -> None:
        """Take over what a snapshot kept; the index must be new."""
        self._blocks = tuple(blocks)

    def _make_room(self, rows: int) -> None:
        """Have blocks for rows 0 … `rows` - 1: full ones, and a last one that doubles as it fills."""
        while len(self._blocks) * BLOCK_ROWS < rows:
            self._grow_last(BLOCK_ROWS)
            needed = min(rows - len(self._blocks) * BLOCK_ROWS, BLOCK_ROWS)
            self._blocks = (*self._blocks, _empty_block(_room(needed), self._dimension))
        self._grow_last(rows - (len(self._blocks) - 1) * BLOCK_ROWS)

    def _grow_last(self, needed: int) -> None:
        if not self._blocks or len(self._blocks[-1].codes) >= needed:
            return
        old = self._blocks[-1]
        new = _empty_block(_room(needed), self._dimension)
        new.codes[: len(old.codes)] = old.codes
        new.scales[: len(old.scales)] = old.scales
        # Replaced as a whole: a view holds the old tuple, and with it the old block.
        self._blocks = (*self._blocks[:-1], new)


def quantise(vectors: Floats) -> tuple[Codes, NDArray[np.float32]]:
    """The int8 codes, shape (n, dimension), and float32 scales, shape (n,), of vectors, float32, shape (n, dimension).

    All must be finite and none zero (see `checked`); no vectors give empty arrays.
    """
    scales = np.abs(vectors).max(axis=1, initial=0.0) / np.float32(127.0)
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def checked(vectors: Floats, dimension: int) -> Floats:
    """`vectors` as float32, shape (n, dimension), after checking that each one can be compared; n may be 0.

    Raises EmbedderMismatchError for another dimension and InvalidInputError for NaN, infinity or a vector of zeros.
    """
    array = np.asarray(vectors, np.float32)
    if array.ndim != 2 or array.shape[1] != dimension:
        raise EmbedderMismatchError(
            f"vectors of shape {array.shape} do not fit an index of dimension {dimension}",
            hint="use the embedder that made the store's vectors, or build a generation with the new one",
            expected=dimension,
            actual=array.shape[-1] if array.ndim else None,
        )
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise InvalidInputError(f"vector {int(np.argmin(finite))} holds NaN or infinity")
    greatest = np.abs(array).max(axis=1, initial=0.0)
    if (greatest < np.finfo(np.float32).tiny * 256).any():
        raise InvalidInputError(f"vector {int(np.argmin(greatest))} is zero, so it has no direction")
    return array


def rescore(query: Floats, vectors: Floats) -> Floats:
    """Exact cosine of `query`, float32, shape (dimension,), with each of `vectors`, float32, shape (k, dimension): shape (k,).

    Computed row by row in float64 and rounded, so that a score does not depend on what else is scored with it. Shape (0,) for
    no vectors. Raises like `checked`.
    """
    wide = checked(vectors, len(query)).astype(np.float64)
    query64 = checked(query[None], len(query))[0].astype(np.float64)
    lengths = np.sqrt((wide * wide).sum(axis=1) * (query64 * query64).sum())
    scores: Floats = ((wide * query64).sum(axis=1) / lengths).astype(np.float32)
    return scores


def _room(needed: int) -> int:
    room = _FIRST_ROWS
    while room < needed:
        room *= 2
    return min(room, BLOCK_ROWS)


def _empty_block(rows: int, dimension: int) -> Block:
    return Block(np.zeros((rows, dimension), np.int8), np.full(rows, np.nan, np.float32))


def _dot(query: Codes, codes: Codes) -> NDArray[Any]:
    """Integer dot products of one int8 vector, shape (1, dimension), with several: shape (n,), exact in its float type."""
    if simsimd is None:
        return _dot_numpy(query, codes)
    products: NDArray[Any] = np.asarray(simsimd.cdist(query, codes, "dot"))[0]
    return products


def _dot_numpy(query: Codes, codes: Codes) -> NDArray[Any]:
    """As `_dot`, without simsimd: BLAS adds floats, and sums of integers are exact while the type can hold the greatest one.

    In blocks of half a million codes, whose float copies stay in the processor's cache.
    """
    exact = np.float32 if query.shape[1] * 127 * 127 < 1 << 24 else np.float64
    wide = query[0].astype(exact)
    step = max(1, (1 << 19) // len(wide))
    parts = [codes[at : at + step].astype(exact) @ wide for at in range(0, len(codes), step)]
    products: NDArray[Any] = np.concatenate(parts) if parts else np.empty(0, exact)
    return products
