"""The packed layout defines exactly which tokens attend to each other, for any lengths and any window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ai_memory.embed.runtimes.packing import BLOCK, MASKED, ROW_STEP, TOKEN_STEP, AttentionPlan, pack

lengths_of_a_pass = st.lists(st.integers(1, 4 * BLOCK), min_size=1, max_size=5)


def inputs_of(lengths: list[int]) -> list[list[int]]:
    return [[1000 * number + place for place in range(length)] for number, length in enumerate(lengths)]


def visible(plan: AttentionPlan, tokens: int) -> NDArray[np.bool_]:
    """[T, T]: whether the row's token attends to the column's, evaluated from the plan as a runtime does."""
    blocks, rows = plan.queries.shape
    seen = np.zeros((tokens, tokens), bool)
    owner = plan.back
    for token in range(tokens):
        block, row = divmod(int(owner[token]), rows)
        assert block < blocks
        assert plan.queries[block, row] == token
        seen[token, plan.keys[block][plan.bias[block, row, 0] == 0]] = True
    return seen


def allowed(lengths: list[int], reach: int) -> NDArray[np.bool_]:
    """The same from the definition: the same input, and at most `reach` apart."""
    number = np.repeat(np.arange(len(lengths)), lengths)
    place = np.concatenate([np.arange(length) for length in lengths])
    may: NDArray[np.bool_] = number[:, None] == number[None, :]
    may &= np.abs(place[:, None] - place[None, :]) <= reach
    return may


@settings(max_examples=60, deadline=None)
@given(lengths=lengths_of_a_pass, reach=st.sampled_from([1, 5, 64, 127, 128, 256]))
@example(lengths=[2 * BLOCK, 2 * BLOCK + 1], reach=256)
@example(lengths=[257, 258, 1], reach=256)
@example(lengths=[513, 514], reach=256)
def test_a_token_sees_its_window_and_nothing_else(lengths: list[int], reach: int) -> None:
    packed = pack(inputs_of(lengths), reach)
    total = sum(lengths)
    assert np.array_equal(visible(packed.sliding, total), allowed(lengths, reach))
    assert np.array_equal(visible(packed.full, total), allowed(lengths, reach=max(lengths)))


@given(lengths=lengths_of_a_pass)
def test_tokens_positions_and_means_belong_to_their_input(lengths: list[int]) -> None:
    inputs = inputs_of(lengths)
    packed = pack(inputs, 256)
    total = sum(lengths)
    assert packed.ids[:total].tolist() == [token for each in inputs for token in each]
    assert packed.positions[:total].tolist() == [place for length in lengths for place in range(length)]
    assert not packed.mean[:, total:].any()
    for row, length in enumerate(lengths):
        own = packed.mean[row] > 0
        assert own.sum() == length
        assert packed.mean[row][own] == pytest.approx(1 / length)
        assert (packed.ids[own] // 1000 == row).all()


@given(lengths=lengths_of_a_pass)
def test_few_shapes_are_met(lengths: list[int]) -> None:
    """A runtime compiles for each shape: slightly different lengths must give the same shape."""
    packed = pack(inputs_of(lengths), 256)
    assert len(packed.ids) % TOKEN_STEP == 0
    assert len(packed.ids) - sum(lengths) < TOKEN_STEP
    for plan in (packed.full, packed.sliding):
        assert len(plan.back) == len(packed.ids)
        assert plan.queries.shape[1] % ROW_STEP == plan.keys.shape[1] % ROW_STEP == 0


@given(lengths=lengths_of_a_pass)
def test_no_row_of_scores_is_masked_whole(lengths: list[int]) -> None:
    """A softmax over masked scores only is how peers got NaN from padding."""
    packed = pack(inputs_of(lengths), 64)
    for plan in (packed.full, packed.sliding):
        assert (plan.bias > MASKED).any(axis=3).all()
        assert plan.queries.min() >= 0
        assert plan.keys.max() < sum(lengths)


def test_inputs_within_the_window_need_no_second_plan() -> None:
    assert (within := pack(inputs_of([257, 3]), 256)).sliding is within.full
    assert (beyond := pack(inputs_of([258, 3]), 256)).sliding is not beyond.full


def test_a_long_input_computes_little_beyond_its_window() -> None:
    """2,048 tokens at a reach of 256: 640 keys per query instead of 2,048."""
    plan = pack(inputs_of([2048]), 256).sliding
    assert plan.bias.size == 2048 * (BLOCK + 2 * 256)
