"""A Hugging Face hub on this machine: enough of its protocol for its own client library to list and download a repository."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMIT = "64614b0b8b64f0c6c1e52b07e4e9a4e8fe4d2da2"


class Hub:
    """What it serves, and what was asked of it."""

    def __init__(self, folder: Path, repository: str) -> None:
        self.folder = folder
        self.repository = repository
        self.gated = False
        self.break_after = 0
        """Bytes after which the connection breaks, once; 0 never."""
        self.stalls = False
        """Whether it waits for `released` instead, before it breaks the connection."""
        self.stalled, self.released = threading.Event(), threading.Event()
        self.sent: dict[str, int] = {}
        self.ranges: list[str] = []
        self.url = ""

    def files(self) -> list[str]:
        return sorted(str(file.relative_to(self.folder)) for file in self.folder.rglob("*") if file.is_file())

    def etag(self, name: str) -> str:
        return hashlib.sha256((self.folder / name).read_bytes()).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._file(body=False)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith(f"/api/models/{self.hub.repository}/tree/"):
            return self._answer(200, [self._entry(name) for name in self.hub.files()])
        if path.startswith(f"/api/models/{self.hub.repository}"):
            siblings = [{"rfilename": name} for name in self.hub.files()]
            value = {"id": self.hub.repository, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}
            return self._answer(200, value)
        return self._file(body=True)

    def _entry(self, name: str) -> dict[str, object]:
        return {
            "type": "file",
            "path": name,
            "oid": self.hub.etag(name)[:40],
            "size": (self.hub.folder / name).stat().st_size,
        }

    def _file(self, *, body: bool) -> None:
        prefix = f"/{self.hub.repository}/resolve/{COMMIT}/"
        name = self.path.partition("?")[0].removeprefix(prefix)
        if not self.path.startswith(prefix) or not (self.hub.folder / name).is_file():
            return self._answer(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        if self.hub.gated:
            return self._answer(403, {"error": "gated"}, {"X-Error-Code": "GatedRepo"})
        data = (self.hub.folder / name).read_bytes()
        start = 0
        if "Range" in self.headers:
            self.hub.ranges.append(f"{name} {self.headers['Range']}")
            start = int(self.headers["Range"].removeprefix("bytes=").partition("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{self.hub.etag(name)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if body:
            self._send(name, data[start:])
        return None

    def _send(self, name: str, data: bytes) -> None:
        limit, self.hub.break_after = self.hub.break_after, 0
        if limit and len(data) > limit:
            data = data[:limit]
            self.close_connection = True
        elif limit:
            self.hub.break_after = limit
        self.wfile.write(data)
        self.hub.sent[name] = self.hub.sent.get(name, 0) + len(data)
        if self.close_connection and self.hub.stalls:
            self.hub.stalled.set()
            self.hub.released.wait(60)

    def _answer(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for key, text in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(key, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


@contextmanager
def serving_hub(folder: Path, repository: str) -> Iterator[Hub]:
    """Serve `folder` as `repository` while the block runs."""
    hub = Hub(folder, repository)
    handler = type("Handler", (_Handler,), {"hub": hub})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        hub.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
