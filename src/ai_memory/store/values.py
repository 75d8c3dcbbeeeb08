"""Values of the model as every store keeps them: instants as microseconds, JSON as text, vectors as bytes."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ai_memory.clock import EPOCH, to_micros
from ai_memory.errors import InvalidInputError


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
