"""`embed.`: the small model, as the service uses it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import read_model_folder
from benchmarks.corpus import Corpus
from benchmarks.figures import Figure, load_average, median, percentile
from benchmarks.places import MODEL


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of this area; none if the model is missing."""
    if not MODEL.exists():
        return
    corpus = Corpus()
    started = time.perf_counter()
    embedder = load_embedder(read_model_folder(MODEL))
    embedder.embed_queries(["warm"])
    yield Figure("embed.load", time.perf_counter() - started, "s", settings={"load": load_average()})
    seconds = []
    for number in range(50 if quick else 200):
        question = corpus.question(number)
        started = time.perf_counter()
        embedder.embed_queries([question])
        seconds.append((time.perf_counter() - started) * 1e3)
    settings = {"questions": len(seconds), "load": load_average()}
    yield Figure("embed.query_p50", median(seconds), "ms", settings=settings)
    yield Figure("embed.query_p95", percentile(seconds, 0.95), "ms", settings=settings)
    texts = [made.text for made in corpus.memories(0, 256 if quick else 512, 35, 45)]
    started = time.perf_counter()
    for first in range(0, len(texts), 64):
        embedder.embed_documents(texts[first : first + 64])
    rate = len(texts) / (time.perf_counter() - started)
    yield Figure("embed.documents", rate, "texts/s", settings={"words": 40, "batch": 64, "load": load_average()})
    embedder.close()
