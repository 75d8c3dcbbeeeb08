"""The outermost layer of the server: every request passes here in and out.

Gives each request its id, refuses foreign pages, turns what was raised into the one error shape, writes the log line and counts.
"""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ai_memory.api.endpoints import OPERATION_KEY
from ai_memory.api.headers import request_id
from ai_memory.api.logs import FIELDS
from ai_memory.api.metrics import Metrics
from ai_memory.api.responses import TELL_KEY, Tell, send_error
from ai_memory.api.trusted_host import HostGuard
from ai_memory.errors import InternalError, MemoryServiceError

logger = logging.getLogger("ai_memory.api")

PRIVATE = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""Answers hold what people said: no cache may keep them, and no browser may take them for a page."""

ROUTE_KEY = "ai_memory.route"
REQUEST_ID_KEY = "ai_memory.request_id"


class Gate:
    """Pure ASGI around the whole application."""

    def __init__(self, app: ASGIApp, guard: HostGuard, metrics: Metrics) -> None:
        self._app = app
        self._guard = guard
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        answer = _Answer(send, request_id(scope["headers"]))
        scope[REQUEST_ID_KEY] = answer.request_id
        try:
            self._guard.check(scope["headers"])
            await self._app(scope, receive, answer.send)
        except MemoryServiceError as error:
            if error.status >= 500:
                logger.warning("failed: %s", error.code, extra={FIELDS: {"request_id": answer.request_id}})
            await answer.fail(error, scope.get(TELL_KEY))
        except Exception as error:
            logger.exception("a fault of ours", extra={FIELDS: {"request_id": answer.request_id}})
            hint = f"look for request_id {answer.request_id} in the server's log and report what stands there"
            fault = InternalError(f"{type(error).__name__} while the request was carried out", hint=hint)
            await answer.fail(fault, scope.get(TELL_KEY))
        finally:
            self._note(scope, answer, time.perf_counter() - begun)

    def _note(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        operation = scope.get(OPERATION_KEY, "other")
        self._metrics.count(operation, answer.status, seconds)
        if logger.isEnabledFor(logging.INFO):
            fields = {
                "request_id": answer.request_id,
                "method": scope["method"][:20],
                "route": scope.get(ROUTE_KEY, "unknown"),  # the template: a path may hold what a user wrote
                "status": answer.status,
                "ms": round(seconds * 1000, 2),
            }
            logger.info("request", extra={FIELDS: fields})


class _Answer:
    """What goes out for one request: adds its id, and remembers how far it got."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 499
        """499 until an answer has begun: the caller went away first."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.request_id.encode()), *PRIVATE]
        await self._send(message)

    async def fail(self, error: MemoryServiceError, tell: Tell | None) -> None:
        """Answer with the error; where an answer has begun already, break it off so that nobody takes it for whole."""
        if self.status != 499:
            raise error
        await send_error(self.send, error, self.request_id, tell)
