"""Ending a call to an embedder from another thread: its caller has gone away."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Cancellation:
    """Handed in with a call. What has not begun is dropped, what has is finished and not delivered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """End the call that is bound, and every one that is bound later, with ServiceUnavailableError."""
        with self._lock:
            self._cancelled = True
            end = self._end
        if end is not None:
            end()

    def bind(self, end: Callable[[], None]) -> None:
        """Say how the call that begins now is ended; `end` may be called more than once, and after the call has ended."""
        with self._lock:
            self._end = end
            cancelled = self._cancelled
        if cancelled:
            end()
