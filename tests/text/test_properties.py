"""Whether a text asks, what it costs in tokens, and what it is shown as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.text.properties import LABEL_CHARACTERS, asks, estimate_tokens, label_of


@pytest.mark.parametrize("text", ["Why?", "Really?!", "“Who?”", "(what?) ", "谁？", "من؟", "Τι\u037e", "?", "sure? **"])
def test_a_text_that_ends_in_a_question_mark_asks(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize("text", ["", " ", "No.", "Why? Because.", "?x", "Who? [shows a dog]", "\x00", "\ud800"])
def test_other_texts_do_not_ask(text: str) -> None:
    assert not asks(text)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("a", 1, 1),
        ("word " * 100, 100, 150),
        ("記憶" * 50, 100, 100),
        ("слово " * 100, 150, 260),
        ("\ud800", 1, 1),
    ],
)
def test_the_estimate_of_tokens(text: str, least: int, most: int) -> None:
    assert least <= estimate_tokens(text) <= most


@given(st.text(st.characters(exclude_categories=())))
def test_the_estimate_grows_with_the_text(text: str) -> None:
    assert estimate_tokens(text) <= estimate_tokens(text + " more")
    assert (estimate_tokens(text) == 0) == (text == "")


def test_a_label_is_the_title_or_the_beginning_of_the_text() -> None:
    assert label_of("Tiles", "The tile server failed.") == "Tiles"
    assert label_of("", "The tile server failed.") == ""
    assert label_of(None, "word " * 40) == ("word " * 40)[:LABEL_CHARACTERS]
    assert label_of(None, "") == ""
