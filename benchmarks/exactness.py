"""`embed.gemma.<dtype>.cosine`: EmbeddingGemma at its full size against sentence-transformers' float32, on this very processor.

Speed is measured beside it, with the same weights: a fast wrong answer would show here. The tests do the same on a tiny model; what
rounds differently at full size, and what only a processor with bfloat16 or VNNI executes, is seen here alone.
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
"""Tokens: on either side of the attention window's edges, and the longest."""
TOGETHER = ((0, 3, 5, 7), (1, 9, 2, 11), tuple(range(len(LENGTHS))))
"""Which of them share a pass, besides each alone."""
LEAST = {"float32": 0.999999, "bfloat16": 0.9995, "int8": 0.995}
LEAST_WITH_OUTLIER = 0.99
_FIRST, _LAST = 2, 1
"""<bos> and <eos>."""


def inputs() -> list[list[int]]:
    """Token ids of those lengths, special tokens included, drawn from the ordinary pieces."""
    rng = np.random.default_rng(5)
    rows = [[_FIRST, *rng.integers(300, 200_000, length).tolist()] for length in LENGTHS]
    return [[*row[: length - 1], _LAST] if length > 1 else row[:1] for row, length in zip(rows, LENGTHS, strict=True)]


def reference(folder: Path, run: Callable[[str, list[str]], object]) -> NDArray[np.float32]:
    """sentence-transformers' vectors of the inputs; `run` executes a peer's program with its arguments."""
    ids, out = folder.with_name("exactness.json"), folder.with_name("exactness.npy")
    ids.write_text(json.dumps(inputs()), encoding="utf-8")
    run("reference_vectors.py", [str(folder), str(ids), str(out)])
    found: NDArray[np.float32] = np.load(out)
    return found


def figures(
    folder: Path, dtypes: Sequence[str], expected: NDArray[np.float32], about: dict[str, Any]
) -> Iterator[Figure]:
    """The least cosine of all inputs, alone and together."""
    for dtype in dtypes:
        found = least_cosine(folder, dtype, expected)
        yield Figure(f"embed.gemma.{dtype}.cosine", found, "", target=Target(">=", LEAST[dtype]), settings=about)


def outlier_figures(folder: Path, dtypes: Sequence[str], about: dict[str, Any]) -> Iterator[Figure]:
    """Against our own float32, on weights of which one channel is 20 times as large as the rest.

    More such channels make random weights of this depth ill-conditioned: with two, of which one is 100 times as large, bfloat16
    itself keeps 0.80 at two tokens.
    """
    runtime = OpenVinoRuntime(read_model_folder(folder), dtype=Dtype.FLOAT32)
    expected = np.concatenate([runtime.forward([each]) for each in inputs()])
    runtime.close()
    for dtype in dtypes:
        if dtype != "float32":
            found = least_cosine(folder, dtype, expected)
            target = Target(">=", LEAST_WITH_OUTLIER) if dtype == "int8" else None
            yield Figure(f"embed.gemma.{dtype}.cosine_with_outlier", found, "", target=target, settings=about)


def least_cosine(folder: Path, dtype: str, expected: NDArray[np.float32]) -> float:
    """Of every input's vector with the one expected, each alone and as `TOGETHER` says."""
    runtime = OpenVinoRuntime(read_model_folder(folder), dtype=Dtype(dtype))
    rows = inputs()
    least = 1.0
    for places in (*((at,) for at in range(len(rows))), *TOGETHER):
        found = runtime.forward([rows[at] for at in places]).astype(np.float64)
        theirs = expected[list(places)].astype(np.float64)
        lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(theirs, axis=1)
        least = min(least, float(((found * theirs).sum(axis=1) / lengths).min()))
    runtime.close()
    return least
