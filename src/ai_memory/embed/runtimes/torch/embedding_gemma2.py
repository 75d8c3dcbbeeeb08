"""EmbeddingGemma 2 in PyTorch, over packed tokens (`embed.models.embedding_gemma2` has its configuration and tensors).

T tokens of n inputs, W values per token, S of a layer's signal, D values per head.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from ai_memory.embed.models.embedding_gemma2 import WORDS, Gemma2Config, Kind, read_config, read_weights
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.models.gemma import rotary_table
from ai_memory.embed.runtimes.torch.attention import AttentionPlan, Tensor, plan_attention
from ai_memory.embed.runtimes.torch.models import Loader, Weights, means, part, rms_norm, rotate


class EmbeddingGemma2Model:
    """EmbeddingGemma 2's text part."""

    def __init__(self, folder: ModelFolder, dtype: Tensor, device: str) -> None:
        """Raises ModelFilesError if the weights do not match the configuration."""
        loader = Loader(dtype, device)
        self._config = config = read_config(folder)
        weights = read_weights(folder, config)
        table = weights.table(WORDS)
        self._dtype = dtype
        self._table = loader.words(table)
        self._scale = torch.tensor(config.width**0.5, dtype=dtype, device=device)
        rows = weights["ple.per_layer_model_projection.weight"]
        self._signals = loader.weight(rows)
        self._signal_gain = loader.exact(weights["ple.per_layer_projection_norm.weight"])
        self._layers = [
            _Layer(part(weights, f"layers.{index}."), config, config.kind(index), loader)
            for index in range(len(config.full_layers))
        ]
        self._final_gain = loader.exact(weights["norm.weight"])
        self._projection = loader.weight(weights["embedding_projection.weight"])
        self._rotary = {
            full: tuple(
                loader.weight(each)[:, None] for each in rotary_table(folder.max_tokens, kind.head_width, kind.base)
            )
            for full, kind in ((True, config.full), (False, config.sliding))
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
        x = words = self._table(ids).to(self._dtype) * self._scale
        for index, (full, layer) in enumerate(zip(config.full_layers, self._layers, strict=True)):
            # Each layer's share of the signal by itself: all at once they would be 24 times the state.
            rows = self._signals[index * config.signal : (index + 1) * config.signal]
            signal = rms_norm(functional.linear(words, rows), self._signal_gain, config.signal_epsilon)
            x = layer(x, signal, plans[full], turns[full])
        # The reference multiplies before the mean; both are linear, so after it is the same, for one row in place of T.
        pooled = means(rms_norm(x, self._final_gain, config.epsilon), lengths)
        return functional.normalize(functional.linear(pooled, self._projection).float(), dim=1)


class _Layer:
    """x [T, W] and its signal [T, S] → [T, W], in x's dtype."""

    def __init__(self, weights: Weights, config: Gemma2Config, kind: Kind, loader: Loader) -> None:
        self._config = config
        self._kind = kind
        self._joined = loader.weight(*(weights[f"self_attn.{each}_proj.weight"] for each in "qkv"))
        self._out = loader.weight(weights["self_attn.o_proj.weight"])
        self._gated = loader.weight(weights["mlp.gate_proj.weight"], weights["mlp.up_proj.weight"])
        self._down = loader.weight(weights["mlp.down_proj.weight"])
        self._gate = loader.weight(weights["ple_block.per_layer_input_gate.weight"])
        self._back = loader.weight(weights["ple_block.per_layer_projection.weight"])
        norms = (
            *(f"{each}_layernorm" for each in ("input", "post_attention", "pre_feedforward", "post_feedforward")),
            "ple_block.post_per_layer_input_norm",
        )
        self._gains = [loader.exact(weights[f"{norm}.weight"]) for norm in norms]
        self._query_gain = loader.exact(weights["self_attn.q_norm.weight"])
        self._key_gain = loader.exact(weights["self_attn.k_norm.weight"])
        self._value_gain = torch.ones_like(self._key_gain)
        self._scalar = loader.weight(weights["layer_scalar"])

    def __call__(self, x: Tensor, signal: Tensor, plan: AttentionPlan, turn: Sequence[Tensor]) -> Tensor:
        config, kind, epsilon = self._config, self._kind, self._config.epsilon
        before, after, before_products, after_products, after_signal = self._gains
        joined = functional.linear(rms_norm(x, before, epsilon), self._joined)
        query, key, value = joined.unflatten(1, (config.heads + 2 * kind.key_heads, kind.head_width)).split(
            [config.heads, kind.key_heads, kind.key_heads], dim=1
        )
        query = rotate(rms_norm(query, self._query_gain, epsilon), turn)
        key = rotate(rms_norm(key, self._key_gain, epsilon), turn)
        mixed = plan.attend(query, key, rms_norm(value, self._value_gain, epsilon), 1.0)
        x = x + rms_norm(functional.linear(mixed, self._out), after, epsilon)
        gate, up = functional.linear(rms_norm(x, before_products, epsilon), self._gated).chunk(2, dim=1)
        products = functional.linear(functional.gelu(gate, approximate="tanh") * up, self._down)
        x = x + rms_norm(products, after_products, epsilon)
        gated = functional.gelu(functional.linear(x, self._gate), approximate="tanh") * signal
        return (x + rms_norm(functional.linear(gated, self._back), after_signal, epsilon)) * self._scalar
