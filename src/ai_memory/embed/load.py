"""From a model folder to an embedder, by what its config.json says it is."""

from __future__ import annotations

from pathlib import Path

from ai_memory.embed.folder import WEIGHTS, ModelFolder
from ai_memory.embed.known import RUNNABLE
from ai_memory.embed.runtime import Dtype, Runtime
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import EmbedderUnavailableError, InvalidInputError, ModelFilesError

_CACHE_FROM_BYTES = 256 << 20
"""Below this a kept compilation costs more than it saves: as much again on disk and in memory, against 0.2 s of compiling."""


def load_embedder(
    folder: ModelFolder, *, dtype: str = "auto", threads: int = 0, cache_dir: Path | None = None
) -> TransformerEmbedder:
    """An embedder over `folder`, whose identity is known and whose weights load at the first call (or `warm_up`).

    `dtype` is `auto` (float32), `float32` or `bfloat16`; `threads` 0 means one a core; `cache_dir` keeps the compiled model
    between processes where it is big enough for that to pay. Raises InvalidInputError for another dtype or a negative number
    of threads, ModelFilesError where the architecture is not one that this version runs or a file cannot be read.
    """
    if threads < 0:
        raise InvalidInputError(f"the embedder's threads must be 0 (one a core) or more, not {threads}")
    if folder.architecture not in RUNNABLE:
        raise ModelFilesError(
            f"the model in {folder.path} is a {folder.architecture!r}; this version runs {', '.join(sorted(RUNNABLE))}",
            hint="ai-memory model fetch minilm",
            path=str(folder.path),
            architecture=folder.architecture,
        )
    chosen = _dtype(dtype)
    return TransformerEmbedder(folder, chosen, lambda: _load_openvino(folder, chosen, threads, cache_dir))


def _dtype(name: str) -> Dtype:
    if name == "auto":
        return Dtype.FLOAT32
    if name == "float16":
        raise InvalidInputError("float16 is not offered: some models overflow in it", hint="use float32 or bfloat16")
    try:
        return Dtype(name)
    except ValueError:
        choices = ", ".join(["auto", *Dtype])
        raise InvalidInputError(f"there is no dtype {name!r}; there are {choices}") from None


def _load_openvino(folder: ModelFolder, dtype: Dtype, threads: int, cache_dir: Path | None) -> Runtime:
    try:
        from ai_memory.embed.runtime_openvino import OpenVinoRuntime  # imports openvino: only now
    except ImportError as error:
        raise EmbedderUnavailableError(
            f"OpenVINO cannot be imported: {error}", hint="pip install --force-reinstall openvino"
        ) from error
    if (folder.path / WEIGHTS).stat().st_size < _CACHE_FROM_BYTES:
        cache_dir = None
    return OpenVinoRuntime(folder, dtype=dtype, threads=threads, cache_dir=cache_dir)
