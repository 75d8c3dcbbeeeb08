"""Reads records from JSON lines, CSV, Parquet and lines of text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import msgspec

from ai_memory.bulk.records import Record, Rejected
from ai_memory.embed.texts import replace_surrogates
from ai_memory.errors import InvalidInputError
from ai_memory.installation import install_hint

MAX_LINE_BYTES = 64 << 20
"""A longer line is rejected without being held in memory."""

_ESCAPED = re.compile("[\udc80-\udcff]")
"""What `surrogateescape` decodes bytes to that are not UTF-8."""


class InputFormat(StrEnum):
    """The format of an input."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    TEXT = "text"


SUFFIXES = {
    ".jsonl": InputFormat.JSONL,
    ".ndjson": InputFormat.JSONL,
    ".csv": InputFormat.CSV,
    ".parquet": InputFormat.PARQUET,
    ".txt": InputFormat.TEXT,
}


@dataclass(frozen=True, kw_only=True)
class Fields:
    """The names of the fields of a record; None for no such field."""

    text: str = "text"
    title: str | None = None
    id: str | None = None


def read_places(stream: IO[bytes], kind: InputFormat, fields: Fields) -> Iterator[Record | Rejected]:
    """Every line or row as a record, or as a rejection with the reason.

    Raises InvalidInputError if the input as a whole cannot be read: missing column, not a Parquet file, broken CSV.
    """
    if kind is InputFormat.TEXT:
        yield from _text(stream)
    elif kind is InputFormat.JSONL:
        yield from _json_lines(stream, fields)
    elif kind is InputFormat.CSV:
        yield from _csv(stream, fields)
    else:
        yield from _parquet(stream, fields)


def count_places(file: Path, kind: InputFormat, fields: Fields) -> int:
    """The number of lines or rows of a file, for the progress bar, counted without building records where that is cheap."""
    with file.open("rb") as stream:
        if kind is InputFormat.PARQUET:
            return int(_parquet_file(stream).metadata.num_rows)
        if kind is InputFormat.CSV:
            return sum(1 for _ in _csv(stream, fields))
        lines, last = 0, b"\n"
        while piece := stream.read(1 << 20):
            lines += piece.count(b"\n")
            last = piece[-1:]
        return lines + (last != b"\n")


def _lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Lines without their terminators; None for a line that is too long."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if len(line) <= MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line.removesuffix(b"\n").removesuffix(b"\r")
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE_BYTES)
        yield None


def _text(stream: IO[bytes]) -> Iterator[Record | Rejected]:
    for row, line in enumerate(_lines(stream)):
        if line is None:
            yield _too_long(row)
            continue
        try:
            yield _record(row, line.decode("utf-8"), None, None)
        except UnicodeDecodeError as error:
            yield Rejected(row, f"not UTF-8: {error.reason} at byte {error.start}")


def _json_lines(stream: IO[bytes], fields: Fields) -> Iterator[Record | Rejected]:
    for row, line in enumerate(_lines(stream)):
        if line is None:
            yield _too_long(row)
            continue
        try:
            value = msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf") if row == 0 else line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            yield Rejected(row, "a blank line" if not line.strip() else f"not JSON: {error}")
            continue
        if isinstance(value, str):
            yield _record(row, value, None, None)
        elif isinstance(value, dict):
            yield _from_mapping(row, value, fields)
        else:
            yield Rejected(row, f"neither an object nor a string, but {_name(value)}")


def _csv(stream: IO[bytes], fields: Fields) -> Iterator[Record | Rejected]:
    csv.field_size_limit(MAX_LINE_BYTES)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.DictReader(text)
    try:
        _check_columns(rows.fieldnames or (), fields)
        for row, values in enumerate(rows):
            if None in values:
                yield Rejected(row, f"more cells than the header's {len(rows.fieldnames or ())}")
            else:
                yield _from_mapping(row, values, fields)
    except csv.Error as error:
        raise InvalidInputError(f"the CSV cannot be read at line {rows.line_num}: {error}") from None
    finally:
        text.detach()


def _parquet(stream: IO[bytes], fields: Fields) -> Iterator[Record | Rejected]:
    file = _parquet_file(stream)
    _check_columns(file.schema_arrow.names, fields)
    wanted = [name for name in (fields.text, fields.title, fields.id) if name is not None]
    row = 0
    for batch in file.iter_batches(columns=wanted, batch_size=1024):
        for values in batch.to_pylist():
            yield _from_mapping(row, values, fields)
            row += 1


def _parquet_file(stream: IO[bytes]) -> Any:
    parquet = import_parquet()
    from pyarrow import ArrowException

    try:
        return parquet.ParquetFile(stream)
    except (ArrowException, OSError) as error:
        raise InvalidInputError(f"the input is not a Parquet file: {error}") from None


def import_parquet() -> Any:
    """Pyarrow's Parquet module. Raises InvalidInputError with the command that installs it."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise InvalidInputError("Parquet needs pyarrow, which is not installed", hint=install_hint("parquet")) from None
    return parquet


def _check_columns(found: Iterable[str], fields: Fields) -> None:
    names = list(found)
    for option, wanted in (("--text-field", fields.text), ("--title-field", fields.title), ("--id-field", fields.id)):
        if wanted is not None and wanted not in names:
            raise InvalidInputError(
                f"the input has no column {wanted!r}; it has {', '.join(map(repr, names)) or 'none'}",
                hint=f"name one with {option}",
            )


def _from_mapping(row: int, values: dict[str, Any], fields: Fields) -> Record | Rejected:
    if fields.text not in values:
        return Rejected(row, f"there is no field {fields.text!r}")
    text, title = values[fields.text], values.get(fields.title) if fields.title is not None else None
    name = values.get(fields.id) if fields.id is not None else None
    if not isinstance(text, str):
        return Rejected(row, f"the field {fields.text!r} is {_name(text)}, not a string")
    if title is not None and not isinstance(title, str):
        return Rejected(row, f"the field {fields.title!r} is {_name(title)}, not a string")
    if name is not None and (isinstance(name, bool) or not isinstance(name, str | int)):
        return Rejected(row, f"the field {fields.id!r} is {_name(name)}, neither a string nor an integer")
    if isinstance(name, int) and not -(1 << 63) <= name < 1 << 63:
        return Rejected(row, f"the field {fields.id!r} is a number of more than 64 bits")
    return _record(row, text, title, name)


def _record(row: int, text: str, title: str | None, name: str | int | None) -> Record | Rejected:
    if any(_ESCAPED.search(each) for each in (text, title, name) if isinstance(each, str)):
        return Rejected(row, "not UTF-8")
    if not text.strip():
        return Rejected(row, "the text is blank")
    name = replace_surrogates(name) if isinstance(name, str) else name
    return Record(row, replace_surrogates(text), None if title is None else replace_surrogates(title), name)


def _too_long(row: int) -> Rejected:
    return Rejected(row, f"a line of more than {MAX_LINE_BYTES >> 20} MiB")


def _name(value: object) -> str:
    return "null" if value is None else f"a {type(value).__name__}"
