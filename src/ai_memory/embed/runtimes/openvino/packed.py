"""Attention over packed tokens and gated MLPs as OpenVINO nodes: what the graphs of both EmbeddingGemmas share.

n inputs with T tokens in one row, H query heads of D values, G heads of keys and values; b blocks of q queries and k keys
(`embed.runtimes.packing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.operations import Linear, Node, Weights
from ai_memory.embed.runtimes.openvino.outliers import InputSizes
from ai_memory.embed.runtimes.packing import AttentionPlan

_, ops = import_openvino()


class KindInputs:
    """The graph inputs that all layers of one kind (full or sliding) share: rotary angles and an attention plan."""

    def __init__(self, kind: str, heads: int, head_width: int, *, key_heads: int = 1, alike: bool = False) -> None:
        """`heads` are those of queries. `alike`: all queries of a block see the same keys, so the bias has one row."""
        self.name = kind
        self.heads = heads // key_heads
        """Query heads that share a head of keys and values."""
        self.key_heads = key_heads
        self.head_width = head_width
        self.alike = alike
        self._cosine = ops.parameter([-1, 1, 1, head_width], np.float32, name=f"{kind}.cosine")
        self._sine = ops.parameter([-1, 1, 1, head_width], np.float32, name=f"{kind}.sine")
        self._queries = ops.parameter([-1, -1], np.int32, name=f"{kind}.queries")
        self._keys = ops.parameter([-1, -1], np.int32, name=f"{kind}.keys")
        self._bias = ops.parameter([-1, 1 if alike else -1, 1, -1], np.float32, name=f"{kind}.bias")
        self._back = ops.parameter([-1], np.int32, name=f"{kind}.back")
        blocks, rows = ops.split(ops.shape_of(self._queries, "i64"), np.int64(0), 2).outputs()
        _, keys = ops.split(ops.shape_of(self._keys, "i64"), np.int64(0), 2).outputs()
        count = np.array([self.heads])
        self._spread = ops.concat([blocks, rows, count, keys], 0)
        """[b, q, H, k], the shape of the scores when the bias is added."""
        self._folded = ops.concat([blocks, ops.multiply(rows, count), keys], 0)
        """[b, q·H, k], the shape of the scores in the two products."""
        self.parameters = [self._cosine, self._sine, self._queries, self._keys, self._bias, self._back]

    def feed(
        self, plan: AttentionPlan, rotary: tuple[NDArray[np.float32], NDArray[np.float32]], positions: NDArray[np.int32]
    ) -> Mapping[str, Any]:
        """The values of `parameters` by name, for a plan split by heads of keys; `positions` [T] index the rotary tables."""
        cosine, sine = rotary
        return {
            f"{self.name}.cosine": cosine[positions][:, None, None, :],
            f"{self.name}.sine": sine[positions][:, None, None, :],
            f"{self.name}.queries": plan.queries,
            f"{self.name}.keys": plan.keys,
            f"{self.name}.bias": plan.bias[:, :1] if self.alike else plan.bias,
            f"{self.name}.back": plan.back,
        }

    def rotate(self, x: Node) -> Node:
        """x·cos + (-second half, first half)·sin, over the last axis of [T, heads, 1, D] (Su et al. 2021).

        Four axes, a split by lengths and a product with -1 are the pattern that OpenVINO recognises and fuses into one operation.
        """
        half = self.head_width // 2
        first, second = ops.variadic_split(x, np.int64(3), np.array([half, half])).outputs()
        turned = ops.concat([ops.multiply(second, np.float32(-1.0)), first], -1)
        return ops.add(ops.multiply(x, self._cosine), ops.multiply(turned, self._sine))

    def attend(self, query: Node, key: Node, value: Node) -> Node:
        """softmax(query·keyᵀ + bias)·value, the heads joined: [T, H, 1, D] and twice [T, G, 1, D] → [T, H·D].

        The query heads that share a key are rows of one product, so no key is repeated.
        """
        heads, width, axis = self.heads, self.head_width, np.int32(0)
        if self.key_heads > 1:
            # One row for each head of keys: gathering rows then separates the heads, without a transposition.
            query = _shaped(query, [-1, heads, 1, width])
            key, value = (_shaped(each, [-1, 1, 1, width]) for each in (key, value))
        # [b, q, H, 1, D] → [b, q·H, D]; keys and values [b, k, D]
        query = _shaped(ops.gather(query, self._queries, axis), [0, -1, width])
        key = _shaped(ops.gather(key, self._keys, axis), [0, -1, width])
        value = _shaped(ops.gather(value, self._keys, axis), [0, -1, width])
        scores = ops.matmul(query, key, False, True)
        if self.alike:
            # Without reshaping between the products OpenVINO fuses them: the scores of a long input are never stored whole.
            shares = ops.softmax(ops.add(scores, ops.squeeze(self._bias, np.array([1]))), 2)
        else:
            spread = ops.softmax(ops.add(ops.reshape(scores, self._spread, False), self._bias), 3)
            shares = ops.reshape(spread, self._folded, False)
        mixed = ops.matmul(shares, value, False, False)
        mixed = ops.gather(_shaped(mixed, [-1, heads * width]), self._back, axis)
        return mixed if self.key_heads == 1 else _shaped(mixed, [-1, self.key_heads * heads * width])


def gated(x: Node, weights: Mapping[str, Weights], sizes: InputSizes, linear: Linear) -> Node:
    """down(gelu(gate(x)) · up(x)): [T, W] → [T, W], GELU by the hyperbolic tangent.

    Separate products for gate and up, as for queries, keys and values: copying the parts out of one joined product takes longer
    than the joined product saves.
    """
    gate, up = (linear(x, weights[f"mlp.{name}.weight"], sizes=sizes.gated) for name in ("gate_proj", "up_proj"))
    return linear(ops.multiply(operations.gelu_tanh(gate), up), weights["mlp.down_proj.weight"], sizes=sizes.down)


def _shaped(x: Node, shape: list[int]) -> Node:
    return ops.reshape(x, np.array(shape), True)
