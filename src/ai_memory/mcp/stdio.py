"""MCP on standard input and output.

If a service is running, this process is a thin relay to it, so that any number of agents share one store and one model in memory.
If none is running, this process serves by itself. Either way `initialize` is answered at once (`greeting`): importing the SDK
takes about two seconds, and happens in the background. Only protocol messages are written to standard output. The end of standard
input ends the process.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from ai_memory.errors import MemoryServiceError
from ai_memory.installation import require
from ai_memory.mcp.greeting import greeting
from ai_memory.mcp.messages import cancelled_id, failure, readable, rejected

if TYPE_CHECKING:
    from ai_memory.mcp.relay import Relay

FINISH_SECONDS = 60.0
"""How long to wait for the answers to pending requests after the end of standard input."""

logger = logging.getLogger(__name__)

FindService = Callable[[], str | None]
OpenService = Callable[[], Any]


def serve_stdio(find_service: FindService, open_service: OpenService, *, namespace: str, api_key: str | None) -> int:
    """Serve one client until it closes standard input; returns the exit code.

    `find_service` returns the address of a running service, or None; it is asked before each request, because a service may
    start or stop meanwhile. `open_service` opens one in this process.
    """
    wire = _claim_output()
    session = Session(find_service, open_service, wire, namespace=namespace, api_key=api_key)
    try:
        for line in sys.stdin.buffer:
            session.receive(line)
    finally:
        session.close()
    return 0


def _claim_output() -> IO[bytes]:
    """Reserve standard output for the protocol; anything else that this process prints goes to standard error."""
    sys.stdout.flush()
    wire = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return wire


class Session:
    """One client: its messages come in through `receive`, and answers are written to `wire` as they arrive.

    A request is pending from `receive` until its answer is written; `close` waits until none is, and if the server in this
    process fails, each pending request is answered with the error. A client would otherwise wait for an answer that never comes.
    """

    def __init__(
        self,
        find_service: FindService,
        open_service: OpenService,
        wire: IO[bytes],
        *,
        namespace: str,
        api_key: str | None,
    ) -> None:
        self._find_service = find_service
        self._open_service = open_service
        self._namespace = namespace
        self._api_key = api_key
        self._wire = wire
        self._writing = threading.Lock()
        self._pending: dict[str, Any] = {}  # requests without an answer, by id; guarded by `_settled`
        self._cancelled: set[str] = set()  # ids of requests whose answer is no longer wanted; guarded likewise
        self._settled = threading.Condition()  # notified when a request has been answered
        self._handshake: bytes | None = None  # the client's `initialize`, for backends created after it
        self._relay: Relay | None = None
        self._local: Any = None

    def receive(self, line: bytes) -> None:
        """Handle one line from the client."""
        if not line.strip():
            return
        line = readable(line)
        message = _decoded(line)
        refusal = rejected(message)
        if refusal:
            self._write(refusal + b"\n")
            return
        answer = greeting(message) if self._handshake is None else None
        if answer is not None:
            self._write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            self._begin(line if message["method"] == "initialize" else None)
            return
        self._expect(message)
        self._give_up(cancelled_id(message))
        try:
            self._backend().send(line, message)
        except MemoryServiceError as error:
            self._answer(failure(message, error))

    def close(self) -> None:
        """Wait for pending requests, at most FINISH_SECONDS, then close the relay and the server in this process."""
        with self._settled:
            self._settled.wait_for(lambda: not self._pending, FINISH_SECONDS)
        if self._relay is not None:
            self._relay.close()
        if self._local is not None:
            self._local.close()

    def _begin(self, handshake: bytes | None) -> None:
        """Start what the next message will need, without waiting, while the client still reads its first answer."""
        if handshake is not None:
            self._handshake = handshake
            for backend in (self._relay, self._local):
                if backend is not None:
                    backend.greet(handshake)
        try:
            self._backend()
        except MemoryServiceError as error:  # the next message gets the same error as its answer
            logger.warning("%s", error.message)

    def _backend(self) -> Any:
        """The relay if a service is running, else the server in this process, which is kept from then on."""
        if self._local is not None:
            return self._local
        url = self._find_service()
        if url is None:
            require("mcp", "MCP without a running service")
            from ai_memory.mcp.local import LocalServer

            self._local = LocalServer(self._open_service, self._answer, self._fail_pending, namespace=self._namespace)
            return self._greeted(self._local)
        if self._relay is None:
            from ai_memory.mcp.relay import Relay

            self._relay = self._greeted(Relay(self._answer, namespace=self._namespace, api_key=self._api_key))
        self._relay.url = url
        return self._relay

    def _greeted(self, backend: Any) -> Any:
        """The backend, once it has the client's `initialize`, where there was one."""
        if self._handshake is not None:
            backend.greet(self._handshake)
        return backend

    def _fail_pending(self, error: MemoryServiceError) -> None:
        """Answer every pending request with an error, because the server that would have answered has ended."""
        for message in list(self._pending.values()):
            self._answer(failure(message, error))

    def _expect(self, message: Any) -> None:
        """Note a request as pending. Ids are compared by `repr`: 1 and "1" are different ids in JSON-RPC."""
        if isinstance(message, dict) and "id" in message and "method" in message:
            with self._settled:
                self._pending[repr(message["id"])] = message
                self._cancelled.discard(repr(message["id"]))

    def _give_up(self, number: Any) -> None:
        """Wait no longer for the answer to a request, which its client has cancelled: the protocol forbids one from then on."""
        with self._settled:
            if self._pending.pop(repr(number), None) is not None:
                self._cancelled.add(repr(number))
                self._settled.notify_all()

    def _answer(self, line: bytes) -> None:
        """Write a backend's message to the client; if it is an answer, its request is no longer pending."""
        if not line:
            return
        message = _decoded(line)
        key = repr(message.get("id")) if isinstance(message, dict) and "method" not in message else None
        with self._settled:
            if key in self._cancelled:
                self._cancelled.discard(key)
                return
        self._write(line.rstrip(b"\n") + b"\n")
        with self._settled:
            if key is not None and self._pending.pop(key, None) is not None:
                self._settled.notify_all()

    def _write(self, line: bytes) -> None:
        with self._writing:
            try:
                self._wire.write(line)
                self._wire.flush()
            except BrokenPipeError:  # the client left; the end of standard input follows
                return


def _decoded(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
