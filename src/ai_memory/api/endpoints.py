"""REST endpoints made from the operations: one per path, which dispatches to the operation of each method."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from starlette.types import ASGIApp, Receive, Scope, Send

from ai_memory.api.http.body import Bodies, Body
from ai_memory.api.http.headers import Headers, expected_revision, header, media_type
from ai_memory.api.http.keys import Access, Keys
from ai_memory.api.http.query import query_values
from ai_memory.api.http.responses import ErrorRenderer, send_body
from ai_memory.api.threadpool import ThreadPool
from ai_memory.decoding import whole_characters
from ai_memory.errors import InvalidInputError, MediaTypeError, MethodNotAllowedError
from ai_memory.operations.base import Operation, parse, to_json
from ai_memory.operations.watching import HEALTH, STATS
from ai_memory.service.service import Service
from ai_memory.types import Actor

WATCHING = (HEALTH, STATS)
"""Operations that report on the server."""
WITHOUT_BODY = frozenset({"GET", "DELETE"})
"""Methods whose requests take their fields from the query string."""
_FIELD_HEADERS = frozenset({b"idempotency-key", b"if-match"})
"""Headers that are fields of some requests."""


class Api(Struct, frozen=True):
    """What every endpoint needs."""

    service: Service
    pool: ThreadPool
    keys: Keys
    bodies: Bodies
    watching: ThreadPool
    """For questions about the server itself, which must be answered while all other threads are busy."""
    stopping: Callable[[], bool] = bool
    """Whether the server is shutting down; a streaming request then ends as soon as it can."""

    async def read_body(self, headers: Headers, receive: Receive) -> bytes:
        """A whole body, unpacked, for handlers that do not work in one thread. Raises as `Bodies.read` and `Body.unpacked`."""
        body = await self.bodies.read(headers, receive)
        return body.sent if body.unpacker is None else await self.pool.run(body.unpacked)


class Handler(NamedTuple):
    """What answers one method of a path."""

    name: str
    """The operation's name in the metrics."""
    app: ASGIApp


class PathEndpoint:
    """All methods of one path: answers HEAD as GET, OPTIONS with what is allowed, and others with 405.

    The router leaves it in `scope["endpoint"]`, where the middleware reads the path's template, the operations' names and the
    error renderer.
    """

    def __init__(self, path: str, handlers: Mapping[str, Handler], render_error: ErrorRenderer | None = None) -> None:
        """`path` is the template, `handlers` are by method, `render_error` replaces the one error shape."""
        self.path = path
        self.render_error = render_error
        found = dict(handlers)
        if "GET" in found:
            found["HEAD"] = found["GET"]
        self.names = {method: handler.name for method, handler in found.items()}
        self._apps = {method: handler.app for method, handler in found.items()}
        self._allowed = sorted({*found, "OPTIONS"})

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request; raises MethodNotAllowedError.

        No coroutine itself: it would be one more frame that every wake-up of the handler passes through.
        """
        app = self._apps.get(scope["method"])
        if app is not None:
            return app(scope, receive, send)
        if scope["method"] == "OPTIONS":
            return self._send_options(send)
        raise MethodNotAllowedError(
            f"{scope['method'][:20]} is not allowed here",
            hint=f"use {', '.join(self._allowed)}",
            allowed=self._allowed,
        )

    async def _send_options(self, send: Send) -> None:
        allow = (b"allow", ", ".join(self._allowed).encode())
        await send({"type": "http.response.start", "status": HTTPStatus.NO_CONTENT, "headers": [allow]})
        await send({"type": "http.response.body", "body": b""})


class OperationEndpoint:
    """One operation over HTTP: reads the request, runs the operation in a thread, and answers with JSON."""

    def __init__(self, api: Api, operation: Operation) -> None:
        self._api = api
        self._operation = operation
        self._pool = api.watching if operation in WATCHING else api.pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises the errors of `ai_memory.errors`."""
        headers: Headers = scope["headers"]
        access = self._api.keys.access(headers)
        actor = self._api.keys.actor(headers) if self._operation.effect != "read" else Actor.AGENT
        body = await self._api.bodies.read(headers, receive)
        status, answer, extra = await self._pool.run(partial(self._work, scope, body, access, actor))
        await send_body(send, answer, status=status, headers=extra)

    def _work(self, scope: Scope, body: Body, access: Access, actor: Actor) -> tuple[int, bytes, Headers]:
        """All that may take time, in one thread: unpack, decode, check the key, carry out, encode."""
        operation = self._operation
        values = request_values(operation, scope, body.unpacked())
        if operation.leniently is not None:
            request = operation.leniently(values)
        else:
            request = parse(operation.request, values, strict=scope["method"] not in ("GET", "HEAD", "DELETE"))
        access.check(operation, request)
        response = self._api.service.carry_out(operation, request, actor)
        if operation.visible is not None:
            response = access.visible(operation, response)
        if operation.refusal is not None and (error := operation.refusal(response)) is not None:
            raise error
        created = operation.created is not None and operation.created(response)
        revision = getattr(response, "revision", None)
        etag: Headers = [] if revision is None else [(b"etag", b'"%d"' % revision)]
        return HTTPStatus.CREATED if created else HTTPStatus.OK, to_json(response), etag


def request_values(operation: Operation, scope: Scope, body: bytes = b"") -> dict[str, Any]:
    """The request's fields from the path, from the query string or the body, and from the headers that are fields."""
    query: bytes = scope["query_string"]
    if operation.route.method in WITHOUT_BODY or operation.stream == "in":
        if body:
            raise InvalidInputError(
                f"{operation.route.method} takes no body", hint="put the fields into the query string"
            )
        values = query_values(operation.request, query) if query else {}
    else:
        if query:
            raise InvalidInputError(
                f"{operation.route.method} takes no query string", hint="put the fields into the JSON body"
            )
        values = json_object(scope["headers"], body)
    sources = [("path", scope.get("path_params", {}))]
    if not _FIELD_HEADERS.isdisjoint(dict(scope["headers"])):
        sources.append(("header", _header_fields(operation, scope["headers"])))
    for source, found in sources:
        for name, value in found.items():
            if values.setdefault(name, value) != value:
                raise InvalidInputError(
                    f"{name} in the {source} differs from {name} in the request",
                    hint="give it once",
                    field=name,
                )
    return values


def _header_fields(operation: Operation, headers: Headers) -> dict[str, Any]:
    """`Idempotency-Key` and `If-Match`, for the operations that have their fields."""
    fields = operation.request.__struct_fields__
    found: dict[str, Any] = {}
    if "idempotency_key" in fields and (key := header(headers, b"idempotency-key")) is not None:
        found["idempotency_key"] = key
    if "if_revision" in fields and (revision := expected_revision(headers)) is not None:
        found["if_revision"] = revision
    return found


def _not_utf8(body: bytes) -> str | None:
    """What the body is in, or which byte of it is not UTF-8; None where all of it is."""
    encoding = json.detect_encoding(body)  # by the zeros among the first bytes, or a byte order mark
    if not encoding.startswith("utf-8"):
        return f"it is in {encoding.upper()}"
    try:
        body.decode()
    except UnicodeDecodeError as error:  # msgspec's own error counts from the beginning of the text that it is in
        return f"byte {error.start} (0x{body[error.start]:02x}) is not UTF-8"
    return None


def json_object(headers: Headers, body: bytes) -> dict[str, Any]:
    """The body as a JSON object; no body is an empty one. Half of a surrogate pair is read as U+FFFD.

    Raises MediaTypeError and InvalidInputError.
    """
    if not body:
        return {}
    kind = media_type(headers)
    if kind != "application/json" and not (kind or "").endswith("+json"):
        raise MediaTypeError(
            f"the body's Content-Type is {(kind or 'not given')[:60]}",
            hint="send JSON with Content-Type: application/json",
            accepted=["application/json"],
        )
    try:
        values = msgspec.json.decode(whole_characters(body.removeprefix(BOM_UTF8)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(
            f"the body is not valid JSON: {_not_utf8(body) or error}", hint="send one JSON object in UTF-8"
        ) from None
    if not isinstance(values, dict):
        raise InvalidInputError(
            f"the body is a JSON {type(values).__name__}, not an object",
            hint="send one JSON object with the request's fields",
        )
    return values
