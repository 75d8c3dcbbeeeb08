"""Which authors a question names."""

from __future__ import annotations

import pytest

from ai_memory.index.authors import AuthorWords
from ai_memory.text.analysis import analyse_query

NAMES = [None, "Mira Albrecht", "user", "Мира", "李雷", "O'Brien", "Will", "mira@firnline.example"]


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("What does Mira do?", [1, 7]),
        ("what did mira ALBRECHT decide", [1, 7]),
        ("How many users are there?", []),
        ("What did the user say?", [2]),
        ("Что думает о Мире?", [3]),
        ("李雷说了什么", [4]),
        ("Where is O'Brien's car?", [5]),
        ("Will it rain?", []),
        ("What did Will say?", [6]),
        ("", []),
        ("\x00 \ud800 🦊", []),
    ],
)
def test_a_question_names_an_author_by_a_word_of_the_name(question: str, named: list[int]) -> None:
    assert AuthorWords().named(NAMES, analyse_query(question).terms) == named


def test_authors_that_come_later_are_found_too() -> None:
    words, names = AuthorWords(), [None, "Ada"]
    question = analyse_query("What did Ada tell Ben?").terms
    assert words.named(names, question) == [1]
    names.append("Ben")
    assert words.named(names, question) == [1, 2]
