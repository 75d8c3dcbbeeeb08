"""What an ONNX file says of itself, read out of its protocol buffer without loading the model.

Only the fields that lead to the graph's inputs and outputs are followed (onnx.proto: ModelProto.graph is field 7, GraphProto's
inputs are 11 and outputs 12, each a ValueInfoProto of a name and a tensor type); all else is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ai_memory.errors import ModelFilesError

FLOAT32 = 1
FLOAT16 = 10
"""TensorProto.DataType."""

_MOST_BYTES = 256 << 20
"""The file has the graph alone; the weights are in a file beside it."""


class Tensor(NamedTuple):
    """One input or output."""

    name: str
    kind: int
    """`FLOAT32`, `FLOAT16` or another number of TensorProto.DataType; 0 where it is not said."""
    sizes: tuple[int, ...]
    """Of each axis; 0 where it is not fixed."""


def inputs_and_outputs(file: Path) -> tuple[list[Tensor], list[Tensor]]:
    """The graph's inputs and outputs. Raises ModelFilesError where the file is no ONNX model that can be read so."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ModelFilesError(f"{file} holds its weights itself, which is not supported", file=str(file))
        graph = next((value for number, value in _fields(file.read_bytes()) if number == 7), None)
        if not isinstance(graph, bytes):
            raise ModelFilesError(f"{file} is no ONNX model: it has no graph", file=str(file))
        found = list(_fields(graph))
    except (OSError, IndexError, ValueError) as error:
        raise ModelFilesError(f"{file} cannot be read as an ONNX model: {error}", file=str(file)) from error
    wanted: tuple[list[Tensor], list[Tensor]] = ([], [])
    for number, value in found:
        if number in (11, 12) and isinstance(value, bytes):
            wanted[number - 11].append(_tensor(value))
    return wanted


def _tensor(described: bytes) -> Tensor:
    fields = dict(_fields(described))
    kind = dict(_fields(_part(fields, 2)))
    tensor = dict(_fields(_part(kind, 1)))
    sizes = [dict(_fields(axis)).get(1, 0) for _, axis in _fields(_part(tensor, 2)) if isinstance(axis, bytes)]
    number = tensor.get(1, 0)
    return Tensor(
        _part(fields, 1).decode("utf-8", "replace"),
        number if isinstance(number, int) else 0,
        tuple(size if isinstance(size, int) else 0 for size in sizes),
    )


def _part(fields: dict[int, bytes | int], number: int) -> bytes:
    value = fields.get(number, b"")
    return value if isinstance(value, bytes) else b""


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Number and value of each field of a message: an integer, or the bytes of a text, list or message."""
    at = 0
    while at < len(message):
        key, at = _integer(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _integer(message, at)
            yield key >> 3, value
            continue
        if kind not in (1, 2, 5):
            raise ValueError(f"there is a field of the kind {kind}")
        size, at = _integer(message, at) if kind == 2 else (8 if kind == 1 else 4, at)
        if at + size > len(message):
            raise ValueError("it ends in the middle of a field")
        yield key >> 3, message[at : at + size]
        at += size


def _integer(message: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number has more than 64 bits")
