"""Making all vectors anew with another embedder, beside the active ones, and switching when they are complete."""

from __future__ import annotations

from collections.abc import Callable

from ai_memory.embed.base import Embedder
from ai_memory.errors import EmbedderUnavailableError
from ai_memory.service.paying import BATCH, vectors_of
from ai_memory.store.base import Store


def reembed_store(store: Store, embedder: Embedder | None, progress: Callable[[int, int], None] | None = None) -> int:
    """Pay everything that a new generation owes, then activate it; returns how many revisions were embedded now.

    Raises EmbedderUnavailableError without a model. What was paid before an interruption stays paid.
    """
    if embedder is None:
        raise EmbedderUnavailableError("there is no embedding model to make vectors with", hint="ai-memory model fetch")
    generation = store.create_generation(embedder.identity, activate=False)
    total, done = store.owed_count(generation.id), 0
    while batch := store.owed(generation.id, limit=BATCH):
        store.pay(generation.id, vectors_of(embedder, batch), [revision.key for revision in batch])
        done += len(batch)
        if progress is not None:
            progress(done, max(total, done))
    store.activate_generation(generation.id)
    return done
