"""What a route's function is given besides its request."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ai_memory.api.embeddings.engine import EmbeddingInput, EmbeddingResult, embed
from ai_memory.embed.base import Cancellation, Engine


@dataclass(frozen=True, slots=True)
class Call:
    """One request in progress."""

    engine: Engine
    cancellation: Cancellation
    version: str
    """The service's."""
    max_requests: int
    """The most requests that the server accepts at once."""
    began: float = field(default_factory=time.perf_counter)

    def embed(self, given: EmbeddingInput) -> EmbeddingResult:
        """The requested vectors; ends early when the client disconnects."""
        return embed(self.engine, given, self.cancellation)

    @property
    def seconds(self) -> float:
        """Since the request arrived."""
        return time.perf_counter() - self.began
