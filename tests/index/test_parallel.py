"""Work split among threads: every row once, and an error in any chunk is raised."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from ai_memory.index.parallel import MIN_PARALLEL_ROWS, run_in_chunks


@pytest.mark.parametrize("rows", [0, 1, MIN_PARALLEL_ROWS - 1, MIN_PARALLEL_ROWS, 100_003])
def test_every_row_is_worked_on_once(rows: int) -> None:
    seen = np.zeros(rows, np.int64)

    def count(first: int, end: int) -> None:
        seen[first:end] += 1

    run_in_chunks(rows, count)
    assert (seen == 1).all()


@pytest.mark.parametrize("wrong", [0, 99_999])
def test_an_error_in_any_chunk_is_raised(wrong: int) -> None:
    def fail(first: int, end: int) -> None:
        if first <= wrong < end:
            raise ZeroDivisionError("in a chunk")

    with pytest.raises(ZeroDivisionError, match="in a chunk"):
        run_in_chunks(100_000, fail)


@pytest.mark.parametrize("rows", [MIN_PARALLEL_ROWS - 1, MIN_PARALLEL_ROWS, 100_003])
def test_the_calling_thread_does_something_else_meanwhile(rows: int) -> None:
    seen, done = np.zeros(rows, np.int64), list[int]()

    def count(first: int, end: int) -> None:
        seen[first:end] += 1

    run_in_chunks(rows, count, meanwhile=lambda: done.append(threading.get_ident()))
    assert (seen == 1).all()
    assert done == [threading.get_ident()]


def test_an_error_meanwhile_is_raised_once_no_chunk_runs_any_more() -> None:
    running = set[int]()

    def work(first: int, end: int) -> None:
        running.add(first)
        time.sleep(0.001)
        running.discard(first)

    def fail() -> None:
        raise ZeroDivisionError("meanwhile")

    with pytest.raises(ZeroDivisionError, match="meanwhile"):
        run_in_chunks(100_000, work, meanwhile=fail)
    assert not running
