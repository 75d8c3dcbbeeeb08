"""EmbeddingGemma 2, its text part: the configuration and tensors from which the runtimes build its layers.

transformers' `EmbeddingGemma2TextModel`: as the first EmbeddingGemma, RMS norms before and after each branch and full attention in
one layer of six. Different from it (`tests/embed/test_gemma2.py` has a test of each):

- A norm's gain is its weight, not 1 + weight. Values are normalised as well, without a gain. Scores have no factor.
- Full layers have wider heads and fewer heads of keys and values than sliding ones, and rotary angles of their own length.
- `sliding_window` is what a token sees on either side, itself not counted.
- Each layer ends in a third branch: a gate of the state times a signal that is made from the token embeddings, once for each
  layer. Then the whole state is multiplied by `layer_scalar`.
- One linear layer after the last norm, in the same file, in place of two Dense modules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ai_memory.embed.models.folder import WEIGHTS, ModelFolder, is_size, not_run
from ai_memory.embed.models.weights import MappedTensors, read_tensors, tensor_names
from ai_memory.errors import ModelFilesError

WORDS = "embed_tokens.weight"

_SIZES = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "sliding_window",
    "hidden_size_per_layer_input",
    "embedding_dim",
)
_REQUIRED: Mapping[str, Any] = {"hidden_activation": "gelu_pytorch_tanh", "attention_bias": False}
_OTHER_TOWERS = re.compile(r"(model\.)?(vision_tower|embed_vision|audio_tower|embed_audio)\.")
"""Tensors that only pictures and sound need. They are left unread."""
_PREFIXES = ("model.language_model.", "language_model.", "model.", "")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What all layers of one kind, full or sliding, have in common."""

    head_width: int
    key_heads: int
    """Heads of keys and of values; each is shared by as many query heads."""
    base: float
    """The base of the rotary embedding."""


@dataclass(frozen=True, kw_only=True)
class Gemma2Config:
    """The numbers that the layers are built from."""

    width: int
    """Values per token between the layers (`hidden_size`)."""
    inner: int
    """Values per token inside the MLP (`intermediate_size`)."""
    signal: int
    """Values per token of a layer's signal (`hidden_size_per_layer_input`)."""
    dimension: int
    """Values of a vector (`embedding_dim`)."""
    heads: int
    """Query heads."""
    vocabulary: int
    epsilon: float
    """Added to the mean square in every RMS norm."""
    full_layers: tuple[bool, ...]
    """Whether each layer has full attention; sliding-window attention otherwise. The last has."""
    reach: int
    """Tokens that a sliding layer attends to on either side: 512 for the published model."""
    full: Kind
    sliding: Kind

    def kind(self, index: int) -> Kind:
        """The kind of the layer with this index."""
        return self.full if self.full_layers[index] else self.sliding

    @property
    def signal_epsilon(self) -> float:
        """The epsilon of the signal's norm, for an input without the factor width ** -0.5 that it has in transformers.

        norm(c·s) with epsilon e equals norm(s) with e / c²; the product by c is saved.
        """
        return self.epsilon * self.width


def embedding_scale(width: int, *, bfloat16: bool) -> float:
    """sqrt(width), the factor on the token embeddings, rounded to bfloat16 for a model of that type, as transformers does."""
    exact = np.array([width**0.5], np.float32)
    if not bfloat16:
        return float(exact[0])
    bits = exact.view(np.uint32)
    nearest = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return float(nearest.view(np.float32)[0])


def read_config(folder: ModelFolder) -> Gemma2Config:
    """The configuration. Raises ModelFilesError listing each value that is missing or not supported."""
    config = folder.config
    wrong = [f"{key} = {config.get(key)!r}" for key in _SIZES if not is_size(config.get(key))]
    wrong += [f"{key} = {config[key]!r}" for key, value in _REQUIRED.items() if config.get(key, value) != value]
    if wrong:
        raise _unsupported(folder, wrong)
    full_layers = _full_layers(folder)
    full, sliding = (_kind(folder, full_layers, full=full) for full in (True, False))
    return Gemma2Config(
        width=config["hidden_size"],
        inner=config["intermediate_size"],
        signal=config["hidden_size_per_layer_input"],
        dimension=config["embedding_dim"],
        heads=config["num_attention_heads"],
        vocabulary=config["vocab_size"],
        epsilon=float(config.get("rms_norm_eps", 1e-6)),
        full_layers=full_layers,
        reach=config["sliding_window"],
        full=full,
        sliding=sliding,
    )


def expected_tensors(config: Gemma2Config) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of the text part; linear weights are [out, in]."""
    width, inner, signal = config.width, config.inner, config.signal
    layers = len(config.full_layers)
    shapes: dict[str, tuple[int, ...]] = {
        WORDS: (config.vocabulary, width),
        "norm.weight": (width,),
        "ple.per_layer_model_projection.weight": (layers * signal, width),
        "ple.per_layer_projection_norm.weight": (signal,),
        "embedding_projection.weight": (config.dimension, width),
    }
    for index in range(layers):
        kind = config.kind(index)
        queries, keys = config.heads * kind.head_width, kind.key_heads * kind.head_width
        layer: dict[str, tuple[int, ...]] = {
            "layer_scalar": (1,),
            "self_attn.q_proj.weight": (queries, width),
            "self_attn.k_proj.weight": (keys, width),
            "self_attn.v_proj.weight": (keys, width),
            "self_attn.o_proj.weight": (width, queries),
            "self_attn.q_norm.weight": (kind.head_width,),
            "self_attn.k_norm.weight": (kind.head_width,),
            "mlp.gate_proj.weight": (inner, width),
            "mlp.up_proj.weight": (inner, width),
            "mlp.down_proj.weight": (width, inner),
            "input_layernorm.weight": (width,),
            "post_attention_layernorm.weight": (width,),
            "pre_feedforward_layernorm.weight": (width,),
            "post_feedforward_layernorm.weight": (width,),
            "ple_block.per_layer_input_gate.weight": (signal, width),
            "ple_block.per_layer_projection.weight": (width, signal),
            "ple_block.post_per_layer_input_norm.weight": (width,),
        }
        shapes.update({f"layers.{index}.{name}": shape for name, shape in layer.items()})
    return shapes


def read_weights(folder: ModelFolder, config: Gemma2Config) -> MappedTensors:
    """The tensors of `expected_tensors` by name, from a checkpoint of the text part alone or of the whole model.

    Raises ModelFilesError listing every tensor that is missing, unexpected or of another shape. Those of the towers for pictures
    and sound are expected in a whole model, and left unread.
    """
    if folder.dense:
        raise _unsupported(folder, ["Dense modules after EmbeddingGemma 2"])
    file = folder.path / WEIGHTS
    names = tensor_names(file)
    prefix = next((each for each in _PREFIXES if each + WORDS in names), "")
    others = frozenset(name.removeprefix(prefix) for name in names if _OTHER_TOWERS.match(name))
    return read_tensors(file, expected_tensors(config), others, prefix)


def _full_layers(folder: ModelFolder) -> tuple[bool, ...]:
    count = folder.config["num_hidden_layers"]
    kinds = folder.config.get("layer_types")
    if kinds is None:
        pattern = folder.config.get("sliding_window_pattern", 6)
        if not is_size(pattern):
            raise _unsupported(folder, [f"sliding_window_pattern = {pattern!r}"])
        found = [(index + 1) % pattern == 0 for index in range(count)]
    elif not isinstance(kinds, list) or len(kinds) != count or set(kinds) - {"full_attention", "sliding_attention"}:
        raise _unsupported(folder, [f"layer_types = {kinds!r}"])
    else:
        found = [kind == "full_attention" for kind in kinds]
    # transformers makes the last layer a full one whatever the file says.
    return (*found[:-1], True)


def _kind(folder: ModelFolder, full_layers: tuple[bool, ...], *, full: bool) -> Kind:
    """The heads of the layers of one kind: those of `per_layer_config` for each of its layers, which must agree."""
    config = folder.config
    width, heads = config["head_dim"], config["num_key_value_heads"]
    own = config.get("per_layer_config")
    if full and own is None:
        width, heads = config.get("global_head_dim", 512), config.get("num_global_key_value_heads", 1)
    elif isinstance(own, dict):
        layers = [own.get(str(index), {}) for index, each in enumerate(full_layers) if each is full]
        found = {
            (each.get("head_dim", width), each.get("num_key_value_heads", heads)) if isinstance(each, dict) else each
            for each in layers
        }
        if len(found) > 1 or any(not isinstance(each, tuple) for each in found):
            raise _unsupported(folder, [f"per_layer_config = {own!r}"])
        width, heads = next(iter(found), (width, heads))
    base = _base(folder, "full_attention" if full else "sliding_attention", 1e6 if full else 1e4)
    if not is_size(width) or width % 2 or not is_size(heads) or config["num_attention_heads"] % heads:
        raise _unsupported(folder, [f"heads of width {width!r}, {heads!r} of keys and values"])
    return Kind(head_width=width, key_heads=heads, base=base)


def _base(folder: ModelFolder, kind: str, usual: float) -> float:
    """The rotary base of one kind of layers. Raises ModelFilesError for any scaling of positions."""
    parameters = folder.config.get("rope_parameters")
    if parameters is None:
        return usual
    own = parameters.get(kind) if isinstance(parameters, dict) else None
    base = own.get("rope_theta") if isinstance(own, dict) and own.get("rope_type", "default") == "default" else None
    if not isinstance(base, int | float) or isinstance(base, bool) or base <= 0:
        raise _unsupported(folder, [f"rope_parameters = {parameters!r}"])
    return float(base)


def _unsupported(folder: ModelFolder, wrong: list[str]) -> ModelFilesError:
    return not_run(folder, "EmbeddingGemma 2", wrong, fetch="embeddinggemma-2")
