"""EmbeddingGemma 2 in numpy, in float64 and one input at a time: an independent calculation, which can make each known mistake."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.tiny_gemma2 import TINY, Sizes

Array = NDArray[np.float64]


def numpy_gemma2(folder: Path, ids: list[int], sizes: Sizes = TINY, *, mistake: str = "") -> Array:
    """The unit vector of one input, (dimension,). `mistake` is one of `MISTAKES`, or nothing."""
    from safetensors.numpy import load_file

    weights = {name: array.astype(np.float64) for name, array in load_file(str(folder / "model.safetensors")).items()}
    words = weights["embed_tokens.weight"][ids]
    x = words * sizes.width**0.5
    signals = x @ weights["ple.per_layer_model_projection.weight"].T * sizes.width**-0.5
    shared = weights["ple.per_layer_projection_norm.weight"]
    for index in range(sizes.layers):
        layer = {
            name.removeprefix(f"layers.{index}."): array
            for name, array in weights.items()
            if name.startswith(f"layers.{index}.")
        }
        own = signals[:, index * sizes.signal : (index + 1) * sizes.signal]
        own = norm(own, 1.0 if mistake == "the signal's norm without its weight" else shared)
        if mistake == "the signal from the last layer's state":
            own = norm(x @ weights["ple.per_layer_model_projection.weight"][: sizes.signal].T, shared)
        x = _layer(x, layer, own, sizes, sizes.full_layers[index], mistake)
    states = norm(x, weights["norm.weight"], mistake)
    head = weights["embedding_projection.weight"]
    if mistake == "the first token in place of the mean":
        states = states[:1]
    vector: Array = (states @ head.T).mean(axis=0)  # per token, as the reference has it
    unit: Array = vector / np.linalg.norm(vector)
    return unit


MISTAKES = (
    "a gain of 1 + w",
    "scores divided by the root of the head's width",
    "values not normalised",
    "sliding_window as the width of the window",
    "a window one token narrower",
    "a window one token wider",
    "sliding heads in full layers",
    "rotary angles of sliding layers in full ones",
    "layer_scalar left out",
    "the signal's norm without its weight",
    "the signal from the last layer's state",
    "no third branch",
    "the first token in place of the mean",
    "causal attention",
)
"""Each changes the vector of an input of 514 tokens. Not here is what nobody could see in a vector: factors of the signal, which
two norms take out again, and the head before or after the mean, which are the same. The unit length is taken after the head."""


def norm(x: Array, gain: Array | float, mistake: str = "") -> Array:
    if mistake == "a gain of 1 + w":
        gain = 1.0 + gain
    found: Array = x / np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + 1e-6) * gain
    return found


def _layer(x: Array, weights: Mapping[str, Array], signal: Array, sizes: Sizes, full: bool, mistake: str) -> Array:
    before = norm(x, weights["input_layernorm.weight"], mistake)
    attended = _attention(before, weights, sizes, full, mistake)
    x = x + norm(attended, weights["post_attention_layernorm.weight"], mistake)
    before = norm(x, weights["pre_feedforward_layernorm.weight"], mistake)
    inner = gelu(before @ weights["mlp.gate_proj.weight"].T) * (before @ weights["mlp.up_proj.weight"].T)
    x = x + norm(inner @ weights["mlp.down_proj.weight"].T, weights["post_feedforward_layernorm.weight"], mistake)
    if mistake != "no third branch":
        gated = gelu(x @ weights["ple_block.per_layer_input_gate.weight"].T) * signal
        back = gated @ weights["ple_block.per_layer_projection.weight"].T
        x = x + norm(back, weights["ple_block.post_per_layer_input_norm.weight"], mistake)
    return x if mistake == "layer_scalar left out" else x * weights["layer_scalar"]


def gelu(x: Array) -> Array:
    found: Array = 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))
    return found


def _attention(x: Array, weights: Mapping[str, Array], sizes: Sizes, full: bool, mistake: str) -> Array:
    width = sizes.full_head_width if full else sizes.head_width
    key_heads = sizes.full_key_heads if full else sizes.key_heads
    query, key, value = (
        (x @ weights[f"self_attn.{name}_proj.weight"].T).reshape(len(x), heads, width)
        for name, heads in (("q", sizes.heads), ("k", key_heads), ("v", key_heads))
    )
    query = norm(query, weights["self_attn.q_norm.weight"], mistake)
    key = norm(key, weights["self_attn.k_norm.weight"], mistake)
    if mistake != "values not normalised":
        value = norm(value, 1.0)
    if full and mistake == "sliding heads in full layers":  # the same products cut into twice as many heads
        query, key, value = (each.reshape(len(x), -1, sizes.head_width) for each in (query, key, value))
        width = sizes.head_width
    base = 1e6 if full and mistake != "rotary angles of sliding layers in full ones" else 1e4
    query, key = (_rotated(each, base, width) for each in (query, key))
    share = query.shape[1] // key.shape[1]
    seen = _seen(len(x), sizes, full, mistake)
    mixed = []
    for head in range(query.shape[1]):
        scores = query[:, head] @ key[:, head // share].T
        if mistake == "scores divided by the root of the head's width":
            scores = scores / width**0.5
        scores = np.where(seen, scores, -np.inf)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        mixed.append((shares / shares.sum(axis=1, keepdims=True)) @ value[:, head // share])
    found: Array = np.concatenate(mixed, axis=1) @ weights["self_attn.o_proj.weight"].T
    return found


def _seen(length: int, sizes: Sizes, full: bool, mistake: str) -> NDArray[np.bool_]:
    apart = np.arange(length)[:, None] - np.arange(length)[None, :]
    if mistake == "causal attention":
        return np.asarray(apart >= 0)
    reach = {
        "sliding_window as the width of the window": sizes.window // 2,
        "a window one token narrower": sizes.window - 1,
        "a window one token wider": sizes.window + 1,
    }.get(mistake, sizes.window)
    return np.asarray(np.abs(apart) <= (length if full else reach))


def _rotated(x: Array, base: float, width: int) -> Array:
    angles = np.arange(len(x))[:, None] / base ** (np.arange(0, width, 2) / width)
    both: Any = np.concatenate([angles, angles], axis=1)[:, None, :]
    first, second = np.split(x, 2, axis=2)
    turned: Array = x * np.cos(both) + np.concatenate([-second, first], axis=2) * np.sin(both)
    return turned
