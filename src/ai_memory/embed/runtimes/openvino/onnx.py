"""The ungated ONNX repackaging of EmbeddingGemma as a graph; OpenVINO reads the file itself.

Its second output, `sentence_embedding`, is the vector: pooled, through both Dense layers, of unit length. The first one holds
token states; taking it for the vector is a common mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ai_memory.embed.models.folder import ONNX_WEIGHTS, ModelFolder
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.operations import Graph
from ai_memory.errors import ModelFilesError

ov, _ = import_openvino()

ONNX_OUTPUT = "sentence_embedding"
_INPUTS = ["attention_mask", "input_ids"]


def build_onnx(folder: ModelFolder) -> Graph:
    """The folder's graph, cut down to its one output: int64 ids and mask [B, S] → unit vectors float32 [B, dimension].

    Raises ModelFilesError where OpenVINO cannot read the file, or the graph has other inputs or outputs or computes in float16.
    """
    file = folder.path / ONNX_WEIGHTS
    try:
        whole = ov.Core().read_model(file)
    except RuntimeError as error:
        data = file.with_name(f"{file.name}_data")
        reason = str(error).strip().splitlines()[-1] if data.exists() else f"{data.name} is missing"
        raise ModelFilesError(f"{file} cannot be read: {reason}", file=str(file)) from error
    wrong = _unsupported(whole, folder.dimension)
    if wrong:
        raise ModelFilesError(f"{file} is not a graph that this version runs: {wrong}", file=str(file))
    result = next(each for each in whole.get_results() if ONNX_OUTPUT in each.output(0).get_names())
    return Graph(ov.Model([result], whole.get_parameters(), folder.name), _feed, padded=True)


def _unsupported(model: Any, dimension: int) -> str:
    """Why the graph does not give vectors of `dimension` values in float32 from ids and a mask; empty where it does."""
    inputs = sorted(name for each in model.get_parameters() for name in each.output(0).get_names())
    if inputs != _INPUTS:
        return f"its inputs are {', '.join(inputs) or 'none'} instead of input_ids and attention_mask"
    outputs = {name: each.output(0) for each in model.get_results() for name in sorted(each.output(0).get_names())}
    if ONNX_OUTPUT not in outputs:
        return f"it has no output {ONNX_OUTPUT}, only {', '.join(outputs) or 'none'}"
    # Every operation, not the output alone: conversions to float16 often put a cast to float32 behind the last layer.
    if any(each.get_element_type() == ov.Type.f16 for node in model.get_ops() for each in node.outputs()):
        return "it computes in float16, in which this model overflows"
    output = outputs[ONNX_OUTPUT]
    if output.get_element_type() != ov.Type.f32:
        return "it is not in float32"
    if not output.get_partial_shape().compatible(ov.PartialShape([-1, dimension])):
        return f"{ONNX_OUTPUT} has the shape {output.get_partial_shape()} instead of [?,{dimension}]"
    return ""


def _feed(inputs: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Ids int64 [B, S], padded to the longest input, and the mask of the same shape: 1 for tokens, 0 for padding."""
    ids = np.zeros((len(inputs), max(map(len, inputs))), np.int64)
    mask = np.zeros(ids.shape, np.int64)
    for row, tokens in enumerate(inputs):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask}
