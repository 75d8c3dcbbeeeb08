"""EmbeddingGemma: the configuration and tensors from which the runtimes build its layers.

A Gemma 3 text model with bidirectional attention (transformers' `Gemma3TextModel` with `use_bidirectional_attention`): RMS norms
before and after each branch, one key and value head for all query heads, queries and keys normalised before the rotary
embedding, GELU-gated MLPs, and full attention in one layer of six, sliding-window attention in the others. Then the mean
over all tokens, prompt included, two linear layers without activation, and normalisation to unit length.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.folder import WEIGHTS, ModelFolder, is_size, not_run, read_json
from ai_memory.embed.models.weights import MappedTensors, read_tensors
from ai_memory.errors import ModelFilesError

logger = logging.getLogger(__name__)

Tensors = Mapping[str, NDArray[np.float32]]

_SIZES = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "sliding_window",
)
_REQUIRED: Mapping[str, Any] = {
    "use_bidirectional_attention": True,
    "hidden_activation": "gelu_pytorch_tanh",
    "attention_bias": False,
    "attn_logit_softcapping": None,
    "final_logit_softcapping": None,
}
_IDENTITY = "torch.nn.modules.linear.Identity"


@dataclass(frozen=True, kw_only=True)
class GemmaConfig:
    """The numbers that the layers are built from."""

    width: int
    """Values per token between the layers (`hidden_size`)."""
    inner: int
    """Values per token inside the MLP (`intermediate_size`)."""
    heads: int
    """Query heads; keys and values have one head."""
    head_width: int
    vocabulary: int
    epsilon: float
    """Added to the mean square in every RMS norm."""
    score_scale: float
    """query_pre_attn_scalar ** -0.5, the factor on the attention scores."""
    full_layers: tuple[bool, ...]
    """Whether each layer has full attention; sliding-window attention otherwise."""
    reach: int
    """Tokens that a sliding layer attends to on either side: 256 for the published model."""
    full_base: float
    sliding_base: float
    """The bases of the rotary embedding in full and in sliding layers."""

    @property
    def embedding_scale(self) -> float:
        """sqrt(width), the factor on the token embeddings; a bfloat16 model rounds it to bfloat16 first (as transformers does)."""
        return float(self.width**0.5)


def read_config(folder: ModelFolder) -> GemmaConfig:
    """The configuration, in the spelling of transformers before or since version 5.

    Raises ModelFilesError listing each value that is missing or not supported.
    """
    config = folder.config
    wrong = [f"{key} = {config.get(key)!r}" for key in _SIZES if not is_size(config.get(key))]
    wrong += [f"{key} = {config.get(key)!r}" for key, value in _REQUIRED.items() if config.get(key, value) != value]
    if config.get("use_bidirectional_attention") is not True and "use_bidirectional_attention" not in config:
        wrong.append("use_bidirectional_attention is missing: this is a causal Gemma, not an embedding model")
    if not wrong and config["num_key_value_heads"] != 1:
        wrong.append(f"num_key_value_heads = {config['num_key_value_heads']}")
    if wrong:
        raise _unsupported(folder, wrong)
    bases = _rope_bases(folder)
    return GemmaConfig(
        width=config["hidden_size"],
        inner=config["intermediate_size"],
        heads=config["num_attention_heads"],
        head_width=config["head_dim"],
        vocabulary=config["vocab_size"],
        epsilon=float(config.get("rms_norm_eps", 1e-6)),
        score_scale=float(config.get("query_pre_attn_scalar", config["head_dim"])) ** -0.5,
        full_layers=_full_layers(folder),
        reach=_reach(folder),
        full_base=bases[0],
        sliding_base=bases[1],
    )


def expected_tensors(config: GemmaConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of the transformer's file; linear weights are [out, in]."""
    width, inner, all_heads, head = config.width, config.inner, config.heads * config.head_width, config.head_width
    layer: dict[str, tuple[int, ...]] = {
        "self_attn.q_proj.weight": (all_heads, width),
        "self_attn.k_proj.weight": (head, width),
        "self_attn.v_proj.weight": (head, width),
        "self_attn.o_proj.weight": (width, all_heads),
        "self_attn.q_norm.weight": (head,),
        "self_attn.k_norm.weight": (head,),
        "mlp.gate_proj.weight": (inner, width),
        "mlp.up_proj.weight": (inner, width),
        "mlp.down_proj.weight": (width, inner),
        "input_layernorm.weight": (width,),
        "post_attention_layernorm.weight": (width,),
        "pre_feedforward_layernorm.weight": (width,),
        "post_feedforward_layernorm.weight": (width,),
    }
    shapes: dict[str, tuple[int, ...]] = {"embed_tokens.weight": (config.vocabulary, width), "norm.weight": (width,)}
    for index in range(len(config.full_layers)):
        shapes.update({f"layers.{index}.{name}": shape for name, shape in layer.items()})
    return shapes


def read_weights(folder: ModelFolder, config: GemmaConfig) -> tuple[MappedTensors, list[NDArray[np.float32]]]:
    """The tensors of `expected_tensors` by name, and the weights of the Dense modules in order, [out, in] each; all float32.

    Raises ModelFilesError listing every tensor that is missing, unexpected or of another shape.
    """
    dense = []
    width = config.width
    for place in folder.dense:
        described = read_json(folder.path / place / "config.json")
        out = described.get("out_features")
        wrong = [
            f"{key} = {described.get(key)!r} instead of {value!r}"
            for key, value in (("in_features", width), ("bias", False), ("activation_function", _IDENTITY))
            if described.get(key) != value
        ]
        if wrong or not is_size(out):
            raise _unsupported(folder, [f"{place}: {each}" for each in wrong or [f"out_features = {out!r}"]])
        tensors = read_tensors(folder.path / place / WEIGHTS, {"linear.weight": (out, width)})
        dense.append(tensors["linear.weight"])
        width = out
    return read_tensors(folder.path / WEIGHTS, expected_tensors(config), prefix="model."), dense


def rotary_table(length: int, head_width: int, base: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines and sines of the rotary angles (Su et al. 2021): float32, shape (length, head_width) each.

    Position p, pair i: angle p / base^(2i / head_width). The second half of each row repeats the first.
    """
    frequencies = 1.0 / base ** (np.arange(0, head_width, 2, dtype=np.float32) / np.float32(head_width))
    angles = np.arange(length, dtype=np.float32)[:, None] * frequencies.astype(np.float32)
    both = np.concatenate([angles, angles], axis=1)
    return np.cos(both), np.sin(both)


def _full_layers(folder: ModelFolder) -> tuple[bool, ...]:
    count = folder.config["num_hidden_layers"]
    kinds = folder.config.get("layer_types")
    if kinds is None:
        pattern = folder.config.get("_sliding_window_pattern", folder.config.get("sliding_window_pattern", 6))
        return tuple((index + 1) % pattern == 0 for index in range(count))
    if len(kinds) != count or set(kinds) - {"full_attention", "sliding_attention"}:
        raise _unsupported(folder, [f"layer_types = {kinds!r}"])
    return tuple(kind == "full_attention" for kind in kinds)


def _reach(folder: ModelFolder) -> int:
    """Half of the file's `sliding_window`: transformers uses `sliding_window // 2 + 1` as an exclusive limit, this is inclusive."""
    window: int = folder.config["sliding_window"]
    if window % 2:
        logger.warning(
            "the model in %s has the odd sliding_window %d: transformers before 5.23 halved it each time a model was saved; "
            "it is run as transformers would run this file, seeing %d tokens on either side",
            folder.path,
            window,
            window // 2,
        )
    return window // 2


def _rope_bases(folder: ModelFolder) -> tuple[float, float]:
    """The rotary bases for full and sliding layers. Raises ModelFilesError for any scaling of positions."""
    config = folder.config
    newer = config.get("rope_parameters")
    if newer is None:
        if config.get("rope_scaling") is not None:
            raise _unsupported(folder, [f"rope_scaling = {config['rope_scaling']!r}"])
        return float(config.get("rope_theta", 1e6)), float(config.get("rope_local_base_freq", 1e4))
    found = [newer.get(kind) or {} for kind in ("full_attention", "sliding_attention")]
    if any(each.get("rope_type", "default") != "default" or "rope_theta" not in each for each in found):
        raise _unsupported(folder, [f"rope_parameters = {newer!r}"])
    return float(found[0]["rope_theta"]), float(found[1]["rope_theta"])


def _unsupported(folder: ModelFolder, wrong: list[str]) -> ModelFilesError:
    return not_run(folder, "Gemma", wrong, fetch="embeddinggemma")
