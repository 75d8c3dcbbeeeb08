"""Opens the embedder of a model folder: chooses runtime, device and dtype."""

from __future__ import annotations

import importlib.util
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.models.known import ARCHITECTURES_NOT_RUN, BERTS, E5, FAMILIES, RUNNABLE
from ai_memory.embed.runtimes import tuning
from ai_memory.embed.runtimes.base import Dtype, Runtime
from ai_memory.embed.runtimes.processor import has_bfloat16
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import EmbedderUnavailableError, InvalidInputError, ModelFilesError
from ai_memory.installation import install_hint
from ai_memory.wording.ways import by_operator, fetch_model, installing

if TYPE_CHECKING:
    from ai_memory.embed.runtimes.openvino.tokens import OpenVinoTokens

_OPENVINO_AGAIN = by_operator("pip install --force-reinstall openvino", "install OpenVINO again")
_CACHE_FROM_BYTES = 256 << 20
"""Below this size a cached compilation costs more than it saves: as many bytes again on disk and in memory, for 0.2 s."""


_TUNING_SECONDS = 0.8
"""For how long a large model is measured when a machine loads it for the first time."""


class RuntimeName(StrEnum):
    """What executes a model."""

    OPENVINO = "openvino"
    TORCH = "torch"


class Device(StrEnum):
    """Where a model runs."""

    CPU = "cpu"
    CUDA = "cuda"


class Execution(NamedTuple):
    """What a model runs on; chosen before any of it is loaded."""

    runtime: RuntimeName
    device: Device
    dtype: Dtype


def load_embedder(
    folder: ModelFolder,
    *,
    dtype: str = "auto",
    threads: int = 0,
    cache_dir: Path | None = None,
    runtime: str = "auto",
    device: str = "auto",
) -> TransformerEmbedder:
    """An embedder over `folder`; its identity is known at once, its weights load at the first call (or `warm_up`).

    `runtime` is `openvino` (CPU), `torch` (the `gpu` extra) or `auto`: torch on a CUDA device, else openvino.
    `device` is `cpu`, `cuda` or `auto`: a CUDA device if torch is installed and finds one. `dtype` is `float32`, `bfloat16`,
    `int8` (openvino only) or `auto`: for EmbeddingGemma and e5 bfloat16 if the hardware supports it, else float32.
    `threads` 0 means one per core; `cache_dir` keeps the compiled model between processes if it is large enough to be worth it.
    Raises InvalidInputError for any other value, ModelFilesError if this version does not run the architecture or a file
    cannot be read, EmbedderUnavailableError if the device or the runtime is not available.
    """
    if threads < 0:
        raise InvalidInputError(f"the embedder's threads must be 0 (one per core) or more, not {threads}")
    name, place, chosen = choose_execution(folder, dtype=dtype, runtime=runtime, device=device)
    if name is RuntimeName.TORCH:
        return TransformerEmbedder(folder, chosen, lambda: _load_torch(folder, chosen, place, threads))
    has_token_vectors = folder.architecture in BERTS and not folder.is_onnx
    return TransformerEmbedder(
        folder,
        chosen,
        lambda: _load_openvino(folder, chosen, threads, cache_dir),
        (lambda: _load_tokens(folder, threads)) if has_token_vectors else None,
    )


def choose_execution(
    folder: ModelFolder, *, dtype: str = "auto", runtime: str = "auto", device: str = "auto"
) -> Execution:
    """What `load_embedder` would run the model on, with the same arguments and errors."""
    if folder.architecture not in RUNNABLE:
        why = ARCHITECTURES_NOT_RUN.get(folder.architecture)
        kind = f"{folder.architecture!r}{f', which {why}' if why else ''}"
        raise ModelFilesError(
            f"the model in {folder.path} is a {kind}; this version runs {', '.join(sorted(RUNNABLE))}",
            hint=fetch_model(),
            path=str(folder.path),
            architecture=folder.architecture,
        )
    place = _device(device, runtime)
    name = _choice(RuntimeName, "runtime", runtime) or (
        RuntimeName.TORCH if place is Device.CUDA else RuntimeName.OPENVINO
    )
    if place is Device.CUDA and name is RuntimeName.OPENVINO:
        raise InvalidInputError(
            "the openvino runtime runs on the CPU", hint="leave `runtime` at auto for a CUDA device"
        )
    chosen = _dtype(dtype, folder, place)
    if folder.is_onnx and (chosen is Dtype.INT8 or name is RuntimeName.TORCH):
        raise InvalidInputError(
            f"{folder.path} has an ONNX graph, which runs on openvino in float32 or bfloat16",
            hint=fetch_model("embeddinggemma").after("for int8 and torch use the folder with model.safetensors: "),
        )
    if chosen is Dtype.INT8 and name is RuntimeName.TORCH:
        raise InvalidInputError("only the openvino runtime has int8", hint="use bfloat16 or float32 with torch")
    return Execution(name, place, chosen)


def measured_vocabulary(folder: ModelFolder) -> int:
    """Ids of tokens that a measured pass may have: those below this, at most 256."""
    return min(256, int(folder.config.get("vocab_size", 256)))


Choice = TypeVar("Choice", bound=StrEnum)


def _choice(kind: type[Choice], what: str, name: str) -> Choice | None:
    """The member of `kind` with that name; None for `auto`."""
    if name == "auto":
        return None
    if name == "float16":
        raise InvalidInputError(
            "float16 is not offered on any machine: EmbeddingGemma's activations overflow in it and the vectors become NaN",
            hint="use float32 or bfloat16",
        )
    try:
        return kind(name)
    except ValueError:
        raise InvalidInputError(f"there is no {what} {name!r}; there are {', '.join(['auto', *kind])}") from None


def _device(name: str, runtime: str) -> Device:
    chosen = _choice(Device, "device", name)
    if chosen is not None:
        return chosen
    if runtime == RuntimeName.OPENVINO or importlib.util.find_spec("torch") is None:
        return Device.CPU
    from torch import cuda  # seconds, and only where the user installed it

    return Device.CUDA if cuda.is_available() else Device.CPU


def _dtype(name: str, folder: ModelFolder, device: Device) -> Dtype:
    chosen = _choice(Dtype, "dtype", name)
    if chosen is not None:
        return chosen
    if folder.is_onnx:
        # In bfloat16 the norms of the file's graph would run in bfloat16 too; in the graph built here they stay in float32.
        return Dtype.FLOAT32
    large = folder.architecture in FAMILIES or folder.architecture == "xlm-roberta" or folder.known is E5
    if large and (device is Device.CUDA or has_bfloat16()):
        return Dtype.BFLOAT16
    return Dtype.FLOAT32


def _load_torch(folder: ModelFolder, dtype: Dtype, device: Device, threads: int) -> Runtime:
    try:
        from ai_memory.embed.runtimes.torch.runtime import TorchRuntime  # imports torch: only now
    except ImportError as error:
        raise EmbedderUnavailableError(
            f"PyTorch cannot be imported: {error}", hint=installing("gpu", install_hint("gpu"))
        ) from error
    return TorchRuntime(folder, dtype=dtype, device=str(device), threads=threads)


def _load_tokens(folder: ModelFolder, threads: int) -> OpenVinoTokens:
    from ai_memory.embed.runtimes.openvino.tokens import OpenVinoTokens  # imports openvino: only now

    return OpenVinoTokens(folder, threads=threads)


def _load_openvino(folder: ModelFolder, dtype: Dtype, threads: int, cache_dir: Path | None) -> Runtime:
    try:
        from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime  # imports openvino: only now
    except ImportError as error:
        raise EmbedderUnavailableError(
            f"OpenVINO cannot be imported: {error}",
            hint=_OPENVINO_AGAIN,
        ) from error
    is_large = sum((folder.path / name).stat().st_size for name in folder.files) >= _CACHE_FROM_BYTES
    revision = folder.revision()
    tuned = tuning.kept(cache_dir, revision, dtype, threads)
    runtime = OpenVinoRuntime(
        folder,
        dtype=dtype,
        threads=threads,
        cache_dir=cache_dir if is_large else None,
        int8_group=tuned.group if tuned else "",
    )
    if tuned is None and is_large and cache_dir is not None:
        # Compiling it has taken seconds, so that one more is hardly noticed, and only this first time.
        tuned = tuning.measure_and_keep(
            runtime,
            cache_dir,
            revision,
            dtype=dtype,
            threads=threads,
            seconds=_TUNING_SECONDS,
            vocabulary=measured_vocabulary(folder),
        )
    if tuned is not None:
        runtime.tune(tuned)
    return runtime
