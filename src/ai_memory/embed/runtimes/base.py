"""The contract of a runtime: token ids in, unit vectors out. One forward pass at a time."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from ai_memory.embed.base import Vectors


class Dtype(StrEnum):
    """What a runtime computes in. There is no float16: some models overflow in it without a word."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"
    """Weights of the layers in 8 bits, symmetric, one scale an output value; the rest in bfloat16 or float32."""


class Runtime(Protocol):
    """A model that has been loaded. Not thread-safe: the scheduler runs one pass at a time."""

    @property
    def token_budget(self) -> int:
        """Tokens of one pass, padding included, above which others would wait for little gain."""
        ...

    @property
    def alone_budget(self) -> int:
        """The same where nobody waits for the pass to end; `token_budget` at least."""
        ...

    @property
    def padded(self) -> bool:
        """Whether each input of a pass costs what the longest costs. Where it does not, inputs of any lengths go together."""
        ...

    def forward(self, inputs: Sequence[Sequence[int]]) -> Vectors:
        """One unit vector an input, in order; shape (len(inputs), dimension). `inputs` and every input are not empty.

        Raises EmbedderError where the pass fails or gives a value that is not finite.
        """
        ...

    def close(self) -> None:
        """Free the weights; no pass may follow."""
        ...
