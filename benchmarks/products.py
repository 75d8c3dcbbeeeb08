"""The rate at which this machine multiplies matrices of the model's shape; the speed of a pass is given as a share of it.

For float32 the rate is that of numpy's BLAS, which is independent of the engine. For bfloat16 and 8-bit integers numpy has no fast
product: their rates are those of oneDNN, run by OpenVINO as a chain of bare products, the integers with fixed scales.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.runtimes.openvino.importing import import_openvino

ROWS, NARROW, WIDE = 320, 768, 1152
"""Ten inputs of 32 tokens, in the products of EmbeddingGemma's gated MLPs."""
SHAPE = f"{ROWS}x{NARROW}x{WIDE}"
PAIRS = 12
"""Pairs of products in a chain: its 21 million weights exceed the processor's caches, as the model's do."""
SECONDS = 3.0


def product_rate(dtype: str) -> float:
    """Multiplications and additions per second in `dtype` (float32, bfloat16 or int8): the best of several seconds."""
    if dtype == "float32":
        a, b = _random(ROWS, NARROW), _random(NARROW, WIDE)
        return 2.0 * ROWS * NARROW * WIDE / _least_seconds(lambda: a @ b)
    return 2.0 * PAIRS * 2.0 * ROWS * NARROW * WIDE / _least_seconds(_chain(dtype))


def _least_seconds(run: Callable[[], Any]) -> float:
    run()
    least = float("inf")
    ends = time.perf_counter() + SECONDS
    while time.perf_counter() < ends:
        started = time.perf_counter()
        run()
        least = min(least, time.perf_counter() - started)
    return least


def _chain(dtype: str) -> Callable[[], Any]:
    """Computes x·A·B·A·B… with different weights in each factor."""
    ov, ops = import_openvino()
    given = ops.parameter([ROWS, NARROW], np.float32)
    node = given
    for _ in range(PAIRS):
        for inner, outer in ((NARROW, WIDE), (WIDE, NARROW)):
            weight = ops.constant(_random(outer, inner) / np.float32(np.sqrt(inner)))
            if dtype == "int8":
                node, weight = _in_bytes(ops, node, 256), _in_bytes(ops, weight, 255)
            node = ops.matmul(node, weight, False, True)
    hint = "f32" if dtype == "int8" else "bf16"
    properties = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": hint}
    request = ov.Core().compile_model(ov.Model([node], [given], dtype), "CPU", properties).create_infer_request()
    feed = {0: _random(ROWS, NARROW)}
    return lambda: request.infer(feed, share_inputs=True)


def _in_bytes(ops: Any, node: Any, levels: int) -> Any:
    least, most = np.float32(-4.0), np.float32(4.0 if levels % 2 else 4.0 * 127 / 128)
    return ops.fake_quantize(node, least, most, least, most, levels)


def _random(rows: int, columns: int) -> NDArray[np.float32]:
    return np.random.default_rng(rows + columns).standard_normal((rows, columns)).astype(np.float32)
