"""What a BERT makes of every token, in a model compiled for that alone: the vectors of whole texts stay as they are to the bit.

Importing this module imports openvino (0.15 s), so it is imported where tokens are read and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.bert import build_bert_tokens
from ai_memory.embed.runtimes.openvino.runtime import TOKEN_BUDGET, Compiled, ov, properties_of
from ai_memory.errors import EmbedderError


class OpenVinoTokens:
    """One compiled model, float32 on the CPU. One call at a time."""

    def __init__(self, folder: ModelFolder, *, threads: int = 0) -> None:
        """Build and compile. Raises ModelFilesError for weights that do not fit, EmbedderUnavailableError where it cannot run."""
        built = build_bert_tokens(folder, operations.linear)
        self._compiled = Compiled(ov.Core(), folder, built, properties_of(Dtype.FLOAT32, threads))

    def read(self, inputs: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """A unit vector a token for each input of token ids, none empty, in order; float32, shape (tokens, width).

        Raises EmbedderError where a pass fails or gives a value that is not finite.
        """
        found: dict[int, NDArray[np.float32]] = {}
        waiting = sorted(range(len(inputs)), key=lambda at: len(inputs[at]))
        while waiting:
            longest = len(inputs[waiting[-1]])
            count = max(1, TOKEN_BUDGET // longest)
            batch, waiting = waiting[-count:], waiting[:-count]
            for at, states in zip(batch, self._forward([inputs[at] for at in batch]), strict=True):
                own = states[: len(inputs[at])]
                found[at] = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
        return [found[at] for at in range(len(inputs))]

    def _forward(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        states = self._compiled.run(inputs)
        if not np.isfinite(states).all():
            raise EmbedderError("the forward pass gave values that are not finite numbers")
        return states
