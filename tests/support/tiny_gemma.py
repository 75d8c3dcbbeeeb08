"""Folders of the EmbeddingGemma architecture with random weights: a tiny one for tests, the full size for benchmarks.

The files are those of the published folder, byte for byte the same on every machine: weights come from raw 64-bit draws by
integer arithmetic, and the tokenizer is trained here, in the order of a plain loop. The attention window is the published
one also in the tiny model, so that what happens at its edge can be tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.gemma_tokenizer import write_tokenizer
from tests.support.tiny_models import write_json, write_tensors

Array = NDArray[np.float32]

PROMPTS = {
    "query": "task: search result | query: ",
    "document": "title: none | text: ",
    "BitextMining": "task: search result | query: ",
    "Clustering": "task: clustering | query: ",
    "Classification": "task: classification | query: ",
    "InstructionRetrieval": "task: code retrieval | query: ",
    "MultilabelClassification": "task: classification | query: ",
    "PairClassification": "task: sentence similarity | query: ",
    "Reranking": "task: search result | query: ",
    "Retrieval": "task: search result | query: ",
    "Retrieval-query": "task: search result | query: ",
    "Retrieval-document": "title: none | text: ",
    "STS": "task: sentence similarity | query: ",
    "Summarization": "task: summarization | query: ",
}
"""config_sentence_transformers.json's prompts, as published."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What the numbers of the configuration are."""

    width: int = 96
    inner: int = 144
    layers: int = 4
    pattern: int = 3
    """Every so many layers one sees the whole input."""
    heads: int = 3
    head_width: int = 32
    vocabulary: int = 1536
    window: int = 512
    """`sliding_window` as the file says it: half of it is seen on either side."""
    max_tokens: int = 2048
    dense: tuple[int, ...] = (192, 768)
    """The outputs of the Dense modules; the last is the vector's length, and 768 can be cut like the real one's."""


TINY = Sizes()
SMALL = Sizes(width=48, inner=72, layers=3, head_width=16, vocabulary=1280, dense=(96, 128))
"""What is small enough to be kept as a file in another format."""
FULL = Sizes(
    width=768, inner=1152, layers=24, pattern=6, heads=3, head_width=256, vocabulary=262_144, dense=(3072, 768)
)


SEED = 8
"""Of 36 seeds the one whose first and last tokens attend to each other most: with it a window one token too narrow changes the
vector of 257 tokens by 2e-5 in cosine, and one too wide that of 258 by 3e-6 (`one_narrower`, `one_wider` in golden/gemma.json)."""


class Draws:
    """Bell-shaped random numbers from PCG64's raw output, whose stream numpy promises to keep; the sum of four 16-bit
    draws is exact, so no library's logarithm decides a last bit."""

    _DEVIATION = 2 * 65536 / 12**0.5

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def bell(self, shape: tuple[int, ...], deviation: float, mean: float = 0.0) -> Array:
        """float32 of that shape, of that mean and standard deviation, at most 3.5 deviations from the mean."""
        values = np.empty(int(np.prod(shape)), np.float32)
        for begin in range(0, values.size, 1 << 22):
            raw = self._bits.random_raw(min(1 << 22, values.size - begin)).astype("<u8").view("<u2").reshape(-1, 4)
            values[begin : begin + len(raw)] = raw.sum(axis=1, dtype=np.int32) - 131_070
        values *= np.float32(deviation / self._DEVIATION)
        values += np.float32(mean)
        return values.reshape(shape)

    def choice(self, below: int, count: int) -> list[int]:
        """`count` different numbers in [0, below), in the order they were drawn."""
        found: dict[int, None] = {}
        while len(found) < min(count, below):
            found[int(self._bits.random_raw()) % below] = None
        return list(found)


def config(sizes: Sizes) -> dict[str, Any]:
    """config.json in the published folder's spelling."""
    return {
        "_sliding_window_pattern": sizes.pattern,
        "architectures": ["Gemma3TextModel"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "attn_logit_softcapping": None,
        "bos_token_id": 2,
        "dtype": "float32",
        "eos_token_id": 1,
        "final_logit_softcapping": None,
        "head_dim": sizes.head_width,
        "hidden_activation": "gelu_pytorch_tanh",
        "hidden_size": sizes.width,
        "initializer_range": 0.02,
        "intermediate_size": sizes.inner,
        "layer_types": [
            "sliding_attention" if (index + 1) % sizes.pattern else "full_attention" for index in range(sizes.layers)
        ],
        "max_position_embeddings": sizes.max_tokens,
        "model_type": "gemma3_text",
        "num_attention_heads": sizes.heads,
        "num_hidden_layers": sizes.layers,
        "num_key_value_heads": 1,
        "pad_token_id": 0,
        "query_pre_attn_scalar": sizes.head_width,
        "rms_norm_eps": 1e-06,
        "rope_local_base_freq": 10000.0,
        "rope_scaling": None,
        "rope_theta": 1000000.0,
        "sliding_window": sizes.window,
        "transformers_version": "4.57.0.dev0",
        "use_bidirectional_attention": True,
        "use_cache": True,
        "vocab_size": sizes.vocabulary,
    }


def random_gemma(folder: Path, sizes: Sizes = TINY, *, seed: int = SEED, outliers: int = 0) -> Path:
    """Write a complete folder and return it. `outliers` channels of the residual stream, and as many inputs of each layer's
    last product, are 20 to 100 times as large as the others: what makes low precision hard on real weights."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config(sizes))
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": sizes.max_tokens, "do_lower_case": False})
    write_json(folder / "config_sentence_transformers.json", _settings())
    _write_modules(folder, sizes)
    write_tokenizer(folder, sizes.vocabulary)
    draws = Draws(seed)
    tensors = dict(_transformer(draws, sizes))
    if outliers:
        _enlarge(tensors, draws, sizes, outliers)
    write_tensors(folder, tensors)
    del tensors
    before = sizes.width
    for index, after in enumerate(sizes.dense, 2):
        write_tensors(folder / f"{index}_Dense", {"linear.weight": draws.bell((after, before), before**-0.5)})
        before = after
    return folder


def tiny_gemma(folder: Path, *, seed: int = SEED, **changed: int) -> Path:
    """A folder of four layers and 2 MB, of which the third sees the whole input; `changed` are fields of `Sizes`."""
    return random_gemma(folder, replace(TINY, **changed), seed=seed)  # type: ignore[arg-type]


def _settings() -> dict[str, Any]:
    return {
        "model_type": "SentenceTransformer",
        "__version__": {"sentence_transformers": "5.1.0", "transformers": "4.57.0.dev0", "pytorch": "2.8.0+cu128"},
        "prompts": PROMPTS,
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    }


def _write_modules(folder: Path, sizes: Sizes) -> None:
    kinds = ["Transformer", "Pooling", *["Dense"] * len(sizes.dense), "Normalize"]
    paths = ["", *(f"{index}_{kind}" for index, kind in enumerate(kinds) if index)]
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for index, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    write_json(folder / "modules.json", modules)
    off = ("cls_token", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")
    pooling = {"word_embedding_dimension": sizes.width, "pooling_mode_mean_tokens": True, "include_prompt": True}
    write_json(folder / "1_Pooling" / "config.json", pooling | {f"pooling_mode_{mode}": False for mode in off})
    before = sizes.width
    for index, after in enumerate(sizes.dense, 2):
        identity = "torch.nn.modules.linear.Identity"
        settings = {"in_features": before, "out_features": after, "bias": False, "activation_function": identity}
        write_json(folder / f"{index}_Dense" / "config.json", settings)
        before = after
    (folder / f"{len(sizes.dense) + 2}_Normalize").mkdir(exist_ok=True)


def _transformer(draws: Draws, sizes: Sizes) -> Iterator[tuple[str, Array]]:
    """The transformer's tensors under their published names. Queries and keys are lengthened enough that each token
    attends to few others: then a key more or less at the window's edge can be seen in the vector."""
    width, inner, all_heads = sizes.width, sizes.inner, sizes.heads * sizes.head_width
    linear = {
        "self_attn.q_proj": (all_heads, width),
        "self_attn.k_proj": (sizes.head_width, width),
        "self_attn.v_proj": (sizes.head_width, width),
        "self_attn.o_proj": (width, all_heads),
        "mlp.gate_proj": (inner, width),
        "mlp.up_proj": (inner, width),
        "mlp.down_proj": (width, inner),
    }
    norms = ("input", "post_attention", "pre_feedforward", "post_feedforward")
    yield "embed_tokens.weight", draws.bell((sizes.vocabulary, width), width**-0.5)
    yield "norm.weight", draws.bell((width,), 0.2)
    for index in range(sizes.layers):
        for name, shape in linear.items():
            yield f"layers.{index}.{name}.weight", draws.bell(shape, shape[1] ** -0.5)
        for name in ("q_norm", "k_norm"):
            yield f"layers.{index}.self_attn.{name}.weight", draws.bell((sizes.head_width,), 0.2, mean=0.4)
        for name in norms:
            yield f"layers.{index}.{name}_layernorm.weight", draws.bell((width,), 0.2)


def _enlarge(tensors: dict[str, Array], draws: Draws, sizes: Sizes, count: int) -> None:
    factors = np.linspace(20, 100, count, dtype=np.float32)
    channels = draws.choice(sizes.width, count)
    tensors["embed_tokens.weight"][:, channels] *= factors
    for index in range(sizes.layers):
        for norm in ("post_attention", "post_feedforward"):  # a gain is 1 + weight
            weight = tensors[f"layers.{index}.{norm}_layernorm.weight"]
            weight[channels] = (1 + weight[channels]) * factors - 1
        tensors[f"layers.{index}.mlp.down_proj.weight"][:, draws.choice(sizes.inner, count)] *= factors
