"""Copies: memories that say the same in the same words, against a plain oracle."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.index.copies import ALONE, Copies, statement
from ai_memory.types import MemoryRecord, MemoryType

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def said(text: str, **fields: object) -> int:
    """The digest of a memory with this text."""
    given = {"id": "mem_1", "namespace": "default", "created_at": AT, "recorded_at": AT, "content_hash": "", **fields}
    return statement(MemoryRecord(text=text, **given))  # type: ignore[arg-type]


def test_the_same_words_are_copies_whatever_their_case_blanks_and_last_marks() -> None:
    like = said("User prefers the dark theme.")
    for text in (
        "user prefers the dark theme",
        "User prefers  the\ndark theme!",
        "«User prefers the dark theme»",
        " USER PREFERS THE DARK THEME…",
        "- User prefers the dark theme",
    ):
        assert said(text) == like, text


def test_other_words_numbers_units_and_places_are_no_copies() -> None:
    like = said("The rate is 5 % now.")
    for text in (
        "The rate is 5 € now.",
        "The rate is -5 % now.",
        "The rate is 50 % now.",
        "The rate is not 5 % now.",
        "Is the rate 5 % now?",
    ):
        assert said(text) != like, text
    assert said("-5 degrees outside today") != said("5 degrees outside today") != said(".5 degrees outside today")
    for field in ("title", "context", "user"):
        assert said("The rate is 5 % now.", **{field: "other"}) != like, field


def test_who_says_it_matters_in_the_first_person_alone() -> None:
    for mine in (
        "I am allergic to nuts.",
        "Моя сестра живёт в Риге.",
        "Wir wohnen in der Nordstraße.",
        "我不喜欢喝咖啡",
    ):
        assert said(mine, author="Ada") != said(mine, author="Ben"), mine
    assert said("Ada is allergic to nuts.", author="Ada") == said("Ada is allergic to nuts.", author="Ben")


def test_an_event_of_another_day_is_another_event_and_a_fact_is_the_same() -> None:
    first, later = {"valid_from": AT}, {"valid_from": AT + dt.timedelta(days=1)}
    ran = "Ran five kilometres before breakfast."
    assert said(ran, type=MemoryType.EPISODIC, **first) != said(ran, type=MemoryType.EPISODIC, **later)
    assert said(ran, **first) == said(ran, **later)


def test_what_says_too_little_is_no_copy_of_anything() -> None:
    for text in ("Yes.", "Thanks!", "OK, done", "", "…", "好的"):
        assert said(text) == ALONE, text
    assert said("我喜欢喝绿茶") != ALONE


digests = st.lists(st.integers(0, 6), max_size=30)


@given(digests, digests, st.sets(st.integers(0, 59)), st.sets(st.integers(0, 59)), st.booleans())
def test_groups_are_those_of_an_oracle(
    first: list[int], later: list[int], erased: set[int], hidden: set[int], restored: bool
) -> None:
    """Whatever is added, erased and added again, and for any filter; also after a snapshot."""
    column = np.array(first, np.int64)
    copies = Copies()
    copies.extend(0, column)
    rows = np.array(sorted(each for each in erased if each < len(first)), np.int32)
    copies.remove(rows, column)
    column = column.copy()
    column[rows] = ALONE
    column = np.concatenate((column, np.array(later, np.int64)))
    if restored:
        copies = Copies(column)
    else:
        copies.extend(len(first), column)
    mask = np.array([row not in hidden for row in range(len(column))], np.bool_)
    when = (np.arange(len(column)) * 7 % 5).astype(np.int64)

    expected: dict[int, list[int]] = defaultdict(list)
    for row, digest in enumerate(column.tolist()):
        if digest != ALONE and mask[row]:
            expected[digest].append(row)
    best = {digest: max(having, key=lambda row: (when[row], row)) for digest, having in expected.items()}
    left_out = {row: best[digest] for digest, having in expected.items() for row in having if row != best[digest]}

    found = copies.groups(column, mask, [when])
    assert dict(zip(found.rows.tolist(), found.kept.tolist(), strict=True)) == left_out
