"""Attention over packed tokens in PyTorch: no padding between inputs, and little computed that the window masks.

Inputs are cut into blocks of queries, each with all keys that it attends to (`embed.runtimes.packing`). Blocks of similar size form
a group, and each group is one call of PyTorch's fused attention, which stores no matrix of scores. Short inputs are therefore
never padded to the longest one. T tokens, H heads, D values per head; b blocks of q queries and k keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import scaled_dot_product_attention

from ai_memory.embed.runtimes.packing import attention_blocks

Tensor: TypeAlias = Any
"""A torch.Tensor; `Any`, because types are also checked where torch is not installed."""

_SMALLEST_CLASS = 5
"""Blocks of up to 2^5 keys form the first group, those of up to 2^6 the next, and so on."""


@dataclass(frozen=True, slots=True)
class _Group:
    queries: Tensor
    """Shape (b, q), int64: the packed token of each query."""
    keys: Tensor
    """Shape (b, k), int64: the packed token of each key."""
    mask: Tensor
    """Shape (b, 1, q, k), bool: true if the query attends to the key; None if every query attends to every key."""


@dataclass(frozen=True, slots=True)
class AttentionPlan:
    """Which tokens attend to each other in one kind of layer, for the inputs of one pass."""

    groups: tuple[_Group, ...]
    back: Tensor
    """Shape (T,), int64: the position of each packed token among the queries of all groups, concatenated."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """softmax(query·keyᵀ·scale)·value, then the heads joined: query [T, H, D], key and value [T, G, D] → [T, H·D].

        Each of the G heads of keys and values is shared by H / G neighbouring query heads. Dtype and device are those of `query`.
        """
        mixed = []
        for group in self.groups:
            q = query[group.queries].transpose(1, 2)
            k, v = (_for_queries(each[group.keys].transpose(1, 2), q.shape[1]) for each in (key, value))
            seen = scaled_dot_product_attention(q, k, v, attn_mask=group.mask, scale=scale)
            mixed.append(seen.transpose(1, 2).flatten(2).flatten(0, 1))
        return (mixed[0] if len(mixed) == 1 else torch.cat(mixed))[self.back]


def _for_queries(x: Tensor, heads: int) -> Tensor:
    """Keys or values [b, G, k, D] for `heads` query heads: [b, heads, k, D]. A single head is not copied."""
    return x.expand(-1, heads, -1, -1) if x.shape[1] == 1 else x.repeat_interleave(heads // x.shape[1], dim=1)


def plan_attention(lengths: Sequence[int], reach: int | None, device: str) -> AttentionPlan:
    """The plan of a layer whose tokens attend to tokens at most `reach` away, or to their whole input if `reach` is None.

    `lengths` are those of the inputs, not empty and all above 0; the plan's tensors are on `device`.
    """
    blocks = np.array(list(_blocks(lengths, reach)), np.int64)
    # Powers of two bound both costs: beyond the first group less than half of the keys are filler, and there are few calls,
    # each of which has a fixed cost on a GPU.
    classes = np.maximum(_SMALLEST_CLASS, np.ceil(np.log2(blocks[:, 3] - blocks[:, 2])))
    groups, places = [], []
    for size in np.unique(classes):
        group, tokens = _group(blocks[classes == size], max(lengths) if reach is None else reach, device)
        groups.append(group)
        places.append(tokens)
    order = np.concatenate(places)
    # `order` has the packed token of each computed row, -1 for filler; `back` is its inverse.
    back = np.empty(sum(lengths), np.int64)
    back[order[order >= 0]] = np.flatnonzero(order >= 0)
    return AttentionPlan(tuple(groups), torch.from_numpy(back).to(device))


def _blocks(lengths: Sequence[int], reach: int | None) -> Iterator[tuple[int, int, int, int]]:
    """(first query, end of queries, first key, end of keys) of each block."""
    for length, start in zip(lengths, accumulate(lengths, initial=0), strict=False):
        if reach is None:
            yield start, start + length, start, start + length
        else:
            yield from attention_blocks(start, length, reach)


def _group(blocks: NDArray[np.int64], reach: int, device: str) -> tuple[_Group, NDArray[np.int64]]:
    """One group, and the packed token of each of its b·q queries, int64, -1 for filler.

    The mask is computed on the device, because it is the only large part.
    """
    wide, deep = int((blocks[:, 1] - blocks[:, 0]).max()), int((blocks[:, 3] - blocks[:, 2]).max())
    tokens = blocks[:, :1] + np.arange(wide)
    start, stop, first, last = (each[:, None] for each in torch.from_numpy(blocks).to(device).unbind(1))
    queries, keys = start + torch.arange(wide, device=device), first + torch.arange(deep, device=device)
    mask = None
    if not _all_seen(blocks, reach):
        near = (queries[:, :, None] - keys[:, None, :]).abs() <= reach
        # A filler row attends to its whole block: without any visible key its softmax would be NaN, though it is never used.
        near |= (queries >= stop)[:, :, None]
        mask = (near & (keys < last)[:, None, :])[:, None]
    group = _Group(torch.minimum(queries, stop - 1), torch.minimum(keys, last - 1), mask)
    return group, np.where(tokens < blocks[:, 1:2], tokens, -1).ravel()


def _all_seen(blocks: NDArray[np.int64], reach: int) -> bool:
    """Return whether nothing has to be masked: all blocks have equally many keys and all of them are within reach."""
    start, stop, first, last = blocks.T
    same = np.ptp(last - first) == 0  # filler queries need no mask, filler keys do
    return bool(same and max((stop - 1 - first).max(), (last - 1 - start).max()) <= reach)
