"""Stores of a given size, created once and kept: plausible texts, and synthetic vectors.

Embedding a million texts takes hours. Their vectors are drawn around the centres of topics instead, with the model's identity,
so that the service treats them as embedded; the measured operations do the same work as with real vectors.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from ai_memory.clock import SystemClock
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.operations.writing import Draft
from ai_memory.service.handlers.drafts import to_remember
from ai_memory.settings import Settings
from ai_memory.store.base import Command, Store, Stored, VectorRow
from ai_memory.wiring import open_service, open_store
from benchmarks.corpus import Corpus
from benchmarks.places import KEPT, MODEL

VERSION = 1
"""Changes when stores are built differently; stores of another version are rebuilt."""
BATCH = 2_000
_FACTS = "made.json"


def store_of(memories: int, *, shelves: int = 0) -> Settings:
    """Settings of a kept store with `memories` memories, created if it is missing; with `shelves`, each is on one of so many.

    The shelf is an attribute, and so is the place on it, which no other memory has.

    This version of the program saves its index in the same folder: an index of an earlier version would be rebuilt at opening.
    """
    folder = KEPT / "stores" / (f"{memories}-{shelves}" if shelves else f"{memories}")
    facts = folder / _FACTS
    wanted = {"version": VERSION, "memories": memories}
    settings = Settings(data_dir=folder, model=str(MODEL))
    if not facts.exists() or json.loads(facts.read_text()) != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _make(settings, memories, shelves)
        facts.write_text(json.dumps(wanted))
    service = open_service(settings)
    service.warm_up()
    service.close()
    return settings


def _make(settings: Settings, memories: int, shelves: int) -> None:
    corpus = Corpus()
    started = time.perf_counter()
    store = open_store(settings, SystemClock())
    embedder = load_embedder(read_model_folder(MODEL))
    generation = store.create_generation(embedder.identity, activate=True)
    for first in range(0, memories, BATCH):
        _add(store, corpus, generation.id, first, min(BATCH, memories - first), shelves)
        _tell(f"{first + BATCH:,} of {memories:,} memories", started)
    store.close()


def _add(store: Store, corpus: Corpus, generation: int, first: int, count: int, shelves: int) -> None:
    clock = SystemClock()
    drafts = [
        Draft(text=made.text, **made.fields, attributes={"shelf": at % shelves, "place": at} if shelves else {})
        for at, made in enumerate(corpus.memories(first, count), first)
    ]
    commands: list[Command] = [to_remember(draft, "default", clock.now(), reinstate=False) for draft in drafts]
    keys = [result.sequence for result in store.write(commands) if isinstance(result, Stored)]
    vectors = corpus.vectors(first, len(keys))
    rows = [VectorRow(key=key, passage=0, vector=vector) for key, vector in zip(keys, vectors, strict=True)]
    store.put_vectors(generation, rows, keys)


def _tell(done: str, started: float) -> None:
    print(f"  making a store: {done}, {time.perf_counter() - started:.0f} s", end="\n", file=sys.stderr, flush=True)


def bytes_in(folder: Path, pattern: str) -> int:
    """Total bytes of the files in `folder` and below whose paths match."""
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())
