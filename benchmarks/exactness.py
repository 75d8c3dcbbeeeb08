"""`embed.gemma.<dtype>.cosine`: EmbeddingGemma at full size against sentence-transformers' float32, on this processor.

The weights are those of the speed measurements, so a fast wrong answer would be detected. The tests do the same on a tiny model;
only this shows what rounds differently at full size, or runs only on a processor with bfloat16 or VNNI.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime
from benchmarks.figures import Figure, Target

LENGTHS = (1, 2, 31, 32, 255, 256, 257, 258, 259, 513, 514, 600, 940, 1500, 2047, 2048)
"""Lengths in tokens: just below and above the limits of the attention window, and the longest."""
TOGETHER = ((0, 3, 5, 7), (1, 9, 2, 11), tuple(range(len(LENGTHS))))
"""The lengths that share a pass; each is also embedded alone."""
LEAST = {"float32": 0.999999, "bfloat16": 0.9995, "int8": 0.995}
LEAST_WITH_OUTLIER = 0.99
_FIRST, _LAST = 2, 1
"""<bos> and <eos>."""


def inputs(lengths: Sequence[int] = LENGTHS) -> list[list[int]]:
    """Token ids of inputs of these lengths, special tokens included, drawn from the ordinary vocabulary."""
    rng = np.random.default_rng(5)
    rows = [[_FIRST, *rng.integers(300, 200_000, length).tolist()] for length in lengths]
    return [[*row[: length - 1], _LAST] if length > 1 else row[:1] for row, length in zip(rows, lengths, strict=True)]


def reference(
    folder: Path, run: Callable[[str, list[str]], object], rows: Sequence[Sequence[int]]
) -> NDArray[np.float32]:
    """sentence-transformers' vectors of the inputs: float32 (inputs, 768); `run` executes a peer's program."""
    ids, out = folder.with_name("exactness.json"), folder.with_name("exactness.npy")
    ids.write_text(json.dumps(rows), encoding="utf-8")
    run("reference_vectors.py", [str(folder), str(ids), str(out)])
    found: NDArray[np.float32] = np.load(out)
    return found


def figures(
    folder: Path, dtypes: Sequence[str], expected: NDArray[np.float32], about: dict[str, Any]
) -> Iterator[Figure]:
    """The smallest cosine over all inputs, alone and sharing passes."""
    for dtype in dtypes:
        found = least_cosine(folder, dtype, expected)
        yield Figure(f"embed.gemma.{dtype}.cosine", found, "", target=Target(">=", LEAST[dtype]), settings=about)


def outlier_figures(folder: Path, dtypes: Sequence[str], about: dict[str, Any]) -> Iterator[Figure]:
    """Compare with this engine's float32, on weights with one channel 20 times as large as the rest.

    More such channels make random weights of this depth ill-conditioned: with two, one of them 100 times as large, even bfloat16
    reaches only 0.80 at two tokens.
    """
    runtime = OpenVinoRuntime(read_model_folder(folder), dtype=Dtype.FLOAT32)
    expected = np.concatenate([runtime.forward([each]) for each in inputs()])
    runtime.close()
    for dtype in dtypes:
        if dtype != "float32":
            found = least_cosine(folder, dtype, expected)
            target = Target(">=", LEAST_WITH_OUTLIER) if dtype == "int8" else None
            yield Figure(f"embed.gemma.{dtype}.cosine_with_outlier", found, "", target=target, settings=about)


def least_cosine(
    folder: Path,
    dtype: str,
    expected: NDArray[np.float32],
    rows: Sequence[Sequence[int]] = (),
    together: Sequence[Sequence[int]] = TOGETHER,
) -> float:
    """The least cosine of the vectors of `rows` (by default `inputs()`) with the expected, alone and as `together` groups them."""
    runtime = OpenVinoRuntime(read_model_folder(folder), dtype=Dtype(dtype))
    rows = rows or inputs()
    least = 1.0
    for places in (*((at,) for at in range(len(rows))), *together):
        found = runtime.forward([rows[at] for at in places]).astype(np.float64)
        theirs = expected[list(places)].astype(np.float64)
        lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(theirs, axis=1)
        least = min(least, float(((found * theirs).sum(axis=1) / lengths).min()))
    runtime.close()
    return least
