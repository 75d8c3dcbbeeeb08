"""chromadb and mem0 compared with this service: all get the same texts and the same MiniLM vectors, so that no model runs.

Each peer has a separate environment under `.cache/bench/peers`, created on demand; a peer that cannot be installed is skipped and
the reason is shown. Their telemetry is switched off and no proxy or key is passed on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ai_memory.clock import SystemClock
from ai_memory.embed.base import Task, Vectors
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.operations.reading import RECALL, RecallRequest
from ai_memory.operations.writing import REMEMBER, REMEMBER_MANY, Draft, RememberManyRequest, RememberRequest
from ai_memory.service.service import Service
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.types import EmbedderIdentity
from benchmarks.corpus import Corpus
from benchmarks.environments import environment_of
from benchmarks.figures import Figure, Peer, load_average, median
from benchmarks.places import KEPT, MODEL, fresh_folder

MEMORIES = 2_000
QUESTIONS = 200
BATCH = 1_000
_PROGRAMS = Path(__file__).with_name("peer_programs")
_RUN_SECONDS = 3_600


class Given(NamedTuple):
    """The input of all: vectors are float32 of unit length, shapes (texts, 384) and (questions, 384)."""

    texts: list[str]
    vectors: Vectors
    questions: list[str]
    question_vectors: Vectors


class GivenVectors:
    """An `Embedder` with precomputed vectors of these texts."""

    max_tokens = 256

    def __init__(self, identity: EmbedderIdentity, given: Given) -> None:
        self.identity = identity
        self._known = dict(zip(given.texts, given.vectors, strict=True))
        self._known.update(zip(given.questions, given.question_vectors, strict=True))

    def embed_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> Vectors:
        """The vectors of these texts, shape (len(texts), 384), float32. Raises KeyError for other texts."""
        del task
        return np.stack([self._known[text] for text in texts])

    def embed_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Vectors:
        """As `embed_queries`."""
        del titles
        return np.stack([self._known[text] for text in texts])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of words per text."""
        return [len(text.split()) for text in texts]

    def close(self) -> None:
        """Does nothing."""


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of this area; none if the model is missing."""
    if not MODEL.exists():
        print("peers are skipped: the model is missing; make bench downloads it", file=sys.stderr)
        return
    given, identity = _given(MEMORIES // 2 if quick else MEMORIES)
    peers = {name: _peer(package, program, given) for name, (package, program) in _PEERS.items()}
    if not any(peers.values()):
        return
    bulk_s, ours_ms, found = _ours(given, identity, batch=BATCH)
    single_s, _, _ = _ours(given, identity, batch=1)
    memories = len(given.texts)
    for name, peer in peers.items():
        if peer is None:
            continue
        seconds = bulk_s if name == "chromadb" else single_s
        settings = {
            "memories": memories,
            "peer_version": peer["version"],
            "batch": BATCH if name == "chromadb" else 1,
            "same_top_10": _agreement(found, peer["found"]),
            "load": load_average(),
        }
        write_peer = Peer(name, memories / peer["write_s"])
        yield Figure(f"write.beside_{name}", memories / seconds, "memories/s", write_peer, settings=settings)
        search_peer = Peer(name, median(peer["ms"]))
        yield Figure(f"recall.beside_{name}_p50", median(ours_ms), "ms", search_peer, settings=settings)


_PEERS = {"chromadb": ("chromadb>=1.0", "chromadb_peer.py"), "mem0": ("mem0ai>=1.0", "mem0_peer.py")}


def _ours(given: Given, identity: EmbedderIdentity, *, batch: int) -> tuple[float, list[float], list[list[int]]]:
    """Seconds until all are written and found semantically, milliseconds of each question, and the hits of each."""
    numbers = {text: number for number, text in enumerate(given.texts)}
    with fresh_folder() as folder:
        store = open_sqlite_store(folder / "memory.db", clock=SystemClock())
        service = Service(store, lambda _: GivenVectors(identity, given))
        service.warm_up()
        started = time.perf_counter()
        for first in range(0, len(given.texts), batch):
            drafts = given.texts[first : first + batch]
            if batch == 1:
                service.carry_out(REMEMBER, RememberRequest(text=drafts[0]))
            else:
                service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=[Draft(text=text) for text in drafts]))
        assert service.settle(600)
        service.carry_out(RECALL, RecallRequest(query=given.questions[0]))
        written = time.perf_counter() - started
        times, found = [], []
        for question in given.questions:
            request = RecallRequest(query=question, recipe="meaning", limit=10)
            started = time.perf_counter()
            answer = service.carry_out(RECALL, request)
            times.append((time.perf_counter() - started) * 1e3)
            found.append([numbers[hit.memory.text] for hit in answer.hits])
        service.close()
    return written, times, found


def _agreement(ours: list[list[int]], theirs: list[list[int]]) -> float:
    """The share of the peer's ten nearest that this service also found."""
    shares = [len(set(mine) & set(other)) / len(other) for mine, other in zip(ours, theirs, strict=True)]
    return round(sum(shares) / len(shares), 3)


def _given(memories: int) -> tuple[Given, EmbedderIdentity]:
    """Texts and questions with MiniLM's vectors, computed once and cached."""
    corpus = Corpus()
    texts = [made.text for made in corpus.memories(0, memories)]
    questions = [corpus.question(number) for number in range(QUESTIONS)]
    embedder = load_embedder(read_model_folder(MODEL))
    kept = KEPT / "peers" / f"vectors-{memories}.npz"
    if not kept.exists():
        print(f"  {memories:,} vectors for the peers are being made", file=sys.stderr, flush=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, texts=embedder.embed_documents(texts), questions=embedder.embed_queries(questions))
    with np.load(kept) as vectors:
        given = Given(texts, vectors["texts"], questions, vectors["questions"])
    identity = embedder.identity
    embedder.close()
    return given, identity


def _peer(package: str, program: str, given: Given) -> dict[str, Any] | None:
    """The peer's measurements, or None, with the reason printed."""
    with fresh_folder() as folder:
        (folder / "texts.json").write_text(json.dumps(given.texts), encoding="utf-8")
        (folder / "questions.json").write_text(json.dumps(given.questions), encoding="utf-8")
        np.save(folder / "vectors.npy", given.vectors)
        np.save(folder / "question_vectors.npy", given.question_vectors)
        return peer_program(package, program, folder)


def peer_program(package: str, program: str, folder: Path, *more: str) -> dict[str, Any] | None:
    """The measurements of a peer's program on `folder`, or None, with the reason printed; `more` has further packages."""
    try:
        python = environment_of(package, *more)
        words = [str(python), str(_PROGRAMS / program), str(folder)]
        done = subprocess.run(
            words, env=_quiet(folder), cwd=folder, capture_output=True, text=True, check=True, timeout=_RUN_SECONDS
        )
    except subprocess.SubprocessError as error:
        lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        print(f"{package} is skipped: {lines[-1] if lines else error}", file=sys.stderr)
        return None
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _quiet(folder: Path) -> dict[str, str]:
    """Environment variables with which the peers send no telemetry and keep their files in `folder`."""
    switched_off = {
        "ANONYMIZED_TELEMETRY": "False",
        "MEM0_TELEMETRY": "False",
        "GRAPHITI_TELEMETRY_ENABLED": "false",
        "POSTHOG_DISABLED": "1",
        "HF_HUB_OFFLINE": "1",
        "DO_NOT_TRACK": "1",
    }
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, **switched_off, "HOME": str(folder), "MEM0_DIR": str(folder / "mem0")}
