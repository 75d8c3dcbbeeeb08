"""Pages about the server itself: health, metrics, the OpenAPI document and the API page; and the console's files."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from importlib.resources import files

from starlette.types import Receive, Scope, Send

from ai_memory.api.documents.openapi import openapi
from ai_memory.api.documents.page import docs_page
from ai_memory.api.endpoints import Api, Handler
from ai_memory.api.http.headers import Headers
from ai_memory.api.http.responses import JSON, send_body
from ai_memory.api.metrics import CONTENT_TYPE, Metrics
from ai_memory.console.files import HEADERS, File, console_files, programs
from ai_memory.discovery import PROOF_PATH, RunningService
from ai_memory.errors import ForbiddenError, InvalidInputError, NotFoundError
from ai_memory.operations.base import to_json
from ai_memory.operations.watching import HEALTH, HealthRequest

POLICY: Headers = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        b"form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
]


NONCE = re.compile(rb"nonce=([0-9a-f]{16,128})")


def pages(api: Api, metrics: Metrics, published: RunningService | None) -> dict[str, Handler]:
    """The GET handlers of all pages by path. Metrics cover all namespaces, so they need a key that opens all."""
    version = api.service.version
    page = partial(_Page, api)
    document = Handler("openapi", page(lambda: (200, to_json(openapi(version))), JSON, fixed=True))
    html, css, script = (b"text/%b; charset=utf-8" % kind for kind in (b"html", b"css", b"javascript"))
    return {
        "/health/live": Handler("live", _live),
        "/health/ready": Handler("ready", page(lambda: _ready(api), JSON)),
        PROOF_PATH: Handler("proof", partial(_proof, published)),
        "/metrics": Handler("metrics", page(lambda: (200, metrics.text()), CONTENT_TYPE, private=True)),
        "/v1/openapi.json": document,
        "/openapi.json": document,
        "/docs": Handler("docs", page(lambda: (200, docs_page(version)), html, fixed=True)),
        "/docs/docs.css": Handler("docs", page(lambda: _static("docs.css"), css, fixed=True)),
        "/docs/docs.js": Handler("docs", page(lambda: _static("docs.js"), script, fixed=True)),
        "/console/programs.json": Handler("console", page(lambda: (200, programs()), JSON, fixed=True)),
        **{file.path: Handler("console", partial(_console, file)) for file in console_files()},
    }


class _Page:
    """One page: made in a thread at each request, or only at the first one where it is `fixed`."""

    def __init__(
        self,
        api: Api,
        make: Callable[[], tuple[int, bytes]],
        media: bytes,
        *,
        fixed: bool = False,
        private: bool = False,
    ) -> None:
        self._api = api
        self._make = make
        self._media = media
        self._fixed = fixed
        self._private = private
        self._made: tuple[int, bytes] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        del receive
        if self._private and not self._api.keys.access(scope["headers"]).everything:
            raise ForbiddenError("this key does not open all namespaces", hint='use a key listed under "*" in api_keys')
        made = self._made
        if made is None:
            made = await self._api.watching.run(self._make)
            self._made = made if self._fixed else None
        status, body = made
        await send_body(send, body, status=status, media=self._media, headers=POLICY)


async def _live(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers from the event loop, so that a server with full queues does not look dead."""
    del scope, receive
    await send_body(send, b'{"live":true}', headers=POLICY)


async def _proof(published: RunningService | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Proves to a program that can read this server's file in the data folder that it is this server (see discovery.py)."""
    del receive
    asked = NONCE.fullmatch(scope["query_string"])
    if published is None:
        raise NotFoundError("this server was not published in a data folder")
    if asked is None:
        raise InvalidInputError("a challenge is `nonce` with 16 to 128 hexadecimal digits", field="nonce")
    await send_body(send, to_json({"proof": published.proof(asked[1].decode())}), headers=POLICY)


def _ready(api: Api) -> tuple[int, bytes]:
    """503 until the store can be read and written; either way the degraded parts by name, without their messages."""
    health = api.service.carry_out(HEALTH, HealthRequest())
    states = {part.name: part.state for part in health.parts}
    answer = {"ready": health.ready, "degraded": health.degraded, "parts": states, "version": health.version}
    return 200 if health.ready else 503, to_json(answer)


async def _console(file: File, scope: Scope, receive: Receive, send: Send) -> None:
    """One file of the console."""
    del scope, receive
    await send_body(send, file.body, media=file.media, headers=HEADERS)


def _static(name: str) -> tuple[int, bytes]:
    return 200, (files("ai_memory.api") / "static" / name).read_bytes()
