import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_memory.text.passages import LIMIT, Passage, split

PIECES = st.lists(
    st.sampled_from(
        [
            "word",
            " ",
            ". ",
            "\n",
            "\n\n",
            "。",
            "記憶",
            "é",
            "e\u0301",
            "👩‍💻",
            "👍🏽",
            "! ",
            ", ",
            "สวัส",
            "x" * 40,
            "\r\n",
        ]
    ),
    max_size=120,
).map("".join)


def parts(text: str, limit: int = LIMIT) -> list[str]:
    return [text[start:end] for start, end in split(text, limit)]


@settings(max_examples=200)
@given(st.one_of(PIECES, st.text(st.characters(exclude_categories=()), max_size=300)), st.integers(1, 60))
def test_passages_cover_the_text_exactly(text: str, limit: int) -> None:
    passages = split(text, limit)
    assert passages[0].start == 0
    assert passages[-1].end == len(text)
    assert all(left.end == right.start for left, right in itertools.pairwise(passages))
    assert all(start < end <= start + limit for start, end in passages) or text == ""
    assert split(text, limit) == passages


def test_a_short_text_is_one_passage() -> None:
    assert split("short") == [Passage(0, 5)]
    assert split("x" * LIMIT) == [Passage(0, LIMIT)]
    assert split("") == [Passage(0, 0)]


def test_no_tiny_rest_is_left() -> None:
    text = "An even sentence of words. " * 46
    assert LIMIT < len(text) < LIMIT * 1.1
    assert min(map(len, parts(text))) > LIMIT // 3


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("one two. three\n\nfour five. six seven", "one two. three\n\n"),
        ("one two three. four five six seven", "one two three. "),
        ("一二三四五六。七八九十", "一二三四五六。"),
        ("one two three four five six seven", "one two three "),
    ],
)
def test_cuts_fall_at_the_best_place(text: str, first: str) -> None:
    assert parts(text, 20)[0] == first


def test_a_wide_character_weighs_more() -> None:
    assert max(map(len, parts("記憶は大切です。" * 300))) <= 500
    assert len(parts("a" * 5_000)) == 5


@pytest.mark.parametrize("cluster", ["e\u0301", "👩‍💻", "👍🏽", "❤️"])
def test_a_cut_does_not_part_a_character_from_its_marks(cluster: str) -> None:
    for passage in parts(cluster * 40, 7):
        assert passage == cluster * (len(passage) // len(cluster))


def test_marks_without_end_are_cut_all_the_same() -> None:
    assert "".join(parts("e" + "\u0301" * 100, 10)) == "e" + "\u0301" * 100


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="room for at least one"):
        split("text", 0)


def test_a_huge_text_is_split() -> None:
    text = "Paragraph of some words.\n\n" * 40_000
    assert max(map(len, parts(text))) <= LIMIT
