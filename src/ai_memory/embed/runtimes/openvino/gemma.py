"""EmbeddingGemma as an OpenVINO graph over packed tokens.

n inputs with T tokens in one row, W values per token, H heads of D values. The token embeddings are looked up outside the
graph, in the mapped file: of the 800 MB table only the needed rows are read, and it is never compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.models.gemma import GemmaConfig, Tensors, read_config, read_weights, rotary_table
from ai_memory.embed.models.weights import release_pages
from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.operations import Graph, Linear, Node
from ai_memory.embed.runtimes.openvino.outliers import NO_SIZES, InputSizes, layer_input_sizes
from ai_memory.embed.runtimes.packing import AttentionPlan, pack

ov, ops = import_openvino()


def build_gemma(folder: ModelFolder, linear: Linear) -> Graph:
    """The graph of token embeddings float32 [T, W] → unit vectors float32 [n, dimension], and its feed from token ids.

    `linear` builds the products of the layers; the Dense modules stay in floating point. Raises ModelFilesError if the
    configuration is not supported or the weights do not match it.
    """
    config = read_config(folder)
    weights, dense = read_weights(folder, config)
    tokens = ops.parameter([-1, config.width], np.float32, name="tokens")
    mean = ops.parameter([-1, -1], np.float32, name="mean")
    kinds = {
        full: _KindInputs("full" if full else "sliding", config.heads, config.head_width) for full in (True, False)
    }
    x: Node = tokens
    # Estimating input sizes reads every weight once more, so it is done only if columns are quantised by them.
    exact = linear is operations.linear
    layer_sizes = repeat(NO_SIZES, len(config.full_layers)) if exact else layer_input_sizes(weights, config)
    for index, sizes in enumerate(layer_sizes):
        layer = operations.part(weights, f"layers.{index}.")
        x = _layer(x, layer, sizes, kinds[config.full_layers[index]], config, linear)
    x = ops.matmul(mean, _norm(x, weights["norm.weight"], config), False, False)
    for weight in dense:
        x = operations.linear(x, weight)
    used = [kinds[full] for full in sorted(set(config.full_layers))]
    parameters = [tokens, mean, *(each for kind in used for each in kind.parameters)]
    model = ov.Model([operations.unit_length(x)], parameters, folder.name)
    table = weights["embed_tokens.weight"]
    return Graph(model, _Feeder(config, table, folder.max_tokens), partial(release_pages, table))


class _KindInputs:
    """The graph inputs that all layers of one kind (full or sliding) share: rotary angles and an attention plan."""

    def __init__(self, kind: str, heads: int, head_width: int) -> None:
        self.cosine = ops.parameter([-1, 1, 1, head_width], np.float32, name=f"{kind}.cosine")
        self.sine = ops.parameter([-1, 1, 1, head_width], np.float32, name=f"{kind}.sine")
        self.queries = ops.parameter([-1, -1], np.int32, name=f"{kind}.queries")
        self.keys = ops.parameter([-1, -1], np.int32, name=f"{kind}.keys")
        self.bias = ops.parameter([-1, -1, 1, -1], np.float32, name=f"{kind}.bias")
        self.back = ops.parameter([-1], np.int32, name=f"{kind}.back")
        blocks, rows, _, keys = ops.split(ops.shape_of(self.bias, "i64"), np.int64(0), 4).outputs()
        self.spread = ops.concat([blocks, rows, np.array([heads]), keys], 0)
        """[b, q, H, k], the shape of the scores when the bias is added."""
        self.folded = ops.concat([blocks, ops.multiply(rows, np.array([heads])), keys], 0)
        """[b, q·H, k], the shape of the scores in the two products."""
        self.parameters = [self.cosine, self.sine, self.queries, self.keys, self.bias, self.back]


class _Feeder:
    """Turns token ids into the graph's inputs."""

    def __init__(self, config: GemmaConfig, table: NDArray[np.float32], longest: int) -> None:
        self._reach = config.reach
        self._table = table
        self._scale = np.float32(config.embedding_scale)
        self._rotary = {
            "full": rotary_table(longest, config.head_width, config.full_base),
            "sliding": rotary_table(longest, config.head_width, config.sliding_base),
        }
        kinds = {True: "full", False: "sliding"}
        self._kinds = [kinds[full] for full in sorted(set(config.full_layers))]

    def __call__(self, inputs: Sequence[Sequence[int]]) -> Mapping[str, Any]:
        packed = pack(inputs, self._reach)
        plans: dict[str, AttentionPlan] = {"full": packed.full, "sliding": packed.sliding}
        feed: dict[str, Any] = {"tokens": self._table[packed.ids] * self._scale, "mean": packed.mean}
        for kind in self._kinds:
            cosine, sine = self._rotary[kind]
            plan = plans[kind]
            feed[f"{kind}.cosine"] = cosine[packed.positions][:, None, None, :]
            feed[f"{kind}.sine"] = sine[packed.positions][:, None, None, :]
            feed[f"{kind}.queries"], feed[f"{kind}.keys"] = plan.queries, plan.keys
            feed[f"{kind}.bias"], feed[f"{kind}.back"] = plan.bias, plan.back
        return feed


def _layer(
    x: Node, weights: Tensors, sizes: InputSizes, kind: _KindInputs, config: GemmaConfig, linear: Linear
) -> Node:
    """[T, W] → [T, W]: x + norm(attention(norm(x))), then x + norm(mlp(norm(x)))."""
    attended = _attention(_norm(x, weights["input_layernorm.weight"], config), weights, sizes, kind, config, linear)
    x = ops.add(x, _norm(attended, weights["post_attention_layernorm.weight"], config))
    inner = _gated(_norm(x, weights["pre_feedforward_layernorm.weight"], config), weights, sizes, linear)
    return ops.add(x, _norm(inner, weights["post_feedforward_layernorm.weight"], config))


def _attention(
    x: Node, weights: Tensors, sizes: InputSizes, kind: _KindInputs, config: GemmaConfig, linear: Linear
) -> Node:
    """[T, W] → [T, W]. All heads share one key and value, so the heads of a query are rows of one product; no key is repeated.

    Separate products for queries, keys and values, and for gate and up in `_gated`: copying the parts out of one joined product
    takes longer than the joined product saves.
    """
    heads, width = config.heads, config.head_width
    query, key, value = (
        ops.reshape(
            linear(x, weights[f"self_attn.{name}.weight"], sizes=sizes.attention), np.array([0, count, 1, width]), True
        )
        for name, count in (("q_proj", heads), ("k_proj", 1), ("v_proj", 1))
    )
    # The factor of the scores is multiplied into the norm's gain: one multiplication less over all queries.
    gain = (1.0 + weights["self_attn.q_norm.weight"]) * np.float32(config.score_scale)
    query = _rotate(operations.rms_norm(query, gain, config.epsilon), kind)
    key = _rotate(_norm(key, weights["self_attn.k_norm.weight"], config), kind)
    axis = np.int32(0)
    # [b, q, H, 1, D] → [b, q·H, D]; keys and values [b, k, D]
    query = _merge(ops.gather(query, kind.queries, axis), [0, -1, width])
    key = _merge(ops.gather(key, kind.keys, axis), [0, -1, width])
    value = _merge(ops.gather(value, kind.keys, axis), [0, -1, width])
    scores = ops.reshape(ops.matmul(query, key, False, True), kind.spread, False)
    shares = ops.softmax(ops.add(scores, kind.bias), 3)
    mixed = ops.matmul(ops.reshape(shares, kind.folded, False), value, False, False)
    mixed = ops.gather(_merge(mixed, [-1, heads * width]), kind.back, axis)
    return linear(mixed, weights["self_attn.o_proj.weight"], sizes=sizes.mixed)


def _merge(x: Node, shape: list[int]) -> Node:
    return ops.reshape(x, np.array(shape), True)


def _rotate(x: Node, kind: _KindInputs) -> Node:
    """x·cos + (-second half, first half)·sin, over the last axis of [T, heads, 1, D] (Su et al. 2021).

    Four axes, a split by lengths and a product with -1 are the pattern that OpenVINO recognises and fuses into one operation.
    """
    half = x.get_output_partial_shape(0)[3].get_length() // 2
    first, second = ops.variadic_split(x, np.int64(3), np.array([half, half])).outputs()
    turned = ops.concat([ops.multiply(second, np.float32(-1.0)), first], -1)
    return ops.add(ops.multiply(x, kind.cosine), ops.multiply(turned, kind.sine))


def _gated(x: Node, weights: Tensors, sizes: InputSizes, linear: Linear) -> Node:
    """down(gelu(gate(x)) · up(x)): [T, W] → [T, W], GELU by the hyperbolic tangent."""
    gate, up = (linear(x, weights[f"mlp.{name}.weight"], sizes=sizes.gated) for name in ("gate_proj", "up_proj"))
    return linear(ops.multiply(operations.gelu_tanh(gate), up), weights["mlp.down_proj.weight"], sizes=sizes.down)


def _norm(x: Node, weight: NDArray[np.float32], config: GemmaConfig) -> Node:
    return operations.rms_norm(x, 1.0 + weight, config.epsilon)
