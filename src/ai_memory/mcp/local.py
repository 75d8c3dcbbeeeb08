"""The SDK's server in this process, for a client on standard input where no service runs. The SDK loads in its own thread."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ai_memory.errors import InternalError, MemoryServiceError
from ai_memory.mcp.tools import request_in
from ai_memory.operations.base import Operation

if TYPE_CHECKING:
    from ai_memory.service.service import Service

OpenService = Callable[[], "Service"]

logger = logging.getLogger(__name__)


class LocalServer:
    """Takes a client's lines and gives the server's; loading begins at once and nobody waits for it here."""

    def __init__(
        self,
        open_service: OpenService,
        answer: Callable[[bytes], None],
        failed: Callable[[MemoryServiceError], None],
        *,
        namespace: str,
    ) -> None:
        """`answer` takes each of the server's lines, from the server's thread; `failed` hears of its unexpected end."""
        self._namespace = namespace
        self._answer = answer
        self._failed = failed
        self._broken: MemoryServiceError | None = None
        self._service = _LazyService(open_service)
        self._dropped: set[str] = set()
        source, self._sink = os.pipe()
        self._input = os.fdopen(source, "r", encoding="utf-8", errors="replace", newline="\n")
        self._thread = threading.Thread(target=self._run, name="mcp-server", daemon=True)
        self._thread.start()

    def greet(self, line: bytes) -> None:
        """Let the server have the `initialize` that the client was answered already; its own answer is dropped."""
        message = json.loads(line)
        self._dropped.add(repr(message["id"]))
        self.send(line, message)

    def send(self, line: bytes, message: Any) -> None:
        """Pass one line on. Blocks while the server is loading and the pipe to it is full."""
        del message
        if self._broken is not None:
            raise self._broken
        data = line.rstrip(b"\r\n") + b"\n"
        while data:
            data = data[os.write(self._sink, data) :]

    def close(self) -> None:
        """End the server's input, wait for it, and close the service."""
        os.close(self._sink)
        self._thread.join()
        self._input.close()
        self._service.close()

    def _run(self) -> None:
        import anyio

        try:
            anyio.run(self._serve)
        except Exception as error:
            logger.exception("the MCP server ended")
            self._broken = InternalError(
                f"the MCP server ended: {type(error).__name__}: {error}", hint="see standard error, and start it again"
            )
            self._failed(self._broken)

    async def _serve(self) -> None:
        import anyio
        from mcp.server.stdio import stdio_server

        from ai_memory.mcp.server import make_server

        self._service.begin()
        server = make_server(self._carry)
        output: Any = _Lines(self._pass_on)
        async with stdio_server(anyio.wrap_file(self._input), output) as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    async def _carry(self, http_request: Any, operation: Operation, values: Mapping[str, Any]) -> Any:
        import anyio.to_thread

        del http_request

        def work() -> Any:
            request = request_in(operation, values, self._namespace)
            return self._service.get().carry_out(operation, request)

        return await anyio.to_thread.run_sync(work)

    def _pass_on(self, line: str) -> None:
        if self._dropped:
            key = repr(json.loads(line).get("id"))
            if key in self._dropped:
                self._dropped.discard(key)
                return
        self._answer(line.encode("utf-8", "replace"))


class _LazyService:
    """The service, opened in a thread of its own when the server begins; an attempt that failed is made again at the next call."""

    def __init__(self, open_service: OpenService) -> None:
        self._open_service = open_service
        self._lock = threading.Lock()
        self._opening: Future[Service] | None = None

    def begin(self) -> None:
        """Start opening, if that has not been done."""
        with self._lock:
            if self._opening is None:
                self._opening = Future()
                threading.Thread(target=self._open, args=(self._opening,), name="open-service", daemon=True).start()

    def get(self) -> Service:
        """The open service; raises what opening it raised."""
        self.begin()
        opening = self._opening
        assert opening is not None
        try:
            return opening.result()
        except MemoryServiceError:
            with self._lock:
                if self._opening is opening:
                    self._opening = None
            raise

    def close(self) -> None:
        """Close the service if it was opened."""
        if self._opening is not None and self._opening.exception() is None:
            self._opening.result().close()

    def _open(self, opening: Future[Service]) -> None:
        try:
            service = self._open_service()
        except BaseException as error:  # noqa: BLE001 - whoever waits for the service must hear of it
            opening.set_exception(error)
            return
        opening.set_result(service)
        try:
            service.warm_up()
        except MemoryServiceError as error:  # recall works by words then, and says so itself
            logger.warning("the model could not be loaded: %s", error.message)


class _Lines:
    """The two methods of an open file that the SDK's transport writes with."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take

    async def write(self, text: str) -> None:
        """Take one line; the transport writes whole lines."""
        self._take(text)

    async def flush(self) -> None:
        """Lines are passed on as they are written."""
