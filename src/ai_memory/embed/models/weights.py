"""Reads the tensors of a safetensors file, checked against a configuration and memory-mapped instead of copied where possible."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator, Mapping
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


class HalfTable:
    """A `WordTable` over a tensor of bfloat16: only the rows that are looked up are widened."""

    def __init__(self, halves: NDArray[np.uint16]) -> None:
        """`halves` is [vocabulary, W], the upper halves of float32 values."""
        self._halves = halves

    def rows(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """As `WordTable.rows`."""
        return _widened(self._halves[ids])

    def whole(self) -> NDArray[np.float32]:
        """All rows, widened: a new array."""
        return _widened(self._halves)

    def release(self) -> None:
        """As `release_pages`."""
        release_pages(self._halves)


class MappedTensors(Mapping[str, NDArray[np.float32]]):
    """Tensors of a mapped file by name, float32 and of any shape.

    One of bfloat16 is widened each time it is asked for, so that no more of them are in memory than are used at once.
    """

    def __init__(self, mapped: mmap.mmap, start: int, entries: Mapping[str, Mapping[str, Any]]) -> None:
        """`entries` are those of the file's header, by the names that the tensors are asked for; their data begins at `start`."""
        self._mapped = mapped
        self._start = start
        self._entries = entries

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        array = self._array(name)
        if array.dtype == np.uint16:
            return _widened(array)
        return array if array.flags.aligned else array.copy()

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def table(self, name: str) -> WordTable:
        """The tensor, [vocabulary, W], as a table of which only the rows that are asked for are read."""
        array = self._array(name)
        return HalfTable(array) if array.dtype == np.uint16 else FloatTable(array)

    def _array(self, name: str) -> NDArray[Any]:
        entry = self._entries[name]
        kind = "<f4" if entry["dtype"] == "F32" else "<u2"
        return np.ndarray(tuple(entry["shape"]), kind, self._mapped, self._start + entry["data_offsets"][0])


def tensor_names(file: Path) -> list[str]:
    """The names of a safetensors file's tensors, in the file's order. Raises ModelFilesError if it cannot be read."""
    return list(_entries(file)[0])


def read_tensors(
    file: Path, expected: Mapping[str, tuple[int, ...]], ignored: frozenset[str] = frozenset(), prefix: str = ""
) -> MappedTensors:
    """The tensors of a safetensors file, by their names without `prefix`, in the order of `expected`.

    float32 tensors are views of the privately mapped file: only pages that are read take memory. bfloat16 tensors are
    widened when they are asked for, which is exact. `expected` maps each name to its shape; tensors in `ignored` (without the
    prefix, where they have it) may exist and are left out. Raises ModelFilesError listing each tensor that is missing,
    unexpected, or of another shape or type.
    """
    entries, start = _entries(file)
    found = {name.removeprefix(prefix): entry for name, entry in entries.items()}
    _check_tensors(file, expected, {name: entry for name, entry in found.items() if name not in ignored})
    with file.open("rb") as opened:
        mapped = mmap.mmap(
            opened.fileno(), 0, access=mmap.ACCESS_COPY
        )  # copy-on-write: OpenVINO shares memory with writable arrays only
    return MappedTensors(mapped, start, {name: found[name] for name in expected})


def release_pages(mapped: NDArray[Any]) -> None:
    """Free the pages of the mapped file that `mapped` (of any type and shape) is a view of; later reads load them again.

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


def _widened(halves: NDArray[np.uint16]) -> NDArray[np.float32]:
    """bfloat16 is the upper half of a float32: widening is a shift by 16 bits."""
    wide: NDArray[np.float32] = (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return wide


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
