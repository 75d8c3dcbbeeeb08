"""Running something in the background of a call: reports of progress, or watching whether the client is still there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

Value = TypeVar("Value")


async def with_background(
    background: Callable[[], Awaitable[None]], work: Callable[[], Awaitable[Value]]
) -> Value | None:
    """What `work` returns; `background` runs until then. If `background` returns first, `work` is cancelled, and None returned.

    An error of `work` is raised as it is, not in a group.
    """
    outcome: list[Value] = []
    failure: list[Exception] = []

    async def run() -> None:
        await background()
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        try:
            outcome.append(await work())
        except Exception as error:  # noqa: BLE001 - raised below, outside the group
            failure.append(error)
        tasks.cancel_scope.cancel()
    if failure:
        raise failure[0]
    return outcome[0] if outcome else None
