"""Writes vectors as a NumPy array, JSON lines or Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import IO, Any

import msgspec
import numpy as np
from numpy.lib import format as npy

from ai_memory.bulk.readers import import_parquet
from ai_memory.bulk.records import Result


class OutputFormat(StrEnum):
    """The format of an output."""

    NPY = "npy"
    JSONL = "jsonl"
    PARQUET = "parquet"


SUFFIXES = {
    ".npy": OutputFormat.NPY,
    ".jsonl": OutputFormat.JSONL,
    ".ndjson": OutputFormat.JSONL,
    ".parquet": OutputFormat.PARQUET,
}


def write_results(
    stream: IO[bytes], kind: OutputFormat, results: Iterable[Result], *, vectors: int, dimension: int
) -> None:
    """Write all results, in the order of the input. `vectors` is the total number of vectors.

    npy: little-endian float32 of shape (vectors, dimension), one row per record that was not rejected. JSON lines: `{"row", "id",
    "tokens", "cut", "embedding"}`, `id` only if a field was named for it. Parquet: the same as columns, `embedding` a list of fixed
    size. Raises InvalidInputError if Parquet is not installed.
    """
    if kind is OutputFormat.NPY:
        npy.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (vectors, dimension)})
        for result in results:
            stream.write(result.values)
    elif kind is OutputFormat.JSONL:
        for result in results:
            stream.writelines(json_lines(result))
    else:
        _write_parquet(stream, results, dimension)


def json_lines(result: Result) -> Iterator[bytes]:
    """One line per vector, with its newline."""
    columns = zip(result.rows, result.ids, result.tokens, result.cut, result.vectors(), strict=True)
    for row, name, tokens, cut, vector in columns:
        named = {} if name is None else {"id": name}
        line = {"row": row, **named, "tokens": tokens, "cut": cut, "embedding": vector.tolist()}
        yield msgspec.json.encode(line) + b"\n"


def _write_parquet(stream: IO[bytes], results: Iterable[Result], dimension: int) -> None:
    parquet = import_parquet()
    import pyarrow as pa

    schema = pa.schema(
        [
            ("row", pa.int64()),
            ("id", pa.string()),
            ("tokens", pa.int32()),
            ("cut", pa.int32()),
            ("embedding", pa.list_(pa.float32(), dimension)),
        ]
    )
    with parquet.ParquetWriter(stream, schema) as writer:
        for result in results:
            if result.rows:
                writer.write_table(pa.Table.from_arrays(_columns(pa, result, dimension), schema=schema))


def _columns(pa: Any, result: Result, dimension: int) -> list[Any]:
    # One flat array for all vectors: a list column from Python lists would convert every number separately.
    values = pa.array(np.frombuffer(result.values, "<f4"))
    return [
        pa.array(result.rows, pa.int64()),
        pa.array([None if name is None else str(name) for name in result.ids], pa.string()),
        pa.array(result.tokens, pa.int32()),
        pa.array(result.cut, pa.int32()),
        pa.FixedSizeListArray.from_arrays(values, dimension),
    ]
