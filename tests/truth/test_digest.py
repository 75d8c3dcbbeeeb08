"""Which sentences stand for many: central ones, none twice, in order, whatever the vectors say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.text.passages import sentences
from ai_memory.truth.digest import Sentence, chosen
from ai_memory.truth.statement import terms_of


def of(*texts: str, each: int = 1) -> list[Sentence]:
    return [Sentence(number // each, terms_of(text)) for number, text in enumerate(texts)]


def test_nothing_of_nothing() -> None:
    assert chosen([], 5) == []
    assert chosen(of("", "  "), 5) == []
    assert chosen(of("a sentence"), 0) == []


def test_what_is_said_twice_is_taken_once() -> None:
    said = of("The van is booked for Monday", "Books go first", "the van is booked for monday!", "Mara is a nurse")
    assert chosen(said, 4) == [0, 1, 3]


def test_what_many_speak_of_comes_before_an_aside() -> None:
    said = of(
        "The release of Atlas is planned for May",
        "Lunch was nice",
        "Atlas needs a new index before the release",
        "The index of Atlas is built by Ada",
    )
    assert 1 not in chosen(said, 2)


def test_a_new_subject_is_covered_rather_than_more_of_the_same() -> None:
    about = [f"Atlas release step {word} is done in May" for word in ("one", "two", "three", "four", "five")]
    assert 5 in chosen(of(*about, "The budget of the kitchen is nine thousand euros"), 3)


def test_of_one_memory_at_most_two_while_others_have_some() -> None:
    said = [Sentence(0, terms_of(f"alpha beta gamma {word}")) for word in ("one", "two", "three", "four")]
    said.append(Sentence(1, terms_of("delta epsilon")))
    assert sum(place < 4 for place in chosen(said, 3)) == 2


def test_vectors_fold_what_words_alone_would_not() -> None:
    unit, other = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)
    terms = [terms_of(text) for text in ("Ada leads the search team", "Ada heads the search group", "rent is due")]
    without = chosen([Sentence(number, each) for number, each in enumerate(terms)], 3)
    with_vectors = chosen(
        [
            Sentence(number, each, 1.0, vector)
            for number, (each, vector) in enumerate(zip(terms, (unit, unit, other), strict=True))
        ],
        3,
    )
    assert without == [0, 1, 2]
    assert with_vectors == [0, 2]


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), max_size=25), st.integers(0, 30))
def test_ascending_distinct_and_no_more_than_asked(words: list[list[str]], count: int) -> None:
    said = [Sentence(number, tuple(each)) for number, each in enumerate(words)]
    places = chosen(said, count)
    assert places == sorted(set(places))
    assert len(places) <= count
    assert all(said[place].terms for place in places)
    assert places == chosen(said, count)
    if count and any(words):
        assert places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\n ", []),
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Weber came at 9.30 a.m. and left.", ["Dr. Weber came at 9.30 a.m. and left."]),
        ("我搬到根特了。房租很便宜。", ["我搬到根特了。", "房租很便宜。"]),
        ("Я переехал. Квартира большая.", ["Я переехал.", "Квартира большая."]),
        ("- first\n- second\n\n***\n", ["- first", "- second"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected
