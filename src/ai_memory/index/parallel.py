"""A scan over many rows, split into chunks among a few threads.

The products are C code that releases the interpreter lock, so threads scale. simsimd's own OpenMP threads are not used: they spin
for milliseconds after each call, on the cores that embed the next question (measured: docs/decisions/simsimd.md).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

THREADS = min(4, os.cpu_count() or 1)
MIN_PARALLEL_ROWS = 20_000
"""Fewer rows are scanned by the calling thread alone: waking others costs more than they save."""
_CHUNKS_PER_THREAD = 4
"""Chunks per thread when the calling thread joins late: the others then do most of the work, so chunks must be smaller."""


class _Pool:
    """The helper threads of this process, started at first use; a forked child starts its own."""

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(max(1, THREADS - 1), thread_name_prefix="vector-scan")
            return self._executor

    def _reset(self) -> None:
        # A fork copies no threads, and the lock may have been held by one of them.
        self._executor = None
        self._lock = threading.Lock()


_POOL = _Pool()


def run_in_chunks(rows: int, work: Callable[[int, int], None], meanwhile: Callable[[], None] | None = None) -> None:
    """Call `work(first, end)` for chunks that cover rows 0 … `rows` - 1 exactly once, in any order and from several threads.

    `meanwhile` runs on the calling thread, which joins the scan afterwards; the helper threads do not wait for it. With fewer than
    `MIN_PARALLEL_ROWS` rows everything runs on the calling thread, in one call. Raises what any of them raised, once no chunk
    is being worked on any more.
    """
    if rows < MIN_PARALLEL_ROWS or THREADS == 1:
        if meanwhile is not None:
            meanwhile()
        work(0, rows)
        return
    chunks = THREADS * (_CHUNKS_PER_THREAD if meanwhile is not None else 1)
    bounds = iter([(rows * chunk // chunks, rows * (chunk + 1) // chunks) for chunk in range(chunks)])
    # `next` on a list iterator is atomic only under the interpreter lock: free-threaded builds could give a chunk twice.
    claiming = threading.Lock()

    def work_through() -> None:
        while True:
            with claiming:
                chunk = next(bounds, None)
            if chunk is None:
                return
            work(*chunk)

    others = [_POOL.executor().submit(work_through) for _ in range(THREADS - 1)]
    try:
        if meanwhile is not None:
            meanwhile()
        work_through()
    finally:
        for other in others:
            # One that has not started has nothing left to do, and may be queued behind another call's work.
            if not other.cancel():
                other.result()
