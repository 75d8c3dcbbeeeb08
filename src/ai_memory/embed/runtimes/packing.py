"""Several inputs in one pass without padding: all tokens in one row, and which of them may see each other.

The products of a layer run over the packed tokens, so padding costs them nothing. Attention runs over blocks of queries, each
with the keys that it can see at all: for a sliding layer those of its window, for a full layer those of its input. What a
window masks out is mostly never computed, so a long input costs little more a token than a short one.

Everything here is plain arithmetic on lengths; both runtimes execute the same plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int32]

MASKED = np.float32(-1e9)
"""Added to a score before the softmax: exactly 0 afterwards in float32 and bfloat16, and no infinity that could become NaN."""

TOKEN_STEP = 8
ROW_STEP = 16
"""The tokens of a pass, and the rows and keys of its blocks, are filled up to multiples of these. A runtime keeps compiled code for
each shape that it has met; with every length a shape of its own, that code took over a gigabyte in an hour of mixed texts."""

BLOCK = 128
"""Queries of one block where an input is longer than two blocks: smaller ones waste fewer keys, larger ones multiply faster."""


@dataclass(frozen=True, slots=True)
class AttentionPlan:
    """b blocks of q queries and k keys. Blocks that are smaller are filled up with rows that nobody reads."""

    queries: Indices
    """Shape (b, q): the packed token of each query."""
    keys: Indices
    """Shape (b, k): the packed token of each key."""
    bias: NDArray[np.float32]
    """Shape (b, q, 1, k): 0 where the query sees the key, `MASKED` where not. The axis of 1 is for the heads."""
    back: Indices
    """Shape (T,): where each packed token's query stands among the b·q rows."""


@dataclass(frozen=True, slots=True)
class Packed:
    """n inputs of T tokens in all, filled up with tokens that count in no mean and that no other token sees."""

    ids: Indices
    """Shape (T,)."""
    positions: Indices
    """Shape (T,): each token's place in its own input, from 0."""
    mean: NDArray[np.float32]
    """Shape (n, T): row i times the token states is the mean over input i."""
    full: AttentionPlan
    """Every token sees every token of its input."""
    sliding: AttentionPlan
    """Every token sees those at most `reach` away; the same object as `full` where no input is long enough to differ."""


def pack(inputs: Sequence[Sequence[int]], reach: int) -> Packed:
    """Lay out one pass. `inputs` and each input are not empty; `reach` is how many tokens a sliding layer sees on either side."""
    lengths = [len(each) for each in inputs]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    tokens = _up_to(int(starts[-1]), TOKEN_STEP)
    ids, positions = np.zeros(tokens, np.int32), np.zeros(tokens, np.int32)
    mean = np.zeros((len(inputs), tokens), np.float32)
    for row, (start, length) in enumerate(zip(starts.tolist(), lengths, strict=False)):
        ids[start : start + length] = inputs[row]
        positions[start : start + length] = np.arange(length)
        mean[row, start : start + length] = 1.0 / length
    full = _plan(lengths, starts, reach=max(lengths))
    sliding = full if max(lengths) <= reach + 1 else _plan(lengths, starts, reach)
    return Packed(ids, positions, mean, full, sliding)


def _up_to(count: int, step: int) -> int:
    return -(-count // step) * step


def _plan(lengths: Sequence[int], starts: NDArray[np.int64], reach: int) -> AttentionPlan:
    blocks = [
        block
        for start, length in zip(starts, lengths, strict=False)
        for block in attention_blocks(int(start), length, reach)
    ]
    wide = _up_to(max(stop - start for start, stop, _, _ in blocks), ROW_STEP)
    deep = _up_to(max(last - first for _, _, first, last in blocks), ROW_STEP)
    edges = np.array(blocks, np.int32)
    start, stop, first, last = (edges[:, column, None] for column in range(4))
    queries = start + np.arange(wide, dtype=np.int32)
    keys = first + np.arange(deep, dtype=np.int32)
    seen = np.repeat((keys < last)[:, None, :], wide, axis=1)
    if max(lengths) > reach + 1:
        near = np.abs(queries[:, :, None] - keys[:, None, :]) <= reach
        # A row that fills up a block sees its whole block: it must not become NaN, though nobody reads it.
        near |= (queries >= stop)[:, :, None]
        seen &= near
    back = np.zeros(_up_to(int(starts[-1]), TOKEN_STEP), np.int32)
    rows = np.arange(queries.size, dtype=np.int32).reshape(queries.shape)
    back[queries[queries < stop]] = rows[queries < stop]
    return AttentionPlan(
        queries=np.minimum(queries, stop - 1),
        keys=np.minimum(keys, last - 1),
        bias=np.where(seen, np.float32(0.0), MASKED)[:, :, None, :],
        back=back,
    )


def attention_blocks(start: int, length: int, reach: int) -> list[tuple[int, int, int, int]]:
    """(first query, end of queries, first key, end of keys) of each block of one input, in packed places."""
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
