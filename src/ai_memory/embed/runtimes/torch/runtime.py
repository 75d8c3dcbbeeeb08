"""The CUDA runtime: minimal layers on PyTorch (extra `gpu`). It also runs on the CPU, so that it is tested everywhere.

Importing this module imports torch (seconds), so it is imported only when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import numpy as np
import torch

from ai_memory.embed.base import Vectors
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.models.known import BERTS, SECOND_GEMMA
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.torch.attention import Tensor
from ai_memory.embed.runtimes.torch.embedding_gemma2 import EmbeddingGemma2Model
from ai_memory.embed.runtimes.torch.models import BertModel, GemmaModel, Model
from ai_memory.errors import EmbedderError, EmbedderUnavailableError, InvalidInputError
from ai_memory.wording.ways import FETCH_AGAIN

MODELS: Mapping[str, Callable[[ModelFolder, Tensor, str], Model]] = {
    **dict.fromkeys(BERTS, BertModel),
    "gemma3_text": GemmaModel,
    **dict.fromkeys(SECOND_GEMMA, EmbeddingGemma2Model),
}
"""The model of each architecture; `known.RUNNABLE` lists the same names without importing torch."""

_DTYPES = {Dtype.FLOAT32: torch.float32, Dtype.BFLOAT16: torch.bfloat16}
_TOKEN_BUDGETS = {"cpu": 512, "cuda": 16_384}


class TorchRuntime:
    """One model on one device. Inputs are packed: the cost of a pass depends on its tokens, not on the longest input."""

    def __init__(self, folder: ModelFolder, *, dtype: Dtype, device: str = "cpu", threads: int = 0) -> None:
        """Load the weights onto the device, `cpu` or `cuda`.

        `threads` above 0 sets the number of PyTorch's CPU threads for the whole process. Raises ModelFilesError if the folder's
        weights do not match its configuration, InvalidInputError for int8, EmbedderUnavailableError if the device does not
        exist, is too small or cannot compute in `dtype`.
        """
        if dtype not in _DTYPES:
            raise InvalidInputError(
                f"the torch runtime has no {dtype}; it has {', '.join(_DTYPES)}",
                hint="use bfloat16 or float32 with torch",
            )
        if device == "cuda":
            _check_cuda(dtype)
        elif threads:
            torch.set_num_threads(threads)
        try:
            self._model: Model = MODELS[folder.architecture](folder, _DTYPES[dtype], device)
        except torch.OutOfMemoryError as error:
            raise EmbedderUnavailableError(
                f"{folder.name} does not fit into the device's memory: {error}", device=device
            ) from error
        self._device = device
        self._dimension = folder.dimension

    @property
    def token_budget(self) -> int:
        """512 on the CPU, as OpenVINO; 16,384 on CUDA, so that arithmetic and not the reading of weights limits the speed."""
        return _TOKEN_BUDGETS[self._device]

    @property
    def alone_budget(self) -> int:
        """As `token_budget`."""
        return self.token_budget

    @property
    def padded(self) -> bool:
        """False: inputs are packed."""
        return False

    def forward(self, inputs: Sequence[Sequence[int]]) -> Vectors:
        """As `Runtime.forward`: unit vectors, shape (len(inputs), dimension), float32."""
        lengths = [len(each) for each in inputs]
        ids = np.fromiter(chain.from_iterable(inputs), np.int64, sum(lengths))
        positions = np.concatenate([np.arange(length) for length in lengths])
        try:
            with torch.inference_mode():
                tokens, places = (torch.from_numpy(each).to(self._device) for each in (ids, positions))
                found = self._model(tokens, places, lengths)
                vectors: Vectors = np.ascontiguousarray(found.cpu().numpy())
        except (RuntimeError, IndexError) as error:
            raise EmbedderError(f"the forward pass failed: {error}", lengths=lengths) from error
        if vectors.shape != (len(inputs), self._dimension) or not np.isfinite(vectors).all():
            raise EmbedderError(
                f"the forward pass gave values that are not finite, or the wrong shape {vectors.shape}",
                hint=FETCH_AGAIN,
                shape=list(vectors.shape),
            )
        return vectors

    def close(self) -> None:
        """Free the weights, and on CUDA the memory that PyTorch has cached for them."""
        del self._model
        if self._device == "cuda":
            torch.cuda.empty_cache()


def _check_cuda(dtype: Dtype) -> None:
    if not torch.cuda.is_available():
        raise EmbedderUnavailableError(
            "PyTorch finds no CUDA device here", hint="set the embedder's device to cpu or auto", device="cuda"
        )
    if dtype is Dtype.BFLOAT16 and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise EmbedderUnavailableError(
            f"{torch.cuda.get_device_name()} has no bfloat16 arithmetic",
            hint="set the embedder's dtype to float32",
            dtype=str(dtype),
        )
