"""The two endpoints that stream JSON lines: export out, import in. Each holds one thread from beginning to end."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import anyio
import anyio.from_thread
from starlette.types import Receive, Scope, Send

from ai_memory.api.endpoints import Api, request_values
from ai_memory.api.http.body import LineSplitter, Unpacker, next_piece
from ai_memory.api.http.headers import Headers, media_type
from ai_memory.api.http.responses import send_body
from ai_memory.errors import MediaTypeError, ServiceUnavailableError
from ai_memory.operations.base import parse, to_json
from ai_memory.operations.moving import EXPORT, IMPORT, ExportRequest, ImportRequest
from ai_memory.service.handlers.moving import MAX_LINE_BYTES

LINES = b"application/x-ndjson"
LINE_TYPES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/json"}
)
CHUNK = 1 << 16
LOOK_SECONDS = 0.5
"""How often a waiting stream checks whether the server is stopping."""


class ExportEndpoint:
    """Streams memories to the caller, no faster than the caller reads them."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; an error before the first piece is an error response, a later one breaks the connection."""
        access = self._api.keys.access(scope["headers"])
        request = parse(ExportRequest, request_values(EXPORT, scope), strict=False)
        access.check(EXPORT, request)

        async def begin() -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", LINES)]})

        async def go_on(chunk: bytes) -> bool:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            with anyio.move_on_after(0):  # only what has arrived already: has the client disconnected?
                return bool((await receive())["type"] != "http.disconnect")
            return True

        def work() -> None:
            chunks = _chunks(self._api.service.export(request))
            first = next(chunks, b"")
            anyio.from_thread.run(begin)
            for chunk in itertools.chain((first,), chunks):
                if self._api.stopping():
                    raise ServiceUnavailableError("the service is closing")
                if not anyio.from_thread.run(go_on, chunk):
                    return

        await self._api.pool.run(work)
        await send({"type": "http.response.body", "body": b""})


def _chunks(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Lines joined into pieces of about 64 KiB."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= CHUNK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


class ImportEndpoint:
    """Passes the lines of a request's body to the service as they arrive."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with the outcome of every line."""
        headers: Headers = scope["headers"]
        access = self._api.keys.access(headers)
        request = parse(ImportRequest, request_values(IMPORT, scope), strict=False)
        access.check(IMPORT, request)
        kind = media_type(headers)
        if kind not in LINE_TYPES:
            raise MediaTypeError(
                f"the body's Content-Type is {(kind or 'not given')[:60]}",
                hint="send JSON lines with Content-Type: application/x-ndjson",
                accepted=sorted(LINE_TYPES),
            )
        lines = self._lines(Unpacker(headers), receive)
        actor = self._api.keys.actor(headers)
        report = await self._api.pool.run(lambda: self._api.service.import_lines(request, lines, actor=actor))
        await send_body(send, to_json(report))

    def _lines(self, unpacker: Unpacker, receive: Receive) -> Iterator[bytes]:
        """The body's lines; runs in the thread of the import and asks the event loop for each piece."""
        splitter = LineSplitter(MAX_LINE_BYTES)
        more = True
        while more:
            data, more = anyio.from_thread.run(self._next, receive)
            for piece in unpacker.unpack(data):
                yield from splitter.lines(piece)
        unpacker.finish()
        yield from splitter.last()

    async def _next(self, receive: Receive) -> tuple[bytes, bool]:
        while not self._api.stopping():
            with anyio.move_on_after(LOOK_SECONDS):
                return await next_piece(receive)
        raise ServiceUnavailableError(
            "the service is closing; the batches before this line are kept",
            hint="send all of it again with the same resume_key",
        )
