"""The spellings of a name that differ in case, and how an index of names as written is asked for them."""

from __future__ import annotations

from functools import partial
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ai_memory.text.caseless import caseless, next_spelling, spellings_in, variants

LETTERS = st.text("aAbBzZ1-/яЯσΣςİßkK", max_size=4)


@given(LETTERS, LETTERS)
def test_the_next_spelling_is_the_first_that_is_not_before(name: str, least: str) -> None:
    every = sorted("".join(made) for made in product(*variants(name)))
    assert next_spelling(variants(name), least) == next((made for made in every if made >= least), None)


@given(LETTERS.filter(bool), st.lists(LETTERS, max_size=20))
@example("work", ["WORK/Bees", "Work", "Work/Atlas", "work/atlas"])
@example("a", ["ab"])
def test_all_spellings_that_an_entry_begins_with_are_found(name: str, entries: list[str]) -> None:
    asked: list[str] = []

    def first_from(least: str) -> str | None:
        asked.append(least)
        return min((entry for entry in entries if entry >= least), default=None)

    found = list(spellings_in(name, first_from))
    every = {"".join(made) for made in product(*variants(name))}
    assert found == sorted(made for made in every if any(entry.startswith(made) for entry in entries))


def test_a_name_among_many_takes_few_looks() -> None:
    entries = sorted([f"project-{number:05}" for number in range(20_000)] + ["Project-00042", "PROJECT-00042/a"])
    asked: list[str] = []

    def first_from(least: str) -> str | None:
        asked.append(least)
        return next((entry for entry in entries if entry >= least), None)

    found = list(spellings_in("project-00042", first_from))
    assert found == ["PROJECT-00042", "Project-00042", "project-00042"]
    assert len(asked) <= 12


def first(entry: str, least: str) -> str | None:
    return entry if entry >= least else None


@pytest.mark.parametrize(
    ("one", "other"), [("Finance", "FINANCE"), ("Слово", "СЛОВО"), ("ÄRGER", "ärger"), ("ΟΔΟΣ", "οδος")]
)
def test_names_that_differ_in_case_are_the_same(one: str, other: str) -> None:
    assert caseless(one) == caseless(other)
    for name, written in ((one, other), (other, one)):
        assert list(spellings_in(name, partial(first, written))) == [written]
