"""The SDK's server in this process, for a client on standard input when no service is running.

The SDK takes about two seconds to import and the store takes time to open, so each is loaded in a thread of its own while the
client already has its first answer. The SDK expects to read the client from the start; a pipe stands in for standard input.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ai_memory.errors import InternalError, MemoryServiceError
from ai_memory.mcp.messages import invalid
from ai_memory.mcp.tools import request_in
from ai_memory.operations.base import Operation

if TYPE_CHECKING:
    from ai_memory.service.service import Service

OpenService = Callable[[], "Service"]

logger = logging.getLogger(__name__)


class LocalServer:
    """Passes a client's lines to the server, and the server's lines back. Loading begins on creation, which does not wait."""

    def __init__(
        self,
        open_service: OpenService,
        answer: Callable[[bytes], None],
        failed: Callable[[MemoryServiceError], None],
        *,
        namespace: str,
    ) -> None:
        """`answer` is called with each line from the server, in its thread; `failed` with the error if it ends unexpectedly."""
        self._namespace = namespace
        self._answer = answer
        self._failed = failed
        self._broken: MemoryServiceError | None = None
        self._service = _LazyService(open_service)
        self._dropped: set[str] = set()  # ids whose answers the client has already (see `greet`)
        source, self._sink = os.pipe()
        self._input = os.fdopen(source, "r", encoding="utf-8", errors="replace", newline="\n")
        self._thread = threading.Thread(target=self._run, name="mcp-server", daemon=True)
        self._thread.start()

    def greet(self, line: bytes) -> None:
        """Give the server the `initialize` that it needs; the client already has an answer, so the server's is dropped."""
        message = json.loads(line)
        self._dropped.add(repr(message["id"]))
        self.send(line, message)

    def send(self, line: bytes, message: Any) -> None:
        """Pass on one line. Blocks while the pipe is full, as it may be while the server is still loading."""
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
        from mcp.server.stdio import stdio_server

        from ai_memory.mcp.server import make_server

        self._service.begin()
        server = make_server(self._carry, lambda: self._service.get().zone)
        output: Any = _Lines(self._pass_on)
        lines: Any = self._lines()
        async with stdio_server(lines, output) as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    async def _lines(self) -> AsyncIterator[str]:
        """The client's lines, except those that the SDK cannot read: it drops them, and they are answered here instead."""
        import anyio
        from mcp_types import jsonrpc_message_adapter

        async for line in anyio.wrap_file(self._input):
            try:
                jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError as error:
                self._answer(invalid(json.loads(line), str(error).splitlines()[0]))
            else:
                yield line

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
    """The service, opened in a separate thread once the server starts; if opening failed, the next call tries again."""

    def __init__(self, open_service: OpenService) -> None:
        self._open_service = open_service
        self._lock = threading.Lock()
        self._opening: Future[Service] | None = None

    def begin(self) -> None:
        """Start opening the service, unless that was started before."""
        with self._lock:
            if self._opening is None:
                self._opening = Future()
                threading.Thread(target=self._open, args=(self._opening,), name="open-service", daemon=True).start()

    def get(self) -> Service:
        """The open service; waits for it, and raises the error that opening it raised."""
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
        except BaseException as error:  # noqa: BLE001 - raised again in the calls that wait for the service
            opening.set_exception(error)
            return
        opening.set_result(service)
        try:
            service.warm_up()
        except MemoryServiceError as error:  # recall is lexical then, and its answers say so
            logger.warning("the model could not be loaded: %s", error.message)


class _Lines:
    """The part of an open file that the SDK's transport writes to."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take

    async def write(self, text: str) -> None:
        """Take one line; the transport writes whole lines."""
        self._take(text)

    async def flush(self) -> None:
        """Nothing to do: lines are passed on as they are written."""
