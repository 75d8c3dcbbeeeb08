"""Bounded thread pool for blocking work, called from the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from ai_memory.errors import OverloadedError
from ai_memory.wording.ways import again_after

Value = TypeVar("Value")

WAITING_FACTOR = 4


class ThreadPool:
    """Runs blocking work in at most `concurrent` threads; up to `waiting` more callers wait, and any others are refused.

    Work that has started is always finished, also when its caller is cancelled or has disconnected: no write is left half done.
    """

    def __init__(self, concurrent: int, waiting: int | None = None) -> None:
        """`waiting` defaults to four times `concurrent`."""
        self._concurrent = concurrent
        self.limit = concurrent + (WAITING_FACTOR * concurrent if waiting is None else waiting)
        """The most callers at once, including those that wait."""
        self._limiter = anyio.CapacityLimiter(concurrent)
        self._inside = 0

    @property
    def inside(self) -> int:
        """Callers whose work has not finished."""
        return self._inside

    @property
    def waiting(self) -> int:
        """Callers that wait for a thread."""
        return max(0, self._inside - self._concurrent)

    async def run(self, work: Callable[[], Value]) -> Value:
        """What `work` returns or raises; OverloadedError at once when too many wait already."""
        if self._inside >= self.limit:
            raise OverloadedError(
                f"{self._concurrent} requests are in progress and {self.waiting} wait",
                hint=again_after(1, ", or raise AI_MEMORY_MAX_CONCURRENT_REQUESTS"),
                retry_after=1,
                limit=self.limit,
            )
        self._inside += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1
