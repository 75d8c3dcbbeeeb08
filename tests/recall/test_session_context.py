"""A memory with its neighbours and in its session."""

from __future__ import annotations

import numpy as np
import pytest

from ai_memory.recall.evidence import session_context
from ai_memory.recall.evidence.scores import Values
from ai_memory.recall.evidence.session_context import QuestionWords


def values(*numbers: float) -> Values:
    return np.array(numbers, np.float64)


def words() -> QuestionWords:
    """Two words in the rows 2, 5 and 9: the first in 2 (4 nats) and 5 (1), the second in 9."""
    scores = np.array([[4.0, 1.0, 0.0], [0.0, 0.0, 3.0]], np.float32)
    return QuestionWords(np.array([2, 5, 9], np.int32), scores, values(0.75, 0.25))


def test_coverage_is_the_share_of_the_idf_mass() -> None:
    assert words().coverage(np.array([2, 5, 9], np.int32)).tolist() == [0.75, 0.75, 0.25]


def test_memories_cover_a_question_together_and_words_left_out_do_not_count() -> None:
    every, first = np.array([True, True]), np.array([True, False])
    assert words().joint_coverage(np.array([2, 9], np.int32), every) == 1.0
    assert words().joint_coverage(np.array([2, 5], np.int32), every) == 0.75
    assert words().joint_coverage(np.array([9], np.int32), first) == 0.0
    assert words().joint_coverage(np.array([5], np.int32), first) == 1.0
    assert words().joint_coverage(np.array([], np.int32), every) == 0.0
    assert words().joint_coverage(np.array([2, 9], np.int32), ~(every | first)) == 0.0


def test_neighbours_add_words_that_are_missing_and_better_matches_of_those_that_are_not() -> None:
    rows = np.array([2, 5, 9], np.int32)
    neighbours = np.array([[-1, 5], [2, 9], [5, -1]], np.int32)
    more, covered = words().from_neighbours(rows, neighbours)
    assert more.tolist() == [0.0, 3.0 + 3.0, 1.0]
    assert covered.tolist() == [0.0, 0.25, 0.75]


def test_a_word_counts_once_however_many_neighbours_have_it() -> None:
    row = np.array([9], np.int32)
    once, _ = words().from_neighbours(row, np.array([[2, -1]], np.int32))
    twice, _ = words().from_neighbours(row, np.array([[2, 5]], np.int32))
    assert once.tolist() == twice.tolist() == [4.0]


def test_no_words_and_no_neighbours_add_nothing() -> None:
    nothing = QuestionWords(np.array([2, 5], np.int32), np.zeros((0, 2), np.float32), values())
    more, covered = nothing.from_neighbours(np.array([2, 5], np.int32), np.array([[5, -1], [-1, -1]], np.int32))
    assert more.tolist() == covered.tolist() == [0.0, 0.0]
    more, covered = words().from_neighbours(np.array([2], np.int32), np.full((1, 4), -1, np.int32))
    assert more.tolist() == covered.tolist() == [0.0]


def test_a_session_is_worth_the_mean_of_its_best_three_memories() -> None:
    sessions = np.array([1, 1, 1, 1, 2, 0], np.int32)
    memories = np.array([1, 2, 3, 4, 5, 6], np.int32)
    found = session_context.session_evidence(sessions, memories, values(3.0, 6.0, 9.0, 1.0, 6.0, 50.0))
    assert found == pytest.approx([6.0, 6.0, 6.0, 6.0, 2.0, 0.0])


def test_the_passages_of_one_memory_speak_once_for_its_session() -> None:
    sessions, memories = np.array([1, 1, 1], np.int32), np.array([7, 7, 8], np.int32)
    found = session_context.session_evidence(sessions, memories, values(6.0, 9.0, 3.0))
    assert found == pytest.approx([4.0, 4.0, 4.0])


def test_sessions_without_positive_evidence_are_worth_nothing() -> None:
    sessions, memories = np.array([1, 2], np.int32), np.array([1, 2], np.int32)
    assert session_context.session_evidence(sessions, memories, values(-1.0, 0.0)).tolist() == [0.0, 0.0]
    assert session_context.session_evidence(sessions[:0], memories[:0], values()).tolist() == []


def test_a_memory_outside_any_session_is_given_the_mean_share_of_its_own_evidence() -> None:
    sessions = np.array([0, 0, 3], np.int32)
    assert session_context.alone_evidence(sessions, values(4.0, -2.0, 4.0)).tolist() == [4.0, 0.0, 0.0]
