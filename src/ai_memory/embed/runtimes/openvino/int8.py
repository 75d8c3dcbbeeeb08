"""Products with weights of 8 bits, in the forms that OpenVINO multiplies fast: one for VNNI and AMX, one for AVX2.

T tokens, `in` and `out` values of a token. Weights are rounded symmetrically, with one scale an output value. Columns that would
spoil the scale of their neighbours are multiplied apart, in floating point (`embed.outliers`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.operations import Linear, Node, Weights
from ai_memory.embed.runtimes.openvino.outliers import columns_apart
from ai_memory.embed.runtimes.processor import adds_bytes_in_pairs

_, ops = import_openvino()

Product: TypeAlias = Callable[[Node, Weights], Node]
"""x·weightᵀ from x [T, in] and weight [out, in], every column rounded to 8 bits."""

_LEVELS = 127.0
"""An input becomes one of the integers from -127 to 127, and so does a weight."""
_PAIR = 128.0
"""The most that the sizes of two neighbouring weights add up to; 129 once rounded, and 254 · 129 still fits 16 bits with a sign."""


def linear_int8() -> Linear:
    """As `operations.linear` for x [T, in], in the form that is fast on this processor."""
    return by(paired_product if adds_bytes_in_pairs() else restored_product)


def by(product: Product) -> Linear:
    """As `operations.linear`, with `product` for all columns but those that stay in floating point."""

    def linear(x: Node, weight: Weights, bias: Weights | None = None, sizes: Weights | None = None) -> Node:
        apart = columns_apart(weight, sizes)
        if not len(apart):
            whole = product(x, weight)
        else:
            rest = np.ones(weight.shape[1], np.float32)
            rest[apart] = 0.0
            few = ops.gather(x, apart.astype(np.int32), np.int32(-1))
            rounded = product(ops.multiply(x, operations.constant(rest)), weight * rest)
            whole = ops.add(rounded, operations.linear(few, weight[:, apart]))
        return whole if bias is None else ops.add(whole, operations.constant(bias))

    return linear


def restored_product(x: Node, weight: Weights) -> Node:
    """Weights that are restored where they are used: with VNNI or AMX the runtime quantises x as it goes and multiplies bytes.

    Elsewhere it multiplies in float32, no faster than with weights of float32.
    """
    scale = _scale(np.abs(weight).max(axis=1, keepdims=True))
    restored = ops.multiply(ops.convert(ops.constant(_rounded(weight, scale)), "f32"), operations.constant(scale))
    return ops.matmul(x, restored, False, True)


def paired_product(x: Node, weight: Weights) -> Node:
    """A convolution of size 1 over bytes, x rounded with one scale a token: the form for AVX2.

    AVX2 multiplies bytes without a sign by bytes with one and adds two neighbouring products before it widens them, so weights are
    scaled until no two neighbours can overflow. The inputs get their offset of 127 here and its share of the sum back as a bias:
    left to the runtime, an offset costs a bit of the weights. 256 levels, of which one is never used, because the
    runtime rounds weights anew for 255.
    """
    sizes = np.abs(weight)
    pairs = sizes[:, ::2].copy()
    pairs[:, : sizes.shape[1] // 2] += sizes[:, 1::2]
    scale = np.maximum(_scale(pairs.max(axis=1, keepdims=True), _PAIR), _scale(sizes.max(axis=1, keepdims=True)))
    rounded = _rounded(weight, scale)
    last = np.array([-1])
    largest = ops.maximum(ops.reduce_max(x, last, True), ops.negative(ops.reduce_min(x, last, True)))
    step = ops.maximum(ops.multiply(largest, np.float32(1.0 / _LEVELS)), np.float32(1e-30))
    levels = ops.unsqueeze(ops.divide(x, step), np.array([0, 1]))
    ends = [np.full((1, 1, 1, 1), value, np.float32) for value in (-_LEVELS, 255.0 - _LEVELS, 0.0, 255.0)]
    # [1, 1, T, in] → [1, in, 1, T], what a convolution reads, and back. The way back is written so that OpenVINO copies rows:
    # for the order that comes to mind, (0, 2, 3, 1), its code for images takes five times as long.
    bytes_ = ops.transpose(ops.fake_quantize(levels, *ends, 256), np.array([0, 3, 1, 2]))
    kernel = ops.multiply(
        ops.convert(ops.constant(rounded[:, :, None, None]), "f32"), operations.constant(scale[:, :, None, None])
    )
    sums_of_bytes = ops.convolution(bytes_, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
    offset = -_LEVELS * scale * rounded.sum(axis=1, keepdims=True, dtype=np.int64)
    product = ops.add(sums_of_bytes, ops.constant(offset.astype(np.float32).reshape(1, -1, 1, 1)))
    rows = ops.squeeze(ops.transpose(product, np.array([2, 0, 3, 1])), np.array([0, 1]))
    return ops.multiply(rows, step)


def _scale(largest: Weights, levels: float = _LEVELS) -> Weights:
    """What one level is worth; 1 for rows of zeros, and no number where a weight is none."""
    return np.where(largest == 0, 1.0, largest / levels).astype(np.float32)


def _rounded(weight: Weights, scale: Weights) -> NDArray[np.int8]:
    # A weight that is no number has made the scale none, and so the product: the runtime refuses it.
    with np.errstate(invalid="ignore"):
        rounded: NDArray[np.int8] = np.rint(weight / scale).astype(np.int8)
    return rounded
