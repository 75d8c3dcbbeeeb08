"""`write.`: one durable memory compared with one bare INSERT, and bulk writes until lexical search finds them."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ai_memory.operations.reading import RECALL, RecallRequest
from ai_memory.operations.writing import REMEMBER, REMEMBER_MANY, Draft, RememberManyRequest, RememberRequest
from ai_memory.service.service import Service
from ai_memory.types import Outcome
from benchmarks.corpus import Corpus, Made
from benchmarks.figures import Figure, Peer, Target, load_average, median, percentile
from benchmarks.places import MODEL, fresh_folder, fresh_service

SINGLE_TARGET = Target("<=", 5.0, of="ratio")
BULK_TARGET = Target(">=", 5_000.0)
BATCH = 1_000
WARM_UP = 20
REST_SECONDS = 0.03
_COLUMNS = (
    "key INTEGER PRIMARY KEY, memory INTEGER, namespace INTEGER, revision INTEGER, recorded_at INTEGER, retired_at INTEGER, "
    "retired_reason TEXT, occurred INTEGER, content_hash BLOB, dedup_key BLOB, value_digest BLOB, valid_from INTEGER, "
    "valid_to INTEGER, type TEXT, context TEXT, title TEXT, author TEXT, tags TEXT, importance REAL, confidence REAL, "
    "attributes TEXT, source TEXT, text TEXT"
)


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of this area."""
    corpus = Corpus()
    count = 100 if quick else 300
    ours, bare = _single(corpus, count, model="none")
    yield from _single_figures("pending", ours, bare)
    if MODEL.exists():
        yield from _single_figures("model", *_single(corpus, count // 2, model=str(MODEL), settled=True))
        # Compared with the bare table of the first run: in this run the embedding slows the bare table as well.
        yield from _single_figures("while_embedding", _single(corpus, count, model=str(MODEL))[0], bare)
    memories = 10_000 if quick else 20_000
    for threads in (1, 4):
        yield _bulk(corpus, memories, threads, repeats=1 if quick else 3)


class BareTable:
    """A table with a revision's columns in a new WAL file, written with one row per transaction at `synchronous=FULL`."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(f"CREATE TABLE revisions ({_COLUMNS})")
        self._insert = f"INSERT INTO revisions VALUES ({', '.join('?' * 23)})"

    def write(self, number: int, made: Made) -> None:
        """Write one row; it is on disk when this returns."""
        digest = number.to_bytes(16, "big")
        at = 1_700_000_000_000_000 + number
        fields: dict[str, Any] = made.fields
        occurred = int(fields["valid_from"].timestamp() * 1e6)
        tags = str(fields["tags"]) if fields["tags"] else None
        row = (
            *(number, number, 1, 1, at, None, None, occurred, digest, digest, digest, occurred, None),
            *("semantic", fields["context"], None, fields["author"], tags, 0.5, 1.0, None, None, made.text),
        )
        self._connection.execute(self._insert, row)  # outside a transaction: commits by itself

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _single(corpus: Corpus, count: int, *, model: str, settled: bool = False) -> tuple[list[float], list[float]]:
    """Milliseconds of alternating writes of the two, so that other load on the machine affects both equally.

    `settled`: each memory is embedded, and the model's threads are idle, before the next one is written.
    """
    ours: list[float] = []
    bare: list[float] = []
    with fresh_folder() as folder, fresh_service(model=model) as service:
        table = BareTable(folder / "bare.db")
        for number, made in enumerate(corpus.memories(0, count + WARM_UP, 35, 45), 1):
            request = RememberRequest(text=made.text, **made.fields)
            started = time.perf_counter()
            table.write(number, made)
            between = time.perf_counter()
            receipt = service.carry_out(REMEMBER, request)
            ended = time.perf_counter()
            assert receipt.outcome is Outcome.STORED
            if number > WARM_UP:
                bare.append((between - started) * 1e3)
                ours.append((ended - between) * 1e3)
            if settled or (number == WARM_UP and model != "none"):
                assert service.settle(120)
                time.sleep(REST_SECONDS)
        table.close()
    return ours, bare


def _single_figures(case: str, ours: Sequence[float], bare: Sequence[float]) -> Iterator[Figure]:
    settings = {"memories": len(ours), "words": 40, "load": load_average()}
    for name, share, target in (("p50", 0.5, SINGLE_TARGET), ("p95", 0.95, None)):
        peer = Peer("INSERT+COMMIT", percentile(bare, share))
        yield Figure(f"write.single_durable_{name}.{case}", percentile(ours, share), "ms", peer, target, settings)


def _bulk(corpus: Corpus, count: int, threads: int, repeats: int) -> Figure:
    """Writes new texts each time: from the second time on the words are in the caches of the process, the texts are not."""
    seconds = [_bulk_once(list(corpus.memories(at * count, count, 35, 45)), threads) for at in range(repeats)]
    settings = {"memories": count, "words": 40, "batch": BATCH, "repeats": repeats, "load": load_average()}
    name = "write.bulk_searchable" + ("" if threads == 1 else f".{threads}_threads")
    return Figure(name, count / median(seconds), "memories/s", target=BULK_TARGET, settings=settings)


def _bulk_once(made: Sequence[Made], threads: int) -> float:
    """Seconds from the first write until lexical recall finds the last memory."""
    batches = [
        RememberManyRequest(memories=[Draft(text=one.text, **one.fields) for one in made[start : start + BATCH]])
        for start in range(0, len(made), BATCH)
    ]
    batches[-1].memories[-1].text += " zyzzyva"
    with fresh_service(model="none") as service:
        started = time.perf_counter()
        workers = [threading.Thread(target=_write, args=(service, batches[first::threads])) for first in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        answer = service.carry_out(RECALL, RecallRequest(query="zyzzyva", limit=1))
        seconds = time.perf_counter() - started
        assert answer.hits[0].memory.text.endswith(" zyzzyva"), "the last memory written was not found by its words"
        assert answer.searched.memories == len(made)
    return seconds


def _write(service: Service, batches: Sequence[RememberManyRequest]) -> None:
    for batch in batches:
        counts = service.carry_out(REMEMBER_MANY, batch).counts
        assert counts == {"stored": len(batch.memories)}
