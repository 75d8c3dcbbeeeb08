"""Evidence of both sides as log odds: what each stage says, and that it all adds up."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.index.base import SparseScores
from ai_memory.index.copies import NO_GROUPS
from ai_memory.index.partition import Partition
from ai_memory.recall.evidence import fusion
from ai_memory.recall.evidence.fusion import StageValues
from ai_memory.recall.evidence.scores import Background, Scored, Values, score_all
from ai_memory.recall.evidence.session_context import QuestionWords
from ai_memory.recall.plan import make_plan
from ai_memory.recall.recipe import BALANCED, IN_DIALOGUE, MEANING, RECIPES, WORDS, Recipe, recipe_named
from ai_memory.types import MemoryRecord, Selection

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def values(*numbers: float) -> Values:
    return np.array(numbers, np.float64)


def scored(cosines: list[float] | None, bm25: dict[int, float], rows: int) -> Scored:
    """Scores as `score_all` would make them, with the background computed in the plainest way."""
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
        NO_GROUPS,
    )


def evidence(bm25: Values, sessions: list[int], *stages: StageValues) -> fusion.Evidence:
    rows = np.arange(len(bm25), dtype=np.int32)
    words = QuestionWords(rows, np.zeros((0, len(rows)), np.float32), np.zeros(0))
    return fusion.Evidence(words, bm25, np.array(sessions, np.int32), stages)


def test_dense_evidence_is_the_deviations_above_the_mean() -> None:
    background = Background(0.1, 0.2, 100)
    found = fusion.dense_evidence(values(0.1, 0.5, 0.7, -0.1), background)
    assert found == pytest.approx([0.0, 2.0, 3.0, -1.0])


def test_no_vector_and_no_spread_are_no_evidence() -> None:
    assert fusion.dense_evidence(values(math.nan, 0.3), Background(0.3, 0.1, 10)).tolist() == [0.0, 0.0]
    assert fusion.dense_evidence(values(0.9, 0.9), Background(0.9, 0.0, 2)).tolist() == [0.0, 0.0]


@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=30))
def test_dense_evidence_keeps_the_order_of_cosines(cosines: list[float]) -> None:
    found = fusion.dense_evidence(values(*sorted(cosines)), Background(0.0, 0.1, 50))
    assert (np.diff(found) >= 0.0).all()


def test_the_question_at_hand_decides_which_side_speaks_louder() -> None:
    noise = [0.50, 0.52, 0.48, 0.51, 0.49, 0.50, 0.52, 0.48]
    blind = scored([*noise, 0.53, 0.47], {9: 12.0}, 10)
    rows = np.array([8, 9], np.int32)
    own = fusion.own_evidence(blind, blind.cosines(rows), blind.bm25(rows), BALANCED)
    assert own[1] > own[0], "cosines little above the rest must not outweigh a rare word"
    everywhere = scored([*[0.1, 0.12, 0.08, 0.1] * 25, 0.7, 0.1], dict.fromkeys(range(100), 1.0) | {101: 1.6}, 102)
    rows = np.array([100, 101], np.int32)
    own = fusion.own_evidence(everywhere, everywhere.cosines(rows), everywhere.bm25(rows), BALANCED)
    assert own[0] > own[1], "words that match everywhere must not outweigh a cosine far out"


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 20), st.floats(-5, 20)), min_size=1, max_size=20))
def test_contributions_add_up_to_the_score(rows: list[tuple[float, float, float]]) -> None:
    cosines, bm25, session = (values(*column) for column in zip(*rows, strict=True))
    scores = scored([float(cosine) for cosine in cosines], dict(enumerate(bm25.tolist())), len(rows))
    sessions = np.arange(len(rows), dtype=np.int32) % 2
    words = fusion.lexical_evidence(bm25, scores.lexical_background)
    known = evidence(bm25, sessions.tolist(), StageValues("lexical", 0.1, words), StageValues("session", 0.2, session))
    stages = fusion.features(scores, cosines, known, BALANCED)
    assert stages.stages == ("dense", "lexical", "session", "alone")
    assert stages.contributions.sum(axis=1) == pytest.approx(stages.scores)
    own = BALANCED.dense * fusion.dense_evidence(cosines, scores.dense_background) + 0.1 * words
    alone = BALANCED.alone * np.maximum(own, 0.0) * (sessions == 0)
    assert stages.scores == pytest.approx(own + 0.2 * session + alone)


def test_evidence_of_some_candidates_is_theirs() -> None:
    known = evidence(values(1.0, 2.0, 3.0), [0, 1, 2], StageValues("session", 0.2, values(5.0, 6.0, 7.0)))
    some = known.at(np.array([2, 0]))
    assert some.bm25.tolist() == [3.0, 1.0]
    assert some.sessions.tolist() == [2, 0]
    assert some.stages[0][2].tolist() == [7.0, 5.0]


def test_a_weight_follows_the_share_of_dialogue_and_a_stage_that_is_off_stays_off() -> None:
    for stage in ("dense", "beside_words", "session"):
        least, half, most = (BALANCED.weight(stage, share) for share in (0.0, 0.5, 1.0))
        assert least == getattr(BALANCED, stage)
        assert most == pytest.approx(least + getattr(BALANCED, stage + IN_DIALOGUE))
        assert half == pytest.approx((least + most) / 2)
        assert WORDS.weight(stage, 1.0) == 0.0
    assert BALANCED.weight("dense", 1.0) > 0.0, "meaning always counts for something"
    assert BALANCED.weight("lexical", 1.0) == BALANCED.lexical


def partition() -> Partition:
    texts = [
        ("s1", "Ada", "Which boat shall we take to the island?"),
        ("s1", "Ben", "The red one with the new engine, it is the fastest of all the boats we have in the harbour."),
        (None, "Ben", "Boat."),
        (None, "Cy", "The harbour office opens at nine in the morning and closes when the last ferry has come in."),
    ]
    whole = Partition("n", 3)
    records = [
        MemoryRecord(
            id=f"mem_{at}", namespace="n", session=session, author=author, text=text, created_at=NOW, recorded_at=NOW,
            content_hash="",
        )
        for at, (session, author, text) in enumerate(texts)
    ]  # fmt: skip
    whole.add_many(list(enumerate(records, 1)))
    vectors = np.eye(3, dtype=np.float32)
    whole.set_vectors([(key, 0, vectors[key % 3]) for key in range(1, 5)])
    return whole


def gathered(question: str, recipe: Recipe) -> dict[str, list[float]]:
    """Every stage's values over the four memories."""
    view = partition().view()
    plan = make_plan(question, Selection(namespace="n", now=NOW))
    scores = score_all(view, view.mask(plan.selection), plan.terms, np.array([0.6, 0.8, 0.0], np.float32))
    neighbours = np.array([[-1, -1, 1, -1], [-1, 0, -1, -1], [-1] * 4, [-1] * 4], np.int32)
    candidates = fusion.Candidates(np.arange(4, dtype=np.int32), neighbours[:, : 2 * recipe.reach])
    found = fusion.gather(view, scores, candidates, plan.terms, recipe)
    stages = fusion.features(scores, scores.cosines(candidates.rows), found, recipe)
    return {name: stages.values[:, at].tolist() for at, name in enumerate(stages.stages)}


def test_every_stage_of_the_default_recipe_is_told_apart() -> None:
    found = gathered("What did Ben say of the boat to the island?", BALANCED)
    assert list(found) == [
        "dense", "lexical", "coverage", "beside_words", "beside_coverage", "session", "author", "asks", "alone",
    ]  # fmt: skip
    assert found["author"][0] == found["author"][3] == 0.0, "Ben did not write these"
    assert 0.0 < max(found["author"]) <= 1.0, "and his two count as far as they agree with the rest of the question"
    assert found["asks"] == [0.5, 0.0, 0.0, 0.0], "half of the store is a dialogue"
    assert found["alone"][0] == found["alone"][1] == 0.0 < found["alone"][2]
    assert found["beside_coverage"][0] > 0.0, "Ben is in a neighbour of the first memory and not in it"
    assert found["beside_coverage"][2] == found["beside_coverage"][3] == 0.0
    assert found["coverage"][0] > found["coverage"][3] > 0.0


def test_a_recipe_of_one_side_has_one_stage() -> None:
    assert list(gathered("What did Ben say of the boat?", WORDS)) == ["lexical"]
    assert list(gathered("What did Ben say of the boat?", MEANING)) == ["dense"]


def test_recipes_are_found_by_name() -> None:
    assert recipe_named(None) is recipe_named("balanced") is BALANCED
    assert recipe_named("words") is WORDS
    assert list(RECIPES) == ["balanced", "fast", "thorough", "linked", "words", "meaning"]
