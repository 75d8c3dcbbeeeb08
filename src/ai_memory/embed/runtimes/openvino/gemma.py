"""EmbeddingGemma as an OpenVINO graph over packed tokens.

n inputs with T tokens in one row, W values per token, H heads of D values. The token embeddings are looked up outside the
graph, in the mapped file: of the 800 MB table only the needed rows are read, and it is never compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.models.gemma import GemmaConfig, Tensors, read_config, read_weights, rotary_table
from ai_memory.embed.models.weights import WordTable
from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.operations import Graph, Linear, Node
from ai_memory.embed.runtimes.openvino.outliers import NO_SIZES, InputSizes, layer_input_sizes
from ai_memory.embed.runtimes.openvino.packed import KindInputs, gated
from ai_memory.embed.runtimes.packing import pack

ov, ops = import_openvino()


def build_gemma(folder: ModelFolder, linear: Linear) -> Graph:
    """The graph of token embeddings float32 [T, W] → unit vectors float32 [n, dimension], and its feed from token ids.

    `linear` builds the products of the layers; the Dense modules stay in floating point. Raises ModelFilesError if the
    configuration is not supported or the weights do not match it.
    """
    config = read_config(folder)
    weights, dense = read_weights(folder, config)
    table = weights.table("embed_tokens.weight")
    tokens = ops.parameter([-1, config.width], np.float32, name="tokens")
    mean = ops.parameter([-1, -1], np.float32, name="mean")
    kinds = {
        full: KindInputs("full" if full else "sliding", config.heads, config.head_width)
        for full in sorted(set(config.full_layers))
    }
    x: Node = tokens
    # Estimating input sizes reads every weight once more, so it is done only if columns are quantised by them.
    exact = linear is operations.linear
    layer_sizes = repeat(NO_SIZES, len(config.full_layers)) if exact else layer_input_sizes(weights, table, config)
    for index, sizes in enumerate(layer_sizes):
        layer = operations.part(weights, f"layers.{index}.")
        x = _layer(x, layer, sizes, kinds[config.full_layers[index]], config, linear)
    x = ops.matmul(mean, _norm(x, weights["norm.weight"], config), False, False)
    for weight in dense:
        x = operations.linear(x, weight)
    parameters = [tokens, mean, *(each for kind in kinds.values() for each in kind.parameters)]
    model = ov.Model([operations.unit_length(x)], parameters, folder.name)
    return Graph(model, _Feeder(config, kinds, table, folder.max_tokens), table.release)


class _Feeder:
    """Turns token ids into the graph's inputs."""

    def __init__(self, config: GemmaConfig, kinds: Mapping[bool, KindInputs], table: WordTable, longest: int) -> None:
        self._kinds = kinds
        self._reach = config.reach
        self._table = table
        self._scale = np.float32(config.embedding_scale)
        bases = {True: config.full_base, False: config.sliding_base}
        self._rotary = {full: rotary_table(longest, config.head_width, bases[full]) for full in kinds}

    def __call__(self, inputs: Sequence[Sequence[int]]) -> Mapping[str, Any]:
        packed = pack(inputs, self._reach)
        feed: dict[str, Any] = {"tokens": self._table.rows(packed.ids) * self._scale, "mean": packed.mean}
        for full, kind in self._kinds.items():
            plan = packed.full if full else packed.sliding
            feed.update(kind.feed(plan, self._rotary[full], packed.positions))
        return feed


def _layer(x: Node, weights: Tensors, sizes: InputSizes, kind: KindInputs, config: GemmaConfig, linear: Linear) -> Node:
    """[T, W] → [T, W]: x + norm(attention(norm(x))), then x + norm(mlp(norm(x)))."""
    attended = _attention(_norm(x, weights["input_layernorm.weight"], config), weights, sizes, kind, config, linear)
    x = ops.add(x, _norm(attended, weights["post_attention_layernorm.weight"], config))
    inner = gated(_norm(x, weights["pre_feedforward_layernorm.weight"], config), weights, sizes, linear)
    return ops.add(x, _norm(inner, weights["post_feedforward_layernorm.weight"], config))


def _attention(
    x: Node, weights: Tensors, sizes: InputSizes, kind: KindInputs, config: GemmaConfig, linear: Linear
) -> Node:
    """[T, W] → [T, W]; all heads share one key and value."""
    heads, width = config.heads, config.head_width
    query, key, value = (
        ops.reshape(
            linear(x, weights[f"self_attn.{name}.weight"], sizes=sizes.attention), np.array([0, count, 1, width]), True
        )
        for name, count in (("q_proj", heads), ("k_proj", 1), ("v_proj", 1))
    )
    # The factor of the scores is multiplied into the norm's gain: one multiplication less over all queries.
    gain = (1.0 + weights["self_attn.q_norm.weight"]) * np.float32(config.score_scale)
    query = kind.rotate(operations.rms_norm(query, gain, config.epsilon))
    key = kind.rotate(_norm(key, weights["self_attn.k_norm.weight"], config))
    mixed = kind.attend(query, key, value)
    return linear(mixed, weights["self_attn.o_proj.weight"], sizes=sizes.mixed)


def _norm(x: Node, weight: NDArray[np.float32], config: GemmaConfig) -> Node:
    return operations.rms_norm(x, 1.0 + weight, config.epsilon)
