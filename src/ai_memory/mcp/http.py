"""MCP over streamable HTTP, to be mounted at `/mcp` in the REST server. Light to import: the SDK loads in the background.

It is stateless: no request depends on another, so agents may connect and leave freely, and continue after a restart of the
service. The server around it checks the host, the origin and that the API key exists; which namespaces the key opens is checked
here, for each call.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

import anyio
import anyio.to_thread
from msgspec import Struct

from ai_memory.decoding import whole_characters
from ai_memory.errors import InternalError, MemoryServiceError, ServiceUnavailableError
from ai_memory.installation import require
from ai_memory.mcp.tools import request_in
from ai_memory.operations.base import Operation, Request, Response
from ai_memory.operations.caller import Caller
from ai_memory.types import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.types import Message, Receive, Scope, Send

PATH = "/mcp"
NAMESPACE_HEADER = b"x-ai-memory-namespace"
NAMESPACE_PARAMETER = "namespace"
_ACCESS = "ai_memory.mcp.access"
_NAMESPACE = "ai_memory.mcp.namespace"

logger = logging.getLogger(__name__)


class Access(Protocol):
    """What a caller's key gives access to."""

    def check(self, operation: Operation, request: Struct) -> None:
        """Raise ForbiddenError unless the key gives access to what the request concerns."""
        ...

    def visible(self, operation: Operation[Request, Response], response: Response) -> Response:
        """The part of a response that the key opens."""
        ...


RunInThread = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a blocking function in the server's bounded thread pool."""
AccessOf = Callable[[list[tuple[bytes, bytes]]], Access]
"""The access that a request's headers give; raises UnauthorizedError if they carry no known key."""


class McpEndpoint:
    """An ASGI application; it must be used inside `lifespan`."""

    def __init__(
        self, service: Caller, run: RunInThread, access_of: AccessOf, *, max_body_bytes: int, zone: dt.tzinfo
    ) -> None:
        """`service` carries out the tools' operations for an agent, in the threads of `run`; texts show the days of `zone`."""
        self._zone = zone
        self._service = service
        self._run = run
        self._access_of = access_of
        self._max_body_bytes = max_body_bytes
        self._ready = anyio.Event()
        self._manager: StreamableHTTPSessionManager | None = None
        self._refusal: MemoryServiceError = ServiceUnavailableError(
            "MCP is not available", hint="see the service's log for the reason"
        )

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Load the SDK in the background and serve until the block ends."""
        stop = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._serve, stop)
            try:
                yield
            finally:
                stop.set()
                tasks.cancel_scope.cancel()

    async def _serve(self, stop: anyio.Event) -> None:
        try:
            require("mcp", "MCP")
        except MemoryServiceError as error:  # the rest of the server works; health says so too
            self._refusal = error
            self._ready.set()
            return
        try:
            manager = await anyio.to_thread.run_sync(self._load, abandon_on_cancel=True)
        except Exception:  # REST must keep working; MCP requests are answered with an error
            logger.exception("MCP over HTTP could not be loaded")
            self._ready.set()
            return
        async with manager.run():
            self._manager = manager
            self._ready.set()
            await stop.wait()
        self._manager = None

    def _load(self) -> StreamableHTTPSessionManager:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        from ai_memory.mcp.server import make_server

        return StreamableHTTPSessionManager(
            make_server(self._carry, lambda: self._zone),
            json_response=True,
            stateless=True,
            max_request_body_size=self._max_body_bytes,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one POST, the only method to route here: there is no stream to GET and no session to DELETE."""
        scope[_ACCESS] = self._access_of(scope["headers"])
        scope[_NAMESPACE] = _namespace(scope)
        scope["headers"] = _accepting(scope["headers"])
        await self._ready.wait()
        if self._manager is None:
            raise self._refusal
        await self._manager.handle_request(scope, self._repaired(receive), send)

    def _repaired(self, receive: Receive) -> Receive:
        """`receive` with the body, up to the limit, as one message, in which each half of a surrogate pair is U+FFFD."""
        done = False

        async def receive_whole() -> Message:
            nonlocal done
            if done:
                return await receive()
            pieces: list[bytes] = []
            size, more = 0, True
            while more and size <= self._max_body_bytes:
                message = await receive()
                if message["type"] != "http.request":
                    done = True
                    return message
                pieces.append(message.get("body", b""))
                size += len(pieces[-1])
                more = message.get("more_body", False)
            done = True
            return {"type": "http.request", "body": whole_characters(b"".join(pieces)), "more_body": more}

        return receive_whole

    async def _carry(self, http_request: Any, operation: Operation, values: Mapping[str, Any]) -> Any:
        if http_request is None:
            raise InternalError("an MCP request came without its HTTP request")
        scope = http_request.scope

        def work() -> Any:
            request = request_in(operation, values, scope[_NAMESPACE])
            scope[_ACCESS].check(operation, request)
            response = self._service.carry_out(operation, request)
            return scope[_ACCESS].visible(operation, response)

        return await self._run(work)


def _accepting(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers with `Accept` as the SDK requires it, where the client accepts anything: it sent none, or a range with `*`."""
    given = b",".join(value for name, value in headers if name == b"accept")
    if given.strip() and b"*" not in given:
        return headers
    return [*(pair for pair in headers if pair[0] != b"accept"), (b"accept", b"application/json, text/event-stream")]


def _namespace(scope: Scope) -> str:
    """The namespace of a connection, from a header or a query parameter: set by the client's settings, never by a tool call."""
    for name, value in scope["headers"]:
        if name == NAMESPACE_HEADER and value.strip():
            return str(value.decode("utf-8", "replace")).strip()
    given = parse_qs(scope["query_string"].decode("latin-1")).get(NAMESPACE_PARAMETER)
    return given[0] if given else DEFAULT_NAMESPACE
