"""Work over many rows, shared among a few threads of our own.

The products are C code that releases the interpreter. Its own OpenMP threads are not used: they spin for milliseconds after each
call, on the cores that embed the next question (measured: docs/decisions/simsimd.md).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

THREADS = min(4, os.cpu_count() or 1)
ROWS_WORTH_SHARING = 20_000
_SHARES_A_THREAD = 4
"""Shares for each thread where one of them comes late."""


class _Pool:
    """The helping threads of this process, started when first needed; a forked child starts its own."""

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def executor(self) -> ThreadPoolExecutor:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(max(1, THREADS - 1), thread_name_prefix="vector-scan")
        return self._executor

    def _forget(self) -> None:
        self._executor = None


_POOL = _Pool()


def in_shares(rows: int, work: Callable[[int, int], None], meanwhile: Callable[[], None] | None = None) -> None:
    """Call `work(first, end)` for shares that cover 0 … rows; raises what any of them raised, once none is worked on any more.

    `meanwhile` is done on this thread, which joins in afterwards, and the helping threads do not wait for it.
    """
    if rows < ROWS_WORTH_SHARING or THREADS == 1:
        if meanwhile is not None:
            meanwhile()
        work(0, rows)
        return
    shares = THREADS * (_SHARES_A_THREAD if meanwhile is not None else 1)
    bounds = [(rows * share // shares, rows * (share + 1) // shares) for share in range(shares)]
    left = iter(bounds)  # taken from by several threads, one step of the interpreter at a time

    def take() -> None:
        for first, end in left:
            work(first, end)

    others = [_POOL.executor().submit(take) for _ in range(THREADS - 1)]
    try:
        if meanwhile is not None:
            meanwhile()
        take()
    finally:
        for other in others:
            if not other.cancel():  # one that has not begun has nothing left to do, and may stand behind another call's
                other.result()
