"""Which inputs of a product must not be rounded to 8 bits, told from the weights alone.

In real weights a few channels are 20 to 100 times as large as the rest. Whatever shares a scale with such a channel, a row of
weights or a group of activations, is rounded in steps as large as itself and lost (Dettmers et al. 2022). Those few columns
are therefore multiplied in floating point and all others in 8 bits.

The size of a product's inputs needs no sample texts: what a layer adds to the residual stream leaves a norm whose learned gain
is its size, so the stream's size in each channel is known from the gains of the layers before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.gemma import GemmaConfig, Tensors

Sizes = NDArray[np.float32]
"""Shape (in,): about how large each input of a product is, up to a common factor."""


class InputSizes(NamedTuple):
    """What the four products of a layer read; None where nobody asks."""

    attention: Sizes | None
    """Queries, keys and values."""
    mixed: Sizes | None
    """The output of attention."""
    gated: Sizes | None
    """Gate and up."""
    down: Sizes | None


UNASKED = InputSizes(None, None, None, None)
"""For products in floating point, which round no column."""

FACTOR = 6.0
"""A column is kept apart where its inputs or its weights are this many times the median of all columns'."""
MOST_SHARE = 1 / 8
"""Of more columns than this share the largest are kept apart: beyond it a product in two parts costs more than it saves."""


_NAMES = (
    "input_layernorm",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
    "self_attn.v_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
)


def columns_apart(weight: NDArray[np.float32], sizes: Sizes | None = None) -> NDArray[np.int64]:
    """The columns of a weight [out, in] that stay in floating point, ascending; mostly none."""
    measures = [np.sqrt(np.square(weight).mean(axis=0))]
    if sizes is not None:
        measures.append(sizes)
    ratios = np.max([each / max(float(np.median(each)), 1e-12) for each in measures], axis=0)
    found = np.flatnonzero(ratios > FACTOR)
    most = max(1, int(len(ratios) * MOST_SHARE))
    return found if len(found) <= most else np.sort(np.argsort(-ratios)[:most])


def layer_input_sizes(weights: Tensors, config: GemmaConfig) -> Iterator[InputSizes]:
    """Of each layer in order."""
    squares = (
        np.square(weights["embed_tokens.weight"][:: max(1, config.vocabulary // 4096)]).mean(axis=0) * config.width
    )
    for index in range(len(config.full_layers)):
        named = {name: weights[f"layers.{index}.{name}.weight"] for name in _NAMES}
        first = np.sqrt(squares) * np.abs(1.0 + named["input_layernorm"])
        values = np.sqrt(np.square(named["self_attn.v_proj"] * first).sum(axis=1))
        squares = squares + np.square(1.0 + named["post_attention_layernorm"])
        second = np.sqrt(squares) * np.abs(1.0 + named["pre_feedforward_layernorm"])
        gate, up = (np.sqrt(np.square(named[f"mlp.{name}"] * second).sum(axis=1)) for name in ("gate_proj", "up_proj"))
        yield InputSizes(first, np.tile(values, config.heads), second, gate * up)
        squares = squares + np.square(1.0 + named["post_feedforward_layernorm"])
