"""The server's connections and their limits: how many, how long they may be idle, and how long a client may stall.

uvicorn limits nothing but the wait between two requests. A client that sends half a header, one byte of a body, or that does not
read its answer would keep its connection for as long as it likes. Here every connection is looked at once a second:

- no request in progress: it is closed after `IDLE_SECONDS`, or as soon as its place is needed (the one that has been idle longest);
- the client has to send a body, or to read an answer: it is ended unless `MOVED` bytes move within the seconds allowed.

No thread and no task waits for a client: `streams.py` holds a thread only while it works.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
from collections import Counter
from types import FrameType
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ai_memory.api.http.responses import raw_error
from ai_memory.api.logs import FIELDS
from ai_memory.errors import MemoryServiceError, RequestTimeoutError, ServiceUnavailableError, TooLargeError

IDLE_SECONDS = 15.0
"""How long a connection may be without a request in progress: before the first one, and in the middle of a header."""
HEADER_BYTES = 65_536
"""The most bytes of a request line with its headers, and of what is between two parts of a body."""
MOVED = 1_024
"""Bytes that a client must send or read within the seconds it is given."""
STOPPING_SECONDS = 5.0
"""The seconds that a client is given while the server stops."""
SWEEP_SECONDS = 1.0
REFUSALS = 64
"""How many connections over the limit are answered with an error rather than closed without a word."""
OTHER_DESCRIPTORS = 512
"""File descriptors that are not for connections: the store's, the model's, the index's."""
_SHOWN = 5

logger = logging.getLogger("ai_memory.api")


def connection_limit(most: int) -> int:
    """How many connections to accept: `most`, or fewer where the process may not open as many files, once it has asked to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + OTHER_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return most
    return max(soft - OTHER_DESCRIPTORS, soft // 2)


class Connections:
    """Every open connection of one server. Used in the event loop only."""

    def __init__(self, most: int, stall_seconds: float) -> None:
        """`most` connections at once; a client may stall for `stall_seconds`."""
        self._most = most
        self._stall_seconds = stall_seconds
        self._open: set[Connection] = set()
        self._idle: dict[Connection, None] = {}
        """Those without a request in progress, the one that has been idle longest first."""
        self._refused: dict[Connection, None] = {}
        """Those that get an error for their first request, because there are too many; oldest first."""
        self._ended: Counter[str] = Counter()
        self._callers: set[str] = set()

    def __len__(self) -> int:
        return len(self._open)

    def made(self, config: uvicorn.Config, **state: Any) -> Connection:
        """A new connection, as uvicorn asks for one."""
        return Connection(self, config=config, **state)

    def opened(self, connection: Connection) -> None:
        """Take note of a connection; where they are too many, the one that has been idle longest ends, or else this one."""
        self._open.add(connection)
        if len(self._open) <= self._most:
            self.now_idle(connection)
            return
        idlest = next(iter(self._idle), None)
        if idlest is not None:
            self.end(idlest, "its place was needed")
            self.now_idle(connection)
            return
        connection.refuse(_too_many(self._most))
        self._refused[connection] = None
        if len(self._refused) > REFUSALS:
            self.end(next(iter(self._refused)), "too many connections")

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self._open.discard(connection)
        self._idle.pop(connection, None)
        self._refused.pop(connection, None)

    def now_idle(self, connection: Connection) -> None:
        """A connection waits for its next request."""
        self._idle.pop(connection, None)
        self._idle[connection] = None

    def now_busy(self, connection: Connection) -> None:
        """A request has begun."""
        self._idle.pop(connection, None)

    def end(self, connection: Connection, why: str) -> None:
        """Close a connection at once, what it has not read yet included."""
        self._idle.pop(connection, None)
        self._refused.pop(connection, None)
        self.note(connection, why)
        connection.transport.abort()

    def note(self, connection: Connection, why: str) -> None:
        """Remember why a connection ends, for the next line in the log."""
        self._ended[why] += 1
        if connection.client and len(self._callers) < _SHOWN:
            self._callers.add(connection.client[0])

    def hurry(self) -> None:
        """The server stops: clients get `STOPPING_SECONDS` from now on."""
        self._stall_seconds = min(self._stall_seconds, STOPPING_SECONDS)

    async def keep_sweeping(self) -> None:
        """Look at all connections once a second, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep(asyncio.get_running_loop().time())

    def sweep(self, now: float) -> None:
        """End the connections that have been idle, or whose clients have stalled, for too long; the log has one line about it."""
        for connection in list(self._open):
            connection.look(now, self._stall_seconds)
        if self._ended:
            fields = {**{why.replace(" ", "_"): count for why, count in self._ended.items()}, "open": len(self)}
            logger.info("connections ended", extra={FIELDS: {**fields, "clients": sorted(self._callers)}})
            self._ended.clear()
            self._callers.clear()


class _Progress:
    """Whether a count of bytes moves on fast enough."""

    def __init__(self, now: float) -> None:
        self._at, self._seen = now, 0

    def restart(self, now: float, count: int = 0) -> None:
        """Begin again from here: at this moment it is not the client that is waited for."""
        self._at, self._seen = now, count

    def stalled(self, now: float, count: int, seconds: float) -> bool:
        """Whether `count` has grown by less than `MOVED` in more than `seconds`."""
        if count - self._seen >= MOVED:
            self.restart(now, count)
        return now - self._at > seconds


class Connection(HttpToolsProtocol):
    """One connection: uvicorn's, which reports to `Connections`."""

    def __init__(self, connections: Connections, **state: Any) -> None:
        super().__init__(**state)
        self._connections = connections
        self._refusal: MemoryServiceError | None = None
        self._over = False
        """Whether this connection has had its last answer."""
        self._unparsed = 0
        """Bytes since the parser last came to the end of a header or to a piece of a body."""
        now = self.loop.time()
        self._since = now
        """When it became idle."""
        self._received = 0
        self._unsent = 0
        self._upload, self._download = _Progress(now), _Progress(now)

    @property
    def busy(self) -> bool:
        """Whether a request is in progress."""
        return self.cycle is not None and not self.cycle.response_complete

    def refuse(self, error: MemoryServiceError) -> None:
        """Answer the first request with this error."""
        self._refusal = error

    def look(self, now: float, stall_seconds: float) -> None:
        """End this connection where its client has kept it waiting for too long."""
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0:
            self._unsent = 0
            self._download.restart(now)
        elif self._reads_too_slowly(now, unsent, stall_seconds):
            self._connections.end(self, "answer not read")
            return
        if self.transport.is_closing():
            return
        if not self.busy:
            if now - self._since > IDLE_SECONDS:
                self._connections.end(self, "idle")
        elif not self.cycle.more_body or self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._upload.restart(now, self._received)  # it is the server that is slow
        elif self._upload.stalled(now, self._received, stall_seconds):
            self._connections.note(self, "request not sent")
            self._answer(_stalled(stall_seconds))

    def _reads_too_slowly(self, now: float, unsent: int, seconds: float) -> bool:
        """As bytes leave the buffer; what is added to it meanwhile is no progress of the client's."""
        self._unsent = max(self._unsent, unsent) if self._unsent else unsent
        if self._unsent - unsent >= MOVED:
            self._unsent = unsent
            self._download.restart(now)
        return self._download.stalled(now, 0, seconds)

    def _answer(self, error: MemoryServiceError) -> None:
        """Send an error and close; where an answer has begun, only close: a broken answer is seen to be incomplete."""
        self._over = True
        if self.busy and self.cycle.response_started:
            self.transport.abort()
            return
        self.transport.write(raw_error(error))
        self.transport.close()

    # What uvicorn and the parser call.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        self._connections.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._connections.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._over:
            return
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > HEADER_BYTES and not self._over:
            self._connections.note(self, "header too long")
            self._answer(_long_header(self._unparsed))

    def on_headers_complete(self) -> None:
        """A request begins."""
        self._unparsed = 0
        if self._refusal is not None:
            self._connections.note(self, "too many connections")
            self._answer(self._refusal)
            return
        now = self.loop.time()
        self._received = 0
        self._upload.restart(now)
        self._connections.now_busy(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a request's body has come."""
        self._unparsed = 0
        if not self._over:
            self._received += len(body)
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request's body has come to its end."""
        self._unparsed = 0
        if not self._over:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer has been handed to the system."""
        super().on_response_complete()
        if not self.busy:
            self._since = self.loop.time()
            self._connections.now_idle(self)

    def resume_writing(self) -> None:
        """The client has read most of what was waiting for it."""
        super().resume_writing()
        self._unsent = 0
        self._download.restart(self.loop.time())


class Server(uvicorn.Server):
    """uvicorn with these connections."""

    def __init__(self, config: uvicorn.Config, connections: Connections) -> None:
        config.http = cast(Any, connections.made)
        super().__init__(config)
        self._connections = connections
        self._sweeping: asyncio.Task[None] | None = None

    async def startup(self, sockets: Any = None) -> None:
        """Begin to look after the connections."""
        await super().startup(sockets)
        self._sweeping = asyncio.create_task(self._connections.keep_sweeping())

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at the first signal; at one more, end at once: what was acknowledged is on disk."""
        del frame
        if self.should_exit:
            logger.warning("ended at once by one more signal")
            os._exit(128 + sig)
        self.should_exit = True

    async def shutdown(self, sockets: Any = None) -> None:
        """Stop listening and let requests in progress end; clients that stall are given less time."""
        self._connections.hurry()
        await super().shutdown(sockets)
        if self._sweeping is not None:
            self._sweeping.cancel()


def _too_many(most: int) -> MemoryServiceError:
    return ServiceUnavailableError(
        f"the server has {most:,} connections, all of them in use",
        hint="try again in a second, use fewer connections, or raise AI_MEMORY_MAX_CONNECTIONS",
        limit=most,
        retry_after=1,
    )


def _stalled(seconds: float) -> MemoryServiceError:
    return RequestTimeoutError(
        f"less than {MOVED:,} bytes of the request's body came in {seconds:g} s",
        hint="send it without pauses, or raise AI_MEMORY_CLIENT_SECONDS",
        seconds=seconds,
    )


def _long_header(length: int) -> MemoryServiceError:
    return TooLargeError(
        f"the request's line and headers have {length:,} bytes or more, the limit is {HEADER_BYTES:,}",
        hint="put long values into the body",
        limit=HEADER_BYTES,
        actual=length,
    )
