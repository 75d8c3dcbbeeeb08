"""The share of a namespace that is a dialogue of people: exact through additions, erasures and a restored snapshot."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.index.dialogue import Dialogues

NAMES = [None, "Ada", "Ben", "user", "Assistant", "Cy"]
ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=30)


def counted(rows: list[tuple[int, int]]) -> float:
    """The share, counted in the plainest way."""
    people: dict[int, set[int]] = {}
    for session, author in rows:
        if session and author in (1, 2, 5):
            people.setdefault(session, set()).add(author)
    inside = [session for session, _ in rows if len(people.get(session, ())) > 1]
    return len(inside) / len(rows) if rows else 0.0


def columns(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, list[str | None]]:
    sessions, authors = np.array(rows, np.int32).reshape(-1, 2).T
    return sessions, authors, NAMES


@given(ROWS, ROWS)
def test_the_share_is_that_of_the_rows_that_are_there(kept: list[tuple[int, int]], gone: list[tuple[int, int]]) -> None:
    dialogues = Dialogues()
    for rows in (kept, gone):
        dialogues.add(*columns(rows))
    assert dialogues.share == counted(kept + gone)
    dialogues.remove(*columns(gone))
    assert dialogues.share == counted(kept)


def test_a_user_and_an_assistant_and_one_persons_notes_are_no_dialogue() -> None:
    for rows in ([(1, 3), (1, 4)], [(1, 1), (1, 4)], [(1, 1), (1, 1)], [(0, 1), (0, 2)], []):
        dialogues = Dialogues()
        dialogues.add(*columns(rows))
        assert dialogues.share == 0.0
    dialogues = Dialogues()
    dialogues.add(*columns([(1, 1), (1, 2), (0, 5), (2, 5)]))
    assert dialogues.share == 0.5
