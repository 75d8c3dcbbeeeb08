"""EmbeddingGemma 2 as an OpenVINO graph over packed tokens (`embed.models.embedding_gemma2` has what differs from the first).

n inputs with T tokens in one row, W values per token, S of a layer's signal. The token embeddings are looked up outside the graph,
in the mapped file: of the table of 537 MB (268 in bfloat16) only the needed rows are read, and it is never compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from ai_memory.embed.models.embedding_gemma2 import WORDS, Gemma2Config, embedding_scale, read_config, read_weights
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.models.gemma import rotary_table
from ai_memory.embed.models.weights import WordTable
from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.operations import Graph, Linear, Node, Weights
from ai_memory.embed.runtimes.openvino.outliers import NO_SIZES, InputSizes, second_input_sizes
from ai_memory.embed.runtimes.openvino.packed import KindInputs, gated
from ai_memory.embed.runtimes.packing import pack, split_key_heads

ov, ops = import_openvino()


def build_embedding_gemma2(folder: ModelFolder, linear: Linear, *, bfloat16: bool = False) -> Graph:
    """The graph of token embeddings float32 [T, W] → unit vectors float32 [n, dimension], and its feed from token ids.

    `linear` builds the products of the layers; the last one, of one row per input, stays in floating point. `bfloat16` rounds the
    factor of the embeddings to that type. Raises ModelFilesError if the configuration is not supported or the weights do not match
    it.
    """
    config = read_config(folder)
    weights = read_weights(folder, config)
    table = weights.table(WORDS)
    tokens = ops.parameter([-1, config.width], np.float32, name="tokens")
    mean = ops.parameter([-1, -1], np.float32, name="mean")
    kinds = {full: _kind(config, full=full) for full in sorted(set(config.full_layers))}
    projection = weights["ple.per_layer_model_projection.weight"].reshape(-1, config.signal, config.width)
    x: Node = tokens
    # Estimating input sizes reads every weight once more, so it is done only if columns are quantised by them.
    exact = linear is operations.linear
    layer_sizes = repeat(NO_SIZES, len(config.full_layers)) if exact else second_input_sizes(weights, table, config)
    for index, (sizes, rows) in enumerate(zip(layer_sizes, projection, strict=False)):
        layer = operations.part(weights, f"layers.{index}.")
        x = _layer(x, layer, sizes, kinds[config.full_layers[index]], config, linear)
        # Each layer's share of the signal by itself: all at once they would be 24 times the state.
        signal = operations.rms_norm(
            linear(tokens, rows, sizes=sizes.signal),
            weights["ple.per_layer_projection_norm.weight"],
            config.signal_epsilon,
        )
        x = _third_branch(x, signal, layer, sizes, config, linear)
    x = ops.matmul(mean, operations.rms_norm(x, weights["norm.weight"], config.epsilon), False, False)
    # The reference multiplies before the mean; both are linear, so after it is the same, for one row in place of T.
    x = operations.linear(x, weights["embedding_projection.weight"])
    parameters = [tokens, mean, *(each for kind in kinds.values() for each in kind.parameters)]
    model = ov.Model([operations.unit_length(x)], parameters, folder.name)
    scale = embedding_scale(config.width, bfloat16=bfloat16)
    return Graph(model, _Feeder(config, kinds, table, folder.max_tokens, scale), table.release)


class _Feeder:
    """Turns token ids into the graph's inputs."""

    def __init__(
        self, config: Gemma2Config, kinds: Mapping[bool, KindInputs], table: WordTable, longest: int, scale: float
    ) -> None:
        self._reach = config.reach
        self._kinds = kinds
        self._table = table
        self._scale = np.float32(scale)
        own = {True: config.full, False: config.sliding}
        self._rotary = {full: rotary_table(longest, own[full].head_width, own[full].base) for full in kinds}

    def __call__(self, inputs: Sequence[Sequence[int]]) -> Mapping[str, Any]:
        packed = pack(inputs, self._reach, long=True)
        feed: dict[str, Any] = {"tokens": self._table.rows(packed.ids) * self._scale, "mean": packed.mean}
        for full, kind in self._kinds.items():
            plan = split_key_heads(packed.full if full else packed.sliding, kind.key_heads)
            feed.update(kind.feed(plan, self._rotary[full], packed.positions))
        return feed


def _kind(config: Gemma2Config, *, full: bool) -> KindInputs:
    own = config.full if full else config.sliding
    name = "full" if full else "sliding"
    return KindInputs(name, config.heads, own.head_width, key_heads=own.key_heads, alike=full)


def _layer(
    x: Node, weights: Mapping[str, Weights], sizes: InputSizes, kind: KindInputs, config: Gemma2Config, linear: Linear
) -> Node:
    """[T, W] → [T, W]: x + norm(attention(norm(x))), then x + norm(mlp(norm(x)))."""
    epsilon = config.epsilon
    before = operations.rms_norm(x, weights["input_layernorm.weight"], epsilon)
    attended = _attention(before, weights, sizes, kind, config, linear)
    x = ops.add(x, operations.rms_norm(attended, weights["post_attention_layernorm.weight"], epsilon))
    before = operations.rms_norm(x, weights["pre_feedforward_layernorm.weight"], epsilon)
    inner = gated(before, weights, sizes, linear)
    return ops.add(x, operations.rms_norm(inner, weights["post_feedforward_layernorm.weight"], epsilon))


def _attention(
    x: Node, weights: Mapping[str, Weights], sizes: InputSizes, kind: KindInputs, config: Gemma2Config, linear: Linear
) -> Node:
    """[T, W] → [T, W]. Queries, keys and values are normalised per head; values have no gain, and scores no factor."""
    width = kind.head_width
    query, key, value = (
        ops.reshape(
            linear(x, weights[f"self_attn.{name}.weight"], sizes=sizes.attention), np.array([0, count, 1, width]), True
        )
        for name, count in (("q_proj", config.heads), ("k_proj", kind.key_heads), ("v_proj", kind.key_heads))
    )
    query = kind.rotate(operations.rms_norm(query, weights["self_attn.q_norm.weight"], config.epsilon))
    key = kind.rotate(operations.rms_norm(key, weights["self_attn.k_norm.weight"], config.epsilon))
    value = operations.rms_norm(value, np.ones(width, np.float32), config.epsilon)
    return linear(kind.attend(query, key, value), weights["self_attn.o_proj.weight"], sizes=sizes.mixed)


def _third_branch(
    x: Node, signal: Node, weights: Mapping[str, Weights], sizes: InputSizes, config: Gemma2Config, linear: Linear
) -> Node:
    """(x + norm(back(gelu(gate(x)) · signal))) · layer_scalar: x [T, W] and signal [T, S] → [T, W]."""
    gate = linear(x, weights["ple_block.per_layer_input_gate.weight"], sizes=sizes.gate)
    gated_signal = ops.multiply(operations.gelu_tanh(gate), signal)
    back = linear(gated_signal, weights["ple_block.per_layer_projection.weight"], sizes=sizes.back)
    x = ops.add(x, operations.rms_norm(back, weights["ple_block.post_per_layer_input_norm.weight"], config.epsilon))
    scalar = weights["layer_scalar"]
    return x if float(scalar[0]) == 1.0 else ops.multiply(x, operations.constant(scalar))
