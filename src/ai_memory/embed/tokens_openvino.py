"""What a BERT makes of every token, in a model compiled for that alone: the vectors of whole texts stay as they are to the bit.

Importing this module imports openvino (0.15 s), so it is imported where tokens are read and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed import graph
from ai_memory.embed.bert_graph import build_bert_tokens
from ai_memory.embed.folder import ModelFolder
from ai_memory.embed.openvino_import import KEPT_SHAPES, import_openvino
from ai_memory.errors import EmbedderError, EmbedderUnavailableError

ov, _ = import_openvino()

_TOKEN_BUDGET = 512


class OpenVinoTokens:
    """One compiled model, float32 on the CPU. One call at a time."""

    def __init__(self, folder: ModelFolder, *, threads: int = 0) -> None:
        """Build and compile. Raises ModelFilesError for weights that do not fit, EmbedderUnavailableError where it cannot run."""
        built = build_bert_tokens(folder, graph.linear)
        properties: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "CPU_RUNTIME_CACHE_CAPACITY": KEPT_SHAPES,
        }
        if threads:
            properties["INFERENCE_NUM_THREADS"] = threads
        try:
            self._request = ov.Core().compile_model(built.model, "CPU", properties).create_infer_request()
        except RuntimeError as error:
            raise EmbedderUnavailableError(
                f"OpenVINO cannot compile {folder.name}: {error}", model=folder.name
            ) from error
        self._feed = built.feed

    def read(self, inputs: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """A unit vector a token for each input of token ids, none empty, in order; float32, shape (tokens, width).

        Raises EmbedderError where a pass fails or gives a value that is not finite.
        """
        found: dict[int, NDArray[np.float32]] = {}
        waiting = sorted(range(len(inputs)), key=lambda at: len(inputs[at]))
        while waiting:
            longest = len(inputs[waiting[-1]])
            count = max(1, _TOKEN_BUDGET // longest)
            batch, waiting = waiting[-count:], waiting[:-count]
            for at, states in zip(batch, self._forward([inputs[at] for at in batch]), strict=True):
                own = states[: len(inputs[at])]
                found[at] = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
        return [found[at] for at in range(len(inputs))]

    def _forward(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        try:
            result = self._request.infer(dict(self._feed(inputs)), share_inputs=True)
        except RuntimeError as error:
            raise EmbedderError(f"the forward pass failed: {error}", lengths=[len(each) for each in inputs]) from error
        states = np.array(result[0], dtype=np.float32)
        if not np.isfinite(states).all():
            raise EmbedderError("the forward pass gave values that are not finite numbers")
        return states
