"""What a route's function has at hand."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ai_memory.api.embeddings.engine import Asked, Made, embed
from ai_memory.embed.base import Cancellation, Engine


@dataclass(frozen=True, slots=True)
class Call:
    """One request that is being carried out."""

    engine: Engine
    cancellation: Cancellation
    version: str
    """The service's."""
    max_requests: int
    """Requests that the server takes on at once."""
    began: float = field(default_factory=time.perf_counter)

    def embed(self, asked: Asked) -> Made:
        """The vectors that were asked for; ends early when the caller goes away."""
        return embed(self.engine, asked, self.cancellation)

    @property
    def seconds(self) -> float:
        """Since the request came."""
        return time.perf_counter() - self.began
