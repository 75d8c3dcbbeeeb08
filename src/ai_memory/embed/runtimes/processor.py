"""The processor's vector instructions, read without importing any runtime."""

from __future__ import annotations

from functools import cache
from pathlib import Path


def has_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16; if not, bfloat16 is slower than float32, often by far."""
    return bool({"avx512_bf16", "amx_bf16"} & _flags())


def has_int8_products() -> bool:
    """Return whether the processor sums products of 8-bit integers in 32 bits (VNNI, AMX)."""
    return bool({"avx512_vnni", "avx_vnni", "amx_int8"} & _flags())


def adds_bytes_in_pairs() -> bool:
    """Return whether its best instruction for products of 8-bit integers is AVX2's sum of two in 16 bits (vpmaddubsw)."""
    return "avx2" in _flags() and not has_int8_products()


UNITS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
"""What decides which arithmetic is fast, by Linux's names, the plainest first."""


def units() -> tuple[str, ...]:
    """Those of `UNITS` that the processor has; empty if its features cannot be read."""
    return tuple(each for each in UNITS if each in _flags())


@cache
def _flags() -> frozenset[str]:
    """Linux's names of the processor's features; empty if they cannot be read."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return next((frozenset(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), frozenset())
