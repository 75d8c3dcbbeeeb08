"""The models' layers in PyTorch, over packed tokens: token ids in, one unit vector per input out.

T tokens of n inputs, W values per token, H heads of D values. Roundings happen in the same order as in transformers: in bfloat16 a
norm is computed in float32, multiplied by its gain and then rounded; the embedding scale and the rotary tables are rounded before
they are used; the mean over tokens is summed in float32. The final normalisation is in float32, so that the length is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from ai_memory.embed.models import bert, gemma
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.models.weights import WordTable
from ai_memory.embed.runtimes.torch.attention import AttentionPlan, Tensor, plan_attention

Weights = Mapping[str, NDArray[np.float32]]

_WORDS = "embed_tokens.weight"


class Model(Protocol):
    """A model's layers with their weights loaded."""

    def __call__(self, ids: Tensor, positions: Tensor, lengths: Sequence[int]) -> Tensor:
        """`ids` and `positions` int64 [T], the inputs' tokens concatenated; n `lengths` → unit vectors float32 [n, dimension]."""
        ...


class Loader:
    """Converts weights to the model's dtype and moves them to its device."""

    def __init__(self, dtype: Tensor, device: str) -> None:
        self.dtype = dtype
        self.device = device

    def weight(self, *arrays: NDArray[np.float32]) -> Tensor:
        """The arrays, concatenated along the first axis, in the model's dtype."""
        return self.exact(*arrays).to(self.dtype)

    def exact(self, *arrays: NDArray[np.float32]) -> Tensor:
        """As `weight`, in float32: the gains of norms, which are applied in float32."""
        joined = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        return torch.from_numpy(joined).to(self.device)

    def words(self, table: WordTable) -> Callable[[Tensor], Tensor]:
        """The embeddings of ids int64 [T], as a function: on the CPU looked up in the mapped file, else in the device's memory."""
        if self.device == "cpu":
            return lambda ids: torch.from_numpy(table.rows(ids.numpy()))
        whole = self.weight(table.whole())
        return lambda ids: whole[ids]


class GemmaModel:
    """EmbeddingGemma (`embed.models.gemma` has its configuration and tensors)."""

    def __init__(self, folder: ModelFolder, dtype: Tensor, device: str) -> None:
        """Raises ModelFilesError if the weights do not match the configuration."""
        loader = Loader(dtype, device)
        self._config = gemma.read_config(folder)
        weights, dense = gemma.read_weights(folder, self._config)
        self._dtype = dtype
        table = weights.table(_WORDS)
        self._table = loader.words(table)
        self._layers = [
            _GemmaLayer(part(weights, f"layers.{index}."), self._config, loader)
            for index in range(len(self._config.full_layers))
        ]
        self._final_gain = loader.exact(weights["norm.weight"]) + 1.0
        self._dense = [loader.weight(each) for each in dense]
        bases = {True: self._config.full_base, False: self._config.sliding_base}
        self._rotary = {
            full: tuple(
                loader.weight(each)[:, None]
                for each in gemma.rotary_table(folder.max_tokens, self._config.head_width, base)
            )
            for full, base in bases.items()
        }
        if device != "cpu" or dtype is not torch.float32:
            table.release()  # the weights have been copied out of the file

    def __call__(self, ids: Tensor, positions: Tensor, lengths: Sequence[int]) -> Tensor:
        """As `Model.__call__`."""
        config, device = self._config, str(ids.device)
        whole = plan_attention(lengths, None, device)
        near = whole if max(lengths) <= config.reach + 1 else plan_attention(lengths, config.reach, device)
        plans = {True: whole, False: near}
        turns = {full: tuple(each[positions] for each in pair) for full, pair in self._rotary.items()}
        x = self._table(ids).to(self._dtype) * torch.tensor(config.embedding_scale, dtype=self._dtype, device=device)
        for full, layer in zip(config.full_layers, self._layers, strict=True):
            x = layer(x, plans[full], turns[full])
        pooled = means(rms_norm(x, self._final_gain, config.epsilon), lengths)
        for weight in self._dense:
            pooled = functional.linear(pooled, weight)
        return functional.normalize(pooled.float(), dim=1)


class _GemmaLayer:
    """x [T, W] → [T, W], in x's dtype."""

    def __init__(self, weights: Weights, config: gemma.GemmaConfig, loader: Loader) -> None:
        self._config = config
        self._joined = loader.weight(*(weights[f"self_attn.{each}_proj.weight"] for each in "qkv"))
        self._out = loader.weight(weights["self_attn.o_proj.weight"])
        self._gated = loader.weight(weights["mlp.gate_proj.weight"], weights["mlp.up_proj.weight"])
        self._down = loader.weight(weights["mlp.down_proj.weight"])
        norms = ("input", "post_attention", "pre_feedforward", "post_feedforward")
        self._gains = [loader.exact(weights[f"{norm}_layernorm.weight"]) + 1.0 for norm in norms]
        self._query_gain = loader.exact(weights["self_attn.q_norm.weight"]) + 1.0
        self._key_gain = loader.exact(weights["self_attn.k_norm.weight"]) + 1.0

    def __call__(self, x: Tensor, plan: AttentionPlan, turn: Sequence[Tensor]) -> Tensor:
        config, epsilon = self._config, self._config.epsilon
        before, after, before_products, after_products = self._gains
        joined = functional.linear(rms_norm(x, before, epsilon), self._joined)
        query, key, value = joined.unflatten(1, (config.heads + 2, config.head_width)).split(
            [config.heads, 1, 1], dim=1
        )
        query = rotate(rms_norm(query, self._query_gain, epsilon), turn)
        key = rotate(rms_norm(key, self._key_gain, epsilon), turn)
        mixed = plan.attend(query, key, value, config.score_scale)
        x = x + rms_norm(functional.linear(mixed, self._out), after, epsilon)
        gate, up = functional.linear(rms_norm(x, before_products, epsilon), self._gated).chunk(2, dim=1)
        products = functional.linear(functional.gelu(gate, approximate="tanh") * up, self._down)
        return x + rms_norm(products, after_products, epsilon)


class BertModel:
    """BERT (`embed.models.bert` has its configuration and tensors)."""

    def __init__(self, folder: ModelFolder, dtype: Tensor, device: str) -> None:
        """Raises ModelFilesError if the weights do not match the configuration."""
        loader = Loader(dtype, device)
        self._config, weights, table = bert.read_bert(folder)
        own = part(weights, "embeddings.")
        self._dtype = dtype
        self._words = loader.words(table)
        self._places = loader.weight(own["position_embeddings.weight"][self._config.first_position :])
        self._first = folder.pooling == "cls"
        self._kind = loader.weight(own["token_type_embeddings.weight"][0])
        self._norm = _norm_weights(own, "LayerNorm", loader)
        self._layers = [
            _BertLayer(part(weights, f"encoder.layer.{index}."), self._config, loader)
            for index in range(self._config.layers)
        ]

    def __call__(self, ids: Tensor, positions: Tensor, lengths: Sequence[int]) -> Tensor:
        """As `Model.__call__`."""
        plan = plan_attention(lengths, None, str(ids.device))
        x = self._words(ids).to(self._dtype) + self._kind + self._places[positions]
        x = functional.layer_norm(x, x.shape[1:], *self._norm, eps=self._config.epsilon)
        for layer in self._layers:
            x = layer(x, plan)
        pooled = x[positions == 0] if self._first else means(x, lengths)
        return functional.normalize(pooled.float(), dim=1)


class _BertLayer:
    """x [T, W] → [T, W], in x's dtype."""

    def __init__(self, weights: Weights, config: bert.BertConfig, loader: Loader) -> None:
        self._config = config
        names = [f"attention.self.{each}" for each in ("query", "key", "value")]
        self._joined = [loader.weight(*(weights[f"{name}.{kind}"] for name in names)) for kind in ("weight", "bias")]
        self._linear = {
            name: [loader.weight(weights[f"{name}.dense.{kind}"]) for kind in ("weight", "bias")]
            for name in ("attention.output", "intermediate", "output")
        }
        self._norms = {
            name: _norm_weights(weights, f"{name}.LayerNorm", loader) for name in ("attention.output", "output")
        }

    def __call__(self, x: Tensor, plan: AttentionPlan) -> Tensor:
        heads = self._config.heads
        joined = functional.linear(x, *self._joined).unflatten(1, (3, heads, x.shape[1] // heads))
        query, key, value = joined.unbind(1)
        x = self._add_and_norm(x, plan.attend(query, key, value, query.shape[2] ** -0.5), "attention.output")
        inner = functional.gelu(functional.linear(x, *self._linear["intermediate"]))
        return self._add_and_norm(x, inner, "output")

    def _add_and_norm(self, x: Tensor, branch: Tensor, name: str) -> Tensor:
        summed = x + functional.linear(branch, *self._linear[name])
        return functional.layer_norm(summed, x.shape[1:], *self._norms[name], eps=self._config.epsilon)


def part(weights: Weights, prefix: str) -> dict[str, NDArray[np.float32]]:
    """The weights whose names start with `prefix`, of any shape, by their names without it."""
    return {name.removeprefix(prefix): weights[name] for name in weights if name.startswith(prefix)}


def _norm_weights(weights: Weights, name: str, loader: Loader) -> list[Tensor]:
    return [loader.weight(weights[f"{name}.{kind}"]) for kind in ("weight", "bias")]


def rms_norm(x: Tensor, gain: Tensor, epsilon: float) -> Tensor:
    """X / sqrt(mean(x²) + epsilon) · gain over the last axis (Zhang and Sennrich 2019): in float32, then in x's dtype."""
    return functional.rms_norm(x.float(), gain.shape, gain, epsilon).to(x.dtype)


def rotate(x: Tensor, turn: Sequence[Tensor]) -> Tensor:
    """Rotary positions (Su et al. 2021): x [T, H, D], cosine and sine [T, 1, D] → [T, H, D]; value i pairs with i + D/2."""
    cosine, sine = turn
    first, second = x.chunk(2, dim=2)
    return x * cosine + torch.cat([-second, first], dim=2) * sine


def means(x: Tensor, lengths: Sequence[int]) -> Tensor:
    """The mean over the tokens of each input, summed in float32: [T, W] → [n, W] in x's dtype."""
    counts = torch.tensor(lengths, device=x.device)
    return torch.segment_reduce(x.float(), "mean", lengths=counts, axis=0).to(x.dtype)
