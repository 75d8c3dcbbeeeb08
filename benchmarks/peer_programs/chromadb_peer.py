"""chromadb, run by its own Python: `chromadb_peer.py FOLDER`, with the texts and vectors in FOLDER. Prints figures as JSON."""

import json
import sys
import time
from pathlib import Path

import chromadb
import numpy as np
from chromadb.config import Settings

BATCH = 1_000
LIMIT = 10


def main(folder: Path) -> None:
    """Write everything in batches, then ask every question once."""
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "vectors.npy")
    questions = np.load(folder / "question_vectors.npy")
    client = chromadb.PersistentClient(str(folder / "chromadb"), settings=Settings(anonymized_telemetry=False))
    collection = client.create_collection("bench", metadata={"hnsw:space": "cosine"}, embedding_function=None)
    started = time.perf_counter()
    for first in range(0, len(texts), BATCH):
        ids = [str(number) for number in range(first, min(first + BATCH, len(texts)))]
        collection.add(
            ids=ids,
            documents=texts[first : first + BATCH],
            embeddings=vectors[first : first + BATCH],
            metadatas=[{"user": "u"}] * len(ids),
        )
    written = time.perf_counter() - started
    times, found = [], []
    for question in questions:
        started = time.perf_counter()
        answer = collection.query(query_embeddings=[question], n_results=LIMIT, include=["documents", "distances"])
        times.append((time.perf_counter() - started) * 1e3)
        found.append([int(name) for name in answer["ids"][0]])
    print(json.dumps({"version": chromadb.__version__, "write_s": written, "ms": times, "found": found}))


main(Path(sys.argv[1]))
