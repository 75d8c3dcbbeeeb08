"""Folders of the EmbeddingGemma 2 architecture with random weights, its text part: tiny for tests, full size for benchmarks.

As `tests.support.tiny_gemma`: the same bytes on every machine, and the published window also in the tiny model. The published files
could not be had; configuration and names of tensors are those that transformers 5.24.0 writes of the architecture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support.gemma_tokenizer import write_tokenizer
from tests.support.tiny_gemma import PROMPTS, Array, Draws
from tests.support.tiny_models import write_json, write_tensors

SEED = 3


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What the numbers of the configuration are."""

    width: int = 96
    inner: int = 160
    signal: int = 48
    layers: int = 5
    pattern: int = 3
    """Every so many layers one sees the whole input; the last does in any case."""
    heads: int = 4
    head_width: int = 32
    key_heads: int = 2
    full_head_width: int = 64
    full_key_heads: int = 1
    vocabulary: int = 1536
    window: int = 512
    """`sliding_window`: so many tokens are seen on either side."""
    max_tokens: int = 8192
    dimension: int = 768

    @property
    def full_layers(self) -> list[bool]:
        return [(index + 1) % self.pattern == 0 or index + 1 == self.layers for index in range(self.layers)]


TINY = Sizes()
FULL = Sizes(
    width=512,
    inner=2048,
    signal=512,
    layers=24,
    pattern=6,
    heads=4,
    head_width=256,
    full_head_width=512,
    vocabulary=262_144,
)


def config(sizes: Sizes) -> dict[str, Any]:
    """config.json of the text part alone, as transformers writes it."""
    own = {"head_dim": sizes.full_head_width, "num_key_value_heads": sizes.full_key_heads}
    return {
        "architectures": ["EmbeddingGemma2TextModel"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 2,
        "dtype": "float32",
        "embedding_dim": sizes.dimension,
        "eos_token_id": 1,
        "head_dim": sizes.head_width,
        "hidden_activation": "gelu_pytorch_tanh",
        "hidden_size": sizes.width,
        "hidden_size_per_layer_input": sizes.signal,
        "initializer_range": 0.02,
        "intermediate_size": sizes.inner,
        "layer_types": ["full_attention" if full else "sliding_attention" for full in sizes.full_layers],
        "max_position_embeddings": 262_144,
        "model_type": "embedding_gemma2_text",
        "num_attention_heads": sizes.heads,
        "num_hidden_layers": sizes.layers,
        "num_key_value_heads": sizes.key_heads,
        "pad_token_id": 0,
        "per_layer_config": {str(index): own for index, full in enumerate(sizes.full_layers) if full},
        "rms_norm_eps": 1e-06,
        "rope_parameters": {
            "full_attention": {"rope_theta": 1000000.0, "rope_type": "default"},
            "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"},
        },
        "sliding_window": sizes.window,
        "transformers_version": "5.24.0",
        "vocab_size": sizes.vocabulary,
    }


def random_gemma2(folder: Path, sizes: Sizes = TINY, *, seed: int = SEED) -> Path:
    """Write a complete folder of the text part, float32, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config(sizes))
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": sizes.max_tokens, "do_lower_case": False})
    settings = {"prompts": PROMPTS, "default_prompt_name": None, "similarity_fn_name": "cosine"}
    write_json(folder / "config_sentence_transformers.json", {"model_type": "SentenceTransformer", **settings})
    kinds = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for index, (kind, path) in enumerate(kinds.items())
    ]
    write_json(folder / "modules.json", modules)
    pooling = {"word_embedding_dimension": sizes.dimension, "pooling_mode_mean_tokens": True, "include_prompt": True}
    write_json(folder / "1_Pooling" / "config.json", pooling)
    (folder / "2_Normalize").mkdir(exist_ok=True)
    write_tokenizer(folder, sizes.vocabulary, longest=sizes.max_tokens)
    write_tensors(folder, dict(tensors(Draws(seed), sizes)))
    return folder


def tiny_gemma2(folder: Path, *, seed: int = SEED, **changed: int) -> Path:
    """A folder of five layers and 3 MB, of which the third and the last see the whole input; `changed` are fields of `Sizes`."""
    return random_gemma2(folder, replace(TINY, **changed), seed=seed)


def tensors(draws: Draws, sizes: Sizes) -> Iterator[tuple[str, Array]]:
    """The text part's tensors. Every part matters: gains around 1, a factor of its own in each layer, and a signal that is as
    large as the other branches. The gains of queries and keys make a token attend to few others."""
    width, inner, signal = sizes.width, sizes.inner, sizes.signal
    yield "embed_tokens.weight", draws.bell((sizes.vocabulary, width), width**-0.5)
    yield "norm.weight", draws.bell((width,), 0.2, mean=1.0)
    yield "embedding_projection.weight", draws.bell((sizes.dimension, width), width**-0.5)
    yield "ple.per_layer_model_projection.weight", draws.bell((sizes.layers * signal, width), width**-0.5)
    yield "ple.per_layer_projection_norm.weight", draws.bell((signal,), 0.2, mean=1.0)
    for index, full in enumerate(sizes.full_layers):
        head = sizes.full_head_width if full else sizes.head_width
        queries = sizes.heads * head
        keys = (sizes.full_key_heads if full else sizes.key_heads) * head
        linear = {
            "self_attn.q_proj": (queries, width),
            "self_attn.k_proj": (keys, width),
            "self_attn.v_proj": (keys, width),
            "self_attn.o_proj": (width, queries),
            "mlp.gate_proj": (inner, width),
            "mlp.up_proj": (inner, width),
            "mlp.down_proj": (width, inner),
            "ple_block.per_layer_input_gate": (signal, width),
            "ple_block.per_layer_projection": (width, signal),
        }
        for name, shape in linear.items():
            yield f"layers.{index}.{name}.weight", draws.bell(shape, shape[1] ** -0.5)
        for name in ("q_norm", "k_norm"):
            yield f"layers.{index}.self_attn.{name}.weight", draws.bell((head,), 0.1, mean=1.4 * head**-0.25)
        norms = ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm")
        for name in (*norms, "post_feedforward_layernorm", "ple_block.post_per_layer_input_norm"):
            yield f"layers.{index}.{name}.weight", draws.bell((width,), 0.2, mean=1.0)
        yield f"layers.{index}.layer_scalar", draws.bell((1,), 0.15, mean=0.9)
