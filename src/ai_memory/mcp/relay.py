"""Relays lines on standard input to a running service's `/mcp`, and the answers back.

A client starts one such process per session. It loads no SDK, no store and no model, so it starts at once and takes little
memory; the little of the protocol that concerns the transport (headers, versions) is therefore done by hand.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from ai_memory.errors import InternalError, MemoryServiceError, ServiceUnavailableError, from_body
from ai_memory.mcp.greeting import HANDSHAKE_VERSIONS, VERSION_KEY
from ai_memory.mcp.messages import cancelled_id, failure
from ai_memory.places import Address, shown_address
from ai_memory.wire import make_sure
from ai_memory.wording.ways import HEADER, SERVE

PATH = "/mcp"
CONCURRENT = 8
TIMEOUT_SECONDS = 600.0
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Which parameter of a method the newer protocol also wants in a header, for routing by proxies."""


class Relay:
    """Sends each request from a thread of a small pool, so that a slow request does not delay the others."""

    def __init__(self, answer: Callable[[bytes], None], *, namespace: str, api_key: str | None) -> None:
        """`answer` is called with each answer as one line, from several threads."""
        self._answer = answer
        self._threads = ThreadPoolExecutor(CONCURRENT, thread_name_prefix="relay")
        self._connections = threading.local()
        self._opened: list[http.client.HTTPConnection] = []
        self.address = Address("")
        """Where the service is; that may change while this runs."""
        self._running: dict[str, http.client.HTTPConnection | None] = {}  # by request id; None until it is sent
        self._lock = threading.Lock()  # guards `_running`
        self._negotiated = HANDSHAKE_VERSIONS[-1]
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "X-AI-Memory-Namespace": namespace.encode().decode("latin-1"),
            HEADER: "mcp",
        }
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def greet(self, line: bytes) -> None:
        """Note the version agreed in the client's `initialize`; later requests carry it in a header."""
        asked = json.loads(line)["params"]["protocolVersion"]
        self._negotiated = asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]

    def send(self, line: bytes, message: Any) -> None:
        """Forward one request. A notification that cancels one ends it; the service is stateless and has no use for the others."""
        if "id" in message and "method" in message:
            with self._lock:
                self._running[repr(message["id"])] = None
            self._threads.submit(self._exchange, line, message)
        elif (number := cancelled_id(message)) is not None:
            self._cancel(number)

    def close(self) -> None:
        """Wait for requests in progress, then close all connections."""
        self._threads.shutdown()
        for connection in self._opened:
            connection.close()

    def _cancel(self, number: Any) -> None:
        """Close the connection of a request, which is how the service knows; one that has not been sent yet never is."""
        with self._lock:
            connection = self._running.pop(repr(number), None)
            if connection is not None and connection.sock is not None:
                with contextlib.suppress(OSError):  # it may be closed already
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def _exchange(self, line: bytes, message: dict[str, Any]) -> None:
        try:
            answer = self._post(line, message)
        except MemoryServiceError as error:
            answer = failure(message, error)
        except Exception as error:  # noqa: BLE001 - every request must be answered
            answer = failure(message, InternalError(f"unexpected {type(error).__name__}: {error}"))
        with self._lock:
            self._running.pop(repr(message["id"]), None)
        self._answer(answer)

    def _post(self, line: bytes, message: dict[str, Any]) -> bytes:
        """The answer to a request; empty if it was cancelled before it was sent."""
        address = self.address
        connection = None
        try:
            connection = self._connection(address)
            if connection.sock is None:
                connection.connect()
            with self._lock:
                if repr(message["id"]) not in self._running:
                    return b""
                self._running[repr(message["id"])] = connection
            connection.request("POST", PATH, line, {**self._headers, **self._protocol_headers(message)})
            response = connection.getresponse()
            events = response.headers.get_content_type() == "text/event-stream"
            return _answer_of(message, response.status, self._last(response) if events else response.read())
        except (http.client.HTTPException, OSError) as error:
            # No retry: the service may have carried out the request before the connection broke.
            if connection is not None:
                connection.close()
            raise ServiceUnavailableError(
                f"the service at {shown_address(address.url)} does not answer: {error or type(error).__name__}",
                hint=SERVE.after("check whether the request was carried out, once it runs again: "),
            ) from None

    def _last(self, response: http.client.HTTPResponse) -> bytes:
        """The answer at the end of a stream of events; the notifications before it are passed on as they come."""
        answer = b""
        for event in _events(response):
            if b'"method"' in event and "method" in json.loads(event):
                self._answer(event)
            else:
                answer = event
        return answer

    def _protocol_headers(self, message: dict[str, Any]) -> dict[str, str]:
        params = message.get("params")
        params = params if isinstance(params, Mapping) else {}
        meta = params.get("_meta")
        version = meta.get(VERSION_KEY) if isinstance(meta, Mapping) else None
        if not isinstance(version, str):
            return {"MCP-Protocol-Version": self._negotiated}
        headers = {"MCP-Protocol-Version": _header(version), "Mcp-Method": _header(str(message["method"]))}
        name = params.get(_NAMED_BY.get(str(message["method"]), ""))
        return {**headers, "Mcp-Name": _header(name)} if isinstance(name, str) else headers

    def _connection(self, address: Address) -> http.client.HTTPConnection:
        """This thread's connection; a new one if the service has another address or has closed the old one.

        Raises ServiceUnavailableError where another program is at the address: it is sent nothing.
        """
        kept: tuple[str, http.client.HTTPConnection] | None = getattr(self._connections, "kept", None)
        if kept is not None:
            if kept[0] == address.url and not _was_dropped(kept[1]):
                return kept[1]
            kept[1].close()
            self._opened.remove(kept[1])
            self._connections.kept = None
        parts = urlsplit(address.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        if address.is_behind is not None:
            make_sure(connection, address.is_behind, shown_address(address.url))
        self._opened.append(connection)
        self._connections.kept = (address.url, connection)
        return connection


def _events(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The data of each event in a stream of server-sent events."""
    data: list[bytes] = []
    for line in response:
        if line.startswith(b"data:"):
            data.append(line[5:].strip())
        elif not line.strip() and data:
            yield b"\n".join(data)
            data = []


def _was_dropped(connection: http.client.HTTPConnection) -> bool:
    """True if the service has closed an idle connection: its end of file is then readable."""
    return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])


def _answer_of(message: dict[str, Any], status: int, body: bytes) -> bytes:
    """The JSON-RPC message in a response; made from the service's error body if the request was refused before MCP.

    It has the request's id: the SDK leaves the id out where it cannot read a request, and the client would wait for its answer.
    """
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if isinstance(value, dict) and value.get("jsonrpc") == "2.0":
        if "method" not in value and value.get("id") is None:
            value["id"] = message["id"]
        return json.dumps(value, ensure_ascii=False).encode()
    if isinstance(value, dict) and isinstance(value.get("error"), dict):
        return failure(message, from_body(value["error"]))
    return failure(message, InternalError(f"the service answered {status} without a JSON-RPC message"))


def _header(value: str) -> str:
    """A header's value as the protocol defines it: as it is if printable ASCII, else in base64."""
    if value.isascii() and value.isprintable() and value == value.strip():
        return value
    return f"=?base64?{base64.b64encode(value.encode('utf-8', 'replace')).decode()}?="
