"""BERT as an OpenVINO graph (`embed.models.bert` has the configuration and the tensors).

B inputs of up to S tokens, H heads, W values per token. The token embeddings are looked up outside the graph, in the mapped file:
of a large table only the needed rows are read, and it is never compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ai_memory.embed.models.bert import BertConfig, read_bert
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.models.weights import WordTable
from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.operations import Graph, Linear, Node, Weights

ov, ops = import_openvino()


def build_bert(folder: ModelFolder, linear: Linear) -> Graph:
    """A graph of `words` float32 [B, S, W] and `mask` float32 [B, S] → unit vectors float32 [B, dimension].

    Its feed makes them from token ids. Raises ModelFilesError if the configuration is not supported or the weights do not match it.
    """
    x, parameters, table = _layers(folder, linear)
    pooled = operations.mean_pooling(x, parameters[1])
    if folder.pooling == "cls":
        pooled = ops.gather(x, np.int32(0), np.int32(1))
    model = ov.Model([operations.unit_length(pooled)], parameters, folder.name)
    return Graph(model, _Feeder(table, folder.dimension), table.release, padded=True)


def build_bert_tokens(folder: ModelFolder, linear: Linear) -> Graph:
    """As `build_bert`, but the output is the last layer's token states, float32 [B, S, W]; those of padding are meaningless."""
    x, parameters, table = _layers(folder, linear)
    return Graph(ov.Model([x], parameters, folder.name), _Feeder(table, folder.dimension), table.release, padded=True)


def _layers(folder: ModelFolder, linear: Linear) -> tuple[Node, list[Node], WordTable]:
    """The last layer's token states [B, S, W], the graph's inputs, words and mask, and the table that words are looked up in."""
    config, weights, table = read_bert(folder)
    words = ops.parameter([-1, -1, folder.dimension], np.float32, name="words")
    mask = ops.parameter([-1, -1], np.float32, name="mask")
    x = _embeddings(words, weights, config)
    bias = operations.padding_bias(mask)
    for index in range(config.layers):
        layer = operations.part(weights, f"encoder.layer.{index}.")
        x = _layer(x, bias, layer, config.heads, config.epsilon, linear)
    return x, [words, mask], table


class _Feeder:
    """Turns token ids into the graph's inputs, padded to the longest input."""

    def __init__(self, table: WordTable, width: int) -> None:
        self._table = table
        self._width = width

    def __call__(self, inputs: Sequence[Sequence[int]]) -> dict[str, Any]:
        """The tokens' embeddings float32 [B, S, W], 0 for padding, and the mask float32 [B, S]: 1 for tokens, 0 for padding."""
        lengths = np.fromiter(map(len, inputs), np.int64, len(inputs))
        mask = np.arange(lengths.max()) < lengths[:, None]
        ids = np.fromiter(chain.from_iterable(inputs), np.int64, int(lengths.sum()))
        words = np.zeros((*mask.shape, self._width), np.float32)
        words[mask] = self._table.rows(ids)
        return {"words": words, "mask": mask.astype(np.float32)}


def _embeddings(words: Node, weights: Mapping[str, Weights], config: BertConfig) -> Node:
    part = operations.part(weights, "embeddings.")
    # The token type is always 0, so its embedding is added to the positions once, here.
    positions = part["position_embeddings.weight"][config.first_position :] + part["token_type_embeddings.weight"][0]
    length = ops.gather(ops.shape_of(words, "i32"), np.array([1], np.int32), np.int32(0))
    zero, one = np.array([0], np.int32), np.array([1], np.int32)
    summed = ops.add(words, ops.slice(operations.constant(positions), zero, length, one, zero))
    return operations.layer_norm(summed, part["LayerNorm.weight"], part["LayerNorm.bias"], config.epsilon)


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
