"""Products with weights of 8 bits, in the forms that OpenVINO executes fast: one for VNNI and AMX, one for AVX2.

T tokens with `in` values each before a product and `out` values after it. Weights are rounded symmetrically, with one scale per
output value. Outlier columns, which would spoil that scale for all others, are multiplied separately in floating point
(`embed.runtimes.openvino.outliers`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.operations import Linear, Node, Weights
from ai_memory.embed.runtimes.openvino.outliers import outlier_columns
from ai_memory.embed.runtimes.processor import adds_bytes_in_pairs

_, ops = import_openvino()

Product: TypeAlias = Callable[[Node, Weights], Node]
"""x [..., in], weight [out, in] → x·weightᵀ [..., out], every column rounded to 8 bits."""

_LEVELS = 127.0
"""Inputs and weights become integers from -127 to 127."""
_PAIR = 128.0
"""Limit of the sum of two neighbouring absolute weights; at most 129 after rounding, and 254 · 129 = 32,766 fits signed 16 bits."""


def linear_int8() -> Linear:
    """As `operations.linear`, in the form that is fastest on this processor."""
    return with_outliers(paired_product if adds_bytes_in_pairs() else restored_product)


def with_outliers(product: Product) -> Linear:
    """As `operations.linear`, with `product` for all columns except the outliers, which stay in floating point."""

    def linear(x: Node, weight: Weights, bias: Weights | None = None, sizes: Weights | None = None) -> Node:
        outliers = outlier_columns(weight, sizes)
        if not len(outliers):
            whole = product(x, weight)
        else:
            rest = np.ones(weight.shape[1], np.float32)
            rest[outliers] = 0.0
            few = ops.gather(x, outliers.astype(np.int32), np.int32(-1))
            # The outliers of x are zeroed too, not only those of the weight: they would set the scale x is quantised with.
            rounded = product(ops.multiply(x, operations.constant(rest)), weight * rest)
            whole = ops.add(rounded, operations.linear(few, weight[:, outliers]))
        return whole if bias is None else ops.add(whole, operations.constant(bias))

    return linear


def restored_product(x: Node, weight: Weights) -> Node:
    """The form for VNNI and AMX, [..., in] and weight [out, in] → [..., out]: int8 weights times their scale.

    The runtime quantises x at run time and multiplies bytes.
    Without these instructions it multiplies in float32, no faster than with float32 weights.
    """
    scale = _scale(np.abs(weight).max(axis=1, keepdims=True))
    restored = ops.multiply(ops.convert(ops.constant(_rounded(weight, scale)), "f32"), operations.constant(scale))
    return ops.matmul(x, restored, False, True)


def paired_product(x: Node, weight: Weights) -> Node:
    """The form for AVX2, [..., in] and weight [out, in] → [..., out]: a convolution of size 1 over bytes, one scale of x per token.

    AVX2 multiplies unsigned by signed bytes and adds two neighbouring products in 16 bits before it widens them, so weights are
    scaled until no two neighbours can overflow. The unsigned inputs are x / scale + 127, and the offset's share of each sum is
    subtracted again as a bias: an offset applied by the runtime would cost one bit of the weights. There are 256 levels, of which
    one is never used, because with 255 the runtime would round the weights a second time.
    """
    sizes = np.abs(weight)
    # |w0| + |w1|, |w2| + |w3|, …: with an odd `in` the last weight has no neighbour.
    pairs = sizes[:, ::2].copy()
    pairs[:, : sizes.shape[1] // 2] += sizes[:, 1::2]
    scale = np.maximum(_scale(pairs.max(axis=1, keepdims=True), _PAIR), _scale(sizes.max(axis=1, keepdims=True)))
    rounded = _rounded(weight, scale)
    shape = ops.shape_of(x, "i64")
    x = ops.reshape(x, np.array([-1, weight.shape[1]]), False)  # BERT's x is [B, S, in]
    last = np.array([-1])
    largest = ops.maximum(ops.reduce_max(x, last, True), ops.negative(ops.reduce_min(x, last, True)))
    # 1e-30 keeps a token of zeros from dividing by zero.
    step = ops.maximum(ops.multiply(largest, np.float32(1.0 / _LEVELS)), np.float32(1e-30))
    levels = ops.unsqueeze(ops.divide(x, step), np.array([0, 1]))
    ends = [np.full((1, 1, 1, 1), value, np.float32) for value in (-_LEVELS, 255.0 - _LEVELS, 0.0, 255.0)]
    # [1, 1, T, in] → [1, in, 1, T], the layout of a convolution, and back. The order on the way back lets OpenVINO copy rows:
    # for the obvious order, (0, 2, 3, 1), it chooses its code for images, which takes five times as long.
    bytes_ = ops.transpose(ops.fake_quantize(levels, *ends, 256), np.array([0, 3, 1, 2]))
    kernel = ops.multiply(
        ops.convert(ops.constant(rounded[:, :, None, None]), "f32"), operations.constant(scale[:, :, None, None])
    )
    sums_of_bytes = ops.convolution(bytes_, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
    offset = -_LEVELS * scale * rounded.sum(axis=1, keepdims=True, dtype=np.int64)
    product = ops.add(sums_of_bytes, ops.constant(offset.astype(np.float32).reshape(1, -1, 1, 1)))
    rows = ops.multiply(ops.squeeze(ops.transpose(product, np.array([2, 0, 3, 1])), np.array([0, 1])), step)
    zero, one = np.array([0]), np.array([1])
    return ops.reshape(rows, ops.concat([ops.slice(shape, zero, last, one, zero), np.array([len(weight)])], 0), False)


def _scale(largest: Weights, levels: float = _LEVELS) -> Weights:
    """The value of one level per row, shape of `largest` (out, 1); 1 for rows of zeros, NaN for rows with a NaN."""
    return np.where(largest == 0, 1.0, largest / levels).astype(np.float32)


def _rounded(weight: Weights, scale: Weights) -> NDArray[np.int8]:
    # A NaN weight has made the scale NaN, and with it the product, which `forward` refuses; the cast itself must not warn.
    with np.errstate(invalid="ignore"):
        rounded: NDArray[np.int8] = np.rint(weight / scale).astype(np.int8)
    return rounded
