"""A real runtime that can be made to fail, to wait and to tell what it was asked: a fault injector, not a stand-in."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ai_memory.embed.base import Vectors
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.runtimes.base import Dtype, Runtime
from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import EmbedderError

PATIENCE = 30.0


class FaultyRuntime:
    """Wraps a runtime. Every pass is noted in `passes`; one with a token of `poison` raises `fault`."""

    def __init__(self, inner: Runtime, *, token_budget: int | None = None, alone_budget: int | None = None) -> None:
        self._inner = inner
        self._token_budget = token_budget or inner.token_budget
        self._alone_budget = alone_budget or token_budget or inner.alone_budget
        self.passes: list[list[tuple[int, ...]]] = []
        self.poison: set[int] = set()
        self.fault: Exception = EmbedderError("the device ran out of memory")
        self._open = threading.Event()
        self._open.set()
        self._entered = threading.Semaphore(0)

    @property
    def token_budget(self) -> int:
        return self._token_budget

    @property
    def alone_budget(self) -> int:
        return self._alone_budget

    @property
    def padded(self) -> bool:
        return self._inner.padded

    def forward(self, inputs: Sequence[Sequence[int]]) -> Vectors:
        self.passes.append([tuple(each) for each in inputs])
        self._entered.release()
        assert self._open.wait(PATIENCE), "the pass was never let go"
        if any(token in self.poison for each in inputs for token in each):
            raise self.fault
        return self._inner.forward(inputs)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Passes that begin inside the block do not end before it does."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def wait_for_pass(self) -> None:
        """Returns when a pass has begun that no earlier call waited for."""
        assert self._entered.acquire(timeout=PATIENCE), "no pass began"

    def close(self) -> None:
        self._inner.close()


def faulty_embedder(folder: ModelFolder) -> tuple[TransformerEmbedder, FaultyRuntime]:
    """An embedder in float32, and the runtime inside it."""
    runtime = FaultyRuntime(OpenVinoRuntime(folder, dtype=Dtype.FLOAT32))
    return TransformerEmbedder(folder, Dtype.FLOAT32, lambda: runtime), runtime


def plain_embedder(folder: ModelFolder) -> TransformerEmbedder:
    """The same without faults, to compare with."""
    return load_embedder(folder, dtype="float32")
