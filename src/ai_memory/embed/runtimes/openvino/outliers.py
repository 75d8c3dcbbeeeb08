"""Finds the columns of a product that must not be rounded to 8 bits, from the weights alone.

In real weights a few channels are 20 to 100 times as large as the rest. Values that share a scale with such a channel, in a row of
weights or a group of activations, are smaller than one step of that scale and are lost (Dettmers et al. 2022). These few columns
are therefore multiplied in floating point and all others in 8 bits.

Estimating the magnitude of a product's inputs needs no sample texts: every branch ends in an RMS norm before it is added to the
residual stream, so its magnitude in each channel is that norm's learned gain, and the stream's is the sum over the layers before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.embedding_gemma2 import Gemma2Config
from ai_memory.embed.models.gemma import GemmaConfig, Tensors
from ai_memory.embed.models.weights import WordTable

Sizes = NDArray[np.float32]
"""Shape (in,), float32: the approximate magnitude of each input of a product, up to a common factor."""


class InputSizes(NamedTuple):
    """The magnitudes of the inputs of a layer's products; None if not estimated, or if the layer has no such product."""

    attention: Sizes | None
    """Input of queries, keys and values: shape (width,)."""
    mixed: Sizes | None
    """Output of attention: shape (heads · head_width,)."""
    gated: Sizes | None
    """Input of gate and up: shape (width,)."""
    down: Sizes | None
    """Input of down: shape (inner,)."""
    signal: Sizes | None = None
    """The token embeddings, input of the third branch's signal (EmbeddingGemma 2): shape (width,)."""
    gate: Sizes | None = None
    """Input of its gate: shape (width,)."""
    back: Sizes | None = None
    """The gated signal: shape (signal,)."""


NO_SIZES = InputSizes(None, None, None, None)
"""For products in floating point, which round no column."""

FACTOR = 6.0
"""A column is an outlier if its input or its weights are more than this many times the median over all columns."""
MOST_SHARE = 1 / 8
"""At most this share of the columns, the largest ones: beyond it a product in two parts costs more than it saves."""


_NAMES = (
    "input_layernorm",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
    "self_attn.v_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
)
_THIRD = ("ple_block.per_layer_input_gate", "ple_block.post_per_layer_input_norm")


def outlier_columns(weight: NDArray[np.float32], sizes: Sizes | None = None) -> NDArray[np.int64]:
    """The columns of a weight, float32 [out, in], that stay in floating point: int64, ascending, usually empty."""
    # The root mean square of each column of weights; the median is the reference, because outliers barely move it.
    measures = [np.sqrt(np.square(weight).mean(axis=0))]
    if sizes is not None:
        measures.append(sizes)
    ratios = np.max([each / max(float(np.median(each)), 1e-12) for each in measures], axis=0)
    found = np.flatnonzero(ratios > FACTOR)
    most = max(1, int(len(ratios) * MOST_SHARE))
    return found if len(found) <= most else np.sort(np.argsort(-ratios)[:most])


def layer_input_sizes(weights: Tensors, table: WordTable, config: GemmaConfig) -> Iterator[InputSizes]:
    """The input magnitudes of each layer, in order: shapes (width,), (heads · head_width,), (width,) and (inner,), float32."""
    # `squares` is the expected square of the residual stream in each channel, updated from layer to layer.
    squares = _squares_of_words(table, config.vocabulary, config.width)
    for index in range(len(config.full_layers)):
        named = {name: weights[f"layers.{index}.{name}.weight"] for name in _NAMES}
        first = np.sqrt(squares) * np.abs(1.0 + named["input_layernorm"])
        # Attention averages values, so their own magnitude is an upper bound of its output, the same for every head.
        values = _sizes_after(named["self_attn.v_proj"], first)
        # A norm's output has mean square 1 before its gain of 1 + weight, and independent branches add in squares.
        squares = squares + np.square(1.0 + named["post_attention_layernorm"])
        second = np.sqrt(squares) * np.abs(1.0 + named["pre_feedforward_layernorm"])
        gate, up = (_sizes_after(named[f"mlp.{name}"], second) for name in ("gate_proj", "up_proj"))
        yield InputSizes(first, np.tile(values, config.heads), second, gate * up)
        squares = squares + np.square(1.0 + named["post_feedforward_layernorm"])


def second_input_sizes(weights: Tensors, table: WordTable, config: Gemma2Config) -> Iterator[InputSizes]:
    """As `layer_input_sizes`, for EmbeddingGemma 2, with the shapes that `InputSizes` says."""
    squares = _squares_of_words(table, config.vocabulary, config.width)
    words = np.sqrt(squares)
    shared = np.abs(weights["ple.per_layer_projection_norm.weight"])
    for index in range(len(config.full_layers)):
        named = {name: weights[f"layers.{index}.{name}.weight"] for name in (*_NAMES, *_THIRD)}
        kind = config.kind(index)
        first = np.sqrt(squares) * np.abs(named["input_layernorm"])
        # Values are normalised per head, without a gain.
        mixed = np.ones(config.heads * kind.head_width, np.float32)
        squares = squares + np.square(named["post_attention_layernorm"])
        second = np.sqrt(squares) * np.abs(named["pre_feedforward_layernorm"])
        gate, up = (_sizes_after(named[f"mlp.{name}"], second) for name in ("gate_proj", "up_proj"))
        squares = squares + np.square(named["post_feedforward_layernorm"])
        third = np.sqrt(squares)
        back = _sizes_after(named["ple_block.per_layer_input_gate"], third) * shared
        yield InputSizes(first, mixed, second, gate * up, words, third, back)
        squares = squares + np.square(named["ple_block.post_per_layer_input_norm"])
        squares = squares * np.square(weights[f"layers.{index}.layer_scalar"])


def _squares_of_words(table: WordTable, vocabulary: int, width: int) -> Sizes:
    """The mean square of each channel of the scaled token embeddings, from some 4,096 of them: shape (width,)."""
    sample = np.arange(0, vocabulary, max(1, vocabulary // 4096))
    squares: Sizes = np.square(table.rows(sample)).mean(axis=0) * width
    return squares


def _sizes_after(weight: NDArray[np.float32], sizes: Sizes) -> Sizes:
    """The magnitude of each output of a product with weight [out, in], for inputs of these magnitudes: shape (out,)."""
    found: Sizes = np.sqrt(np.square(weight * sizes).sum(axis=1))
    return found
