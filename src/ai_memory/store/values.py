"""Values of the model as every store keeps them: instants as microseconds, JSON as text, vectors as bytes."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ai_memory.clock import EPOCH, to_micros
from ai_memory.errors import InvalidInputError
from ai_memory.store.base import VectorRow

LENGTH_TOLERANCE = 1e-3
"""How far from 1 the length of a stored vector may be; float16 inference stays well below."""


def micros(instant: dt.datetime | None) -> int | None:
    """An instant as the store keeps it."""
    return None if instant is None else to_micros(instant)


def instant(value: int | None) -> dt.datetime | None:
    """The other way round."""
    return None if value is None else EPOCH + dt.timedelta(microseconds=value)


def json_text(value: Any) -> str:
    """Compact JSON. Raises InvalidInputError for what JSON cannot hold."""
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, RecursionError) as error:
        raise InvalidInputError(f"a value cannot be kept as JSON: {error}") from error


def finite(value: float, name: str) -> float:
    """The number itself. Raises InvalidInputError for NaN and the infinities."""
    if not math.isfinite(value):
        raise InvalidInputError(f"{name} must be a finite number, not {value}")
    return value


def vector_blob(vector: NDArray[np.float32]) -> bytes:
    """A vector as little-endian float32."""
    return np.ascontiguousarray(vector, dtype="<f4").tobytes()


def vector(blob: bytes) -> NDArray[np.float32]:
    """The read-only vector that a blob holds, shape (dimension,)."""
    return np.frombuffer(blob, dtype="<f4")


def packed(rows: Sequence[VectorRow], dimension: int) -> list[tuple[int, int, bytes]]:
    """Vectors ready to be stored: (key, passage, blob). Raises InvalidInputError for a wrong shape or length."""
    for row in rows:
        if row.vector.shape != (dimension,):
            raise InvalidInputError(
                f"a vector of shape {row.vector.shape} does not fit a generation of dimension {dimension}",
                hint="run `ai-memory doctor`: the store's vectors were made by another embedder",
                limit=dimension,
                key=row.key,
            )
    if rows:
        lengths = np.linalg.norm(np.stack([row.vector for row in rows]).astype(np.float64), axis=1)
        wrong = np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE))
        if wrong.size:
            first = int(wrong[0])
            raise InvalidInputError(
                f"a vector must have length 1, not {lengths[first]:.6g}",
                key=rows[first].key,
                passage=rows[first].passage,
            )
    return [(int(row.key), int(row.passage), vector_blob(row.vector)) for row in rows]
