"""What a reader of a foreign format is, and what it yields.

A reader yields lines of an import as values: drafts (`"record": "draft"`, with the fields of remember) and links
(`"record": "link"`, with those of relate; `ref:NAME` means the draft whose `ref` is NAME). It decides nothing: whether a text is a
copy, was forgotten or ends another one is the service's to say.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from ai_memory.types import MemoryType

Record = dict[str, Any]

MAX_CONTEXT = 512
MAX_NAME = 256
MAX_TITLE = 1000
MOST_KEPT = 1_000
"""Unreadable parts that are named one by one; the others are only counted."""
_LAST_SECOND = 253_402_214_400
"""The beginning of the last day of the year 9999."""
_TYPES = frozenset(map(str, MemoryType))


class Unread(Struct, frozen=True):
    """A part of a source that could not be read: where it is, and why."""

    place: str
    reason: str


class Reading:
    """One run of a reader: where it is, what it could not read, and what it left out because no memory can hold it."""

    def __init__(self) -> None:
        self.place = ""
        """The file, conversation or row that the records read now are of, in words for a person."""
        self.unread: list[Unread] = []
        self.unread_count = 0
        self.left: Counter[str] = Counter()

    def refuse(self, reason: object, place: str | None = None) -> None:
        """Note a part that cannot be read; the others are read all the same."""
        self.unread_count += 1
        if len(self.unread) < MOST_KEPT:
            self.unread.append(Unread(self.place if place is None else place, str(reason)))

    def leave(self, what: str, count: int = 1) -> None:
        """Note what is left out, in the plural: `pictures`, `messages of other branches`."""
        if count:
            self.left[what] += count


class Importer(NamedTuple):
    """One format: how it is recognised, and how it is read."""

    name: str
    """What `--from` takes, and what begins the `source` of each memory."""
    title: str
    """The program and the form of its export, for a person."""
    version: int
    """Raised when what it makes of the same source changes."""
    finds: Callable[[Path], bool]
    """Whether a file or folder is of this format, by its name and its beginning."""
    read: Callable[[Path, Reading], Iterator[Record]]


def records(importer: Importer, path: Path, reading: Reading) -> Iterator[Record]:
    """All records of a source; each draft says in its attributes which importer made it."""
    for record in importer.read(path, reading):
        if record["record"] == "draft":
            own = {"importer": importer.name, "importer_version": importer.version}
            record["attributes"] = {**present(record.get("attributes") or {}), **own}
            record.setdefault("source", importer.name)
        yield record


def draft(text: str, **fields: Any) -> Record:
    """A draft with those fields that have a value."""
    return {"record": "draft", "text": text, **present(fields)}


def link(source: str, target: str, relation: str, **fields: Any) -> Record:
    """A relation between two nodes: `ref:NAME`, or what `entity` gives."""
    return {"record": "link", "source": source, "target": target, "type": relation_type(relation), **present(fields)}


def entity(name: str, kind: str | None = None) -> str:
    """The node of an entity, which is made where it is new."""
    kind = (kind or "").strip().lower().replace("/", " ")
    name = " ".join(name.split())[:MAX_NAME]
    return f"entity:{kind}/{name}" if kind else f"entity:{name}"


def relation_type(written: str) -> str:
    """A relation's name in our spelling: `works at` and `worksAt` are WORKS_AT; REFERS_TO where no letter is in it."""
    spaced = "".join(
        f" {letter}" if letter.isupper() and index and written[index - 1].islower() else letter
        for index, letter in enumerate(written)
    )
    words = "".join(letter if letter.isalnum() and letter.isascii() else " " for letter in spaced).upper().split()
    name = "_".join(words)[:64].strip("_")
    return name if name and name[0].isalpha() else "REFERS_TO"


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that say something: not None, nor an empty text, list or object."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", [], {}, ())}


def without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The values of an object but those under these names."""
    return {key: value for key, value in values.items() if key not in names}


def known_type(written: object) -> str | None:
    """The memory type that is written; None where there is no such type."""
    name = written.strip().lower() if isinstance(written, str) else ""
    return name if name in _TYPES else None


def texts(values: Iterable[object]) -> list[str]:
    """The texts among values."""
    return [value for value in values if isinstance(value, str)]


def text_in(values: Mapping[str, Any], *names: str) -> str:
    """The first of these values that is a text with a character that is not blank; empty if none is."""
    return next((value for name in names if isinstance(value := values.get(name), str) and value.strip()), "")


def objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none where it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def path_of(*parts: object) -> str:
    """A context from names, each one step of it; what is a path already stays one."""
    steps = [" ".join(str(part).replace("\\", "/").split()).strip("/") for part in parts if part is not None]
    return "/".join(step for step in steps if step)[:MAX_CONTEXT].strip("/")


def seconds(value: object) -> float | None:
    """A number, as seconds since 1970 are written; those in milli-, micro- and nanoseconds are brought to seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        return None
    number = float(value)
    while number > _LAST_SECOND:
        number /= 1000
    return number


def instant(value: object) -> str | None:
    """An instant as RFC 3339: from seconds since 1970, or as written; None where it is neither."""
    number = seconds(value)
    if number is not None:
        return dt.datetime.fromtimestamp(number, dt.UTC).isoformat()
    return value.strip() or None if isinstance(value, str) else None


def when(value: object) -> dt.datetime | None:
    """The instant in ISO 8601 or as seconds since 1970, in UTC without a zone, to compare; None where it is none."""
    written = instant(value)
    if written is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def period(start: object, end: object) -> dict[str, Any]:
    """`valid_from` and `valid_to` of what held from one instant to another; an end that is not after the start is left out."""
    begin, finish = when(start), when(end)
    backwards = begin is not None and finish is not None and finish <= begin
    return present({"valid_from": instant(start), "valid_to": None if backwards else instant(end)})
