import datetime as dt
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ai_memory.errors import EmbedderMismatchError, InvalidInputError
from ai_memory.index.partition import Partition, PartitionView
from ai_memory.text import analysis
from ai_memory.text.analysis import analyse_query
from ai_memory.types import MemoryRecord, Selection

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
LONG = "The first part is about harbours. " * 40 + "The second part is about lighthouses. " * 40


def remember(text: str, number: int = 0, **fields: Any) -> MemoryRecord:
    at = START + dt.timedelta(hours=number)
    fields.setdefault("id", f"mem_{number}")
    return MemoryRecord(namespace="ns", text=text, created_at=at, recorded_at=at, content_hash="", **fields)


def filled(*texts: str, dimension: int | None = 4) -> Partition:
    partition = Partition("ns", dimension)
    for number, text in enumerate(texts, 1):
        partition.add(number, remember(text, number, session="s"))
    return partition


def found(view: PartitionView, query: str) -> list[int]:
    rows: list[int] = view.lexical_scores(analyse_query(query).terms).rows.tolist()
    return rows


def vector(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def test_an_empty_partition_answers() -> None:
    view = Partition("ns").view()
    assert view.n == 0
    assert view.dimension is None
    assert view.mask(Selection()).shape == (0,)
    assert found(view, "anything") == []
    assert view.dense_scores(vector(1, 0)).shape == (0,)
    assert view.session_neighbours(np.empty(0, np.int32), 2, 2).shape == (0, 4)


def test_a_memory_is_found_by_its_words_title_author_and_tags() -> None:
    partition = Partition("ns")
    partition.add(1, remember(LONG, title="Coast handbook", author="Ives", tags=("sea-marks",)))
    partition.add(2, remember("Something else"))
    view = partition.view()
    rows = partition.rows_of(1).tolist()
    assert len(rows) == partition.passages(1) > 2
    for query in ("handbook", "Ives", "sea-marks", "marks"):
        assert found(view, query) == rows
    assert found(view, "harbour")[0] == rows[0]
    assert found(view, "lighthouse")[-1] == rows[-1]
    assert rows[-1] not in found(view, "harbour")
    assert view.passages().tolist() == [*range(len(rows)), 0]
    assert view.memory_ids(np.array([0, 3], np.int32)) == ["mem_0", "mem_0"]


def test_an_empty_text_has_a_row() -> None:
    partition = filled("", "words")
    assert partition.rows_of(1).tolist() == [0]
    assert found(partition.view(), "words") == [1]


def test_a_key_is_added_once() -> None:
    partition = filled("one")
    partition.add(1, remember("two"))
    assert partition.n == 1
    assert found(partition.view(), "two") == []


def test_a_view_does_not_see_later_rows() -> None:
    partition = filled("apple", "apple")
    view = partition.view()
    partition.add(3, remember("apple", 3, session="s"))
    assert view.n == 2
    assert found(view, "apple") == [0, 1]
    assert view.mask(Selection()).tolist() == [True, True]
    assert view.keys().tolist() == [1, 2]
    assert view.session_neighbours(np.array([1], np.int32), 1, 1).tolist() == [[0, -1]]
    assert view.session_rows(0).tolist() == [0, 1]
    assert view.rows_of(3).tolist() == []
    assert partition.view().n == 3


def test_retired_rows_leave_the_default_mask_only() -> None:
    partition = filled("apple", "apple pie")
    partition.retire(1, START + dt.timedelta(days=1))
    partition.retire(99, START)
    view = partition.view()
    assert view.mask(Selection()).tolist() == [False, True]
    assert view.mask(Selection(known_at=START + dt.timedelta(hours=5))).tolist() == [True, True]
    assert found(view, "apple") == [0, 1]
    assert view.rows_of_memories(["mem_1", "mem_2"]).tolist() == [1]
    assert view.rows_of_memories([]).tolist() == []


def test_forgotten_is_gone_from_everything_in_memory() -> None:
    partition = filled("the zebra7secret words", "other words")
    partition.set_vectors([(1, 0, vector(1, 2, 3, 4)), (2, 0, vector(4, 3, 2, 1))])
    partition.remove([1, 77])
    partition.remove([1])
    view = partition.view()
    assert found(view, "zebra7secret words") == [1]
    assert view.mask(Selection()).tolist() == [False, True]
    assert view.mask(Selection(known_at=START + dt.timedelta(days=9))).tolist() == [False, True]
    assert np.isnan(view.dense_scores(vector(1, 0, 0, 0))).tolist() == [True, False]
    assert view.memory_ids(np.array([0, 1], np.int32)) == [None, "mem_2"]
    assert partition.rows_of(1).tolist() == []
    assert partition.missing_vectors() == 0
    assert not [word for word in partition.lexical.vocabulary() if word is not None and "zebra" in word]
    assert not any(word for remembered in analysis._remembered for word in remembered)


def test_vectors_find_their_passages() -> None:
    partition = filled("a", LONG, "c")
    passages = partition.passages(2)
    assert partition.missing_vectors() == partition.n == passages + 2
    partition.set_vectors(
        [
            (2, 1, vector(0, 1, 0, 0)),
            (3, 0, vector(0, 0, 1, 0)),
            (9, 0, vector(1, 1, 1, 1)),
            (2, 99, vector(1, 1, 1, 1)),
            (1, 1, vector(1, 1, 1, 1)),
            (1, -1, vector(1, 1, 1, 1)),
        ]
    )
    scores = partition.view().dense_scores(vector(0, 1, 0, 0))
    assert np.flatnonzero(~np.isnan(scores)).tolist() == [2, partition.n - 1]
    assert scores[2] == pytest.approx(1.0, abs=0.01)
    assert partition.missing_vectors() == partition.n - 2


@pytest.mark.parametrize(
    ("vectors", "error"),
    [
        ([(1, 0, vector(1, 2))], EmbedderMismatchError),
        ([(2, 0, vector(1, 2, 3, 4)), (1, 0, vector(0, 0, 0, 0))], InvalidInputError),
        ([(2, 0, vector(1, 2, 3, 4)), (1, 0, vector(0, np.nan, 0, 0))], InvalidInputError),
        ([(2, 0, vector(1, 2, 3, 4)), (1, 0, vector(1, 2, 3))], EmbedderMismatchError),
    ],
)
def test_wrong_vectors_are_refused_together(
    vectors: Sequence[tuple[int, int, NDArray[np.float32]]], error: type[Exception]
) -> None:
    partition = filled("a", "b")
    with pytest.raises(error):
        partition.set_vectors(vectors)
    assert partition.missing_vectors() == 2


def test_without_an_embedder_there_are_no_vectors() -> None:
    partition = filled("a", dimension=None)
    partition.set_vectors([])
    with pytest.raises(EmbedderMismatchError):
        partition.set_vectors([(1, 0, vector(1, 0))])
    assert np.isnan(partition.view().dense_scores(vector(1, 0))).all()
    assert partition.missing_vectors() == 1


def test_another_generation_starts_without_vectors() -> None:
    partition = filled("a")
    partition.set_vectors([(1, 0, vector(1, 0, 0, 0))])
    old = partition.view()
    partition.reset_vectors(2)
    assert partition.view().dimension == 2
    assert partition.missing_vectors() == 1
    assert np.isfinite(old.dense_scores(vector(1, 0, 0, 0))).all()
    partition.set_vectors([(1, 0, vector(0, 1))])
    assert partition.missing_vectors() == 0


def test_equal_state_gives_equal_scores_whatever_the_order() -> None:
    texts = [f"word{n % 7} word{n % 3} common text" for n in range(50)]
    one, other = Partition("ns"), Partition("ns")
    for number, text in enumerate(texts):
        one.add(number, remember(text, number))
    for number in reversed(range(60)):
        other.add(number, remember(texts[number] if number < 50 else "word1 to be erased", number))
    other.remove(range(50, 60))
    terms = analyse_query("word1 common WORD2").terms
    scores = [
        {int(view.keys()[row]): float(score) for row, score in zip(*view.lexical_scores(terms), strict=True)}
        for view in (one.view(), other.view())
    ]
    assert scores[0] == scores[1]


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_batch_gives_what_one_by_one_gives(size: int) -> None:
    records = [
        remember(
            LONG if n % 40 == 0 else f"word{n % 7} common =odd ~odd Number{n} größe {'rep ' * (n % 300)}",
            n if n % 11 else 0,  # some out of order in their session
            id=f"mem_{n}",
            session=None if n % 5 == 0 else f"s{n % 13}",
            tags=("t", f"tag{n % 3}") if n % 2 else (),
            valid_to=START if n % 17 == 0 else None,
        )
        for n in range(300)
    ]
    revisions = list(enumerate(records, 1))
    one, other = Partition("ns"), Partition("ns")
    for key, record in revisions:
        one.add(key, record)
    for start in range(0, len(revisions), size):
        other.add_many(revisions[max(0, start - 1) : start + size])  # one that is here already is left out
    assert one.n == other.n > 300
    for name in one.catalog.columns:
        assert one.catalog.column(name).tolist() == other.catalog.column(name).tolist(), name
    assert {tag: rows.view().tolist() for tag, rows in one.catalog.tags.items()} == {
        tag: rows.view().tolist() for tag, rows in other.catalog.tags.items()
    }
    assert one.catalog.ending.view().tolist() == other.catalog.ending.view().tolist()
    assert one.lexical.lengths().tolist() == other.lexical.lengths().tolist()
    rows = np.arange(one.n, dtype=np.int32)
    for question in ("common", "number31", "rep größe", "lighthouses harbours"):
        terms = analyse_query(question).terms
        for first, second in zip(one.view().lexical_scores(terms), other.view().lexical_scores(terms), strict=True):
            assert first.tolist() == second.tolist()
    assert (one.view().session_neighbours(rows, 2, 2) == other.view().session_neighbours(rows, 2, 2)).all()


def test_readers_work_while_one_writes() -> None:
    partition = filled("common start", dimension=8)
    done = threading.Event()
    terms = analyse_query("common").terms

    def read() -> int:
        rounds = 0
        while not done.is_set():
            view = partition.view()
            rows, scores = view.lexical_scores(terms)
            assert len(rows) == len(scores)
            assert rows.max(initial=-1) < view.n
            assert view.mask(Selection(session=("s",), tags=("t",), known_at=START)).shape == (view.n,)
            assert view.dense_scores(np.ones(8, np.float32)).shape == (view.n,)
            assert view.session_neighbours(rows[:5], 1, 1).max(initial=-1) < view.n
            rounds += 1
        return rounds

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        try:
            for number in range(2, 1_500):
                partition.add(number, remember(f"common number{number} text", number, session="s", tags=("t",)))
                partition.set_vectors([(number, 0, np.full(8, number, np.float32))])
                if number % 100 == 0:
                    partition.remove([number - 50])
                    partition.retire(number - 20, START)
        finally:
            done.set()
        assert all(reader.result() > 0 for reader in readers)
    assert len(found(partition.view(), "common")) == 1_499 - 14


def test_memory_is_counted() -> None:
    partition = filled("a", dimension=None)
    small = partition.nbytes
    for number in range(10, 400):
        partition.add(number, remember(f"text number {number}", number))
    assert partition.nbytes > small > 0
