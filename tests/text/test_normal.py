import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.errors import InvalidInputError
from ai_memory.text.normal import clean_text, content_hash, dedup_key, digests, normal_form, value_digest

SCOPE = ("ns", "u", "a", "s")
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("  a  \n b\t\n\n", "a\n b"),
        ("e\u0301", "é"),
        ("pass\u200bword\u202e", "password"),
        ("", ""),
        (" \n\t ", ""),
        ("a  b", "a  b"),
    ],
)
def test_normal_form_forgives_what_is_not_seen(given_text: str, expected: str) -> None:
    assert normal_form(given_text) == expected


@pytest.mark.parametrize(("one", "other"), [("A", "a"), ("a b", "a  b"), ("a", "a."), ("x²", "x2"), ("ё", "е")])
def test_texts_that_read_differently_stay_apart(one: str, other: str) -> None:
    assert dedup_key(*SCOPE, None, None, one) != dedup_key(*SCOPE, None, None, other)
    assert content_hash(None, None, one) != content_hash(None, None, other)


@given(ANY_TEXT)
def test_normal_form_is_stable_and_hashes_take_any_text(text: str) -> None:
    assert normal_form(normal_form(text)) == normal_form(text)
    assert len(content_hash(None, None, text)) == 32
    assert len(value_digest("ns", text, text, text)) == 16


def test_parts_of_a_key_cannot_be_confused() -> None:
    keys = {
        dedup_key("a", "b", None, None, None, None, "t"),
        dedup_key("ab", None, None, None, None, None, "t"),
        dedup_key("a", None, "b", None, None, None, "t"),
        dedup_key("a", "", "b", None, None, None, "t"),
        dedup_key("a", "1:b", None, None, None, None, "t"),
        value_digest("a", None, None, "t"),
        value_digest("a", None, "", "t"),
        bytes.fromhex(content_hash(None, None, "t")),
    }
    assert len(keys) == 8


def test_the_scope_tells_equal_texts_apart_but_not_the_value() -> None:
    assert dedup_key("n", "u", None, None, None, None, "t") != dedup_key("n", "v", None, None, None, None, "t")
    assert value_digest("n", None, None, "t ") == value_digest("n", None, None, "t")
    assert value_digest("n", None, None, "t") != value_digest("m", None, None, "t")


@given(ANY_TEXT, st.none() | ANY_TEXT)
def test_both_digests_at_once_are_the_two(text: str, author: str | None) -> None:
    together = digests(*SCOPE, author, None, text)
    assert together == (
        content_hash(author, None, text),
        dedup_key(*SCOPE, author, None, text),
    )


@pytest.mark.parametrize(
    ("text", "position", "word"), [("ab\x00", 2, "NUL"), ("\ud800x", 0, "U+D800"), ("é\udfff", 1, "U+DFFF")]
)
def test_what_cannot_be_stored_is_refused_by_position(text: str, position: int, word: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"title contains .*{word.replace('+', '.')}.* {position}$") as caught:
        clean_text(text, "title")
    assert caught.value.details == {"field": "title", "position": position}


def test_everything_else_is_kept_as_given() -> None:
    text = " \u200b\u202eאב\r\n👩‍💻\x07 e\u0301 "
    assert clean_text(text) is text
