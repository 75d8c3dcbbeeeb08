"""Sends what an importer reads to the service as the lines of an import, and says where in the source each refusal was."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ai_memory.cli.files.documents import resume_key
from ai_memory.cli.output.arrival import Arrival
from ai_memory.errors import InvalidInputError
from ai_memory.importers.base import MOST_KEPT, Importer, Reading, Record, Unread, records
from ai_memory.operations.base import parse
from ai_memory.operations.caller import Caller
from ai_memory.operations.moving import ImportRequest
from ai_memory.types import Outcome


def import_source(
    importer: Importer, path: Path, values: dict[str, Any], caller: Caller, advance: Callable[[int], None]
) -> Arrival:
    """Import all records of a file or folder; `values` are those of the request. An interrupted import is resumed.

    Raises InvalidInputError where the source as a whole cannot be read.
    """
    given = dict(values)
    given.setdefault("resume_key", f"{importer.name}:{importer.version}:{_state_of(path)}"[:256])
    reading = Reading()
    sent = _Sent(reading)
    report = caller.import_lines(parse(ImportRequest, given), sent.lines(records(importer, path, reading), advance))
    refused = tuple(Unread(sent.place(row.line), f"{row.code}: {row.reason}") for row in report.rejected)
    counts = dict(report.counts)
    if reading.unread_count:
        counts[Outcome.REJECTED.value] = counts.get(Outcome.REJECTED.value, 0) + reading.unread_count
    return Arrival(
        importer=importer.name,
        records=report.lines,
        counts=counts,
        rejected=(*reading.unread, *refused)[:MOST_KEPT],
        left=dict(sorted(reading.left.items())),
        skipped=report.skipped,
        state=report.state,
        warnings=tuple(Unread(sent.place(row.line), row.message) for row in report.warnings),
    )


class _Sent:
    """The lines that were sent so far, and which part of the source each is of."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._first: list[int] = []
        self._places: list[str] = []

    def lines(self, read: Iterator[Record], advance: Callable[[int], None]) -> Iterator[bytes]:
        """Each record as a line."""
        for number, record in enumerate(read, start=1):
            if not self._places or self._places[-1] != self._reading.place:
                self._first.append(number)
                self._places.append(self._reading.place)
            yield _encoded(record)
            advance(1)

    def place(self, line: int) -> str:
        """The part of the source that a line is of."""
        at = bisect_right(self._first, line) - 1
        return self._places[at] if at >= 0 else ""


def _state_of(path: Path) -> str:
    """The source and its content, by its files' sizes and times."""
    if not path.is_dir():
        return resume_key(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    if not files:
        raise InvalidInputError(f"there are no files below {path}", hint="check the path")
    newest = max(file.stat().st_mtime_ns for file in files)
    return f"{path.name[-100:]}:{sum(file.stat().st_size for file in files)}:{len(files)}:{newest}"


def _encoded(record: Record) -> bytes:
    try:
        return msgspec.json.encode(record)
    except (UnicodeEncodeError, TypeError, msgspec.MsgspecError):
        return msgspec.json.encode(_storable(record))


def _storable(value: Any) -> Any:
    """A value with U+FFFD for half surrogate pairs, and as text where JSON has no such value."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {str(_storable(key)): _storable(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [_storable(part) for part in value]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return value if isinstance(value, int | float | bool) or value is None else str(value)
