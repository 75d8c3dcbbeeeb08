"""HTTP to a service, on the standard library alone: a client must start within milliseconds, and httpx takes half a second.

Connections are kept alive and shared by all threads.
"""

from __future__ import annotations

import gzip
import http.client
import io
import select
import ssl
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ai_memory.errors import InvalidInputError, MemoryServiceError, ServiceUnavailableError, from_body
from ai_memory.places import Address, is_loopback, shown_address
from ai_memory.wording.ways import HEADER, SERVE, spoken

COMPRESS_FROM = 16_384
"""Bytes of a body from which it is sent compressed, to other machines only."""

_PIECE = 1 << 16
_BROKEN = (ConnectionError, http.client.HTTPException)
_ON_THE_WAY = (OSError, EOFError, http.client.HTTPException)


def is_on_this_machine(url: str) -> bool:
    """Whether the URL's host is this machine (see `is_loopback`); False for what is no URL."""
    try:
        return is_loopback(urlsplit(url).hostname)
    except ValueError:
        return False


class Reply(Struct, frozen=True):
    """A whole answer."""

    status: int
    body: bytes
    headers: http.client.HTTPMessage
    """Found by name in any letter case."""


class Wire:
    """Sends requests to one server. May be used from any thread."""

    def __init__(
        self,
        address: str | Address,
        api_key: str | None,
        timeout: float,
        *,
        prefix: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`prefix` goes before every target, and every request carries `headers`.

        Raises InvalidInputError for an address that is not http:// or https://.
        """
        url, self._is_behind = Address(address) if isinstance(address, str) else address
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInputError(
                f"{shown_address(url)!r} is not the address of a service", hint="write http://127.0.0.1:7677"
            )
        self.url = shown_address(url).rstrip("/")
        """For people: nothing secret is in it."""
        self._base = parts.path.rstrip("/") + prefix
        self._host, self._port = parts.hostname, port
        self._secure = parts.scheme == "https"
        self._far = not is_loopback(parts.hostname)
        self._timeout = timeout
        self._headers = {"Accept": "application/json", "User-Agent": "ai-memory-client"}
        self._headers["Accept-Encoding"] = "gzip" if self._far else "identity"
        self._headers.update(headers or {})
        if api_key:
            self._headers["Authorization"] = f"Bearer {_header_text(api_key)}"
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._idle)

    def close(self) -> None:
        """Close all idle connections; a later request opens a new one."""
        with self._lock:
            _close_all(self._idle)

    def send(self, method: str, target: str, body: bytes | None = None, *, again: bool) -> Reply:
        """As `exchange`, for answers that are not errors.

        Raises the error that the service answered with, or ServiceUnavailableError where no such service answers.
        """
        return self._checked(self.exchange(method, target, body, again=again))

    def exchange(self, method: str, target: str, body: bytes | None = None, *, again: bool) -> Reply:
        """Send JSON and return the whole answer, of whatever status; `again` allows a second try where the connection breaks.

        Raises ServiceUnavailableError where nothing answers.
        """
        headers = {**self._headers, HEADER: spoken()}
        if body is not None:
            headers["Content-Type"] = "application/json"
            if self._far and len(body) >= COMPRESS_FROM:
                headers["Content-Encoding"] = "gzip"
                body = gzip.compress(body, 3)
        for last in (not again, True):
            connection = self._take()
            try:
                connection.request(method, self._base + target, body, headers)
                response = connection.getresponse()
                reply = _reply(response)
            except _ON_THE_WAY as error:
                connection.close()
                if isinstance(error, _BROKEN) and not isinstance(error, ConnectionRefusedError) and not last:
                    continue
                raise self._unanswered(error) from error
            except BaseException:
                connection.close()
                raise
            self._give_back(connection, response)
            return reply
        raise AssertionError("the last try either returns or raises")

    def send_lines(self, target: str, lines: Iterable[bytes]) -> Reply:
        """POST lines as they come; returns the answer to all of them."""
        headers = {
            **self._headers,
            HEADER: spoken(),
            "Content-Type": "application/x-ndjson",
            "Transfer-Encoding": "chunked",
        }
        connection = self._take()
        try:
            try:
                connection.request("POST", self._base + target, _joined(lines), headers, encode_chunked=True)
            except (BrokenPipeError, ConnectionResetError) as broken:
                # The server may have answered before it had read all, with the reason.
                response = _early_answer(connection, broken)
            else:
                response = connection.getresponse()
            reply = _reply(response)
        except _ON_THE_WAY as error:
            connection.close()
            raise self._unanswered(error) from error
        except BaseException:  # also what the caller's own lines raise
            connection.close()
            raise
        self._give_back(connection, response)
        return self._checked(reply)

    def receive_lines(self, target: str) -> Iterator[bytes]:
        """GET lines as they come. Raises ServiceUnavailableError where the answer breaks off."""
        connection = self._take()
        try:
            connection.request("GET", self._base + target, None, {**self._headers, HEADER: spoken()})
            response = connection.getresponse()
            if response.status >= 400:
                self._checked(_reply(response))
            yield from io.BufferedReader(_Body(response), _PIECE)
        except _ON_THE_WAY as error:
            raise self._unanswered(error) from error
        finally:
            connection.close()

    def _take(self) -> http.client.HTTPConnection:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if not _was_dropped(connection):
                    return connection
                connection.close()
        connection = self._new()
        if self._is_behind is not None:
            try:
                make_sure(connection, self._is_behind, self.url)
            except _ON_THE_WAY as error:
                raise self._unanswered(error) from error
        return connection

    def _new(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)

    def _give_back(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        if response.will_close:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)

    def _unanswered(self, error: Exception) -> ServiceUnavailableError:
        """The error for a request that was not answered, or not completely."""
        if isinstance(error, TimeoutError):
            return ServiceUnavailableError(
                f"{self.url} did not answer within {self._timeout:g} s",
                hint="give the client a longer timeout, or look at the server's log",
                url=self.url,
            )
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return ServiceUnavailableError(
            f"no service answers at {self.url}: {why}", hint=SERVE.after("start it: "), url=self.url
        )

    def _checked(self, reply: Reply) -> Reply:
        if reply.status < 400:
            return reply
        raise self._error_in(reply)

    def _error_in(self, reply: Reply) -> MemoryServiceError:
        try:
            answer: Any = msgspec.json.decode(reply.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            answer = None
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
            return from_body(answer["error"])
        return ServiceUnavailableError(
            f"what answers at {self.url} is not this service: HTTP {reply.status}",
            hint="check the address, which the service prints at its start",
            url=self.url,
            status=reply.status,
        )


def make_sure(
    connection: http.client.HTTPConnection, is_behind: Callable[[http.client.HTTPConnection], bool], url: str
) -> None:
    """Raise ServiceUnavailableError unless the service is at the other end of a new connection; it is closed then."""
    proven = False
    try:
        proven = is_behind(connection)
    finally:
        if not proven:
            connection.close()
    if not proven:
        raise ServiceUnavailableError(
            f"another program answers at {url}, where the service was; nothing was sent to it",
            hint=SERVE,
            url=url,
        )


class _Body(io.RawIOBase):
    """A response's body as a raw stream that notices when it breaks off."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._source = response
        self._gzip = gzip.GzipFile(fileobj=response) if response.headers.get("Content-Encoding") == "gzip" else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._gzip.read1(len(buffer)) if self._gzip is not None else self._source.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends, in pieces of about 64 KiB."""
    piece = bytearray()
    for line in lines:
        piece += line
        piece += b"\n"
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _early_answer(connection: http.client.HTTPConnection, broken: OSError) -> http.client.HTTPResponse:
    try:
        return connection.getresponse()
    except (http.client.HTTPException, OSError):
        raise broken from None


def _reply(response: http.client.HTTPResponse) -> Reply:
    body = response.read()
    if response.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return Reply(response.status, body, response.headers)


def _was_dropped(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has closed an idle connection: then it has something to read, which is its end."""
    if connection.sock is None:
        return True
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _close_all(connections: list[http.client.HTTPConnection]) -> None:
    while connections:
        connections.pop().close()


def _header_text(key: str) -> str:
    if not key.isascii() or not key.isprintable():
        raise InvalidInputError("the API key has characters that HTTP headers cannot carry", hint="use ASCII letters")
    return key
