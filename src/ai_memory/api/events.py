"""Events over HTTP: a page of them as JSON, or server-sent events for as long as the client stays.

No thread and no queue waits for a client: the store's log is the queue, and one look at it, a few times a second, is for all who
follow. What a client does not read stays in the log, and a connection that reads nothing is ended as any other.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import anyio
from msgspec.structs import replace
from starlette.types import Receive, Scope, Send

from ai_memory.api.endpoints import Api, request_values
from ai_memory.api.http.headers import header
from ai_memory.api.http.responses import send_body
from ai_memory.errors import OverloadedError
from ai_memory.operations.base import parse, to_json
from ai_memory.operations.upkeep.events import EVENTS, Event, Events, EventsRequest
from ai_memory.wording.ways import again_after

MEDIA = b"text/event-stream"
LOOK_SECONDS = 0.25
"""How often the store is looked at while anybody follows."""
HEARTBEAT_SECONDS = 15.0
"""After so long without an event a comment is sent, with the place to go on from: proxies end connections that are silent."""
RETRY_MS = 2_000
FOLLOWERS, FOLLOWERS_OF_ONE = 512, 128
"""How many may follow at once, in all and of one caller; each has a connection and a task, nothing else."""
RETRY_SECONDS = 10


class Pulse:
    """Looks at the store for everybody who waits, at most once in `LOOK_SECONDS`."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = anyio.Lock()
        self._looked = -math.inf
        self._mark = ""

    async def mark(self) -> str:
        """A text that changes whenever there is an event."""
        async with self._lock:
            now = anyio.current_time()
            if now - self._looked >= LOOK_SECONDS:
                self._mark = await self._api.watching.run(self._api.service.mark)
                self._looked = now
        return self._mark


class EventsEndpoint:
    """Answers `GET /v1/events` in the form that the client accepts."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._pulse: Pulse | None = None
        self._followers: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises the errors of `ai_memory.errors` before the first byte."""
        access = self._api.keys.access(scope["headers"])
        values = request_values(EVENTS, scope)
        if (seen := header(scope["headers"], b"last-event-id")) is not None:
            values["cursor"] = seen  # newer than the one in the address, which a browser sends again as it was
        request = parse(EventsRequest, values, strict=False)
        access.check(EVENTS, request)
        if self._pulse is None:  # here and not before: its lock belongs to the event loop
            self._pulse = Pulse(self._api)
        with self._follower(self._api.keys.caller(scope)):
            if MEDIA.decode() in (header(scope["headers"], b"accept") or ""):
                await self._stream(request, receive, send, self._pulse)
            else:
                await send_body(send, to_json(await self._page(request, self._pulse)))

    @contextmanager
    def _follower(self, caller: str) -> Iterator[None]:
        if self._followers.total() >= FOLLOWERS or self._followers[caller] >= FOLLOWERS_OF_ONE:
            raise OverloadedError(
                f"{FOLLOWERS} may follow events at once, {FOLLOWERS_OF_ONE} of one caller",
                hint=again_after(RETRY_SECONDS, ", or close those that nobody reads"),
                retry_after=RETRY_SECONDS,
                limit=FOLLOWERS_OF_ONE,
            )
        self._followers[caller] += 1
        try:
            yield
        finally:
            self._followers[caller] -= 1
            self._followers += Counter()  # forgets those who have none

    async def _read(self, request: EventsRequest) -> Events:
        return await self._api.watching.run(partial(self._api.service.carry_out, EVENTS, request))

    async def _page(self, request: EventsRequest, pulse: Pulse) -> Events:
        """One page, waited for in the event loop in place of a thread."""
        deadline = anyio.current_time() + request.wait
        request = replace(request, wait=0.0)
        mark = await pulse.mark()
        answer = await self._read(request)
        while not answer.events and anyio.current_time() < deadline and not self._api.stopping():
            await anyio.sleep(min(LOOK_SECONDS, max(0.0, deadline - anyio.current_time())))
            before, mark = mark, await pulse.mark()
            if before != mark:
                answer = await self._read(replace(request, cursor=answer.cursor))
        return answer

    async def _stream(self, request: EventsRequest, receive: Receive, send: Send, pulse: Pulse) -> None:
        mark = await pulse.mark()
        answer = await self._read(replace(request, wait=0.0))  # an error is an answer, before the stream begins
        headers = [(b"content-type", MEDIA + b"; charset=utf-8"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        failed: list[Exception] = []
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            try:
                await self._send_each(request, answer, mark, send, pulse)
            except Exception as error:  # noqa: BLE001 - raised again below, outside of the group that would wrap it
                failed.append(error)
            tasks.cancel_scope.cancel()
        if failed:
            raise failed[0]

    async def _send_each(self, request: EventsRequest, answer: Events, mark: str, send: Send, pulse: Pulse) -> None:
        """Send what there is and what comes, until the server stops."""
        await _send(send, b"retry: %d\n" % RETRY_MS + _place(answer.cursor))
        sent = anyio.current_time()
        while not self._api.stopping():
            if answer.events:
                await _send(send, b"".join(map(_frame, answer.events)))
                sent = anyio.current_time()
            elif anyio.current_time() - sent >= HEARTBEAT_SECONDS:
                await _send(send, _place(answer.cursor))
                sent = anyio.current_time()
            if len(answer.events) < request.limit:
                before = mark
                while before == mark and not self._api.stopping() and anyio.current_time() - sent < HEARTBEAT_SECONDS:
                    await anyio.sleep(LOOK_SECONDS)
                    mark = await pulse.mark()
            answer = await self._read(replace(request, wait=0.0, cursor=answer.cursor))
        await _send(send, b"", more=False)


async def _send(send: Send, piece: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": more})


def _place(cursor: str) -> bytes:
    """A message without an event: a client notes the place and shows nothing."""
    return b": \nid: %s\n\n" % cursor.encode()


def _frame(event: Event) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event.cursor.encode(), event.kind.encode(), to_json(event))
