"""`AsyncMemory` and `AsyncClient`: the same methods as coroutines, each call in a thread of a bounded pool."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.memory import Memory
from ai_memory.remote import DEFAULT_TIMEOUT, DEFAULT_URL, RemoteService
from ai_memory.types import Actor

if TYPE_CHECKING:
    from ai_memory.settings import Settings


class AsyncMemory(AsyncMethods):
    """The same as `Memory`, as coroutines, under asyncio or trio."""

    def __init__(
        self,
        path: str | PathLike[str] | None = None,
        *,
        data_dir: str | PathLike[str] | None = None,
        settings: Settings | None = None,
        actor: Actor | str = Actor.AGENT,
        **flags: Any,
    ) -> None:
        """Open a store as `Memory` does; this takes some milliseconds on the calling thread."""
        self._memory = Memory(path, data_dir=data_dir, settings=settings, actor=actor, **flags)
        super().__init__(self._memory.caller)

    async def settle(self, timeout: float | None = None) -> bool:
        """Wait until every memory is embedded; False at the time limit (seconds) or without a model."""
        return await self._in_thread(lambda: self._memory.settle(timeout))


class AsyncClient(AsyncMethods):
    """The same as `Client`, as coroutines, under asyncio or trio."""

    def __init__(self, url: str = DEFAULT_URL, *, api_key: str | None = None, timeout: float = DEFAULT_TIMEOUT) -> None:
        """`timeout` is in seconds, for connecting and for each wait for an answer."""
        super().__init__(RemoteService(url, api_key=api_key, timeout=timeout))
