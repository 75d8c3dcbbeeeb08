"""Judged questions as values: groups of documents with questions, and what every format's loader needs.

A group is one body of memories (one user's, one corpus) with questions and what answers them. A run searches inside each
group; a pooled run puts all groups into one namespace.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from ai_memory.decoding import from_builtins
from ai_memory.errors import InvalidInputError

_T = TypeVar("_T")
HEAD_BYTES = 1 << 16
_FORMATS = (
    "%I:%M %p on %d %B, %Y",
    "%d %B %Y",
    "%d %B, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%Y/%m/%d (%a) %H:%M",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d.%m.%Y, %H:%M:%S",
    "%B-%d-%Y",
    "%a, %d %b %Y %H:%M:%S %z",
)


class Document(Struct, frozen=True):
    """One text to remember, with what is known about it; `timestamp` is free-form."""

    text: str
    timestamp: str | None = None
    session: str | None = None
    author: str | None = None


class Query(Struct, frozen=True):
    """One question; `asked_at` is free-form."""

    text: str
    category: str | None = None
    asked_at: str | None = None


class Group(Struct, frozen=True):
    """Documents, questions and, for each question, the relevant documents with their grades (greater is better, 0 is not)."""

    group: str
    docs: dict[str, Document]
    queries: dict[str, Query]
    qrels: dict[str, dict[str, float]] = field(default_factory=dict)

    def relevant(self, query_id: str) -> dict[str, float]:
        """The documents that answer a question, by id, with grades above 0; only documents that are in the group."""
        judged = self.qrels.get(query_id, {})
        return {document: grade for document, grade in judged.items() if grade > 0 and document in self.docs}


class DataSet(Struct, frozen=True):
    """A named list of groups, loaded when asked for."""

    name: str
    load: Callable[[], list[Group]]


def parse_time(text: str | None) -> dt.datetime | None:
    """An instant from free-form text, UTC where no zone is given; None where it is not understood."""
    if not text:
        return None
    cleaned = " ".join(text.split())
    try:
        found = dt.datetime.fromisoformat(cleaned)
    except ValueError:
        parsed = (_strptime(cleaned, pattern) for pattern in _FORMATS)
        first = next((value for value in parsed if value is not None), None)
        if first is None:
            return None
        found = first
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)


def _strptime(text: str, pattern: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, pattern).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def pooled(groups: Sequence[Group], name: str = "pooled") -> list[Group]:
    """All groups as one, ids and sessions prefixed with their group's name: all users' memories in one namespace."""
    docs: dict[str, Document] = {}
    queries: dict[str, Query] = {}
    qrels: dict[str, dict[str, float]] = {}
    for group in groups:
        for key, document in group.docs.items():
            session = None if document.session is None else f"{group.group}|{document.session}"
            docs[f"{group.group}|{key}"] = msgspec.structs.replace(document, session=session)
        queries |= {f"{group.group}|{key}": query for key, query in group.queries.items()}
        qrels |= {
            f"{group.group}|{key}": {f"{group.group}|{document}": grade for document, grade in judged.items()}
            for key, judged in group.qrels.items()
        }
    return [Group(group=name, docs=docs, queries=queries, qrels=qrels)]


def without_category(groups: Sequence[Group], category: str) -> list[Group]:
    """The groups without the questions of one category."""
    return [
        msgspec.structs.replace(
            group, queries={key: query for key, query in group.queries.items() if query.category != category}
        )
        for group in groups
    ]


def head(file: Path) -> bytes:
    """The beginning of a file, to recognise its format by; empty where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(HEAD_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return b""


def json_files(place: Path, begins: bytes, *holds: bytes) -> list[Path]:
    """A JSON file, or those of a folder in order of name, that start with `begins` and have all of `holds` near the start."""
    files = sorted(place.glob("*.json")) if place.is_dir() else [place]
    found = []
    for file in files:
        start = head(file) if file.suffix == ".json" else b""
        if start.startswith(begins) and all(text in start for text in holds):
            found.append(file)
    return found


def read_json(file: Path) -> Any:
    """A file's JSON. Raises InvalidInputError where it cannot be read or is not JSON, naming the line."""
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidInputError(f"cannot read {file}: {error.strerror}", hint="give the data set's folder") from error
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            f"line {error.lineno} of {file.name} is not JSON: {error.msg}",
            hint="fetch the data set again",
            line=error.lineno,
        ) from None
    except ValueError as error:
        raise InvalidInputError(f"{file.name} is not JSON: {error}", hint="fetch the data set again") from None


def read_json_lines(file: Path) -> list[tuple[int, Any]]:
    """The JSON of each line that is not blank, with its number. Raises InvalidInputError naming a line that is not JSON."""
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError as error:
        raise InvalidInputError(
            f"cannot read {file}: {error.strerror}", hint="give the path of a JSON lines file"
        ) from error
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append((number, json.loads(line)))
            except ValueError as error:
                raise InvalidInputError(
                    f"line {number} of {file.name} is not JSON: {error}", hint="one JSON object per line", line=number
                ) from None
    return found


def shaped(value: Any, type_: type[_T], file: Path, expected: str, line: int | None = None) -> _T:
    """A value as a type. Raises InvalidInputError naming the file, the line, the place in it and what was expected."""
    try:
        return from_builtins(value, type_)
    except msgspec.ValidationError as error:
        where = f"line {line} of {file.name}" if line is not None else file.name
        details: Mapping[str, int] = {} if line is None else {"line": line}
        raise InvalidInputError(f"{where} is not {expected}: {error}", hint=f"expected {expected}", **details) from None
