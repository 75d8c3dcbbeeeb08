"""`embed.http.`: the cost of HTTP for the embedder, and how long a short text waits among long ones."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import read_model_folder
from benchmarks.corpus import Corpus
from benchmarks.engine import MODEL as GEMMA
from benchmarks.engine import make_model
from benchmarks.figures import Figure, Peer, Target, load_average, median, percentile
from benchmarks.http_load import Connection, request_bytes, run_clients, send_all
from benchmarks.places import MODEL, fresh_folder
from benchmarks.processes import running_service
from benchmarks.random_models import medium_gemma
from benchmarks.soak import figures_of, soak

CLIENTS = 64
LONG_CLIENTS = 8
SOAK_CLIENTS = 16
SHARE = Target(">=", 0.85, of="ratio")
WAIT = Target("<=", 2.0)
"""In batches: one that is running when the text arrives, and at most as much again for its own pass and HTTP."""


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of this area."""
    if MODEL.exists():
        yield _share("embed.http.share", MODEL, 512 if quick else 2048)
    else:
        print("embed.http.share is skipped: the model is missing; make bench downloads it", file=sys.stderr)
    make_model()
    yield _share("embed.http.share.gemma", GEMMA, 64 if quick else 128)
    model = medium_gemma()
    yield from _among_long_ones(model, 60 if quick else 300)
    yield from figures_of(soak(model, seconds=10.0 if quick else 60.0, clients=SOAK_CLIENTS), SOAK_CLIENTS)


def _share(name: str, model: Path, count: int) -> Figure:
    """Texts per second of 64 clients with one text per request, compared with the same texts in one call in process."""
    texts = [made.text for made in Corpus().memories(0, count, 35, 45)]
    requests = [request_bytes("/v1/embeddings", input=text, encoding_format="base64") for text in texts]
    embedder = load_embedder(read_model_folder(model))
    embedder.embed_documents(texts[:64])
    with fresh_folder() as data_dir, running_service(data_dir, model) as url:
        send_all(url, CLIENTS, requests[:128])
        served, inside = [], []
        for _ in range(3):  # alternating: other load on the machine disturbs both equally
            inside.append(_seconds(lambda: embedder.embed_documents(texts)))
            served.append(send_all(url, CLIENTS, requests))
    embedder.close()
    settings = {"clients": CLIENTS, "texts": count, "words": 40, "model": model.name, "load": load_average()}
    peer = Peer("in process", count / median(inside))
    return Figure(name, count / median(served), "texts/s", peer, SHARE, settings)


def _among_long_ones(model: Path, count: int) -> Iterator[Figure]:
    """The time of a short text while eight clients send texts of 2,048 tokens, in units of the pass of one such text."""
    short = request_bytes("/embed", inputs="when does the gate open")
    long = request_bytes("/embed", inputs="the gate opens at noon and closes at nine " * 1000)  # cut to 2,048 tokens
    with fresh_folder() as data_dir, running_service(data_dir, model) as url:
        lone = Connection(url)
        for request in (short, long, short, long):
            lone.post(request)
        batch = median([_seconds(lambda: lone.post(long)) for _ in range(7)])
        alone = median([_seconds(lambda: lone.post(short)) for _ in range(20)])
        done = threading.Event()
        waits: list[float] = []

        def work(number: int, connection: Connection) -> None:
            if number:
                while not done.is_set():
                    connection.post(long)
                return
            time.sleep(4 * batch)
            waits.extend(_seconds(lambda: connection.post(short)) for _ in range(count))
            done.set()

        run_clients(url, LONG_CLIENTS + 1, work)
        lone.close()
    settings = {
        "long_clients": LONG_CLIENTS,
        "tokens": 2048,
        "texts": count,
        "batch_ms": round(batch * 1e3, 1),
        "alone_ms": round(alone * 1e3, 1),
        "model": model.name,
        "load": load_average(),
    }
    yield Figure("embed.http.short_among_long_p50", median(waits) / batch, "batches", settings=settings)
    yield Figure("embed.http.short_among_long_p99", percentile(waits, 0.99) / batch, "batches", None, WAIT, settings)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
