"""An embedder whose vectors can be cut, that counts what it is asked for: hashed n-grams, with 64, 32 and 16 values."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ai_memory.embed.base import Embedder, Task, Vectors
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.embed.matryoshka import at_dimension
from ai_memory.errors import EmbedderError, MemoryServiceError
from ai_memory.operations.base import parse
from ai_memory.operations.generations import (
    GENERATIONS,
    REEMBED,
    Build,
    Generations,
    GenerationsRequest,
    ReembedRequest,
)
from ai_memory.service.background.embedder import Choice, fitting
from ai_memory.service.service import Service
from ai_memory.types import EmbedderIdentity

WHOLE = 64


class CuttingEmbedder:
    """A real embedder; `documents` counts the texts it embedded, `fails_on` are words that it cannot embed."""

    def __init__(self, dimensions: tuple[int, ...] = (WHOLE, 32, 16)) -> None:
        self._inner = HashingEmbedder(dimensions[0])
        self.dimensions = dimensions
        self.documents = 0
        self.fails_on: set[str] = set()

    @property
    def identity(self) -> EmbedderIdentity:
        return self._inner.identity

    @property
    def max_tokens(self) -> int:
        return self._inner.max_tokens

    def embed_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> Vectors:
        return self._inner.embed_queries(texts, task)

    def embed_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Vectors:
        if any(word in text for word in self.fails_on for text in texts):
            raise EmbedderError("the device ran out of memory")
        self.documents += len(texts)
        return self._inner.embed_documents(texts, titles)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._inner.count_tokens(texts)

    def close(self) -> None:
        self._inner.close()


class Shelf:
    """The embedders that a test's service may use: a cutting one, and `hashing` at any other dimension."""

    def __init__(self) -> None:
        self.whole = CuttingEmbedder()

    def of_store(self, pinned: EmbedderIdentity | None) -> Embedder | None:
        whole: Embedder = self.whole
        if pinned is None:
            return whole
        return fitting(whole, pinned) or HashingEmbedder(pinned.dimension)

    def chosen(self, choice: Choice, pinned: EmbedderIdentity | None) -> Embedder | None:
        del pinned
        if choice.model == "hashing":
            return HashingEmbedder(choice.dimension or 48)
        return None if choice.model == "absent" else at_dimension(self.whole, choice.dimension or WHOLE)


def reembed(service: Service, **values: object) -> Generations:
    """The operation, with its request checked as every surface checks it."""
    return service.carry_out(REEMBED, parse(ReembedRequest, values))


def status(service: Service) -> Build:
    """The latest build, which there must be."""
    build = service.carry_out(GENERATIONS, GenerationsRequest()).build
    assert build is not None
    return build


def wait_for(service: Service, *states: str, seconds: float = 60.0) -> Build:
    """The build once it is in one of the states (one that has ended, where none is named)."""
    wanted = states or ("done", "cancelled", "failed", "ready")
    return until(lambda: status(service), lambda build: build.state in wanted, seconds)


def until(ask: Callable[[], Build], enough: Callable[[Build], bool], seconds: float = 60.0) -> Build:
    """What `ask` says once that is enough."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            said = ask()
        except MemoryServiceError:
            said = ask()
        if enough(said):
            return said
        time.sleep(0.02)
    raise AssertionError(f"it came to no more than {ask()}")
