"""The few operations that encoder graphs are made of, in OpenVINO's terms.

Shapes are written with B inputs, S tokens, H heads, D values a head and W = H·D values a token. All values are float32;
the runtime's precision hint decides what the machine computes in.
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
Weights = NDArray[np.float32]


class Linear(Protocol):
    """How a layer's products are made: x·weightᵀ + bias, in whatever form the weight is kept."""

    def __call__(self, x: Node, weight: Weights, bias: Weights | None = None, sizes: Weights | None = None) -> Node:
        """From x [..., in] and the weight [out, in] to [..., out]. `sizes` (in,) says about how large each value of x is."""
        ...


@dataclass(frozen=True)
class Graph:
    """A model to compile, and what turns token ids into its inputs. Its one output is unit vectors, float32 [n, dimension]."""

    model: Any
    """An `openvino.Model`."""
    feed: Callable[[Sequence[Sequence[int]]], Mapping[str, Any]]
    """From n inputs of token ids, none empty, to arrays by the names of the model's parameters."""
    table: Weights | None = None
    """Token embeddings that `feed` reads, where they are not part of the model."""
    padded: bool = False
    """Whether `feed` pads inputs to the longest."""


def part(weights: Mapping[str, Weights], prefix: str) -> dict[str, Weights]:
    """The weights below `prefix`, under their names without it."""
    return {name.removeprefix(prefix): array for name, array in weights.items() if name.startswith(prefix)}


def constant(array: Weights) -> Node:
    """A weight, shared with the array and not copied."""
    return ops.constant(np.ascontiguousarray(array, dtype=np.float32), shared_memory=True)


def linear(x: Node, weight: Weights, bias: Weights | None = None, sizes: Weights | None = None) -> Node:
    """x·weightᵀ + bias: [..., in] → [..., out], the weight as PyTorch keeps it, [out, in]; `sizes` makes no difference."""
    del sizes
    product = ops.matmul(x, constant(weight), False, True)
    return product if bias is None else ops.add(product, constant(bias))


def rms_norm(x: Node, weight: Weights, epsilon: float) -> Node:
    """X / sqrt(mean(x²) + epsilon) · weight over the last axis (Zhang and Sennrich 2019), in float32 whatever the rest is in."""
    squares = ops.reduce_mean(ops.power(x, np.float32(2.0)), np.array([-1]), True)
    shrink = ops.divide(np.float32(1.0), ops.sqrt(ops.add(squares, np.float32(epsilon))))
    return ops.multiply(constant(weight), ops.multiply(x, shrink))


def gelu_tanh(x: Node) -> Node:
    """GELU by the hyperbolic tangent, x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))) (Hendrycks and Gimpel 2016), elementwise.

    Written with the logistic function, (1 + tanh u)/2 = logistic(2u): OpenVINO's tanh looks values up in a table, and where
    gathers are slow (AVX2 on AMD) its own GELU takes three times as long, 4 % of a pass.
    """
    steepness = 2.0 * math.sqrt(2.0 / math.pi)
    inner = ops.add(ops.multiply(ops.multiply(x, x), np.float32(0.044715 * steepness)), np.float32(steepness))
    return ops.multiply(x, ops.sigmoid(ops.multiply(x, inner)))


def layer_norm(x: Node, weight: Weights, bias: Weights, epsilon: float) -> Node:
    """(x - mean) / sqrt(variance + epsilon) · weight + bias over the last axis (Ba et al. 2016)."""
    centred = ops.mvn(x, np.array([-1], np.int64), True, epsilon, "inside_sqrt")
    return ops.add(ops.multiply(centred, constant(weight)), constant(bias))


def split_heads(x: Node, parts: int, heads: int) -> list[Node]:
    """[B, S, parts·W] → `parts` nodes of [B, H, S, D]: queries, keys and values out of one product."""
    width = x.get_output_partial_shape(0)[2].get_length() // parts
    spread = ops.reshape(x, np.array([0, 0, parts, heads, width // heads]), True)
    apart = ops.split(ops.transpose(spread, np.array([2, 0, 3, 1, 4])), 0, parts)
    return [ops.squeeze(output, np.array([0])) for output in apart.outputs()]


def attention(query: Node, key: Node, value: Node, bias: Node) -> Node:
    """softmax(query·keyᵀ / sqrt(D) + bias)·value with the heads put together again: [B, H, S, D] → [B, S, W]."""
    shape = value.get_output_partial_shape(0)
    width = shape[1].get_length() * shape[3].get_length()
    mixed = ops.scaled_dot_product_attention(query, key, value, bias)
    return ops.reshape(ops.transpose(mixed, np.array([0, 2, 1, 3])), np.array([0, 0, width]), True)


def padding_bias(mask: Node) -> Node:
    """[B, S] of 1 for tokens and 0 for padding → [B, 1, 1, S] of 0 and -1e9, to be added before the softmax."""
    return ops.unsqueeze(ops.multiply(ops.subtract(mask, np.float32(1.0)), np.float32(1e9)), np.array([1, 2]))


def mean_pooling(x: Node, mask: Node) -> Node:
    """The mean over the tokens that are no padding: [B, S, W] and [B, S] → [B, W]. Each input has at least one token."""
    weights = ops.unsqueeze(mask, np.array([2]))
    total = ops.reduce_sum(ops.multiply(x, weights), np.array([1]))
    return ops.divide(total, ops.reduce_sum(weights, np.array([1])))


def unit_length(x: Node) -> Node:
    """Each row divided by its Euclidean length, which is taken as at least 1e-12 (as torch.nn.functional.normalize)."""
    return ops.normalize_l2(x, np.array([1]), 1e-24, "max")
