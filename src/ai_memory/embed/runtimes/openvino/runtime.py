"""The CPU runtime: a graph of ours, compiled by OpenVINO.

Importing this module imports openvino (0.15 s), so it is imported where a model is loaded and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.base import Vectors
from ai_memory.embed.models.folder import FETCH_AGAIN, ModelFolder
from ai_memory.embed.models.weights import forget_pages
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.bert import build_bert
from ai_memory.embed.runtimes.openvino.gemma import build_gemma
from ai_memory.embed.runtimes.openvino.importing import KEPT_SHAPES, import_openvino
from ai_memory.embed.runtimes.openvino.int8 import linear_int8
from ai_memory.embed.runtimes.openvino.onnx import build_onnx
from ai_memory.embed.runtimes.openvino.operations import Graph, Linear
from ai_memory.embed.runtimes.processor import has_int8_products
from ai_memory.errors import EmbedderError, EmbedderUnavailableError

ov, _ = import_openvino()

GRAPHS: Mapping[str, Callable[[ModelFolder, Linear], Graph]] = {"bert": build_bert, "gemma3_text": build_gemma}
"""Who builds the graph of each architecture; `known.RUNNABLE` names the same ones without importing openvino."""

TOKEN_BUDGET = 512
PACKED_ALONE_BUDGET = 2_048
"""As long as EmbeddingGemma's longest input, whose pass takes that long anyway. Since the weights are read less often, it is 3 to
8 % faster than passes of 512."""
PRECISION = {Dtype.FLOAT32: "f32", Dtype.BFLOAT16: "bf16"}
"""OpenVINO's names."""
_INT8_GROUP = "384"
"""Values of an input that share a scale when the runtime quantises it; measured fastest for these widths."""


class Compiled:
    """A graph that OpenVINO has compiled for the CPU. One pass at a time."""

    def __init__(
        self, core: Any, folder: ModelFolder, built: Graph, properties: dict[str, Any], kept_in: Path | None = None
    ) -> None:
        """Compile, or take what `kept_in` keeps of a former time; older compilations of the model are deleted from there.

        Raises EmbedderUnavailableError where this machine cannot run the graph.
        """
        if kept_in is not None:
            # OpenVINO numbers an output without a name through the process, and what it kept is found by the names too.
            built.model.outputs[0].get_tensor().set_names({"vectors"})
            properties = {**properties, "CACHE_DIR": str(kept_in)}
        before = _blobs(kept_in)
        try:
            self._request = core.compile_model(built.model, "CPU", properties).create_infer_request()
        except RuntimeError as error:
            raise EmbedderUnavailableError(
                f"OpenVINO cannot compile {folder.name}: {error}", model=folder.name
            ) from error
        self._feed = built.feed
        if before < _blobs(kept_in):
            for outdated in before:
                outdated.unlink(missing_ok=True)

    def run(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """What the graph gives for inputs of token ids, none empty; a new array. Raises EmbedderError where the pass fails."""
        try:
            result = self._request.infer(dict(self._feed(inputs)), share_inputs=True)
        except RuntimeError as error:
            lengths = [len(each) for each in inputs]
            raise EmbedderError(f"the forward pass failed: {error}", lengths=lengths) from error
        return np.array(result[0], dtype=np.float32, order="C")


class OpenVinoRuntime:
    """One compiled model on the CPU."""

    def __init__(self, folder: ModelFolder, *, dtype: Dtype, threads: int = 0, cache_dir: Path | None = None) -> None:
        """Build and compile. `threads` 0 leaves the number to OpenVINO (one a core); `cache_dir` keeps the compiled model.

        Raises ModelFilesError where the folder's weights are not what its configuration promises, and
        EmbedderUnavailableError where this machine cannot run it.
        """
        core = ov.Core()
        has_bfloat16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if dtype is Dtype.BFLOAT16 and not has_bfloat16:
            raise EmbedderUnavailableError(
                "this processor has no bfloat16 arithmetic",
                hint="set the embedder's dtype to float32",
                dtype=str(dtype),
            )
        built = _build(folder, linear_int8() if dtype is Dtype.INT8 else operations.linear)
        properties = properties_of(dtype, threads)
        if dtype is Dtype.INT8:
            properties["INFERENCE_PRECISION_HINT"] = PRECISION[Dtype.BFLOAT16 if has_bfloat16 else Dtype.FLOAT32]
            properties["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = _INT8_GROUP if has_int8_products() else "0"
        kept_in = cache_dir and cache_dir / "compiled" / f"{folder.revision()[:16]}-{dtype}"
        self._compiled = Compiled(core, folder, built, properties, kept_in)
        if built.table is not None:
            forget_pages(built.table)  # the layers' weights, in the same file, are in the compiled model now
        self._padded = built.padded
        self._dimension = folder.dimension

    @property
    def token_budget(self) -> int:
        """Measured on two cores (docs/embedder.md)."""
        return TOKEN_BUDGET

    @property
    def alone_budget(self) -> int:
        """Larger for a graph that packs; one that pads loses by larger passes what it gains."""
        return TOKEN_BUDGET if self._padded else PACKED_ALONE_BUDGET

    @property
    def padded(self) -> bool:
        """As the model's graph takes its inputs."""
        return self._padded

    def forward(self, inputs: Sequence[Sequence[int]]) -> Vectors:
        """One unit vector an input, shape (len(inputs), dimension)."""
        vectors: Vectors = self._compiled.run(inputs)
        if vectors.shape != (len(inputs), self._dimension) or not np.isfinite(vectors).all():
            raise EmbedderError(
                f"the forward pass gave {vectors.shape} values, not all of them finite numbers",
                hint=FETCH_AGAIN,
                shape=list(vectors.shape),
            )
        return vectors

    def close(self) -> None:
        """Free the weights."""
        del self._compiled


def _build(folder: ModelFolder, linear: Linear) -> Graph:
    return build_onnx(folder) if folder.is_onnx else GRAPHS[folder.architecture](folder, linear)


def properties_of(dtype: Dtype, threads: int) -> dict[str, Any]:
    """What OpenVINO is told for a model in `dtype`; `threads` 0 leaves their number to it."""
    properties: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        # Said in so many words, because OpenVINO otherwise takes the narrowest type that the processor has.
        "INFERENCE_PRECISION_HINT": PRECISION.get(dtype, "f32"),
        "CPU_RUNTIME_CACHE_CAPACITY": KEPT_SHAPES,
    }
    if threads:
        properties["INFERENCE_NUM_THREADS"] = threads
    return properties


def _blobs(folder: Path | None) -> set[Path]:
    return set() if folder is None else set(folder.glob("*.blob"))
