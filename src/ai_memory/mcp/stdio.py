"""MCP on standard input and output.

If a service is running, this process is a thin relay to it, so that any number of agents share one store and one model in memory.
If none is running, this process serves by itself. Either way `initialize` is answered at once (`greeting`): importing the SDK
takes about two seconds, and happens in the background. Only protocol messages are written to standard output. The end of standard
input ends the process: within a second or two, also in the middle of a call, unless all requests were sent before any answer was
read (`printf … | ai-memory mcp`), which then get their answers.
"""

from __future__ import annotations

import json
import logging
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

from ai_memory.errors import MemoryServiceError, ServiceUnavailableError
from ai_memory.installation import require
from ai_memory.mcp.greeting import greeting
from ai_memory.mcp.messages import cancelled_id, failure, readable, rejected
from ai_memory.places import Address

if TYPE_CHECKING:
    from ai_memory.mcp.relay import Relay

FINISH_SECONDS = 30.0
"""How long to wait, after the end of standard input, for the answers to requests that were all sent before any answer was read."""
LEAVING_SECONDS = 1.0
"""The same for a client that talks, and waited for answers before: it has left, and few clients wait longer for a server to end."""
CLOSE_SECONDS = 2.0
"""How long closing the service may take. What is lost with the process is derived, and made again."""
_PIECE = 1 << 16
_LOOK_SECONDS = 0.1

logger = logging.getLogger(__name__)

FindService = Callable[[], Address | None]
OpenService = Callable[[], Any]


def serve_stdio(find_service: FindService, open_service: OpenService, *, namespace: str, api_key: str | None) -> int:
    """Serve one client until it closes standard input; returns the exit code.

    `find_service` returns the address of a running service, or None; it is asked before each request, because a service may
    start or stop meanwhile. `open_service` opens one in this process.
    """
    wire = _claim_output()
    session = Session(find_service, open_service, wire, namespace=namespace, api_key=api_key)
    client = _Client(sys.stdin.fileno())
    talks = None
    for line in client.lines():
        if talks is None:
            talks = client.waits()
        session.receive(line)
    closing = threading.Thread(target=session.close, name="close", daemon=True)
    if session.finish(LEAVING_SECONDS if talks else FINISH_SECONDS):
        closing.start()
        closing.join(CLOSE_SECONDS)
        if not closing.is_alive():
            return 0
    os._exit(
        0
    )  # threads that still work would keep the process; a write is whole or was not made, as with any sudden end


class _Client:
    """The lines that a client writes to a file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._ahead = False
        """Whether more than the line given last has been read."""

    def lines(self) -> Iterator[bytes]:
        """Each line as it comes, without its end, until the client ends."""
        held: list[bytes] = []
        while data := os.read(self._descriptor, _PIECE):
            *ended, rest = data.split(b"\n")
            for left, part in zip(range(len(ended) - 1, -1, -1), ended, strict=True):
                held.append(part)
                self._ahead = left > 0 or bool(rest)
                yield b"".join(held)
                held.clear()
            held.append(rest)
        self._ahead = False
        if last := b"".join(held):
            yield last

    def waits(self) -> bool:
        """Whether the client has sent nothing after that line, nor ended: it waits for the answer before it goes on."""
        return not self._ahead and not select.select([self._descriptor], [], [], 0)[0]


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

    def finish(self, seconds: float = FINISH_SECONDS) -> bool:
        """Wait until all requests are answered, at most `seconds` and while somebody reads the answers.

        Returns whether they are; those that are not are answered with an error.
        """
        until = time.monotonic() + seconds
        with self._settled:
            while self._pending and time.monotonic() < until and not self._reader_left():
                self._settled.wait(_LOOK_SECONDS)
            left = bool(self._pending)
        if left:
            error = ServiceUnavailableError(
                "standard input ended before the answer came", hint="keep it open until all answers have been read"
            )
            self._fail_pending(error)
        return not left

    def close(self) -> None:
        """Wait for pending requests as `finish` does, then close the relay and the server in this process."""
        self.finish()
        if self._relay is not None:
            self._relay.close()
        if self._local is not None:
            self._local.close()

    def _reader_left(self) -> bool:
        """Whether nobody can read the answers any more."""
        try:
            poll = select.poll()
            poll.register(self._wire, 0)  # 0: errors alone, which are always reported
            return bool(poll.poll(0))
        except (OSError, ValueError):  # no file of the system's
            return False

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
        address = self._find_service()
        if address is None:
            require("mcp", "MCP without a running service")
            from ai_memory.mcp.local import LocalServer

            self._local = LocalServer(self._open_service, self._answer, self._fail_pending, namespace=self._namespace)
            return self._greeted(self._local)
        if self._relay is None:
            from ai_memory.mcp.relay import Relay

            self._relay = self._greeted(Relay(self._answer, namespace=self._namespace, api_key=self._api_key))
        self._relay.address = address
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
