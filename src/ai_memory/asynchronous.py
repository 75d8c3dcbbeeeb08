"""`AsyncMemory` and `AsyncClient`: the same methods as coroutines, one bounded hop to a thread a call.

Apart from the classes they wrap, so that a command line that waits for one answer does not import an event loop.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

from ai_memory.client import DEFAULT_TIMEOUT, DEFAULT_URL, Client
from ai_memory.memory import Memory
from ai_memory.python.threaded import ThreadedMethods

if TYPE_CHECKING:
    from ai_memory.settings import Settings


class AsyncMemory(ThreadedMethods):
    """The same as `Memory`, as coroutines, under asyncio or trio."""

    def __init__(
        self,
        path: str | PathLike[str] | None = None,
        *,
        data_dir: str | PathLike[str] | None = None,
        settings: Settings | None = None,
        **flags: Any,
    ) -> None:
        """Open a store as `Memory` does; this takes some milliseconds on the calling thread."""
        self._memory = Memory(path, data_dir=data_dir, settings=settings, **flags)
        super().__init__(self._memory)

    async def settle(self, timeout: float | None = None) -> bool:
        """Wait until every memory can be found by meaning; False at the time limit (seconds) or without a model."""
        return await self._in_thread(lambda: self._memory.settle(timeout))


class AsyncClient(ThreadedMethods):
    """The same as `Client`, as coroutines, under asyncio or trio."""

    def __init__(self, url: str = DEFAULT_URL, *, api_key: str | None = None, timeout: float = DEFAULT_TIMEOUT) -> None:
        """`timeout` is in seconds, for connecting and for each wait for an answer."""
        super().__init__(Client(url, api_key=api_key, timeout=timeout))
