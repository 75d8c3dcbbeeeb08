"""Handlers that tell how the service is doing."""

from __future__ import annotations

from collections.abc import Iterator

from ai_memory import __version__
from ai_memory.errors import MemoryServiceError, StoreError
from ai_memory.operations.watching import Health, HealthRequest, Part, Stats, StatsRequest
from ai_memory.service.parts import Parts


def stats(parts: Parts, request: StatsRequest) -> Stats:
    """Counts of what is stored and what is owed."""
    counts = parts.store.stats(request.namespace)
    generation = parts.slot.generation()
    return Stats(
        namespace=request.namespace,
        memories=counts.memories,
        revisions=counts.revisions,
        retired=counts.retired,
        relations=counts.relations,
        entities=counts.entities,
        tombstones=counts.tombstones,
        owed=counts.owed if generation else counts.revisions,
        by_type=counts.by_type,
        embedder=generation.embedder if generation else None,
        store=parts.store.location,
        sequence=parts.store.sequence(),
        index_bytes=parts.follower.bytes_used(),
    )


def health(parts: Parts, request: HealthRequest) -> Health:
    """Which parts work; asks the store, but loads nothing."""
    del request
    found = (_store(parts), _embedder(parts), *_vectors(parts))
    return Health(
        live=True,
        ready=found[0].state == "ok",
        degraded=tuple(part.name for part in found if part.state in ("degraded", "failed")),
        parts=found,
        version=__version__,
    )


def _store(parts: Parts) -> Part:
    try:
        sequence = parts.store.sequence()
    except StoreError as error:
        return Part(name="store", state="failed", message=error.message, mend=error.hint)
    return Part(name="store", state="ok", message=f"{parts.store.location}, {sequence} changes")


def _embedder(parts: Parts) -> Part:
    state, error = parts.slot.state, parts.slot.error
    generation = parts.slot.generation()
    if state == "ready":
        message = f"{generation.embedder.model}, {generation.embedder.dimension} dimensions" if generation else "ready"
        if error is not None:
            return Part(name="embedder", state="degraded", message=f"{message}; last failure: {error.message}")
        return Part(name="embedder", state="ok", message=message)
    if state == "loading":
        return Part(name="embedder", state="loading", message="the model is being loaded; recall works by words alone")
    if state == "disabled":
        return Part(
            name="embedder", state="degraded", message="switched off (model = none); recall works by words alone"
        )
    if error is not None:
        return Part(name="embedder", state="failed", message=error.message, mend=error.hint)
    if state == "idle":
        message = (
            f"{generation.embedder.model}, loaded at the first use" if generation else "looked for at the first use"
        )
        return Part(name="embedder", state="ok", message=message)
    return Part(
        name="embedder",
        state="degraded",
        message="no model; recall works by words alone",
        mend="ai-memory model fetch",
    )


def _vectors(parts: Parts) -> Iterator[Part]:
    try:
        owed = parts.payer.owed()
    except MemoryServiceError:
        return
    if owed:
        yield Part(name="vectors", state="loading", message=f"{owed} revisions cannot be found by meaning yet")
    else:
        yield Part(name="vectors", state="ok", message="nothing is owed")
