"""The ungated ONNX repackaging of EmbeddingGemma as a graph: OpenVINO reads it itself.

Its second output, `sentence_embedding`, is what we want: pooled, through both Dense layers, of unit length. The first one is
token states, and taking it is a mistake that others have made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ai_memory.embed.models.folder import ONNX_OUTPUT, ONNX_WEIGHTS, ModelFolder
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.operations import Graph
from ai_memory.errors import ModelFilesError

ov, _ = import_openvino()


def build_onnx(folder: ModelFolder) -> Graph:
    """The model of the folder, cut down to the one output. Raises ModelFilesError where OpenVINO cannot read it."""
    file = folder.path / ONNX_WEIGHTS
    try:
        whole = ov.Core().read_model(file)
        wanted = [each for each in whole.get_results() if ONNX_OUTPUT in each.output(0).get_names()]
        model = ov.Model(wanted, whole.get_parameters(), folder.name)
    except RuntimeError as error:
        data = file.with_name(f"{file.name}_data")
        said = str(error).strip().splitlines()[-1] if data.exists() else f"{data.name} is missing"
        raise ModelFilesError(f"{file} cannot be read: {said}", file=str(file)) from error
    return Graph(model, _feed, padded=True)


def _feed(inputs: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Ids padded to the longest input, and which of them are tokens."""
    ids = np.zeros((len(inputs), max(map(len, inputs))), np.int64)
    mask = np.zeros(ids.shape, np.int64)
    for row, tokens in enumerate(inputs):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask}
