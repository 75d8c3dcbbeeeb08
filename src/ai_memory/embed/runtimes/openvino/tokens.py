"""Token vectors of a BERT, from a separately compiled model, so that the vectors of whole texts keep their exact bits.

Importing this module imports openvino (0.15 s), so it is imported only when token vectors are needed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.bert import build_bert_tokens
from ai_memory.embed.runtimes.openvino.runtime import Compiled, ov, properties_of
from ai_memory.embed.runtimes.tuning import UNMEASURED
from ai_memory.errors import EmbedderError


class OpenVinoTokens:
    """A compiled model of token states, float32 on the CPU. One call at a time."""

    def __init__(self, folder: ModelFolder, *, threads: int = 0) -> None:
        """Build and compile. Raises ModelFilesError if the weights do not match, EmbedderUnavailableError if it cannot run."""
        built = build_bert_tokens(folder, operations.linear)
        self._compiled = Compiled(ov.Core(), folder, built, properties_of(Dtype.FLOAT32, threads))
        if built.release is not None:
            built.release()

    def read(self, inputs: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """For each input of token ids, none empty, in order: unit vectors of its tokens, shape (tokens, width), float32.

        No inputs give []. Raises EmbedderError if a pass fails or gives a value that is not finite.
        """
        found: dict[int, NDArray[np.float32]] = {}
        waiting = sorted(range(len(inputs)), key=lambda at: len(inputs[at]))
        while waiting:
            # Longest first, each with those nearest in length, so that little is padded.
            longest = len(inputs[waiting[-1]])
            count = max(1, UNMEASURED // longest)
            batch, waiting = waiting[-count:], waiting[:-count]
            for at, states in zip(batch, self._forward([inputs[at] for at in batch]), strict=True):
                own = states[: len(inputs[at])]
                found[at] = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
        return [found[at] for at in range(len(inputs))]

    def _forward(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        states = self._compiled.run(inputs)
        if not np.isfinite(states).all():
            raise EmbedderError("the forward pass gave values that are not finite")
        return states
