"""The trees that weigh rivals: what they add up to, and that the shipped ones look at features that there are."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from ai_memory.truth.answers import Answers, Asking
from ai_memory.truth.statement import statement
from ai_memory.truth.trees import Trees
from ai_memory.truth.weights import forest
from boosting import fitted
from tests.truth.made import made


def test_a_tree_adds_the_leaf_that_its_questions_come_to() -> None:
    trees = Trees(0.5, np.array([[0, 1]]), np.array([[1.0, 2.0]]), np.array([[1.0, 2.0, 3.0, 4.0]]))
    rows = np.array([[1.0, 2.0], [1.0, 3.0], [2.0, 2.0], [2.0, 3.0]])
    assert trees.odds(rows).tolist() == [1.5, 2.5, 3.5, 4.5]
    assert trees.chances(rows)[0] == pytest.approx(1.0 / (1.0 + np.exp(-1.5)))


def test_boosting_finds_what_only_two_features_together_say() -> None:
    values = np.array([[*pair, noise] for noise in range(40) for pair in product((0.0, 1.0), repeat=2)], np.float64)
    right = np.array([float(a != b) for a, b, _ in values])
    chances = fitted(values, right, np.full(len(right), 5.0), trees=60).chances(values)
    assert ((chances > 0.5) == (right == 1.0)).all()


@pytest.mark.parametrize("kind", ["with_vectors", "by_words"])
def test_the_shipped_trees_look_at_features_that_there_are(kind: str) -> None:
    old = statement("Ada lives in Bonn.", 1, score=4.0, cosine=0.6)
    new = statement("Ada has moved to Cologne.", 2, score=3.0, cosine=0.5)
    third = statement("Lunch is at noon.", 3, score=0.5, cosine=0.1)
    similar = np.array([[1.0, 0.6, 0.1], [0.6, 1.0, 0.1], [0.1, 0.1, 1.0]]) if kind == "with_vectors" else None
    trees, known = forest(kind), {"margin", "stands_out"}
    for question in ("Where does Ada live?", "When did Ada move?", "Who lives in Bonn?", "How many towns are there?"):
        said = statement(question, 0)
        answers = Answers(Asking(said.words, said=said), [old, new, third], similar)
        known |= answers.features(0, 1).keys()
        if said.text.startswith("Where"):
            assert trees.order.chances(trees.values([answers.features(0, 1)]))[0] > 0.5
    assert set(trees.names) <= known


@pytest.mark.parametrize("language", ["en", "ru", "de", "zh"])
def test_made_cases_are_the_same_each_time_and_fill_every_frame(language: str) -> None:
    cases = made(language)  # type: ignore[arg-type]
    assert cases == made(language)  # type: ignore[arg-type]
    assert len({case.id for case in cases}) == len(cases) > 300
    assert not [text.text for case in cases for text in case.texts if "{" in text.text or "}" in text.text]
