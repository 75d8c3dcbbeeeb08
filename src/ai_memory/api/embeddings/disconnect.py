"""Work for a caller that may go away before it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
from starlette.types import Receive

from ai_memory.api.threadpool import Hop
from ai_memory.embed.base import Cancellation

Value = TypeVar("Value")


async def run_while_present(
    hop: Hop, work: Callable[[], Value], receive: Receive, cancellation: Cancellation
) -> Value | None:
    """What `work` returns or raises; None where the caller hung up first.

    A caller that hangs up gives its place back: it leaves the queue for a thread, and what it waits for in the thread is
    cancelled. `receive` must have given the whole body already.
    """
    done: list[Value] = []
    failed: list[Exception] = []
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            cancellation.cancel()
            tasks.cancel_scope.cancel()

        tasks.start_soon(watch)
        try:
            done.append(await hop.run(work))
        except Exception as error:  # noqa: BLE001 - raised again below, outside of the group that would wrap it
            failed.append(error)
        gone = tasks.cancel_scope.cancel_called
        tasks.cancel_scope.cancel()
    if gone or not (done or failed):
        return None
    if failed:
        raise failed[0]
    return done[0]
