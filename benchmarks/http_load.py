"""A cheap HTTP client, and many of them at once, so that the server and not the client is measured."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit


class Connection:
    """One kept-alive connection. Only for answers with a Content-Length, such as those of a few texts."""

    def __init__(self, url: str, timeout: float = 120.0) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def post(self, request: bytes) -> int:
        """Send a request made by `request_bytes`; returns the status after the whole answer has arrived."""
        self.send(request)
        head, _, body = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        while len(body) < length:
            body += self._more()
        self._rest = body[length:]
        return int(head.split(b" ", 2)[1])

    def send(self, request: bytes) -> None:
        """Send a request without waiting for the answer."""
        self._socket.sendall(request)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _until(self, mark: bytes) -> bytes:
        data = self._rest
        while mark not in data:
            data += self._more()
        return data

    def _more(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        return data


def request_bytes(path: str, **fields: object) -> bytes:
    """A complete POST request."""
    body = json.dumps(fields).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@dataclass
class Tally:
    """The outcomes of the requests of all clients."""

    sent: int = 0
    answered: int = 0
    refused: int = 0
    """Answered with another status than 200."""
    broken: int = 0
    """Not answered: the connection broke or timed out."""
    lock: threading.Lock = field(default_factory=threading.Lock)


def run_clients(url: str, clients: int, work: Callable[[int, Connection], None]) -> float:
    """Run `work(number, connection)` in several threads at once; returns the seconds until the last is done.

    Raises the error of any thread.
    """
    connections = [Connection(url) for _ in range(clients)]
    start = threading.Barrier(clients + 1)
    errors: list[BaseException] = []

    def client(number: int) -> None:
        start.wait()
        try:
            work(number, connections[number])
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    start.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    for connection in connections:
        connection.close()
    if errors:
        raise errors[0]
    return seconds


def send_all(url: str, clients: int, requests: Sequence[bytes]) -> float:
    """Send every request once, from several clients, each after its previous answer; returns the seconds.

    Raises RuntimeError if an answer is not 200.
    """
    left = iter(requests)
    lock = threading.Lock()

    def work(_number: int, connection: Connection) -> None:
        while True:
            with lock:
                request = next(left, None)
            if request is None:
                return
            status = connection.post(request)
            if status != 200:
                raise RuntimeError(f"the server answered {status}")

    return run_clients(url, clients, work)
