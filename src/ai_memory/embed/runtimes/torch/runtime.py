"""The CUDA runtime: lean layers of ours on PyTorch (extra `gpu`). It runs on the CPU too, so that it is tested everywhere.

Importing this module imports torch (seconds), so it is imported where a model is loaded and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import numpy as np
import torch

from ai_memory.embed.base import Vectors
from ai_memory.embed.models.folder import FETCH_AGAIN, ModelFolder
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.torch.attention import Tensor
from ai_memory.embed.runtimes.torch.models import BertModel, GemmaModel, Model
from ai_memory.errors import EmbedderError, EmbedderUnavailableError, InvalidInputError

MODELS: Mapping[str, Callable[[ModelFolder, Tensor, str], Model]] = {"bert": BertModel, "gemma3_text": GemmaModel}
"""Who runs each architecture; `known.RUNNABLE` names the same ones without importing torch."""

_DTYPES = {Dtype.FLOAT32: torch.float32, Dtype.BFLOAT16: torch.bfloat16}
_TOKEN_BUDGETS = {"cpu": 512, "cuda": 16_384}


class TorchRuntime:
    """One model on one device. Inputs are packed: a pass costs what its tokens cost, however their lengths differ."""

    def __init__(self, folder: ModelFolder, *, dtype: Dtype, device: str = "cpu", threads: int = 0) -> None:
        """Read the weights and put them on the device, `cpu` or `cuda`.

        `threads` above 0 is how many PyTorch uses on the CPU; that number is the process's, not this model's. Raises
        ModelFilesError where the folder's weights are not what its configuration promises, InvalidInputError for int8, and
        EmbedderUnavailableError where there is no such device or it cannot compute in `dtype`.
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
        """On the CPU as the other runtime's; on CUDA enough rows that the products and not the weights' reading decide."""
        return _TOKEN_BUDGETS[self._device]

    @property
    def alone_budget(self) -> int:
        """The same."""
        return self.token_budget

    @property
    def padded(self) -> bool:
        """Never."""
        return False

    def forward(self, inputs: Sequence[Sequence[int]]) -> Vectors:
        """One unit vector an input, shape (len(inputs), dimension)."""
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
                f"the forward pass gave {vectors.shape} values, not all of them finite numbers",
                hint=FETCH_AGAIN,
                shape=list(vectors.shape),
            )
        return vectors

    def close(self) -> None:
        """Free the weights, and on CUDA the memory that was kept for them."""
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
