"""Work that several threads want at once is done by one of them; the others wait for what becomes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Value = TypeVar("Value")


class SingleFlight(Generic[Value]):
    """Remembers nothing: who comes after the work has ended does it again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Future[Value]] = {}

    def run(self, key: str, work: Callable[[], Value]) -> Value:
        """What `work` returns or raises, by this thread or by the one that is doing the work of this key at the moment."""
        with self._lock:
            running = self._running.get(key)
            mine = self._running.setdefault(key, Future()) if running is None else None
        if mine is None:
            assert running is not None
            return running.result()
        try:
            value = work()
        except BaseException as error:
            self._end(key)
            mine.set_exception(error)
            raise
        self._end(key)
        mine.set_result(value)
        return value

    def _end(self, key: str) -> None:
        with self._lock:
            del self._running[key]
