"""Finds the size of a forward pass, and for int8 the group of values that share a scale, that are the fastest on this machine."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ai_memory.embed.load import RuntimeName, measured_vocabulary
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.runtimes import tuning
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.processor import has_int8_products
from ai_memory.embed.runtimes.tuning import Tuned
from ai_memory.errors import InvalidInputError, StoreReadOnlyError
from ai_memory.python.embedding_model import ModelInfo


def tune(
    info: ModelInfo,
    *,
    threads: int,
    cache: Path,
    seconds: float,
    advance: Callable[[int], None] = lambda _: None,
) -> Tuned:
    """Measure the model of `info` for about `seconds` in each way, keep what is found in the folder `cache`, and return it.

    Programs that load the model from then on take it. `advance` is called with 1 after each way. Raises InvalidInputError if
    `seconds` is not a positive number or the model does not run on OpenVINO, StoreReadOnlyError where the folder cannot be written,
    and what loading a model and embedding raise.
    """
    if not 0 < seconds < math.inf:
        raise InvalidInputError(f"the seconds must be above 0, not {seconds}")
    if info.runtime != RuntimeName.OPENVINO:
        raise InvalidInputError(f"only the sizes of passes on the CPU are measured; {info.name} runs on {info.device}")
    from ai_memory.embed.runtimes.openvino.runtime import INT8_GROUPS, OpenVinoRuntime  # imports openvino: only now

    folder = read_model_folder(info.folder)
    dtype = Dtype(info.dtype)
    groups = INT8_GROUPS if dtype is Dtype.INT8 and has_int8_products() else ("",)
    found: list[Tuned] = []
    for group in groups:
        runtime = OpenVinoRuntime(folder, dtype=dtype, threads=threads, int8_group=group)
        try:
            speeds = tuning.measure(runtime, seconds=seconds, vocabulary=measured_vocabulary(folder), every_size=True)
        finally:
            runtime.close()
        found.append(tuning.measured(speeds, dtype=dtype, threads=threads, group=group))
        advance(1)
    best = max(found, key=lambda each: max(each.tokens_per_second.values()))
    try:
        tuning.keep(cache, folder.revision(), best)
    except OSError as error:
        raise StoreReadOnlyError(
            f"{cache} cannot be written: {error.strerror or error}",
            hint="free some space there, or choose another data folder",
        ) from error
    return best


def shown(tuned: Tuned | None) -> dict[str, Any]:
    """The sizes of passes and why, as JSON; `tokens_per_second` is empty where nothing was measured on this machine."""
    if tuned is None:
        return {"pass_tokens": tuning.UNMEASURED, "tokens_per_second": {}}
    found = {
        "pass_tokens": tuned.shared,
        "pass_tokens_alone": tuned.alone,
        "tokens_per_second": {str(size): round(speed) for size, speed in sorted(tuned.tokens_per_second.items())},
        "machine": tuned.machine,
        "measured_at": tuned.measured_at.isoformat(timespec="seconds"),
    }
    return {**found, "int8_group": tuned.group} if tuned.group else found
