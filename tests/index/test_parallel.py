"""Work shared among threads: every row once, and an error of any share is raised."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from ai_memory.index.parallel import ROWS_WORTH_SHARING, in_shares


@pytest.mark.parametrize("rows", [0, 1, ROWS_WORTH_SHARING - 1, ROWS_WORTH_SHARING, 100_003])
def test_every_row_is_worked_on_once(rows: int) -> None:
    seen = np.zeros(rows, np.int64)

    def count(first: int, end: int) -> None:
        seen[first:end] += 1

    in_shares(rows, count)
    assert (seen == 1).all()


@pytest.mark.parametrize("wrong", [0, 99_999])
def test_an_error_of_any_share_is_raised(wrong: int) -> None:
    def fail(first: int, end: int) -> None:
        if first <= wrong < end:
            raise ZeroDivisionError("in a share")

    with pytest.raises(ZeroDivisionError, match="in a share"):
        in_shares(100_000, fail)


@pytest.mark.parametrize("rows", [ROWS_WORTH_SHARING - 1, ROWS_WORTH_SHARING, 100_003])
def test_something_else_is_done_on_this_thread_meanwhile(rows: int) -> None:
    seen, done = np.zeros(rows, np.int64), list[int]()

    def count(first: int, end: int) -> None:
        seen[first:end] += 1

    in_shares(rows, count, meanwhile=lambda: done.append(threading.get_ident()))
    assert (seen == 1).all()
    assert done == [threading.get_ident()]


def test_an_error_of_what_is_done_meanwhile_is_raised_when_no_share_runs_any_more() -> None:
    running = set[int]()

    def work(first: int, end: int) -> None:
        running.add(first)
        time.sleep(0.001)
        running.discard(first)

    def fail() -> None:
        raise ZeroDivisionError("meanwhile")

    with pytest.raises(ZeroDivisionError, match="meanwhile"):
        in_shares(100_000, work, meanwhile=fail)
    assert not running
