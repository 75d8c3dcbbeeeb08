"""BERT as a graph: what its folder must hold, and how its weights become operations (Devlin et al. 2019).

Post-norm transformer: x = norm(x + attention(x)); x = norm(x + mlp(x)), learned positions, GELU by the error function.
The pooler and the second token type are not used by sentence embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ai_memory.embed import graph
from ai_memory.embed.folder import WEIGHTS, ModelFolder
from ai_memory.embed.graph import Graph, Linear, Node, Weights
from ai_memory.embed.openvino_import import import_openvino
from ai_memory.embed.weights import read_tensors
from ai_memory.errors import ModelFilesError

ov, ops = import_openvino()

_IGNORED = frozenset({"embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias"})
_REQUIRED = {"hidden_act": "gelu", "position_embedding_type": "absolute"}


def build_bert(folder: ModelFolder, linear: Linear) -> Graph:
    """A graph of `ids` int32 [B, S] and `mask` float32 [B, S] → unit vectors float32 [B, dimension].

    Raises ModelFilesError where the configuration asks for something else, or the weights do not match it.
    """
    _check_config(folder)
    weights = read_tensors(folder.path / WEIGHTS, expected_tensors(folder.config), _IGNORED, prefix="bert.")
    ids = ops.parameter([-1, -1], np.int32, name="ids")
    mask = ops.parameter([-1, -1], np.float32, name="mask")
    epsilon = float(folder.config["layer_norm_eps"])
    x = _embeddings(ids, weights, epsilon)
    bias = graph.padding_bias(mask)
    for index in range(folder.config["num_hidden_layers"]):
        layer = graph.part(weights, f"encoder.layer.{index}.")
        x = _layer(x, bias, layer, folder.config["num_attention_heads"], epsilon, linear)
    model = ov.Model([graph.unit_length(graph.mean_pooling(x, mask))], [ids, mask], folder.name)
    return Graph(model, _feed, padded=True)


def _feed(inputs: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Ids padded to the longest input, and which of them are tokens."""
    ids = np.zeros((len(inputs), max(map(len, inputs))), np.int32)
    mask = np.zeros(ids.shape, np.float32)
    for row, tokens in enumerate(inputs):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1.0
    return {"ids": ids, "mask": mask}


def expected_tensors(config: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Every tensor that a BERT of this configuration has, with its shape."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], width),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], width),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
    }
    linear = {
        "attention.self.query": (width, width),
        "attention.self.key": (width, width),
        "attention.self.value": (width, width),
        "attention.output.dense": (width, width),
        "intermediate.dense": (inner, width),
        "output.dense": (width, inner),
    }
    for index in range(config["num_hidden_layers"]):
        for name, (rows, columns) in linear.items():
            shapes[f"encoder.layer.{index}.{name}.weight"] = (rows, columns)
            shapes[f"encoder.layer.{index}.{name}.bias"] = (rows,)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"encoder.layer.{index}.{name}.weight"] = (width,)
            shapes[f"encoder.layer.{index}.{name}.bias"] = (width,)
    return shapes


def _check_config(folder: ModelFolder) -> None:
    config = folder.config
    sizes = (
        "hidden_size",
        "intermediate_size",
        "vocab_size",
        "max_position_embeddings",
        "type_vocab_size",
        "num_hidden_layers",
        "num_attention_heads",
    )
    wrong = [f"{key} = {config.get(key)!r}" for key in sizes if not isinstance(config.get(key), int) or config[key] < 1]
    wrong += [f"{key} = {config[key]!r}" for key, value in _REQUIRED.items() if config.get(key, value) != value]
    if not isinstance(config.get("layer_norm_eps"), float):
        wrong.append(f"layer_norm_eps = {config.get('layer_norm_eps')!r}")
    if not wrong and config["hidden_size"] % config["num_attention_heads"]:
        wrong.append("hidden_size is no multiple of num_attention_heads")
    if wrong or folder.dense:
        said = wrong or ["Dense modules after BERT"]
        raise ModelFilesError(
            f"the BERT in {folder.path} is not one that this version runs: {'; '.join(said)}",
            path=str(folder.path),
            wrong=said,
        )


def _embeddings(ids: Node, weights: Mapping[str, Weights], epsilon: float) -> Node:
    part = graph.part(weights, "embeddings.")
    positions = part["position_embeddings.weight"] + part["token_type_embeddings.weight"][0]
    length = ops.gather(ops.shape_of(ids, "i32"), np.array([1], np.int32), np.int32(0))
    zero, one = np.array([0], np.int32), np.array([1], np.int32)
    words = ops.gather(graph.constant(part["word_embeddings.weight"]), ids, np.int32(0))
    summed = ops.add(words, ops.slice(graph.constant(positions), zero, length, one, zero))
    return graph.layer_norm(summed, part["LayerNorm.weight"], part["LayerNorm.bias"], epsilon)


def _layer(x: Node, bias: Node, weights: Mapping[str, Weights], heads: int, epsilon: float, linear: Linear) -> Node:
    names = [f"attention.self.{each}" for each in ("query", "key", "value")]
    joined = linear(
        x,
        np.concatenate([weights[f"{name}.weight"] for name in names]),
        np.concatenate([weights[f"{name}.bias"] for name in names]),
    )
    query, key, value = graph.split_heads(joined, 3, heads)
    mixed = graph.attention(query, key, value, bias)
    x = _add_and_norm(x, mixed, "attention.output", weights, epsilon, linear)
    inner = linear(x, weights["intermediate.dense.weight"], weights["intermediate.dense.bias"])
    return _add_and_norm(x, ops.gelu(inner, "erf"), "output", weights, epsilon, linear)


def _add_and_norm(
    x: Node, branch: Node, name: str, weights: Mapping[str, Weights], epsilon: float, linear: Linear
) -> Node:
    projected = linear(branch, weights[f"{name}.dense.weight"], weights[f"{name}.dense.bias"])
    return graph.layer_norm(
        ops.add(x, projected), weights[f"{name}.LayerNorm.weight"], weights[f"{name}.LayerNorm.bias"], epsilon
    )
