"""The CPU runtime: a graph of ours, compiled by OpenVINO.

Importing this module imports openvino (0.15 s), so it is imported where a model is loaded and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ai_memory.embed.base import Vectors
from ai_memory.embed.bert import build_bert
from ai_memory.embed.folder import ModelFolder
from ai_memory.embed.openvino_import import import_openvino
from ai_memory.embed.runtime import Dtype
from ai_memory.errors import EmbedderError, EmbedderUnavailableError

ov, _ = import_openvino()

GRAPHS: Mapping[str, Callable[[ModelFolder], Any]] = {"bert": build_bert}
"""Who builds the graph of each architecture; `known.RUNNABLE` names the same ones without importing openvino."""

_TOKEN_BUDGET = 512
_PRECISION = {Dtype.FLOAT32: "f32", Dtype.BFLOAT16: "bf16"}


class OpenVinoRuntime:
    """One compiled model on the CPU."""

    def __init__(self, folder: ModelFolder, *, dtype: Dtype, threads: int = 0, cache_dir: Path | None = None) -> None:
        """Build and compile. `threads` 0 leaves the number to OpenVINO (one a core); `cache_dir` keeps the compiled model.

        Raises ModelFilesError where the folder's weights are not what its configuration promises, and
        EmbedderUnavailableError where this machine cannot run it.
        """
        core = ov.Core()
        if dtype is Dtype.BFLOAT16 and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise EmbedderUnavailableError(
                "this processor has no bfloat16 arithmetic",
                hint="set the embedder's dtype to float32",
                dtype=str(dtype),
            )
        model = GRAPHS[folder.architecture](folder)
        try:
            self._request = core.compile_model(
                model, "CPU", _properties(dtype, threads, cache_dir)
            ).create_infer_request()
        except RuntimeError as error:
            raise EmbedderUnavailableError(
                f"OpenVINO cannot compile {folder.name}: {error}", model=folder.name
            ) from error
        self._dimension = folder.dimension

    @property
    def token_budget(self) -> int:
        """Measured on two cores: larger passes spill the processor's caches (docs/embedder.md)."""
        return _TOKEN_BUDGET

    def forward(self, inputs: Sequence[Sequence[int]]) -> Vectors:
        """One unit vector an input, shape (len(inputs), dimension)."""
        ids = np.zeros((len(inputs), max(map(len, inputs))), np.int32)
        mask = np.zeros(ids.shape, np.float32)
        for row, tokens in enumerate(inputs):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1.0
        try:
            result = self._request.infer({"ids": ids, "mask": mask}, share_inputs=True)
        except RuntimeError as error:
            raise EmbedderError(f"the forward pass failed: {error}", shape=list(ids.shape)) from error
        vectors: Vectors = np.array(result[0], dtype=np.float32, order="C")
        if vectors.shape != (len(inputs), self._dimension) or not np.isfinite(vectors).all():
            raise EmbedderError(
                f"the forward pass gave {vectors.shape} values, not all of them finite numbers",
                hint="delete the model's folder and run: ai-memory model fetch minilm",
                shape=list(vectors.shape),
            )
        return vectors

    def close(self) -> None:
        """Free the weights."""
        del self._request


def _properties(dtype: Dtype, threads: int, cache_dir: Path | None) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        # Said in so many words, because OpenVINO otherwise takes the narrowest type that the processor has.
        "INFERENCE_PRECISION_HINT": _PRECISION[dtype],
    }
    if threads:
        properties["INFERENCE_NUM_THREADS"] = threads
    if cache_dir is not None:
        properties["CACHE_DIR"] = str(cache_dir)
    return properties
