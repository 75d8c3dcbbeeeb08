"""Responses: JSON bytes, and errors in their one shape."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.types import Message, Send

from ai_memory.api.http.headers import Headers
from ai_memory.errors import MemoryServiceError, OverloadedError, UnauthorizedError
from ai_memory.operations.base import to_json

JSON = b"application/json"

RenderedError = tuple[int, dict[str, Any]]
"""Status and body."""
ErrorRenderer = Callable[[MemoryServiceError], RenderedError]
"""Renders an error for the clients of another service; only routes in another service's format have one."""


async def send_body(
    send: Send, body: bytes, *, status: int = 200, media: bytes = JSON, headers: Headers | None = None
) -> None:
    """Send one whole response."""
    start: Message = {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-type", media), (b"content-length", b"%d" % len(body)), *(headers or ())],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def send_error(
    send: Send, error: MemoryServiceError, request_id: str, render: ErrorRenderer | None = None
) -> None:
    """Send an error as `render` formats it, else as `{"error": {"code", "message", "hint", "details"}}` with the request's id."""
    body = error.body()
    body["details"] = {**error.details, "request_id": request_id}
    status, answer = (error.status, {"error": body}) if render is None else render(error)
    headers: Headers = []
    if isinstance(error, OverloadedError) or "retry_after" in error.details:
        headers.append((b"retry-after", b"%d" % max(1, round(float(error.details.get("retry_after", 1))))))
    if isinstance(error, UnauthorizedError):
        headers.append((b"www-authenticate", b'Bearer realm="ai-memory"'))
    if "allowed" in error.details and error.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", ", ".join(error.details["allowed"]).encode()))
    await send_body(send, to_json(answer), status=status, headers=headers)


def raw_error(error: MemoryServiceError) -> bytes:
    """A whole response with an error, as the server sends it before there is a request that could be answered; it says `close`."""
    body = error.body()
    body["details"] = {**error.details, "request_id": uuid.uuid4().hex}
    answer = to_json({"error": body})
    retry = error.details.get("retry_after")
    lines = [
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
        f"content-type: {JSON.decode()}",
        f"content-length: {len(answer)}",
        f"x-request-id: {body['details']['request_id']}",
        *([] if retry is None else [f"retry-after: {retry}"]),
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + answer
