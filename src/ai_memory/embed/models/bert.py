"""BERT (Devlin et al. 2019): the configuration and tensors from which the runtimes build its layers.

Post-norm transformer: x = norm(x + attention(x)); x = norm(x + mlp(x)), learned positions, GELU by the error function.
XLM-RoBERTa is run as one too: it differs in nothing but the row of the first position.
The pooler and the second token type are not used by sentence embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.folder import ModelFolder, first_position, not_run
from ai_memory.embed.models.four_bits import read_four_bits
from ai_memory.embed.models.weights import WordTable, read_tensors

Tensors = dict[str, NDArray[np.float32]]

_WORDS = "embeddings.word_embeddings.weight"
_IGNORED = frozenset(
    {"embeddings.position_ids", "embeddings.token_type_ids", "pooler.dense.weight", "pooler.dense.bias"}
)
_REQUIRED = {"hidden_act": "gelu", "position_embedding_type": "absolute"}


class BertConfig(NamedTuple):
    """The numbers that the layers are built from."""

    layers: int
    heads: int
    epsilon: float
    """Added to the variance in every layer norm."""
    first_position: int
    """The row of the table of positions for an input's first token: 0, in XLM-RoBERTa the one after its padding's."""


class Bert(NamedTuple):
    """What a runtime builds a BERT from."""

    config: BertConfig
    weights: Tensors
    """The tensors of `expected_tensors` by name, float32, without the token embeddings; linear weights are [out, in]."""
    words: WordTable
    """The token embeddings: they are looked up outside the layers, in the mapped file, and never compiled."""


def read_bert(folder: ModelFolder) -> Bert:
    """The configuration and the weights of the folder's BERT.

    Raises ModelFilesError if the configuration is not supported or the weights do not match it.
    """
    _check_config(folder)
    config, file = folder.config, folder.path / folder.weights
    first = first_position(folder.architecture, config)
    numbers = BertConfig(
        config["num_hidden_layers"], config["num_attention_heads"], float(config["layer_norm_eps"]), first
    )
    if folder.has_four_bits:
        return Bert(numbers, *read_four_bits(file, expected_tensors(config), _WORDS))
    prefix = "roberta." if folder.architecture == "xlm-roberta" else "bert."
    weights = read_tensors(file, expected_tensors(config), _IGNORED, prefix)
    return Bert(numbers, {name: weights[name] for name in weights if name != _WORDS}, weights.table(_WORDS))


def expected_tensors(config: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of a BERT with this configuration."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        _WORDS: (config["vocab_size"], width),
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
        wrong.append("hidden_size is not a multiple of num_attention_heads")
    if wrong or folder.dense:
        raise not_run(folder, "BERT", wrong or ["Dense modules after BERT"])
