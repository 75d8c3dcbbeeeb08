"""Work for a client that may disconnect before it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
from starlette.types import Receive

from ai_memory.api.threadpool import ThreadPool
from ai_memory.embed.base import Cancellation

Value = TypeVar("Value")


async def run_unless_disconnected(
    pool: ThreadPool, work: Callable[[], Value], receive: Receive, cancellation: Cancellation
) -> Value | None:
    """What `work` returns or raises; None where the client disconnected first.

    A client that disconnects frees its place: it leaves the queue for a thread, and work in progress is cancelled through
    `cancellation`. The whole body must have been read from `receive` before.
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
            done.append(await pool.run(work))
        except Exception as error:  # noqa: BLE001 - raised again below, outside of the group that would wrap it
            failed.append(error)
        disconnected = tasks.cancel_scope.cancel_called
        tasks.cancel_scope.cancel()
    if disconnected or not (done or failed):
        return None
    if failed:
        raise failed[0]
    return done[0]
