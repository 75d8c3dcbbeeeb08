"""BERT with mean pooling in plain numpy and float64: an independent statement of what the graph must compute."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_erf = np.vectorize(math.erf, otypes=[np.float64])


def embed(ids: Sequence[int], weights: Mapping[str, NDArray[np.float32]], layers: int, heads: int) -> Array:
    """The unit vector of one input."""
    mean = states(ids, weights, layers, heads).mean(axis=0)
    unit: Array = mean / np.linalg.norm(mean)
    return unit


def states(ids: Sequence[int], weights: Mapping[str, NDArray[np.float32]], layers: int, heads: int) -> Array:
    """What the last layer makes of each token of one input, shape (tokens, width)."""
    w = {name: array.astype(np.float64) for name, array in weights.items()}
    length = len(ids)
    x = w["embeddings.word_embeddings.weight"][list(ids)]
    x = x + w["embeddings.position_embeddings.weight"][:length] + w["embeddings.token_type_embeddings.weight"][0]
    x = _norm(x, w, "embeddings.LayerNorm")
    for index in range(layers):
        part = f"encoder.layer.{index}."
        q, k, v = (_heads(_linear(x, w, f"{part}attention.self.{name}"), heads) for name in ("query", "key", "value"))
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[2])
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (shares / shares.sum(axis=-1, keepdims=True)) @ v
        mixed = mixed.transpose(1, 0, 2).reshape(length, -1)
        x = _norm(x + _linear(mixed, w, f"{part}attention.output.dense"), w, f"{part}attention.output.LayerNorm")
        inner = _linear(x, w, f"{part}intermediate.dense")
        inner = inner * 0.5 * (1.0 + _erf(inner / math.sqrt(2.0)))
        x = _norm(x + _linear(inner, w, f"{part}output.dense"), w, f"{part}output.LayerNorm")
    return x


def _linear(x: Array, w: Mapping[str, Array], name: str) -> Array:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def _norm(x: Array, w: Mapping[str, Array], name: str) -> Array:
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
    scaled: Array = centred / deviation * w[f"{name}.weight"] + w[f"{name}.bias"]
    return scaled


def _heads(x: Array, heads: int) -> Array:
    return x.reshape(len(x), heads, -1).transpose(1, 0, 2)
