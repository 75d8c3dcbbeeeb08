"""What this machine's processor can multiply, read without importing any runtime."""

from __future__ import annotations

from functools import cache
from pathlib import Path


def has_bfloat16() -> bool:
    """Whether it multiplies bfloat16 itself; where it does not, bfloat16 is slower than float32, often by far."""
    return bool({"avx512_bf16", "amx_bf16"} & _flags())


def has_int8_products() -> bool:
    """Whether it has sums of products of 8-bit integers (VNNI, AMX); without them quantised products are no faster than float32."""
    return bool({"avx512_vnni", "avx_vnni", "amx_int8"} & _flags())


@cache
def _flags() -> frozenset[str]:
    """Linux's names of the processor's features; none where they cannot be read."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return next((frozenset(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), frozenset())
