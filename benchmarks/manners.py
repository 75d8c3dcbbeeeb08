"""`manners.`: what working clients notice of many others, of those that stall, and of those that do nothing.

Stalled clients send one byte of a body, or ask for an export and do not read it; each that the server ends comes back at once. Idle
ones only connect, and connect again when they are closed. All of them are in this process, on the machine of the server.
"""

from __future__ import annotations

import http.client
import json
import resource
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np

from ai_memory import Client
from ai_memory.discovery import find_service
from benchmarks.corpus import Corpus
from benchmarks.figures import Figure, Peer, Target, load_average, median, percentile
from benchmarks.http_load import Connection, request_bytes, run_clients
from benchmarks.places import MODEL, fresh_folder
from benchmarks.processes import running_service
from benchmarks.soak import resident_mb

STALLED, IDLE, WORKING, MIXED = 64, 1_500, 16, 64
MEMORIES = 2_000
FIRST = 64
QUESTIONS = 2_000
P99 = Target("<=", 5.0, "ratio")
FIRST_TARGET = Target("<=", 3.0, "ratio")
NOTHING = Target("<=", 0.0)
SLOPE = Target("<=", 5.0)
MIXED_SECONDS = 120.0
_PATIENCE = 120.0
_IMPORT = b"POST /v1/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 9999\r\n\r\n{"
_WRITE = (
    b"POST /v1/memories HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{"
)
_EXPORT = b"GET /v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n"


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of this area; none if the model is missing."""
    if not MODEL.exists():
        print("manners is skipped: the model is missing; make bench downloads it", file=sys.stderr)
        return
    _allow_descriptors(IDLE + STALLED + 1_000)
    yield from _first_recalls(repeats=1 if quick else 3)
    yield from _with_stalled(memories=200 if quick else MEMORIES, seconds=4.0 if quick else 30.0)
    yield from _mixed(seconds=8.0 if quick else MIXED_SECONDS)


def _first_recalls(repeats: int) -> Iterator[Figure]:
    """From sending to the answer: the first recall on a new store alone, and of 64 clients at once, each on a store of its own."""
    alone = [_first(1) for _ in range(repeats)]
    together = [_first(FIRST) for _ in range(repeats)]
    about = {"clients": FIRST, "slowest": round(max(map(max, together))), "load": load_average()}
    peer = Peer("one alone", median([times[0] for times in alone]))
    yield Figure("manners.first_recall", median([median(times) for times in together]), "ms", peer, FIRST_TARGET, about)


def _first(clients: int) -> list[float]:
    """Milliseconds of each client's first recall on a new store of a few memories."""
    questions = _questions()
    times: list[float] = []
    with fresh_folder() as data_dir, running_service(data_dir) as url:
        _fill(url, 20)

        def ask(number: int, connection: Connection) -> None:
            begun = time.perf_counter()
            status = connection.post(request_bytes("/v1/recall", query=questions[number]))
            times.append((time.perf_counter() - begun) * 1e3)
            if status != 200:
                raise RuntimeError(f"the server answered {status}")

        run_clients(url, clients, ask)
    return times


def _with_stalled(memories: int, seconds: float) -> Iterator[Figure]:
    """The slowest hundredth of 16 clients' requests, without and with stalled and idle clients."""
    with fresh_folder() as data_dir, running_service(data_dir) as url:
        _fill(url, memories)
        _working(url, seconds / 4, seed=0)  # warm up
        without = _working(url, seconds, seed=1)
        with _crowd(url):
            crowded = _working(url, seconds, seed=2)
            answered = _health(url)
    about = {
        "working": WORKING,
        "stalled": STALLED,
        "idle": IDLE,
        "memories": memories,
        "requests": len(crowded),
        "p50": round(median(crowded), 1),
        "p50_without": round(median(without), 1),
        "load": load_average(),
    }
    peer = Peer("without them", percentile(without, 0.99))
    yield Figure("manners.p99_with_stalled", percentile(crowded, 0.99), "ms", peer, P99, about)
    yield Figure("manners.health_with_stalled", answered, "ms", settings={"load": load_average()})


def _working(url: str, seconds: float, seed: int) -> list[float]:
    """Milliseconds of each request of 16 clients that recall, and write every eighth time."""
    questions = _questions()
    times: list[float] = []
    ends = time.monotonic() + seconds

    def work(number: int, connection: Connection) -> None:
        turn = 0
        while time.monotonic() < ends:
            turn += 1
            name = (seed * WORKING + number) * 100_000 + turn
            if turn % 8:
                request = request_bytes("/v1/recall", query=questions[name % len(questions)], limit=5)
            else:
                request = request_bytes(
                    "/v1/memories", text=f"Client {number} notes {name}: {questions[turn % len(questions)]}"
                )
            begun = time.perf_counter()
            status = connection.post(request)
            times.append((time.perf_counter() - begun) * 1e3)
            if status not in (200, 201):
                raise RuntimeError(f"the server answered {status}")

    run_clients(url, WORKING, work)
    return times


@contextmanager
def _crowd(url: str) -> Iterator[None]:
    """Stalled and idle clients; those that the server ends come back."""
    requests = [*([_IMPORT, _WRITE, _EXPORT] * STALLED)[:STALLED], *[b""] * IDLE]
    opened = {socket_.fileno(): (socket_, data) for data in requests for socket_ in [_opened(url, data)]}
    watch = select.poll()
    for descriptor in opened:
        watch.register(descriptor, select.POLLHUP | select.POLLRDHUP)
    over = threading.Event()

    def return_if_ended() -> None:
        while not over.wait(0.1):
            for descriptor, _ in watch.poll(0):
                watch.unregister(descriptor)
                gone, data = opened.pop(descriptor)
                gone.close()
                back = _opened(url, data)
                opened[back.fileno()] = back, data
                watch.register(back, select.POLLHUP | select.POLLRDHUP)

    returning = threading.Thread(target=return_if_ended)
    returning.start()
    try:
        time.sleep(1.0)
        yield
    finally:
        over.set()
        returning.join()
        for each, _ in opened.values():
            each.close()


def _opened(url: str, data: bytes) -> socket.socket:
    parts = urlsplit(url)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    made.settimeout(_PATIENCE)
    made.connect((parts.hostname, parts.port))
    with suppress(ConnectionError):  # the server may have ended it already
        made.sendall(data)
    return made


def _health(url: str) -> float:
    """Milliseconds of one `/health/ready` on a connection of its own."""
    begun = time.perf_counter()
    if _plain(url, "GET", "/health/ready") != 200:
        raise RuntimeError("the server is not ready")
    return (time.perf_counter() - begun) * 1e3


def _mixed(seconds: float) -> Iterator[Figure]:
    """64 clients that do everything for a while: errors, and whether the server's memory grows in the second half.

    What they write makes the store grow, and its index with it. Afterwards they only read: what grows then is not the store.
    """
    with fresh_folder() as data_dir, running_service(data_dir) as url:
        _fill(url, 200)
        found = find_service(data_dir)
        assert found is not None
        mixed = _load(url, found.pid, seconds, writing=True)
        reading = _load(url, found.pid, seconds / 2, writing=False)
    full = seconds >= MIXED_SECONDS
    yield Figure("manners.mixed.answered", mixed.answered / seconds, "requests/s", settings=mixed.settings)
    yield Figure("manners.mixed.errors", len(mixed.errors), "requests", target=NOTHING, settings=mixed.settings)
    for name, load in (("mixed", mixed), ("reading", reading)):
        about = {**load.settings, **load.memory()}
        yield Figure(f"manners.{name}.memory", load.slope(), "MB/min", target=SLOPE if full else None, settings=about)


@dataclass(frozen=True)
class _Load:
    """What 64 clients did in a while, and what the server held meanwhile."""

    seconds: float
    answered: int
    errors: tuple[str, ...]
    stored: int
    """Memories that were added in the second half."""
    samples_mb: tuple[float, ...]
    """The server's resident memory, one sample about once a second."""

    @property
    def settings(self) -> dict[str, object]:
        return {
            "clients": MIXED,
            "seconds": self.seconds,
            "load": load_average(),
            "first_errors": list(self.errors[:3]),
        }

    def memory(self) -> dict[str, object]:
        """The server's memory at both ends, and how many memories the second half of the time brought."""
        first, last = self.samples_mb[0], self.samples_mb[-1]
        return {
            "first_mb": round(first),
            "last_mb": round(last),
            "most_mb": round(max(self.samples_mb)),
            "stored_in_second_half": self.stored,
        }

    def slope(self) -> float:
        """MB a minute: a linear fit to the second half of the samples."""
        half = np.asarray(self.samples_mb[len(self.samples_mb) // 2 :])
        minutes = self.seconds / 60 * np.linspace(0.5, 1.0, len(half))
        return float(np.polyfit(minutes, half, 1)[0]) if len(half) > 1 else 0.0


def _load(url: str, pid: int, seconds: float, *, writing: bool) -> _Load:
    """Let 64 clients work for a while."""
    errors: list[str] = []
    answered = [0] * MIXED
    samples: list[float] = []
    questions = _questions()
    begun = time.monotonic()
    ends = begun + seconds
    before: int | None = None
    with ThreadPoolExecutor(MIXED) as clients, Client(url, timeout=_PATIENCE) as watching:
        running = [
            clients.submit(_anything, url, number, ends, questions, answered, errors, writing=writing)
            for number in range(MIXED)
        ]
        while not samples or time.monotonic() < ends:
            samples.append(resident_mb(pid))
            if before is None and time.monotonic() >= begun + seconds / 2:
                before = watching.stats().memories
            time.sleep(min(1.0, seconds / 10))
        for each in running:
            each.result()
        stored = watching.stats().memories - (before or 0)
    return _Load(seconds, sum(answered), tuple(errors), stored, tuple(samples))


def _anything(
    url: str,
    number: int,
    ends: float,
    questions: Sequence[str],
    answered: list[int],
    errors: list[str],
    *,
    writing: bool,
) -> None:
    """One client's requests, each of another kind, on connections of their own."""
    draw = np.random.default_rng(number)
    turn = 0
    while time.monotonic() < ends:
        turn += 1
        name = f"{number}.{turn}"
        question = questions[int(draw.integers(0, len(questions)))]
        lines = b"".join(json.dumps({"text": f"Line {n} of {name}: {question}"}).encode() + b"\n" for n in range(5))
        call = {"name": "recall", "arguments": {"query": question}}
        writes: Sequence[tuple[str, str, object]] = (
            ("POST", "/v1/memories", {"text": f"Client {name}: {question}", "namespace": f"n{number % 4}"}),
            ("POST", f"/v1/import?namespace=i{number}", lines),
        )
        reads: Sequence[tuple[str, str, object]] = (
            ("POST", "/v1/recall", {"query": question, "namespace": f"n{number % 4}"}),
            ("POST", "/v1/recall", {"query": question}),
            ("GET", "/v1/memories?limit=5", None),
            ("GET", "/v1/stats", None),
            ("GET", "/health/ready", None),
            ("GET", "/metrics", None),
            ("GET", f"/v1/export?namespace=n{number % 4}&current_only=true", None),
            ("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}),
            ("POST", "/embed", {"inputs": question}),
        )
        kinds = (*writes, *reads) if writing else reads
        method, target, body = kinds[int(draw.integers(0, len(kinds)))]
        try:
            status = _plain(url, method, target, body)
        except (OSError, http.client.HTTPException) as error:
            errors.append(f"{method} {target}: {type(error).__name__}: {error}")
            continue
        if status in (200, 201):
            answered[number] += 1
        else:
            errors.append(f"{method} {target}: {status}")


def _plain(url: str, method: str, target: str, body: object = None) -> int:
    """The status of one request on a connection of its own, once the whole answer has come."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)
    kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = {"Content-Type": kind, "Accept": "application/json, text/event-stream"} if data is not None else {}
    try:
        connection.request(method, target, data, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def _questions() -> list[str]:
    """Made before anything is timed: making them takes longer than asking."""
    corpus = Corpus()
    return [corpus.question(number) for number in range(QUESTIONS)]


def _fill(url: str, memories: int) -> None:
    """Write memories and wait until all have their vectors."""
    corpus = Corpus()
    with Client(url, timeout=_PATIENCE) as client:
        client.remember_many([{"text": made.text} for made in corpus.memories(0, memories)])
        until = time.monotonic() + 600
        while client.stats().pending and time.monotonic() < until:
            time.sleep(0.1)


def _allow_descriptors(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
