"""Reads the tensors of a safetensors file, checked against a configuration and memory-mapped instead of copied where possible."""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ai_memory.errors import ModelFilesError
from ai_memory.wording.ways import FETCH_AGAIN

_TYPES = ("F32", "BF16")


class WordTable(Protocol):
    """A model's token embeddings, W values each, that are looked up in the mapped file."""

    def rows(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """The embeddings of token ids of any shape [...]: float32 [..., W]. Raises IndexError for an id beyond the table."""
        ...

    def whole(self) -> NDArray[np.float32]:
        """All embeddings, float32 [vocabulary, W]."""
        ...

    def release(self) -> None:
        """Free the pages of the file that have been read; later reads load them again."""
        ...


class FloatTable:
    """A `WordTable` over a tensor of `read_tensors`."""

    def __init__(self, array: NDArray[np.float32]) -> None:
        """`array` is [vocabulary, W]."""
        self._array = array

    def rows(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """As `WordTable.rows`."""
        found: NDArray[np.float32] = self._array[ids]
        return found

    def whole(self) -> NDArray[np.float32]:
        """The tensor itself, no copy."""
        return self._array

    def release(self) -> None:
        """As `release_pages`."""
        release_pages(self._array)


def read_tensors(
    file: Path, expected: Mapping[str, tuple[int, ...]], ignored: frozenset[str] = frozenset(), prefix: str = ""
) -> dict[str, NDArray[np.float32]]:
    """The tensors of a safetensors file as float32 arrays, by their names without `prefix`, in the order of `expected`.

    float32 tensors are views of the privately mapped file: only pages that are read take memory. bfloat16 tensors are
    widened, which is exact. `expected` maps each name to its shape; tensors in `ignored` may exist and are left out. Raises
    ModelFilesError listing each tensor that is missing, unexpected, or of another shape or type.
    """
    entries, start = _entries(file)
    found = {name.removeprefix(prefix): entry for name, entry in entries.items()}
    _check_tensors(file, expected, {name: entry for name, entry in found.items() if name not in ignored})
    with file.open("rb") as opened:
        mapped = mmap.mmap(
            opened.fileno(), 0, access=mmap.ACCESS_COPY
        )  # copy-on-write: OpenVINO shares memory with writable arrays only
    return {name: _array(mapped, start, found[name]) for name in expected}


def release_pages(mapped: NDArray[np.float32]) -> None:
    """Free the pages of the mapped file that `mapped` (float32, any shape) is a view of; later reads load them again.

    Does nothing for an array that is not a view of a mapped file. The pages of all other views of that file are freed too.
    """
    file: object = mapped.base
    if isinstance(file, mmap.mmap):
        file.madvise(mmap.MADV_DONTNEED)


def _entries(file: Path) -> tuple[dict[str, dict[str, Any]], int]:
    """The header's tensors and the offset of their data. The library checks the file before its offsets are trusted."""
    from safetensors import SafetensorError, safe_open  # 15 ms, and only where weights are read

    try:
        with safe_open(str(file), framework="numpy"), file.open("rb") as opened:
            size = int.from_bytes(opened.read(8), "little")
            header: dict[str, Any] = json.loads(opened.read(size))
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelFilesError(
            f"{file} cannot be read as safetensors: {error}", hint=FETCH_AGAIN, file=str(file)
        ) from error
    header.pop("__metadata__", None)
    return header, 8 + size


def _array(mapped: mmap.mmap, start: int, entry: Mapping[str, Any]) -> NDArray[np.float32]:
    shape, offset = tuple(entry["shape"]), start + entry["data_offsets"][0]
    if entry["dtype"] == "F32":
        array: NDArray[np.float32] = np.ndarray(shape, "<f4", mapped, offset)
        return array if array.flags.aligned else array.copy()
    # bfloat16 is the upper half of a float32: widening is a shift by 16 bits.
    halves = np.ndarray(shape, "<u2", mapped, offset)
    return (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)


def _check_tensors(file: Path, expected: Mapping[str, tuple[int, ...]], found: Mapping[str, Mapping[str, Any]]) -> None:
    missing = sorted(expected.keys() - found.keys())
    unexpected = sorted(found.keys() - expected.keys())
    wrong = [
        f"{name}: {entry['dtype']} {entry['shape']} instead of F32 or BF16 {list(expected[name])}"
        for name, entry in sorted(found.items())
        if name in expected and (tuple(entry["shape"]) != expected[name] or entry["dtype"] not in _TYPES)
    ]
    if not (missing or unexpected or wrong):
        return
    reasons = [f"missing {name}" for name in missing] + [f"unexpected {name}" for name in unexpected] + wrong
    raise ModelFilesError(
        f"{file} does not have the tensors that its configuration needs: "
        f"{'; '.join(reasons[:8])}{' …' if len(reasons) > 8 else ''}",
        hint=FETCH_AGAIN,
        file=str(file),
        missing=missing,
        unexpected=unexpected,
        wrong=wrong,
    )
