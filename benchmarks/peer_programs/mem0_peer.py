"""mem0 without a language model, run by its own Python: `mem0_peer.py FOLDER`. Prints figures as JSON.

`infer=False` stores each text unchanged, with the given vectors, in mem0's default store (Qdrant, embedded, on disk).
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from mem0 import Memory

LIMIT = 10


class GivenVectors:
    """An embedder with precomputed vectors of these texts."""

    def __init__(self, vectors: dict[str, list[float]]) -> None:
        self._vectors = vectors

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        """The vector of one text."""
        del memory_action
        return self._vectors[text]

    def embed_batch(self, texts: list[str], memory_action: str | None = None) -> list[list[float]]:
        """The vectors of several."""
        del memory_action
        return [self._vectors[text] for text in texts]


def main(folder: Path) -> None:
    """Write all texts one by one, as its interface requires, then ask every question once."""
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    questions = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    known = dict(zip(texts, np.load(folder / "vectors.npy").tolist(), strict=True))
    known.update(zip(questions, np.load(folder / "question_vectors.npy").tolist(), strict=True))
    store = {"collection_name": "bench", "path": str(folder / "qdrant"), "embedding_model_dims": 384, "on_disk": True}
    unused = {"provider": "openai", "config": {"api_key": "none: nothing is ever asked of it"}}
    memory = Memory.from_config(
        {
            "vector_store": {"provider": "qdrant", "config": store},
            "embedder": unused,
            "llm": unused,
            "history_db_path": str(folder / "mem0-history.db"),
        }
    )
    memory.embedding_model = GivenVectors(known)
    numbers = {text: number for number, text in enumerate(texts)}
    started = time.perf_counter()
    for text in texts:
        memory.add(text, user_id="u", infer=False)
    written = time.perf_counter() - started
    times, found = [], []
    for question in questions:
        started = time.perf_counter()
        answer = memory.search(question, filters={"user_id": "u"}, top_k=LIMIT, threshold=0.0)
        times.append((time.perf_counter() - started) * 1e3)
        found.append([numbers[hit["memory"]] for hit in answer["results"]])
    print(json.dumps({"version": version("mem0ai"), "write_s": written, "ms": times, "found": found}))


main(Path(sys.argv[1]))
