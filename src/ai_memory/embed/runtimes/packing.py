"""Several inputs in one pass without padding: all tokens in one row, and a plan of which attend to each other.

The matrix products of a layer run over the packed tokens and so have no padding. Attention runs over blocks of queries, each with
all keys that any of them attends to: in a sliding layer those of the window, in a full layer those of the input. Most of what the
window would mask is never computed, so a token of a long input costs little more than one of a short input.

This module only computes with lengths; both runtimes execute the same plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int32]

MASKED = np.float32(-1e9)
"""Added to a masked score before the softmax: gives exactly 0 in float32 and bfloat16, and unlike -inf never NaN."""

TOKEN_STEP = 8
ROW_STEP = 16
"""The tokens of a pass, and the rows and keys of its blocks, are rounded up to multiples of these. A runtime caches compiled code
per shape; without the rounding, that cache grew to over a gigabyte in an hour of mixed texts."""

BLOCK = 128
"""Queries per block of an input longer than two blocks: smaller blocks waste fewer keys, larger ones multiply faster."""


@dataclass(frozen=True, slots=True)
class AttentionPlan:
    """b blocks of q queries and k keys. Smaller blocks are filled up with rows whose results are not used."""

    queries: Indices
    """Shape (b, q), int32: the packed token of each query."""
    keys: Indices
    """Shape (b, k), int32: the packed token of each key."""
    bias: NDArray[np.float32]
    """Shape (b, q, 1, k), float32: 0 if the query attends to the key, else `MASKED`. The axis of 1 broadcasts over heads.

    Where all queries of a block see the same keys it may be (b, 1, 1, k) (`pack`, `long`)."""
    back: Indices
    """Shape (T,), int32: the row, of the b·q rows, with the result of each packed token."""


@dataclass(frozen=True, slots=True)
class Packed:
    """n inputs with T tokens in total, including filler tokens that no mean counts and no other token attends to."""

    ids: Indices
    """Shape (T,), int32: token ids, 0 for filler."""
    positions: Indices
    """Shape (T,), int32: the position of each token in its input, from 0."""
    mean: NDArray[np.float32]
    """Shape (n, T), float32: row i times the token states is the mean over input i."""
    full: AttentionPlan
    """Every token attends to every token of its input."""
    sliding: AttentionPlan
    """Every token attends to tokens at most `reach` away; the same object as `full` if no input is long enough to differ."""


def pack(inputs: Sequence[Sequence[int]], reach: int, *, long: bool = False) -> Packed:
    """Lay out one pass. Neither `inputs` nor any input is empty; a sliding layer attends to `reach` tokens on either side.

    `long` is for inputs of so many thousand tokens that nothing of their square may be stored: in the full plan an input that is
    alone is one block, so that its keys are gathered once, and the bias has one row for all queries of a block.
    """
    lengths = [len(each) for each in inputs]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    tokens = _up_to(int(starts[-1]), TOKEN_STEP)
    ids, positions = np.zeros(tokens, np.int32), np.zeros(tokens, np.int32)
    mean = np.zeros((len(inputs), tokens), np.float32)
    for row, (start, length) in enumerate(zip(starts.tolist(), lengths, strict=False)):
        ids[start : start + length] = inputs[row]
        positions[start : start + length] = np.arange(length)
        mean[row, start : start + length] = 1.0 / length
    full = _plan(lengths, starts, reach=max(lengths), long=long)
    # Up to reach + 1 tokens every pair of an input is within reach: both kinds of layers share one plan.
    sliding = full if max(lengths) <= reach + 1 else _plan(lengths, starts, reach)
    return Packed(ids, positions, mean, full, sliding)


def _up_to(count: int, step: int) -> int:
    """`count` rounded up to a multiple of `step`."""
    return -(-count // step) * step


def split_key_heads(plan: AttentionPlan, heads: int) -> AttentionPlan:
    """The plan for `heads` heads of keys and values, for tokens that have one row for each head, head after head.

    Every block becomes `heads` blocks, of one head each: queries (b·heads, q), keys (b·heads, k), back (T·heads,).
    """
    if heads == 1:
        return plan
    each = np.arange(heads, dtype=np.int32)
    blocks, rows = plan.queries.shape
    block, row = np.divmod(plan.back[:, None], np.int32(rows))
    return AttentionPlan(
        queries=(plan.queries[:, None, :] * np.int32(heads) + each[:, None]).reshape(blocks * heads, rows),
        keys=(plan.keys[:, None, :] * np.int32(heads) + each[:, None]).reshape(blocks * heads, -1),
        bias=np.repeat(plan.bias, heads, axis=0),
        back=((block * np.int32(heads) + each) * np.int32(rows) + row).reshape(-1),
    )


def _plan(lengths: Sequence[int], starts: NDArray[np.int64], reach: int, *, long: bool = False) -> AttentionPlan:
    whole = long and len(lengths) == 1
    blocks = [
        block
        for start, length in zip(starts, lengths, strict=False)
        for block in (
            [(int(start), length, int(start), length)] if whole else attention_blocks(int(start), length, reach)
        )
    ]
    wide = _up_to(max(stop - start for start, stop, _, _ in blocks), ROW_STEP)
    deep = _up_to(max(last - first for _, _, first, last in blocks), ROW_STEP)
    edges = np.array(blocks, np.int32)
    # Columns of shape (b, 1), so that one expression with a row of (wide,) or (deep,) computes all blocks at once.
    start, stop, first, last = (edges[:, column, None] for column in range(4))
    queries = start + np.arange(wide, dtype=np.int32)
    keys = first + np.arange(deep, dtype=np.int32)
    seen = np.repeat((keys < last)[:, None, :], 1 if long else wide, axis=1)
    if max(lengths) > reach + 1:
        near = np.abs(queries[:, :, None] - keys[:, None, :]) <= reach
        # A filler row attends to its whole block: without any visible key its softmax could be NaN, though it is never used.
        near |= (queries >= stop)[:, :, None]
        seen &= near
    back = np.zeros(_up_to(int(starts[-1]), TOKEN_STEP), np.int32)
    rows = np.arange(queries.size, dtype=np.int32).reshape(queries.shape)
    back[queries[queries < stop]] = rows[queries < stop]
    return AttentionPlan(
        # Filler queries and keys repeat the last real one, so that every index is valid.
        queries=np.minimum(queries, stop - 1),
        keys=np.minimum(keys, last - 1),
        bias=np.where(seen, np.float32(0.0), MASKED)[:, :, None, :],
        back=back,
    )


def attention_blocks(start: int, length: int, reach: int) -> list[tuple[int, int, int, int]]:
    """(first query, end of queries, first key, end of keys) of each block of one input, as packed token positions."""
    size = length if length <= 2 * BLOCK else BLOCK
    return [
        (
            start + begin,
            start + min(begin + size, length),
            start + max(0, begin - reach),
            start + min(begin + size + reach, length),
        )
        for begin in range(0, length, size)
    ]
