"""Evidence in nats: what each side says, how neighbours and sessions add to it, and that it all adds up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.index.base import SparseScores
from ai_memory.recall import fusion
from ai_memory.recall.population import Background, Scored, Values
from ai_memory.recall.recipe import BALANCED, MEANING, WORDS, Recipe, recipe_named


def values(*numbers: float) -> Values:
    return np.array(numbers, np.float64)


def scored(cosines: list[float] | None, bm25: dict[int, float], rows: int) -> Scored:
    """A population as `score_all` would make it, with the background computed in the plainest way."""
    dense = None if cosines is None else np.array(cosines, np.float32)
    known = [] if cosines is None else [cosine for cosine in cosines if not math.isnan(cosine)]
    all_words = [bm25.get(row, 0.0) for row in range(rows)]
    return Scored(
        np.ones(rows, np.bool_),
        rows,
        dense,
        Background(float(np.mean(known)), float(np.std(known)), len(known)) if known else Background(0.0, 0.0, 0),
        SparseScores(np.array(sorted(bm25), np.int32), np.array([bm25[row] for row in sorted(bm25)], np.float32)),
        Background(float(np.mean(all_words)), float(np.std(all_words)), rows),
    )


def test_dense_evidence_is_half_the_square_of_the_deviations_above_the_mean() -> None:
    background = Background(0.1, 0.2, 100)
    found = fusion.dense_evidence(values(0.1, 0.5, 0.7, -0.1), background)
    assert found == pytest.approx([0.0, 2.0, 4.5, -1.0])


def test_no_vector_and_no_spread_are_no_evidence() -> None:
    assert fusion.dense_evidence(values(math.nan, 0.3), Background(0.3, 0.1, 10)).tolist() == [0.0, 0.0]
    assert fusion.dense_evidence(values(0.9, 0.9), Background(0.9, 0.0, 2)).tolist() == [0.0, 0.0]


@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=30))
def test_dense_evidence_keeps_the_order_of_cosines(cosines: list[float]) -> None:
    found = fusion.dense_evidence(values(*sorted(cosines)), Background(0.0, 0.1, 50))
    assert (np.diff(found) >= 0.0).all()


def test_the_question_at_hand_decides_which_side_speaks_louder() -> None:
    recipe = Recipe(name="plain", window=(), session=0.0)
    noise = [0.50, 0.52, 0.48, 0.51, 0.49, 0.50, 0.52, 0.48]
    blind = scored([*noise, 0.53, 0.47], {9: 12.0}, 10)
    rows = np.array([8, 9], np.int32)
    own = fusion.own_evidence(blind, blind.cosines(rows), blind.bm25(rows), recipe)
    assert own[1] > own[0], "cosines that stand out little must not outweigh a rare word"
    everywhere = scored([*[0.1, 0.12, 0.08, 0.1] * 25, 0.7, 0.1], dict.fromkeys(range(100), 1.0) | {101: 1.6}, 102)
    rows = np.array([100, 101], np.int32)
    own = fusion.own_evidence(everywhere, everywhere.cosines(rows), everywhere.bm25(rows), recipe)
    assert own[0] > own[1], "words that match everywhere must not outweigh a cosine far out"


def test_windows_sum_the_neighbours_on_both_sides_by_distance() -> None:
    population = scored(None, {0: 1.0, 1: 2.0, 3: 4.0, 4: 8.0}, 5)
    recipe = Recipe(name="two", lexical=1.0, window=(0.5, 0.25), session=0.0)
    around = np.array([[0, 1, 3, 4], [-1, -1, 3, -1]], np.int32)
    found = fusion.window_evidence(population, around, recipe)
    mean = population.lexical_background.mean
    assert found == pytest.approx(np.array([[2.0 + 4.0 - 2 * mean, 1.0 + 8.0 - 2 * mean], [4.0 - mean, 0.0]]))


def test_a_recipe_without_windows_has_none() -> None:
    found = fusion.window_evidence(scored(None, {0: 1.0}, 1), np.empty((1, 0), np.int32), WORDS)
    assert found.shape == (1, 0)


def test_a_session_is_worth_the_mean_of_its_best_three_memories() -> None:
    sessions = np.array([1, 1, 1, 1, 2, 0], np.int32)
    memories = np.array([1, 2, 3, 4, 5, 6], np.int32)
    found = fusion.session_evidence(sessions, memories, values(3.0, 6.0, 9.0, 1.0, 6.0, 50.0))
    assert found == pytest.approx([6.0, 6.0, 6.0, 6.0, 2.0, 0.0])


def test_the_passages_of_one_memory_speak_once_for_its_session() -> None:
    sessions, memories = np.array([1, 1, 1], np.int32), np.array([7, 7, 8], np.int32)
    found = fusion.session_evidence(sessions, memories, values(6.0, 9.0, 3.0))
    assert found == pytest.approx([4.0, 4.0, 4.0])


def test_sessions_without_positive_evidence_are_worth_nothing() -> None:
    sessions, memories = np.array([1, 2], np.int32), np.array([1, 2], np.int32)
    assert fusion.session_evidence(sessions, memories, values(-1.0, 0.0)).tolist() == [0.0, 0.0]
    assert fusion.session_evidence(sessions[:0], memories[:0], values()).tolist() == []


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 20), st.floats(-5, 20)), min_size=1, max_size=20))
def test_contributions_add_up_to_the_score(rows: list[tuple[float, float, float]]) -> None:
    cosines, bm25, session = (values(*column) for column in zip(*rows, strict=True))
    population = scored([float(cosine) for cosine in cosines], dict(enumerate(bm25.tolist())), len(rows))
    window = np.stack([session, -session], axis=1)
    sessions = np.arange(len(rows), dtype=np.int32) % 2
    stages = fusion.features(population, cosines, bm25, fusion.Beside(window, session, sessions), BALANCED)
    assert stages.stages == ("dense", "lexical", "neighbours_1", "neighbours_2", "session", "alone")
    assert stages.contributions.sum(axis=1) == pytest.approx(stages.scores)
    own = fusion.own_evidence(population, cosines, bm25, BALANCED)
    beside = window @ np.array(BALANCED.window) + BALANCED.session * session
    alone = BALANCED.alone * np.maximum(own, 0.0) * (sessions == 0)
    assert stages.scores == pytest.approx(own + beside + alone)


def test_a_memory_outside_any_session_is_given_the_mean_share_of_its_own_evidence() -> None:
    sessions = np.array([0, 0, 3], np.int32)
    assert fusion.alone_evidence(sessions, values(4.0, -2.0, 4.0)).tolist() == [4.0, 0.0, 0.0]


def test_a_side_that_does_not_search_is_no_stage() -> None:
    nothing = fusion.Beside(np.empty((1, 0)), values(0.0), np.zeros(1, np.int32))
    by_words = fusion.features(scored(None, {0: 1.0}, 2), values(math.nan), values(1.0), nothing, WORDS)
    assert by_words.stages == ("lexical",)
    by_meaning = fusion.features(scored([0.1, 0.2], {}, 2), values(0.2), values(0.0), nothing, MEANING)
    assert by_meaning.stages == ("dense",)


def test_recipes_are_found_by_name() -> None:
    assert recipe_named(None) is recipe_named("balanced") is BALANCED
    assert recipe_named("words") is WORDS
