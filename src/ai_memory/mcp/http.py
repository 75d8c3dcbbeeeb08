"""MCP over streamable HTTP, to be mounted at `/mcp` in the REST server. Light to import: the SDK loads in the background.

It is stateless: no request depends on another, so agents may connect and leave freely, and continue after a restart of the
service. An answer is one JSON object, or, where the client asks for progress, a stream of events that ends with it. A client that
closes its connection cancels its request. The server around it checks the host, the origin and that the API key exists; which
namespaces the key opens is checked here, for each call.
"""

from __future__ import annotations

import datetime as dt
import importlib
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qs

import anyio
import anyio.to_thread
from msgspec import Struct

from ai_memory.decoding import whole_characters
from ai_memory.errors import InternalError, MemoryServiceError, NotInstalledError, ServiceUnavailableError
from ai_memory.installation import install_hint, require
from ai_memory.mcp.background import with_background
from ai_memory.mcp.tools import request_in
from ai_memory.operations.base import Operation, Request, Response
from ai_memory.operations.caller import Caller
from ai_memory.types import DEFAULT_NAMESPACE
from ai_memory.wording.ways import installing

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.types import Message, Receive, Scope, Send

PATH = "/mcp"
NAMESPACE_HEADER = b"x-ai-memory-namespace"
NAMESPACE_PARAMETER = "namespace"
AGAIN_SECONDS = 1.0
"""How long to wait before loading the SDK again."""
PROGRESS_TOKEN = b'"progressToken"'
"""What a request that asks for progress has. In a text its quotes are escaped, so that no text looks like it."""
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
ReadBody = Callable[[list[tuple[bytes, bytes]], "Receive"], Awaitable[bytes]]
"""Reads a whole body, given the request's headers; raises TooLargeError for one over the server's limit."""
AccessOf = Callable[[list[tuple[bytes, bytes]]], Access]
"""The access that a request's headers give; raises UnauthorizedError if they carry no known key."""


class McpEndpoint:
    """An ASGI application; it must be used inside `lifespan`."""

    def __init__(
        self, service: Caller, run: RunInThread, access_of: AccessOf, read_body: ReadBody, *, zone: dt.tzinfo
    ) -> None:
        """`service` carries out the tools' operations for an agent, in the threads of `run`; texts show the days of `zone`."""
        self._zone = zone
        self._service = service
        self._run = run
        self._access_of = access_of
        self._read_body = read_body
        self._ready = anyio.Event()
        """Set once it is known whether the SDK could be loaded."""
        self._wanted = anyio.Event()
        """Set by the first request after the SDK could not be loaded."""
        self._managers: _Managers | None = None
        self._refusal: MemoryServiceError = ServiceUnavailableError(
            "MCP is not available at the moment", hint="try again; the service's log has the reason", retry_after=2
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
        """Serve until `stop`. What fails to load, for want of file descriptors or memory, is loaded again when it is asked for."""
        while (managers := await self._loaded()) is None:
            self._ready.set()
            await self._wanted.wait()
            await anyio.sleep(AGAIN_SECONDS)
            self._ready, self._wanted = anyio.Event(), anyio.Event()
        async with managers.plain.run(), managers.streaming.run():
            self._managers = managers
            self._ready.set()
            await stop.wait()
        self._managers = None

    async def _loaded(self) -> _Managers | None:
        try:
            return await anyio.to_thread.run_sync(self._load, abandon_on_cancel=True)
        except NotInstalledError:  # the rest of the server works, and health says so too
            self._refusal = NotInstalledError("this service has no MCP", hint=installing("mcp", install_hint("mcp")))
        except Exception:  # REST must keep working; MCP requests are answered with an error
            logger.exception("MCP over HTTP could not be loaded")
        return None

    def _load(self) -> _Managers:
        importlib.invalidate_caches()  # a folder that could not be listed before would be taken for empty
        require("mcp", "MCP")
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        from ai_memory.mcp.server import make_server

        # The limit of a body is the server's, and is checked when it is read.
        make = partial(
            StreamableHTTPSessionManager,
            make_server(self._carry, lambda: self._zone),
            stateless=True,
            max_request_body_size=sys.maxsize,
        )
        return _Managers(make(json_response=True), make(json_response=False))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one POST, the only method to route here: there is no stream to GET and no session to DELETE."""
        scope[_ACCESS] = self._access_of(scope["headers"])
        scope[_NAMESPACE] = _namespace(scope)
        body = whole_characters(await self._read_body(scope["headers"], receive))
        scope["headers"] = _accepting(scope["headers"], len(body))
        await self._ready.wait()
        if self._managers is None:
            self._wanted.set()
            raise self._refusal
        streaming = PROGRESS_TOKEN in body and _takes_events(scope["headers"])
        manager = self._managers.streaming if streaming else self._managers.plain
        answered = anyio.Event()
        await with_background(
            partial(_until_left, receive, answered),
            partial(manager.handle_request, scope, _replayed(body, receive), _noting_the_end(send, answered)),
        )

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


class _Managers(NamedTuple):
    """The SDK's transports over one server: answers as one JSON object, and as a stream that may report progress first."""

    plain: StreamableHTTPSessionManager
    streaming: StreamableHTTPSessionManager


def _replayed(body: bytes, receive: Receive) -> Receive:
    """`receive` with a body that has been read from it."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again


def _noting_the_end(send: Send, answered: anyio.Event) -> Send:
    async def send_and_note(message: Message) -> None:
        await send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            answered.set()

    return send_and_note


async def _until_left(receive: Receive, answered: anyio.Event) -> None:
    """Return when the client has closed its connection before its answer was whole, by which it cancels the request."""
    while (await receive())["type"] != "http.disconnect":
        pass
    if answered.is_set():
        await anyio.sleep_forever()


def _takes_events(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name == b"accept" and b"text/event-stream" in value for name, value in headers)


def _accepting(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    """The headers as the SDK requires them: of the body as it was read, and with `Accept` where the client accepts anything.

    That is where it sent no such header, or a range with `*`.
    """
    kept = [pair for pair in headers if pair[0] not in (b"content-encoding", b"content-length", b"transfer-encoding")]
    kept.append((b"content-length", b"%d" % length))
    given = b",".join(value for name, value in kept if name == b"accept")
    if given.strip() and b"*" not in given:
        return kept
    return [*(pair for pair in kept if pair[0] != b"accept"), (b"accept", b"application/json, text/event-stream")]


def _namespace(scope: Scope) -> str:
    """The namespace of a connection, from a header or a query parameter: set by the client's settings, never by a tool call."""
    for name, value in scope["headers"]:
        if name == NAMESPACE_HEADER and value.strip():
            return str(value.decode("utf-8", "replace")).strip()
    given = parse_qs(scope["query_string"].decode("latin-1")).get(NAMESPACE_PARAMETER)
    return given[0] if given else DEFAULT_NAMESPACE
