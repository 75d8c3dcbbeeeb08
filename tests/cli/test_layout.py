"""Text on a terminal: widths, cutting, wrapping, tables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ai_memory.cli.output.layout import cut, pad, table, visible, width, wrap


def test_width_counts_terminal_columns() -> None:
    assert width("abc") == 3
    assert width("日本") == 4
    assert width("e\u0301") == 1
    assert width("Привет") == 6
    assert width("") == 0


def test_visible_escapes_what_could_move_or_reorder() -> None:
    assert visible("a\x1b[31mred") == "a\\x1b[31mred"
    assert visible("a\u202eb") == "a\\u202eb"
    assert visible("a\x00b\rc") == "a\\x00b\\rc"
    assert visible("a\ud800b") == "a\\ud800b"
    assert visible("tab\tline\n שלום 🙂") == "tab\tline\n שלום 🙂"


def test_cut_keeps_within_columns() -> None:
    assert cut("short", 10) == "short"
    assert cut("a longer text", 8) == "a longe…"
    assert cut("日本語日本語", 5) == "日本…"
    assert cut("two\nlines", 20) == "two lines"


def test_pad_fills_by_columns() -> None:
    assert pad("日本", 6) == "日本  "
    assert pad("7", 3, right=True) == "  7"


def test_wrap_keeps_line_breaks_and_breaks_long_words() -> None:
    assert wrap("one two three", 14) == ["one two three"]
    assert wrap("one two three four", 14) == ["one two three", "four"]
    assert wrap("first\n\nsecond", 20, "  ") == ["  first", "", "  second"]
    assert wrap("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert wrap("", 10) == [""]


def test_table_aligns_wide_characters() -> None:
    lines = table(("name", "n"), [("日本", "1"), ("abc", "22")], 40, right=(1,))
    assert lines == ["name   n", "日本   1", "abc   22"]
    assert table(("a",), [], 40) == []


def test_table_cuts_the_last_column_to_the_screen() -> None:
    lines = table(("id", "text"), [("1", "word " * 50)], 40)
    assert all(width(line) <= 40 for line in lines)
    assert lines[1].endswith("…")


@given(st.text(), st.integers(min_value=10, max_value=80))
def test_no_line_is_wider_than_asked(text: str, columns: int) -> None:
    assert all(width(line) <= columns for line in wrap(text, columns))
    assert width(cut(text, columns)) <= columns
    assert all(ord(character) >= 32 or character in "\n\t" for character in visible(text))


@given(
    st.text(
        alphabet=st.characters(exclude_categories=["Cc", "Cs"]).filter(
            lambda c: c not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        )
    )
)
def test_wrap_loses_nothing_but_spaces(text: str) -> None:
    assert "".join(wrap(text, 20)).replace(" ", "") == visible(text).replace(" ", "")
