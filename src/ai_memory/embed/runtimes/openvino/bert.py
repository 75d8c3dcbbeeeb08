"""BERT as an OpenVINO graph (`embed.models.bert` has the configuration and the tensors).

B inputs of up to S tokens, H heads, W values per token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ai_memory.embed.models.bert import read_bert
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.operations import Graph, Linear, Node, Weights

ov, ops = import_openvino()


def build_bert(folder: ModelFolder, linear: Linear) -> Graph:
    """A graph of `ids` int32 [B, S] and `mask` float32 [B, S] → unit vectors float32 [B, dimension].

    Raises ModelFilesError if the configuration is not supported or the weights do not match it.
    """
    x, ids, mask = _layers(folder, linear)
    model = ov.Model([operations.unit_length(operations.mean_pooling(x, mask))], [ids, mask], folder.name)
    return Graph(model, _feed, padded=True)


def build_bert_tokens(folder: ModelFolder, linear: Linear) -> Graph:
    """As `build_bert`, but the output is the last layer's token states, float32 [B, S, W]; those of padding are meaningless."""
    x, ids, mask = _layers(folder, linear)
    return Graph(ov.Model([x], [ids, mask], folder.name), _feed, padded=True)


def _layers(folder: ModelFolder, linear: Linear) -> tuple[Node, Node, Node]:
    """The last layer's token states [B, S, W], and the graph's inputs: ids and mask."""
    config, weights = read_bert(folder)
    ids = ops.parameter([-1, -1], np.int32, name="ids")
    mask = ops.parameter([-1, -1], np.float32, name="mask")
    x = _embeddings(ids, weights, config.epsilon)
    bias = operations.padding_bias(mask)
    for index in range(config.layers):
        layer = operations.part(weights, f"encoder.layer.{index}.")
        x = _layer(x, bias, layer, config.heads, config.epsilon, linear)
    return x, ids, mask


def _feed(inputs: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Ids int32 [B, S], padded with 0 to the longest input, and the mask float32 [B, S]: 1 for tokens, 0 for padding."""
    ids = np.zeros((len(inputs), max(map(len, inputs))), np.int32)
    mask = np.zeros(ids.shape, np.float32)
    for row, tokens in enumerate(inputs):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1.0
    return {"ids": ids, "mask": mask}


def _embeddings(ids: Node, weights: Mapping[str, Weights], epsilon: float) -> Node:
    part = operations.part(weights, "embeddings.")
    # The token type is always 0, so its embedding is added to the positions once, here.
    positions = part["position_embeddings.weight"] + part["token_type_embeddings.weight"][0]
    length = ops.gather(ops.shape_of(ids, "i32"), np.array([1], np.int32), np.int32(0))
    zero, one = np.array([0], np.int32), np.array([1], np.int32)
    words = ops.gather(operations.constant(part["word_embeddings.weight"]), ids, np.int32(0))
    summed = ops.add(words, ops.slice(operations.constant(positions), zero, length, one, zero))
    return operations.layer_norm(summed, part["LayerNorm.weight"], part["LayerNorm.bias"], epsilon)


def _layer(x: Node, bias: Node, weights: Mapping[str, Weights], heads: int, epsilon: float, linear: Linear) -> Node:
    """[B, S, W] → [B, S, W]; `bias` [B, 1, 1, S] masks padding."""
    # One joined product for queries, keys and values: three separate ones were not faster (docs/decisions/openvino.md).
    names = [f"attention.self.{each}" for each in ("query", "key", "value")]
    joined = linear(
        x,
        np.concatenate([weights[f"{name}.weight"] for name in names]),
        np.concatenate([weights[f"{name}.bias"] for name in names]),
    )
    query, key, value = operations.split_heads(joined, 3, heads)
    mixed = operations.attention(query, key, value, bias)
    x = _add_and_norm(x, mixed, "attention.output", weights, epsilon, linear)
    inner = linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    return _add_and_norm(x, ops.gelu(inner, "erf"), "output", weights, epsilon, linear)


def _add_and_norm(
    x: Node, branch: Node, name: str, weights: Mapping[str, Weights], epsilon: float, linear: Linear
) -> Node:
    projected = linear(branch, weights[f"{name}.dense.weight"], weights[f"{name}.dense.bias"])
    return operations.layer_norm(
        ops.add(x, projected), weights[f"{name}.LayerNorm.weight"], weights[f"{name}.LayerNorm.bias"], epsilon
    )
