"""How many tokens a forward pass should have on this processor: measured once for each model, and kept in the cache folder.

The best size differs from processor to processor: with AMX a pass of 512 tokens gives away a quarter of the speed of one of 2,048,
with AVX-512 nothing (docs/engine.md). What is measured is kept in a file for each model, dtype and machine, so that two processes
that measure at once do each other no harm: either file is right.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_json
from ai_memory.embed.base import Vectors
from ai_memory.embed.runtimes.processor import cores, described
from ai_memory.places import open_private

PASSES = (512, 1_024, 2_048)
"""The sizes that are measured, in tokens. Shorter ones have been slower on every processor, and longer ones keep others waiting."""
UNMEASURED = PASSES[0]
"""The size of a pass where nothing was measured: the best on two cores of Zen 4 (docs/engine.md)."""
INPUT_TOKENS = 32
"""Tokens of each input of a measured pass: a sentence or two, the usual text of a memory."""
_SHARED, _ALONE = 0.90, 0.97
"""The share of the best speed from which the smallest pass is taken: a longer one makes other callers wait, where there are any."""
_LEAST_RUNS = 2
_log = logging.getLogger(__name__)


class Tuned(Struct, frozen=True, kw_only=True):
    """What was measured of one model in one dtype on one machine."""

    machine: str
    """The processor, its cores that may be used, the threads that were asked for (0: one per core), OpenVINO's version."""
    dtype: str
    tokens_per_second: dict[int, float]
    """By the size of a pass, in tokens; at least one."""
    group: str = ""
    """Of int8: the input values that share a scale, the fastest of those that were measured; empty where none was."""
    measured_at: dt.datetime

    @property
    def shared(self) -> int:
        """Tokens of a pass where several callers wait."""
        return self._smallest(_SHARED)

    @property
    def alone(self) -> int:
        """Tokens of a pass where one caller is alone; at least `shared`."""
        return self._smallest(_ALONE)

    def _smallest(self, share: float) -> int:
        enough = share * max(self.tokens_per_second.values())
        return min(size for size, speed in self.tokens_per_second.items() if speed >= enough)


class Passes(Protocol):
    """What is measured: a loaded model, as in `runtimes.base.Runtime`."""

    def forward(self, inputs: Sequence[Sequence[int]]) -> Vectors:
        """One pass."""
        ...


def measure(
    runtime: Passes,
    *,
    seconds: float,
    vocabulary: int,
    every_size: bool = False,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[int, float]:
    """Tokens per second by the size of a pass, from at least two runs each, within about `seconds` in all.

    The first size is measured in any case. One that would no longer fit is left out, with all that are larger, unless `every_size`
    is set. `vocabulary`: the ids of tokens are below it. Raises what a pass raises.
    """
    ends = clock() + seconds
    found: dict[int, float] = {}
    for size in PASSES:
        late = bool(found) and clock() + (_LEAST_RUNS + 1) * size / max(found.values()) > ends
        if late and not every_size:
            break
        texts = range(size // INPUT_TOKENS)
        inputs = [[(7 * token + text) % vocabulary for token in range(INPUT_TOKENS)] for text in texts]
        runtime.forward(inputs)  # compiles code for this shape
        best = float("inf")
        share = clock() + (ends - clock()) / (len(PASSES) - len(found))
        runs = 0
        while runs < _LEAST_RUNS or clock() < share:
            before = clock()
            runtime.forward(inputs)
            best = min(best, clock() - before)
            runs += 1
        found[size] = size / max(best, 1e-9)
    return found


def machine(threads: int) -> str:
    """This machine, as far as the best size of a pass depends on it."""
    return f"{described()}, {cores()} cores, {threads} threads, openvino {version('openvino')}"


def kept(cache: Path | None, revision: str, dtype: str, threads: int) -> Tuned | None:
    """What was measured here before; None where nothing was, or its file cannot be read."""
    here = machine(threads)
    try:
        found = from_json(_file(cache, revision, dtype, here).read_bytes(), Tuned) if cache else None
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found is not None and found.machine == here and found.tokens_per_second else None


def keep(cache: Path, revision: str, tuned: Tuned) -> Path:
    """Write what was measured, whole or not at all; returns the file. Raises OSError."""
    path = _file(cache, revision, tuned.dtype, tuned.machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with open_private(draft) as file:
            file.write(msgspec.json.encode(tuned))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def measured(
    speeds: Mapping[int, float], *, dtype: str, threads: int, group: str = "", now: dt.datetime | None = None
) -> Tuned:
    """What was measured, as it is kept."""
    at = now or dt.datetime.now(dt.UTC)
    return Tuned(machine=machine(threads), dtype=dtype, tokens_per_second=dict(speeds), group=group, measured_at=at)


def measure_and_keep(
    runtime: Passes, cache: Path, revision: str, *, dtype: str, threads: int, seconds: float, vocabulary: int
) -> Tuned:
    """Measure a loaded model and keep what was found; a folder that cannot be written is no error. Raises what a pass raises."""
    found = measured(measure(runtime, seconds=seconds, vocabulary=vocabulary), dtype=dtype, threads=threads)
    try:
        keep(cache, revision, found)
    except OSError as error:
        _log.info("the measured speeds are not kept: %s cannot be written (%s)", cache, error.strerror)
    return found


def _file(cache: Path, revision: str, dtype: str, here: str) -> Path:
    return cache / "passes" / f"{revision[:16]}-{dtype}-{hashlib.sha256(here.encode()).hexdigest()[:12]}.json"
