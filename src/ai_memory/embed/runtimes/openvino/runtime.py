"""The CPU runtime: a graph built here, compiled by OpenVINO.

Importing this module imports openvino (0.15 s), so it is imported only when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.base import Vectors
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.models.known import BERTS, SECOND_GEMMA
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.bert import build_bert
from ai_memory.embed.runtimes.openvino.embedding_gemma2 import build_embedding_gemma2
from ai_memory.embed.runtimes.openvino.gemma import build_gemma
from ai_memory.embed.runtimes.openvino.importing import KEPT_SHAPES, import_openvino
from ai_memory.embed.runtimes.openvino.int8 import linear_int8
from ai_memory.embed.runtimes.openvino.onnx import build_onnx
from ai_memory.embed.runtimes.openvino.operations import Graph, Linear
from ai_memory.embed.runtimes.processor import has_int8_products
from ai_memory.embed.runtimes.tuning import UNMEASURED, Tuned
from ai_memory.errors import EmbedderError, EmbedderUnavailableError
from ai_memory.wording.ways import FETCH_AGAIN

ov, _ = import_openvino()

GRAPHS: Mapping[str, Callable[[ModelFolder, Linear], Graph]] = {
    **dict.fromkeys(BERTS, build_bert),
    "gemma3_text": build_gemma,
    **dict.fromkeys(SECOND_GEMMA, build_embedding_gemma2),
}
"""The builder of each architecture's graph; `known.RUNNABLE` lists the same names without importing openvino."""

PACKED_ALONE_BUDGET = 2_048
"""EmbeddingGemma's longest input, which takes a pass of this length in any case. Weights are read less often per token: 3 to 8 %
faster than passes of 512."""
PRECISION = {Dtype.FLOAT32: "f32", Dtype.BFLOAT16: "bf16"}
"""OpenVINO's names of the dtypes."""
INT8_GROUPS = ("384", "768", "0")
"""Input values that share a scale when the runtime quantises them. The first is the fastest for these widths on most processors
with products of bytes; 0 leaves the inputs as they are, which is all that others can do.
"""


class Compiled:
    """A graph compiled by OpenVINO for the CPU. One pass at a time."""

    def __init__(
        self, core: Any, folder: ModelFolder, built: Graph, properties: dict[str, Any], cache: Path | None = None
    ) -> None:
        """Compile, or load the compiled model from the folder `cache`; outdated compilations there are deleted.

        Raises EmbedderUnavailableError if this machine cannot run the graph.
        """
        if cache is not None:
            # OpenVINO gives an unnamed output a number that counts up in the process, and the names are part of the cache key.
            built.model.outputs[0].get_tensor().set_names({"vectors"})
            properties = {**properties, "CACHE_DIR": str(cache)}
        before = _blobs(cache)
        try:
            self._request = core.compile_model(built.model, "CPU", properties).create_infer_request()
        except RuntimeError as error:
            raise EmbedderUnavailableError(
                f"OpenVINO cannot compile {folder.name}: {error}", model=folder.name
            ) from error
        self._feed = built.feed
        if before < _blobs(cache):  # a new compilation was written: those of other versions and options are outdated
            for outdated in before:
                outdated.unlink(missing_ok=True)

    def run(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The graph's output for n inputs of token ids, none empty: a new array, float32.

        Its shape is the graph's, (n, dimension) for vectors and (n, longest input, width) for token states. Raises EmbedderError
        if the pass fails.
        """
        try:
            result = self._request.infer(dict(self._feed(inputs)), share_inputs=True)
        except (RuntimeError, IndexError) as error:  # the second for an id beyond the table of token embeddings
            lengths = [len(each) for each in inputs]
            raise EmbedderError(f"the forward pass failed: {error}", lengths=lengths) from error
        return np.array(result[0], dtype=np.float32, order="C")


class OpenVinoRuntime:
    """One compiled model on the CPU."""

    def __init__(
        self,
        folder: ModelFolder,
        *,
        dtype: Dtype,
        threads: int = 0,
        cache_dir: Path | None = None,
        int8_group: str = "",
    ) -> None:
        """Build and compile. `threads` 0 leaves the number to OpenVINO (one per core); `cache_dir` keeps the compiled model;
        `int8_group` is one of `INT8_GROUPS`, empty for the first that the processor has the instructions for.

        Raises ModelFilesError if the folder's weights do not match its configuration, EmbedderUnavailableError if this machine
        cannot run the model.
        """
        core = ov.Core()
        has_bfloat16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if dtype is Dtype.BFLOAT16 and not has_bfloat16:
            raise EmbedderUnavailableError(
                "this processor has no bfloat16 arithmetic",
                hint="set the embedder's dtype to float32",
                dtype=str(dtype),
            )
        built = _build(folder, dtype)
        properties = properties_of(dtype, threads)
        if dtype is Dtype.INT8:
            properties["INFERENCE_PRECISION_HINT"] = PRECISION[Dtype.BFLOAT16 if has_bfloat16 else Dtype.FLOAT32]
            usual = INT8_GROUPS[0] if has_int8_products() else INT8_GROUPS[-1]
            properties["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = int8_group or usual
        cache = cache_dir and cache_dir / "compiled" / f"{folder.revision()[:16]}-{dtype}"
        self._compiled = Compiled(core, folder, built, properties, cache)
        if built.release is not None:
            built.release()  # the layers' weights, in the same file, have been copied into the compiled model
        self._padded = built.padded
        self._dimension = folder.dimension
        self._tuned: Tuned | None = None

    def tune(self, tuned: Tuned) -> None:
        """Take the sizes of passes from what was measured on this machine."""
        self._tuned = tuned

    @property
    def token_budget(self) -> int:
        """What was measured on this machine, else 512 tokens."""
        return self._tuned.shared if self._tuned else UNMEASURED

    @property
    def alone_budget(self) -> int:
        """As measured on this machine. Else 2,048 tokens for a graph that packs; for one that pads, the padding of larger passes
        costs what they gain.
        """
        if self._tuned:
            return self._tuned.alone
        return UNMEASURED if self._padded else PACKED_ALONE_BUDGET

    @property
    def padded(self) -> bool:
        """Whether the model's graph pads its inputs."""
        return self._padded

    def forward(self, inputs: Sequence[Sequence[int]]) -> Vectors:
        """As `Runtime.forward`: unit vectors, shape (len(inputs), dimension), float32."""
        vectors: Vectors = self._compiled.run(inputs)
        if vectors.shape != (len(inputs), self._dimension) or not np.isfinite(vectors).all():
            raise EmbedderError(
                f"the forward pass gave values that are not finite, or the wrong shape {vectors.shape}",
                hint=FETCH_AGAIN,
                shape=list(vectors.shape),
            )
        return vectors

    def close(self) -> None:
        """Free the weights."""
        del self._compiled


def _build(folder: ModelFolder, dtype: Dtype) -> Graph:
    if folder.is_onnx:
        return build_onnx(folder)
    if folder.architecture in SECOND_GEMMA and dtype is Dtype.BFLOAT16:
        return build_embedding_gemma2(folder, operations.linear, bfloat16=True)
    return GRAPHS[folder.architecture](folder, linear_int8() if dtype is Dtype.INT8 else operations.linear)


def properties_of(dtype: Dtype, threads: int) -> dict[str, Any]:
    """OpenVINO's properties for a model in `dtype`; `threads` 0 leaves the number of threads to OpenVINO."""
    properties: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        # Always explicit: by default OpenVINO uses the narrowest type that the processor supports.
        "INFERENCE_PRECISION_HINT": PRECISION.get(dtype, "f32"),
        "CPU_RUNTIME_CACHE_CAPACITY": KEPT_SHAPES,
    }
    if threads:
        properties["INFERENCE_NUM_THREADS"] = threads
    return properties


def _blobs(folder: Path | None) -> set[Path]:
    return set() if folder is None else set(folder.glob("*.blob"))
