"""A real REST server over a real store in a thread of the tests, and plain HTTP to it."""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from starlette.routing import BaseRoute

from ai_memory.api.app import create_app
from ai_memory.api.server import build_server, listen
from ai_memory.clock import SystemClock
from ai_memory.service.background.embedder import Loader
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.wiring import open_service, open_store


class Served(NamedTuple):
    """A running server."""

    url: str
    port: int
    service: Service
    settings: Settings


class Got(NamedTuple):
    """One whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error, after checking that its shape is the one shape."""
        answer = self.json
        assert set(answer) == {"error"}
        assert set(answer["error"]) == {"code", "message", "hint", "details"}
        assert answer["error"]["details"]["request_id"] == self.headers["x-request-id"]
        return dict(answer["error"])


@contextmanager
def serving(
    folder: Path, *, extra_routes: Sequence[BaseRoute] = (), loader: Loader | None = None, **flags: Any
) -> Iterator[Served]:
    """A server on a free port over a store in `folder`; it stops gracefully at the end. `loader` makes another embedder."""
    settings = Settings(
        data_dir=folder, **{"port": 0, "model": "hashing", "preload": False, "snapshot_rows": 0, **flags}
    )
    service = open_service(settings) if loader is None else Service(open_store(settings, SystemClock()), loader)
    app = create_app(service, settings, stopping=lambda: server.should_exit, extra_routes=extra_routes)
    server = build_server(app, settings)
    listener = listen(settings.host, settings.port)
    port = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        yield Served(f"http://127.0.0.1:{port}", port, service, settings)
    finally:
        server.should_exit = True
        thread.join(30)
        service.close()
    assert not thread.is_alive()


@contextmanager
def write_locked(store: Path) -> Iterator[Callable[[], None]]:
    """A store that another program holds for writing until the block ends, or what it is given is called."""
    with closing(sqlite3.connect(store, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other.rollback


def ask(
    served: Served | int,
    method: str,
    target: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Got:
    """One request on a connection of its own; a `body` that is not bytes is sent as JSON."""
    port = served if isinstance(served, int) else served.port
    sent = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, target, body, sent)
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Got(response.status, names, response.read())
    finally:
        connection.close()


def ask_raw(served: Served, data: bytes) -> bytes:
    """What comes back for bytes as they stand, until the server closes."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as raw:
        raw.sendall(data)
        raw.shutdown(socket.SHUT_WR)
        pieces = []
        while piece := raw.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def remember(served: Served, text: str, **fields: Any) -> dict[str, Any]:
    """The receipt of one stored memory."""
    got = ask(served, "POST", "/v1/memories", {"text": text, **fields})
    assert got.status in (200, 201), got.body
    return dict(got.json)
