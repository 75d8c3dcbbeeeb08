"""How the async methods are carried out: each call runs in a thread of a bounded pool, so that the event loop never waits."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ai_memory.operations.base import Operation, Request, Response
from ai_memory.operations.caller import Caller, Progress
from ai_memory.operations.moving import ImportReport
from ai_memory.operations.upkeep.events import EVENTS, Event, EventKind
from ai_memory.python.calls import Calls, Line, following

if TYPE_CHECKING:
    from anyio import CapacityLimiter

CONCURRENT = 40
LINES_AT_ONCE = 200
FOLLOW_SECONDS = 1.0
"""How long one request of `follow` waits: it holds a thread, and a cancelled one is waited for."""

Value = TypeVar("Value")


class AsyncCalls:
    """The base of the async methods: `Calls` in at most 40 threads at a time. A cancelled write is still finished."""

    def __init__(self, caller: Caller) -> None:
        """`caller` does the work, and is closed with this object."""
        self._calls = Calls(caller)
        self._limiter: CapacityLimiter | None = None

    @property
    def caller(self) -> Caller:
        """What carries the operations out."""
        return self._calls.caller

    async def _in_thread(self, work: Callable[[], Value]) -> Value:
        import anyio  # at the first call: importing it takes longer than the rest of a client
        import anyio.to_thread

        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(CONCURRENT)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)

    async def close(self) -> None:
        """Finish what was acknowledged and release everything. May be called twice."""
        await self._in_thread(self._calls.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def follow(
        self, *, namespace: str | None = None, kinds: Sequence[EventKind | str] = (), cursor: str | None = None
    ) -> AsyncIterator[Event]:
        """As `Calls.follow`: what happens from now on, or behind a cursor. A cancelled wait ends within a second."""
        while True:
            page = await self._carry_out(EVENTS, following(namespace, kinds, cursor, FOLLOW_SECONDS))
            for event in page.events:
                yield event
            cursor = page.cursor

    async def _carry_out(self, operation: Operation[Request, Response], values: Mapping[str, Any]) -> Response:
        return await self._in_thread(lambda: self._calls._carry_out(operation, values))

    async def _export(self, values: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        lines = self._calls._export(values)
        while batch := await self._in_thread(lambda: list(itertools.islice(lines, LINES_AT_ONCE))):
            for line in batch:
                yield line

    async def _import(
        self, values: Mapping[str, Any], lines: Iterable[Line] | AsyncIterable[Line], progress: Progress | None
    ) -> ImportReport:
        plain = _pulled(lines) if isinstance(lines, AsyncIterable) else lines
        return await self._in_thread(lambda: self._calls._import(values, plain, progress))


def _pulled(lines: AsyncIterable[Line]) -> Iterator[Line]:
    """The lines of an async iterable, requested from a thread, one by one."""
    import anyio.from_thread

    source = aiter(lines)

    async def following() -> tuple[Line] | None:
        try:
            return (await anext(source),)
        except StopAsyncIteration:
            return None

    while (found := anyio.from_thread.run(following)) is not None:
        yield found[0]
