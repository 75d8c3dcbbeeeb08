"""`neo4j.`: the store on a Neo4j server compared with SQLite's in the same run: durable bulk writes, and questions.

The server is the one of the tests (`scripts/neo4j`), with a separate folder; without its jars or Java the area is skipped and the
reason is shown. The queried store is copied once from the kept SQLite store of the same size.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ai_memory.operations.reading import RECALL, RecallRequest
from ai_memory.operations.writing import REMEMBER_MANY, Draft, RememberManyRequest
from ai_memory.service.service import Service
from ai_memory.settings import SecretStr, Settings
from ai_memory.wiring import migrate, open_service
from benchmarks.corpus import Corpus, Made
from benchmarks.figures import ROOT, Figure, Peer, Target, load_average, percentile
from benchmarks.peers import peer_program
from benchmarks.places import KEPT, MODEL, fresh_folder
from benchmarks.stores import store_of

sys.path.insert(0, str(ROOT / "scripts"))

from neo4j_server import LINES, Server, UnavailableError

LINE = LINES["newest"]
WRITE_TARGET = Target(">=", 1_000.0)
RECALL_TARGET = Target("<=", 25.0)
BATCH = 1_000
WARM_UP_BATCHES = 15
"""A newly started server interprets code that it compiles later, so its rate over the first seconds is too low."""
WARM_UP = 20
WARM_UP_OF_SERVER = 1_500
"""Questions of six reads each; during these a round trip to a new server falls from 3.6 ms to 0.9 ms."""


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of this area; none if the server is not available."""
    try:
        yield from _written(batches=10 if quick else 30)
        if MODEL.exists():
            yield from _asked(10_000 if quick else 100_000, questions=100 if quick else 300)
    except UnavailableError as error:
        print(f"neo4j is skipped: {error}", file=sys.stderr)


def _written(batches: int) -> Iterator[Figure]:
    with fresh_folder() as folder, _running(Server(LINE, folder), kept=False) as server:
        ours = _rate(_settings(server, folder), batches)
    with fresh_folder() as folder:
        sqlite = _rate(Settings(data_dir=folder, model="none", extract=False), batches)
    about = {"memories": batches * BATCH, "words": 40, "batch": BATCH, "server": LINE.version, "load": load_average()}
    yield Figure("neo4j.write_bulk", ours, "memories/s", Peer("SQLite", sqlite), WRITE_TARGET, about)
    with fresh_folder() as folder, _running(Server(LINE, folder), kept=False) as server:
        theirs = _graphiti(server, folder, batches)
    if theirs is not None:
        graphiti = Peer("graphiti-core", theirs["write_rate"])
        about |= {"peer_version": theirs["version"], "load": load_average()}
        yield Figure("neo4j.write_beside_graphiti", ours, "memories/s", graphiti, settings=about)


def _graphiti(server: Server, folder: Path, batches: int) -> dict[str, Any] | None:
    """graphiti-core's rate for the same texts on an empty server."""
    corpus = Corpus()
    texts = [[made.text for made in _made(corpus, number)] for number in range(WARM_UP_BATCHES + batches)]
    (folder / "batches.json").write_text(json.dumps(texts), encoding="utf-8")
    reached = {"uri": server.uri, "user": server.user, "password": server.password, "warm_up": WARM_UP_BATCHES}
    (folder / "server.json").write_text(json.dumps(reached), encoding="utf-8")
    return peer_program("graphiti-core>=0.31", "graphiti_peer.py", folder, "httpx")


def _rate(settings: Settings, batches: int) -> float:
    """Memories per second of one caller, each batch durable before the next is sent."""
    corpus = Corpus()
    service = open_service(settings)
    try:
        for number in range(WARM_UP_BATCHES):
            _remember(service, corpus, number)
        seconds = sum(_remember(service, corpus, WARM_UP_BATCHES + number) for number in range(batches))
    finally:
        service.close()
    return batches * BATCH / seconds


def _remember(service: Service, corpus: Corpus, number: int) -> float:
    drafts = [Draft(text=made.text, **made.fields) for made in _made(corpus, number)]
    started = time.perf_counter()
    counts = service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=drafts)).counts
    seconds = time.perf_counter() - started
    assert counts == {"stored": BATCH}
    return seconds


def _made(corpus: Corpus, number: int) -> Iterable[Made]:
    return corpus.memories(number * BATCH, BATCH, 35, 45)


def _asked(memories: int, questions: int) -> Iterator[Figure]:
    kept = store_of(memories)
    sqlite, expected = _answers(kept, questions, WARM_UP)
    with _copy_of(kept, memories) as settings:
        ours, answers = _answers(settings, questions, WARM_UP_OF_SERVER)
    same = sum(mine == its for mine, its in zip(answers, expected, strict=True))
    about: dict[str, Any] = {"memories": memories, "questions": questions, "same_answers": same, "load": load_average()}
    for name, share, target in (("p50", 0.5, RECALL_TARGET), ("p95", 0.95, None)):
        peer = Peer("SQLite", percentile(sqlite, share))
        yield Figure(
            f"neo4j.recall_{name}.{memories // 1000}k", percentile(ours, share), "ms", peer, target, settings=about
        )


def _answers(settings: Settings, questions: int, warm_up: int) -> tuple[list[float], list[str]]:
    """Milliseconds and answer hash of each question, after `warm_up` other questions."""
    corpus, times, hashes = Corpus(), list[float](), list[str]()
    service = open_service(settings)
    try:
        service.warm_up()
        for number in range(questions, questions + warm_up):
            service.carry_out(RECALL, RecallRequest(query=corpus.question(number)))
        for number in range(questions):
            request = RecallRequest(query=corpus.question(number))
            started = time.perf_counter()
            answer = service.carry_out(RECALL, request)
            times.append((time.perf_counter() - started) * 1e3)
            hashes.append(answer.answer_hash)
    finally:
        service.close()
    return times, hashes


@contextmanager
def _copy_of(kept: Settings, memories: int) -> Iterator[Settings]:
    """Settings of a database with the content of the SQLite store; its server runs during the block."""
    folder = KEPT / "neo4j" / f"{memories}"
    facts = folder / "made.json"
    wanted = {"version": LINE.version, "of": json.loads((kept.data_dir / "made.json").read_text())}
    known = json.loads(facts.read_text()) if facts.exists() else {}
    if known.get("wanted") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    with _running(Server(LINE, folder / "server", password=known.get("password", ""))) as server:
        settings = _settings(server, folder, model=str(MODEL))
        if not facts.exists():
            print(f"  copying {memories:,} memories into a database", file=sys.stderr)
            migrate(settings, str(kept.data_dir / "memory.db"), server.uri)
            descriptor = os.open(facts, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"wanted": wanted, "password": server.password}, file)
        yield settings


@contextmanager
def _running(server: Server, *, kept: bool = True) -> Iterator[Server]:
    """The started server; a database that is not kept is not shut down cleanly."""
    server.start()
    try:
        yield server
    finally:
        if kept:
            server.stop()
        else:
            server.kill()


def _settings(server: Server, folder: Path, model: str = "none") -> Settings:
    return Settings(
        data_dir=folder / "service",
        store=server.uri,
        store_password=SecretStr(server.password),
        model=model,
        extract=False,
    )
