"""The two endpoints that stream JSON lines: export out, import in.

A stream holds a thread only while it reads or writes the store, piece by piece; it waits for its client in the event loop. How many
streams there are is limited for each caller and in all, because each export holds a snapshot of the store.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
from starlette.types import Receive, Scope, Send

from ai_memory.api.endpoints import Api, request_values
from ai_memory.api.http.body import LineSplitter, Unpacker, next_piece
from ai_memory.api.http.headers import Headers, media_type
from ai_memory.api.http.responses import send_body
from ai_memory.api.threadpool import ThreadPool
from ai_memory.errors import MediaTypeError, OverloadedError, RequestTimeoutError, ServiceUnavailableError
from ai_memory.operations.base import parse, to_json
from ai_memory.operations.moving import EXPORT, IMPORT, ExportRequest, ImportReport, ImportRequest
from ai_memory.operations.upkeep.keeping import BACKUPS, BackupsRequest
from ai_memory.service.handlers.moving import MAX_LINE_BYTES, Import
from ai_memory.types import Actor

LINES = b"application/x-ndjson"
LINE_TYPES = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json",
        "application/octet-stream",  # what many programs, and most generated clients, send a file as
    }
)
CHUNK = 1 << 16
LOOK_SECONDS = 0.5
"""How often a waiting stream checks whether the server is stopping."""
WAIT_SECONDS = 10.0
"""How long a stream waits for its place before it is refused."""
EXPORT_SECONDS = 3_600.0
"""The longest that one export may hold its snapshot of the store, and with it the disk space of what was forgotten meanwhile."""
THREADS = 8

Value = TypeVar("Value")


class StreamPlaces:
    """How many streams are open at once, and the threads in which they work."""

    def __init__(self, concurrent_requests: int) -> None:
        """Half as many streams as requests, and half of those for any one caller; at least one each."""
        self.most = math.ceil(concurrent_requests / 2)
        self.most_of_one = math.ceil(self.most / 2)
        self._all = anyio.Semaphore(self.most)
        self._of_one: dict[str, tuple[anyio.Semaphore, set[object]]] = {}
        """For each caller that has a stream: its places, and who holds or waits for one."""
        self._pool = ThreadPool(min(THREADS, self.most), waiting=self.most)

    @property
    def callers(self) -> int:
        """Callers with streams that are open or wait."""
        return len(self._of_one)

    async def run(self, work: Callable[[], Value]) -> Value:
        """What `work` returns or raises, in a thread. A stream that is open is never refused one."""
        return await self._pool.run(work)

    @asynccontextmanager
    async def place(self, caller: str) -> AsyncIterator[None]:
        """A place for one stream of `caller`. Raises OverloadedError where none becomes free in time."""
        mine, users = self._of_one.setdefault(caller, (anyio.Semaphore(self.most_of_one), set()))
        user = object()
        users.add(user)
        try:
            async with AsyncExitStack() as held:
                with anyio.move_on_after(WAIT_SECONDS) as waiting:
                    for places in (mine, self._all):
                        await held.enter_async_context(places)
                if waiting.cancelled_caught:
                    raise OverloadedError(
                        f"{self.most} exports and imports may be open at once, {self.most_of_one} of one caller",
                        hint="close those that you do not read or send, and try again after the seconds in Retry-After",
                        retry_after=round(WAIT_SECONDS),
                        limit=self.most_of_one,
                    )
                yield
        finally:
            users.discard(user)
            if not users:
                self._of_one.pop(caller, None)


class ExportEndpoint:
    """Streams memories to the caller, no faster than the caller reads them."""

    def __init__(self, api: Api, places: StreamPlaces) -> None:
        self._api = api
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; an error before the first piece is an error response, a later one breaks the connection."""
        access = self._api.keys.access(scope["headers"])
        request = parse(ExportRequest, request_values(EXPORT, scope), strict=False)
        access.check(EXPORT, request)
        await self._answer(lambda: _chunks(self._api.service.export(request)), LINES, scope, receive, send)

    async def _answer(
        self, begin: Callable[[], Generator[bytes]], media: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send the pieces of what `begin` gives, once there is a place for another stream."""
        async with self._places.place(self._api.keys.caller(scope)):
            chunks = begin()
            try:
                with anyio.move_on_after(EXPORT_SECONDS) as limited:
                    await self._send(chunks, media, receive, send)
            finally:
                with anyio.CancelScope(shield=True):  # else the snapshot would stay open
                    await self._places.run(chunks.close)
            if limited.cancelled_caught:
                raise RequestTimeoutError(
                    f"the export was not read within {EXPORT_SECONDS:,.0f} s", hint="export one namespace at a time"
                )

    async def _send(self, chunks: Iterator[bytes], media: bytes, receive: Receive, send: Send) -> None:
        """Send all chunks; ends early where the client disconnects, and raises where the server stops."""
        first = await self._places.run(lambda: next(chunks, b""))
        left = done = False
        failed: list[Exception] = []
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                nonlocal left
                while not (left or self._api.stopping()):
                    with anyio.move_on_after(LOOK_SECONDS):
                        left = (await receive())["type"] == "http.disconnect"
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            try:
                await self._send_each(first, chunks, media, send)
                done = True
            except Exception as error:  # noqa: BLE001 - raised again below, outside of the group that would wrap it
                failed.append(error)
            tasks.cancel_scope.cancel()
        if failed:
            raise failed[0]
        if not (done or left):
            raise ServiceUnavailableError("the service is closing")

    async def _send_each(self, first: bytes, chunks: Iterator[bytes], media: bytes, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", media)]})
        chunk: bytes | None = first
        while chunk is not None:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = await self._places.run(lambda: next(chunks, None))
        await send({"type": "http.response.body", "body": b""})


def _chunks(lines: Iterator[bytes]) -> Generator[bytes]:
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


class BackupEndpoint(ExportEndpoint):
    """Streams a backup that the service made: a zip file with the copy of the store and its secret, not packed any smaller."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises NotFoundError, and ForbiddenError for a key that does not open all namespaces."""
        self._api.keys.access(scope["headers"]).check(BACKUPS, BackupsRequest())
        name: str = scope["path_params"]["backup"]
        files = await self._api.pool.run(lambda: self._api.service.backup_files(name))
        await self._answer(lambda: _zipped(files), b"application/zip", scope, receive, send)


class _Written(io.RawIOBase):
    """A file that keeps what was written until it is taken."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last call."""
        taken = bytes(self._held)
        self._held.clear()
        return taken


def _zipped(files: Sequence[Path]) -> Generator[bytes]:
    """A zip file of these files, piece by piece."""
    written = _Written()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            with archive.open(file.name, "w", force_zip64=True) as entry, file.open("rb") as source:
                while piece := source.read(CHUNK):
                    entry.write(piece)
                    yield written.take()
    yield written.take()


class ImportEndpoint:
    """Passes the lines of a request's body to the service as they arrive."""

    def __init__(self, api: Api, places: StreamPlaces) -> None:
        self._api = api
        self._places = places

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
        body = _Lines(Unpacker(headers))
        actor = self._api.keys.actor(headers)
        async with self._places.place(self._api.keys.caller(scope)):
            report = await self._take(request, body, receive, actor)
        await send_body(send, to_json(report))

    async def _take(self, request: ImportRequest, body: _Lines, receive: Receive, actor: Actor) -> ImportReport:
        run = await self._places.run(lambda: self._api.service.begin_import(request, actor))
        more = True
        while more:
            data, more = await self._next(receive)
            await self._places.run(lambda: body.pass_on(data, run))  # noqa: B023 - awaited before `data` changes
        return await self._places.run(lambda: body.finish(run))

    async def _next(self, receive: Receive) -> tuple[bytes, bool]:
        while not self._api.stopping():
            with anyio.move_on_after(LOOK_SECONDS):
                return await next_piece(receive)
        raise ServiceUnavailableError(
            "the service is closing; the batches before this line are kept",
            hint="send all of it again with the same resume_key",
        )


class _Lines:
    """From a body's pieces, as they were sent, to the lines of an import."""

    def __init__(self, unpacker: Unpacker) -> None:
        self._unpacker = unpacker
        self._splitter = LineSplitter(MAX_LINE_BYTES)

    def pass_on(self, data: bytes, run: Import) -> None:
        """Give the import the lines that `data` completes."""
        for piece in self._unpacker.unpack(data):
            run.read(self._splitter.lines(piece))

    def finish(self, run: Import) -> ImportReport:
        """End the import; raises InvalidInputError for a compressed body that is incomplete."""
        self._unpacker.finish()
        run.read(self._splitter.last())
        return run.finish()
