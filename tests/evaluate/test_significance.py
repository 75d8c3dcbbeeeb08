"""Intervals and paired comparison: known cases, coverage of the truth, and what chance gives."""

from __future__ import annotations

import numpy as np
import pytest

from ai_memory.evaluate.significance import LEVEL, SAMPLES, difference, interval


def test_equal_values_have_no_width() -> None:
    assert interval([0.5] * 20) == (0.5, 0.5, 0.5)
    assert interval([]) == (0.0, 0.0, 0.0)
    assert interval([0.25]) == (0.25, 0.25, 0.25)


def test_the_interval_is_about_that_of_the_normal_law() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    found = interval(values.tolist())
    half = 1.96 * values.std() / 20.0
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.05)
    assert found.high == pytest.approx(values.mean() + half, abs=0.05)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        found = interval((random.random(60) < 0.7).astype(float).tolist())
        held += found.low <= 0.7 <= found.high
    assert LEVEL - 0.07 <= held / 200 <= 1.0


def test_equal_figures_give_equal_intervals() -> None:
    values = np.random.default_rng(3).random(50).tolist()
    assert interval(values) == interval(list(values))


def test_a_real_gain_is_clear_and_chance_is_not() -> None:
    random = np.random.default_rng(4)
    before = random.random(200)
    better = difference((before + 0.05 + random.normal(0, 0.1, 200)).tolist(), before.tolist())
    assert better.clear
    assert better.mean == pytest.approx(0.05, abs=0.02)
    assert better.p < 0.01
    same = difference((before + random.normal(0, 0.1, 200) * 0.2).tolist(), before.tolist())
    assert same.p > 0.01


def test_no_difference_has_p_one() -> None:
    assert difference([0.1, 0.9], [0.1, 0.9]) == (0.0, 0.0, 0.0, 1.0)
    assert difference([], []) == (0.0, 0.0, 0.0, 1.0)


def test_one_changed_question_is_never_significant() -> None:
    found = difference([1.0] + [0.0] * 99, [0.0] * 100)
    assert found.p == 1.0
    assert not found.clear


def test_p_is_never_zero() -> None:
    assert difference([1.0] * 100, [0.0] * 100).p == pytest.approx(1 / (SAMPLES + 1))


def test_runs_of_different_questions_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="paired"):
        difference([1.0], [1.0, 0.0])
