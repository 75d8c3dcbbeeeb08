"""The contract of a runtime: token ids in, unit vectors out, one forward pass at a time."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from ai_memory.embed.base import Vectors


class Dtype(StrEnum):
    """The number type of a runtime's arithmetic. There is no float16: EmbeddingGemma's activations overflow in it silently."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"
    """The layers' weights in 8 bits, symmetric, one scale per output value; the rest in bfloat16 or float32."""


class Runtime(Protocol):
    """A loaded model. Not thread-safe: the scheduler runs one pass at a time."""

    @property
    def token_budget(self) -> int:
        """Tokens per pass, padding included; a longer pass would gain little and make other callers wait."""
        ...

    @property
    def alone_budget(self) -> int:
        """Tokens per pass if no other caller waits; at least `token_budget`."""
        ...

    @property
    def padded(self) -> bool:
        """Whether each input of a pass costs as much as the longest one. If not, inputs of any lengths go together."""
        ...

    def forward(self, inputs: Sequence[Sequence[int]]) -> Vectors:
        """One unit vector per input, in order: shape (len(inputs), dimension), float32. Neither `inputs` nor any input is empty.

        Raises EmbedderError if the pass fails or gives a value that is not finite.
        """
        ...

    def close(self) -> None:
        """Free the weights; `forward` must not be called after this."""
        ...
