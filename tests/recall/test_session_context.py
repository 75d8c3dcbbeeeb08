"""A passage in its memory, and a memory with its neighbours and in its session."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from numpy.typing import NDArray

from ai_memory.index.base import Floats, Rows
from ai_memory.index.partition import Partition
from ai_memory.recall.evidence import session_context
from ai_memory.recall.evidence.scores import Values
from ai_memory.recall.evidence.session_context import QuestionWords
from ai_memory.recall.evidence.whole_memory import MOST_PASSAGES, Wholes, wholes
from ai_memory.types import MemoryRecord

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def values(*numbers: float) -> Values:
    return np.array(numbers, np.float64)


def words() -> QuestionWords:
    """Two words in the rows 2, 5 and 9: the first in 2 (4 nats) and 5 (1), the second in 9."""
    scores = np.array([[4.0, 1.0, 0.0], [0.0, 0.0, 3.0]], np.float32)
    return QuestionWords(np.array([2, 5, 9], np.int32), scores, values(0.75, 0.25))


def test_coverage_is_the_share_of_the_idf_mass() -> None:
    assert words().coverage(np.array([2, 5, 9], np.int32)).tolist() == [0.75, 0.75, 0.25]


def scores_of(words: QuestionWords, rows: Rows) -> Floats:
    return words.table()[words.rows.searchsorted(rows)]


def beside(words: QuestionWords, rows: Rows, neighbours: NDArray[np.int32]) -> tuple[list[float], list[float]]:
    """The BM25 and the coverage that neighbours add to some rows."""
    own = scores_of(words, rows)
    more, covered = words.gain(words.from_neighbours(own, words.table(), neighbours), own)
    return more.tolist(), covered.tolist()


def test_neighbours_add_words_that_are_missing_and_better_matches_of_those_that_are_not() -> None:
    rows = np.array([2, 5, 9], np.int32)
    more, covered = beside(words(), rows, np.array([[-1, 5], [2, 9], [5, -1]], np.int32))
    assert more == [0.0, 3.0 + 3.0, 1.0]
    assert covered == [0.0, 0.25, 0.75]


def test_a_word_counts_once_however_many_neighbours_have_it() -> None:
    row = np.array([9], np.int32)
    assert beside(words(), row, np.array([[2, -1]], np.int32)) == beside(words(), row, np.array([[2, 5]], np.int32))
    assert beside(words(), row, np.array([[2, 5]], np.int32))[0] == [4.0]


def test_no_words_and_no_neighbours_add_nothing() -> None:
    nothing = QuestionWords(np.array([2, 5], np.int32), np.zeros((0, 2), np.float32), values())
    for question, neighbours in ((nothing, [[5, -1], [-1, -1]]), (words(), [[-1, -1], [-1, -1]])):
        assert beside(question, np.array([2, 5], np.int32), np.array(neighbours, np.int32)) == ([0.0, 0.0], [0.0, 0.0])


def test_a_passage_has_the_words_of_its_whole_memory_each_once() -> None:
    rows = np.array([3, 4, 5, 6], np.int32)
    scores = np.array([[4.0, 0.0, 1.0, 0.0], [0.0, 3.0, 0.0, 2.0]], np.float32)
    question, asked = QuestionWords(rows, scores, values(0.75, 0.25)), np.array([4, 5, 6], np.int32)
    own = scores_of(question, asked)
    # The rows 3 to 5 are passages of one memory, of which 3 is no candidate; 6 is a memory of one passage.
    whole = Wholes(np.array([3]), np.array([6]), np.array([0, 0, -1]))
    found = question.of_memories(own, question.table(), whole)
    assert found.tolist() == [[4.0, 3.0], [4.0, 3.0], [0.0, 2.0]]
    more, covered = question.gain(found, own)
    assert more.tolist() == [4.0, 3.0 + 3.0, 0.0]
    assert covered.tolist() == [0.75, 0.25, 0.0]
    assert whole.rows.tolist() == [3, 4, 5]
    alone = Wholes(np.array([], np.int64), np.array([], np.int64), np.array([-1, -1, -1]))
    assert question.of_memories(own, question.table(), alone).tolist() == own.tolist()
    assert alone.rows.tolist() == []


def test_passages_of_long_memories_are_found_up_to_a_limit() -> None:
    partition = Partition("n")
    line = "The pump ran all night and nobody was there to see it. " * 22
    texts = ["Short.", line * 3, "Short too.", line * (MOST_PASSAGES + 9)]
    records = [
        MemoryRecord(id=f"mem_{at}", namespace="n", text=text, created_at=NOW, recorded_at=NOW, content_hash="")
        for at, text in enumerate(texts)
    ]
    partition.add_many(list(enumerate(records, 1)))
    view = partition.view()
    counts = np.unique(view.keys(), return_counts=True)[1].tolist()
    assert counts[0] == counts[2] == 1 < counts[1] < MOST_PASSAGES < counts[3]
    third, last = counts[1] + 1, view.n - 1
    found = wholes(view, np.array([0, 2, 3, third, last], np.int32))
    assert found.member.tolist() == [-1, 0, 0, -1, 1]
    assert found.starts.tolist() == [1, third + 1]
    assert found.ends.tolist() == [third, third + 1 + MOST_PASSAGES]
    assert wholes(view, np.array([], np.int32)).rows.tolist() == []


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
