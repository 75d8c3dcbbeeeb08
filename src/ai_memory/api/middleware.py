"""Outermost middleware: request id, host check, error responses, access log and metrics, in that order.

One class and not five: the log line and the error response need the id, the metrics the status; and each wrapper would be one
more frame that every wake-up of a request passes through. Compression is starlette's middleware, per route (app.py).
"""

from __future__ import annotations

import asyncio
import logging
import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ai_memory.api.endpoints import PathEndpoint
from ai_memory.api.http.headers import address_of, header, request_id
from ai_memory.api.http.keys import key_in
from ai_memory.api.http.responses import send_error
from ai_memory.api.http.trusted_host import TrustedHost
from ai_memory.api.http.wrong_keys import WrongKeys
from ai_memory.api.logs import FIELDS
from ai_memory.api.metrics import Metrics
from ai_memory.errors import (
    InternalError,
    MemoryServiceError,
    OverloadedError,
    ServiceUnavailableError,
    UnauthorizedError,
)
from ai_memory.wording.ways import HEADER, named, speak

logger = logging.getLogger("ai_memory.api")

PRIVATE = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""Responses hold users' texts: no cache may keep them, and no browser may guess that one is a page."""

_SURFACE = HEADER.lower().encode()
CLIENT_CLOSED = 499
"""The status in the log and the metrics where the client left before a response began."""


class RequestMiddleware:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, trusted_host: TrustedHost, metrics: Metrics) -> None:
        self._app = app
        self._trusted_host = trusted_host
        self._metrics = metrics
        self._wrong_keys = WrongKeys()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        speak(named(header(scope["headers"], _SURFACE), "rest"))
        start = time.perf_counter()
        response = _Response(send, request_id(scope["headers"]))
        try:
            self._trusted_host.check(scope["headers"])
            await self._app(_without_last_slash(scope), receive, response.send)
        except MemoryServiceError as error:
            if isinstance(error, UnauthorizedError):
                error = await self._slowed_down(error, scope, response.request_id)
            begun = response.status != CLIENT_CLOSED
            if begun or error.status >= 500:
                what = "broken off" if begun else "failed"
                logger.warning("%s: %s", what, error.code, extra={FIELDS: {"request_id": response.request_id}})
            await response.fail(error, _endpoint(scope))
        except ClientDisconnect:
            pass  # the log has it as CLIENT_CLOSED
        except asyncio.CancelledError:  # the server stops, and has waited for as long as it may
            closing = _closing()
            if response.status == CLIENT_CLOSED:
                await response.fail(closing, _endpoint(scope))
            else:
                logger.warning("broken off: %s", closing.code, extra={FIELDS: {"request_id": response.request_id}})
        except Exception as error:
            logger.exception("internal error", extra={FIELDS: {"request_id": response.request_id}})
            hint = f"report the entry with request_id {response.request_id} in the server's log"
            internal = InternalError(f"{type(error).__name__} during the request", hint=hint)
            await response.fail(internal, _endpoint(scope))
        finally:
            seconds = time.perf_counter() - start
            endpoint = _endpoint(scope)
            operation = "other" if endpoint is None else endpoint.names.get(scope["method"], "other")
            self._metrics.count(operation, response.status, seconds)
            if logger.isEnabledFor(logging.INFO):
                _log(scope, response, endpoint, seconds)

    async def _slowed_down(self, error: MemoryServiceError, scope: Scope, request_id: str) -> MemoryServiceError:
        """The error to send, after a while where the caller tries keys. The log says who it is, never the key."""
        address = address_of(scope)
        logger.warning("refused: %s", error.message, extra={FIELDS: {"request_id": request_id, "client": address}})
        if key_in(scope["headers"]) is not None:
            try:
                await self._wrong_keys.slow_down(address)
            except OverloadedError as overloaded:
                return overloaded
        return error


def _closing() -> ServiceUnavailableError:
    return ServiceUnavailableError(
        "the service is closing, and the request did not end in time",
        hint="what it writes may have been written; send it again with the same idempotency key",
    )


def _without_last_slash(scope: Scope) -> Scope:
    """The scope itself; slashes at the end of its path, which many clients write, are dropped. One that is written %2F stays."""
    path = scope["path"]
    if len(path) > 1 and path.endswith("/"):
        raw = scope.get("raw_path") or path.encode()
        written = len(raw) - len(raw.rstrip(b"/"))
        scope["path"] = path[: len(path) - written] or "/"
    return scope


def _endpoint(scope: Scope) -> PathEndpoint | None:
    """The endpoint that the router found, or None: no such path, or the request was refused before."""
    found = scope.get("endpoint")
    return found if isinstance(found, PathEndpoint) else None


def _log(scope: Scope, response: _Response, endpoint: PathEndpoint | None, seconds: float) -> None:
    fields = {
        "request_id": response.request_id,
        "client": address_of(scope),
        "method": scope["method"][:20],
        "route": "unknown" if endpoint is None else endpoint.path,  # the template: a path may hold what a user wrote
        "status": response.status,
        "ms": round(seconds * 1000, 2),
    }
    logger.info("request", extra={FIELDS: fields})


class _Response:
    """The response to one request: adds the headers that every response has, and remembers its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = CLIENT_CLOSED
        """`CLIENT_CLOSED` until the response begins."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode()), *PRIVATE]
        await self._send(message)

    async def fail(self, error: MemoryServiceError, endpoint: PathEndpoint | None) -> None:
        """Send the error; where the response has started, raise it: the broken connection shows that the response is incomplete."""
        if self.status != CLIENT_CLOSED:
            raise error
        await send_error(self.send, error, self.request_id, None if endpoint is None else endpoint.render_error)
