"""PyTorch's operations per second in matrix products of the model's shape: `torch_products.py DTYPE DEVICE`."""

import json
import sys
import time

import torch

ROWS, NARROW, WIDE = 32_768, 768, 1152
"""256 inputs of 128 tokens, in the products of EmbeddingGemma's gated MLPs."""
SECONDS = 3.0


def main(dtype: str, device: str) -> None:
    """Print the best rate of several seconds."""
    rows = ROWS if device == "cuda" else ROWS // 64
    a = torch.randn(rows, NARROW, dtype=getattr(torch, dtype), device=device)
    b = torch.randn(WIDE, NARROW, dtype=getattr(torch, dtype), device=device)

    def run() -> None:
        for _ in range(10):
            torch.nn.functional.linear(a, b)
        if device == "cuda":
            torch.cuda.synchronize()

    run()
    least, ends = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < ends:
        started = time.perf_counter()
        run()
        least = min(least, (time.perf_counter() - started) / 10)
    print(json.dumps({"rate": 2.0 * rows * NARROW * WIDE / least}))


main(sys.argv[1], sys.argv[2])
