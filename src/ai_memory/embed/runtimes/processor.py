"""The processor's vector instructions, read without importing any runtime."""

from __future__ import annotations

import os
import platform
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


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def described() -> str:
    """The processor's name, and those of `UNITS` that it has: several kinds are sold under one name."""
    name = _line("model name").strip() or platform.machine()
    return f"{name} ({', '.join(units())})" if units() else name


@cache
def _flags() -> frozenset[str]:
    """Linux's names of the processor's features; empty if they cannot be read."""
    return frozenset(_line("flags").split())


@cache
def _line(begins: str) -> str:
    """The value of the first line of Linux's description of the processor that begins so; empty if it cannot be read."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2] for line in lines if line.startswith(begins)), "")
