"""A numpy array that grows at its end, safely for readers that hold an older view of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_FIRST_CAPACITY = 4


class GrowableArray:
    """A one-dimensional array of a fixed dtype with spare capacity at its end: `data` is all of it, `n` entries are filled.

    Growing replaces `data` by a larger copy, so a view taken earlier stays valid and keeps its length. One writer at a time.
    """

    __slots__ = ("data", "n")

    def __init__(self, dtype: DTypeLike, data: NDArray[Any] | None = None) -> None:
        """An empty array of `dtype`, or `data`, shape (n,), taken over without a copy."""
        self.data: NDArray[Any] = np.empty(_FIRST_CAPACITY, dtype) if data is None else data
        self.n = 0 if data is None else len(data)

    def __len__(self) -> int:
        return self.n

    def view(self) -> NDArray[Any]:
        """The filled part, shape (n,); it shares memory with this object until that grows."""
        return self.data[: self.n]

    def append(self, value: Any) -> None:
        """Add one value."""
        if self.n == len(self.data):
            self._grow(self.n + 1)
        self.data[self.n] = value
        self.n += 1

    def extend(self, values: Sequence[Any] | NDArray[Any]) -> None:
        """Add several values, shape (k,); none changes nothing."""
        end = self.n + len(values)
        if end > len(self.data):
            self._grow(end)
        self.data[self.n : end] = values
        self.n = end

    @property
    def nbytes(self) -> int:
        """Bytes held, spare capacity included."""
        return int(self.data.nbytes)

    def _grow(self, needed: int) -> None:
        # By half, so that adding one by one costs constant time on average and wastes at most a third.
        data = np.empty(max(needed, self.n + (self.n >> 1) + _FIRST_CAPACITY), self.data.dtype)
        data[: self.n] = self.data[: self.n]
        self.data = data
