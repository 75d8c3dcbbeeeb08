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


def in_shares(rows: int, work: Callable[[int, int], None]) -> None:
    """Call `work(first, end)` for shares that cover 0 … rows, the first on this thread; raises what any of them raised."""
    if rows < ROWS_WORTH_SHARING or THREADS == 1:
        work(0, rows)
        return
    bounds = [rows * share // THREADS for share in range(THREADS + 1)]
    others = [_POOL.executor().submit(work, bounds[at], bounds[at + 1]) for at in range(1, THREADS)]
    try:
        work(bounds[0], bounds[1])
    finally:
        for other in others:
            other.result()
