"""The operations that encoder graphs are built from, in OpenVINO's opset.

Shapes: B inputs, S tokens, H heads, D values per head and W = H·D values per token. All nodes are float32; the runtime's
precision hint decides the type of the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.runtimes.openvino.importing import import_openvino

_, ops = import_openvino()

Node: TypeAlias = Any
"""A node of an OpenVINO graph."""
Weights = NDArray[np.float32]


class Linear(Protocol):
    """Builds a layer's product x·weightᵀ + bias; implementations store the weight in different forms."""

    def __call__(self, x: Node, weight: Weights, bias: Weights | None = None, sizes: Weights | None = None) -> Node:
        """X [..., in], weight [out, in], bias [out] → [..., out]. `sizes` [in] is the approximate magnitude of each value of x."""
        ...


@dataclass(frozen=True)
class Graph:
    """A model to compile, and its feed. The one output is unit vectors, float32 [n, dimension]."""

    model: Any
    """An `openvino.Model`."""
    feed: Callable[[Sequence[Sequence[int]]], Mapping[str, Any]]
    """Turns n inputs of token ids, none empty, into arrays by the names of the model's parameters."""
    release: Callable[[], None] | None = None
    """Frees what was read of the weights' file and is not needed once the model is compiled, if `feed` reads from that file."""
    padded: bool = False
    """Whether `feed` pads inputs to the longest one."""


def part(weights: Mapping[str, Weights], prefix: str) -> dict[str, Weights]:
    """The weights whose names start with `prefix`, by their names without it; the arrays, of any shape, are shared, not copied."""
    return {name.removeprefix(prefix): weights[name] for name in weights if name.startswith(prefix)}


def constant(array: Weights) -> Node:
    """A constant node of any shape that shares the memory of a contiguous float32 array; others are converted first."""
    return ops.constant(np.ascontiguousarray(array, dtype=np.float32), shared_memory=True)


def linear(x: Node, weight: Weights, bias: Weights | None = None, sizes: Weights | None = None) -> Node:
    """x·weightᵀ + bias: [..., in] → [..., out], the weight as in PyTorch, [out, in]; `sizes` is ignored."""
    del sizes
    product = ops.matmul(x, constant(weight), False, True)
    return product if bias is None else ops.add(product, constant(bias))


def rms_norm(x: Node, weight: Weights, epsilon: float) -> Node:
    """X / sqrt(mean(x²) + epsilon) · weight over the last axis (Zhang and Sennrich 2019): [..., W] → [..., W].

    It is computed in float32, whatever the precision of the rest.
    """
    squares = ops.reduce_mean(ops.power(x, np.float32(2.0)), np.array([-1]), True)
    shrink = ops.divide(np.float32(1.0), ops.sqrt(ops.add(squares, np.float32(epsilon))))
    return ops.multiply(constant(weight), ops.multiply(x, shrink))


def gelu_tanh(x: Node) -> Node:
    """GELU by the hyperbolic tangent, x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))) (Hendrycks and Gimpel 2016), of each element.

    Written with the logistic function, (1 + tanh u)/2 = logistic(2u): OpenVINO's tanh uses table look-ups, and where gathers
    are slow (AVX2 on AMD) its GELU operation takes three times as long, 4 % of a pass.
    """
    steepness = 2.0 * math.sqrt(2.0 / math.pi)
    inner = ops.add(ops.multiply(ops.multiply(x, x), np.float32(0.044715 * steepness)), np.float32(steepness))
    return ops.multiply(x, ops.sigmoid(ops.multiply(x, inner)))


def layer_norm(x: Node, weight: Weights, bias: Weights, epsilon: float) -> Node:
    """(x - mean) / sqrt(variance + epsilon) · weight + bias over the last axis (Ba et al. 2016): [..., W] → [..., W]."""
    centred = ops.mvn(x, np.array([-1], np.int64), True, epsilon, "inside_sqrt")
    return ops.add(ops.multiply(centred, constant(weight)), constant(bias))


def split_heads(x: Node, parts: int, heads: int) -> list[Node]:
    """[B, S, parts·W] → `parts` nodes of [B, H, S, D]: the queries, keys and values of one joined product."""
    width = x.get_output_partial_shape(0)[2].get_length() // parts
    spread = ops.reshape(x, np.array([0, 0, parts, heads, width // heads]), True)
    apart = ops.split(ops.transpose(spread, np.array([2, 0, 3, 1, 4])), 0, parts)
    return [ops.squeeze(output, np.array([0])) for output in apart.outputs()]


def attention(query: Node, key: Node, value: Node, bias: Node) -> Node:
    """softmax(query·keyᵀ / sqrt(D) + bias)·value, then the heads joined: three [B, H, S, D] → [B, S, W] (Vaswani et al. 2017).

    `bias` broadcasts to [B, H, S, S].
    """
    shape = value.get_output_partial_shape(0)
    width = shape[1].get_length() * shape[3].get_length()
    mixed = ops.scaled_dot_product_attention(query, key, value, bias)
    return ops.reshape(ops.transpose(mixed, np.array([0, 2, 1, 3])), np.array([0, 0, width]), True)


def padding_bias(mask: Node) -> Node:
    """[B, S], 1 for tokens and 0 for padding → [B, 1, 1, S], 0 and -1e9, to be added before the softmax."""
    return ops.unsqueeze(ops.multiply(ops.subtract(mask, np.float32(1.0)), np.float32(1e9)), np.array([1, 2]))


def mean_pooling(x: Node, mask: Node) -> Node:
    """The mean over tokens, without padding: [B, S, W] and mask [B, S] → [B, W]. Each input has at least one token."""
    weights = ops.unsqueeze(mask, np.array([2]))
    total = ops.reduce_sum(ops.multiply(x, weights), np.array([1]))
    return ops.divide(total, ops.reduce_sum(weights, np.array([1])))


def unit_length(x: Node) -> Node:
    """Each row divided by its Euclidean length, at least 1e-12 (as torch.nn.functional.normalize): [B, W] → [B, W]."""
    return ops.normalize_l2(x, np.array([1]), 1e-24, "max")
