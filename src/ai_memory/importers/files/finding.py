"""Which files are read as what: by the ending of their names, else by their content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

from ai_memory.importers.decoding import refuse_binary, unreadable


class Format(StrEnum):
    """What a file holds."""

    MARKDOWN = "markdown"
    TEXT = "text"
    TABLE = "table"
    JSON = "json"
    DOCUMENT = "document"


SUFFIXES = {
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".mdx": Format.MARKDOWN,
    ".txt": Format.TEXT,
    ".text": Format.TEXT,
    ".csv": Format.TABLE,
    ".tsv": Format.TABLE,
    ".json": Format.JSON,
    ".jsonl": Format.JSON,
    ".ndjson": Format.JSON,
    ".pdf": Format.DOCUMENT,
    ".docx": Format.DOCUMENT,
    ".epub": Format.DOCUMENT,
    ".html": Format.DOCUMENT,
    ".htm": Format.DOCUMENT,
    ".xhtml": Format.DOCUMENT,
}
FOREIGN = frozenset({".af", ".db", ".ics", ".ical", ".mbox", ".sqlite", ".sqlite3"})
"""Endings of files that only an importer of another program's format reads."""
NOTES = frozenset({Format.MARKDOWN})
SHOWN_ENDINGS = 8


def format_of(path: Path) -> Format:
    """The format of a file; one whose ending says nothing is JSON where it begins as JSON does, else text.

    Raises InvalidInputError for a file that cannot be read or is of a known binary format.
    """
    known = _by_ending(path)
    if known is not None:
        return known
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise unreadable(path, error) from None
    refuse_binary(path, start)
    return Format.JSON if start.removeprefix(b"\xef\xbb\xbf").lstrip()[:2] in (b'{"', b"[{", b'["') else Format.TEXT


def _by_ending(path: Path) -> Format | None:
    name = path.name.lower()
    if name.endswith(".gz"):
        inner = SUFFIXES.get(Path(name.removesuffix(".gz")).suffix)
        return inner if inner is Format.JSON else None
    return SUFFIXES.get(path.suffix.lower())


def is_importable(path: Path) -> bool:
    """Whether the ending of a file's name is that of a format, or of a file of another program that may be read."""
    return _by_ending(path) is not None or path.suffix.lower() in FOREIGN


def files_below(folder: Path, formats: Iterable[Format] = Format) -> Iterator[Path]:
    """The files of these formats in a folder and its sub-folders, by path; see `_visible`."""
    wanted = frozenset(formats)
    return (path for path in _visible(folder) if _by_ending(path) in wanted)


def others_below(folder: Path) -> str:
    """How many files below a folder have no format that can be imported, by ending: `5 files (3 .png, 2 .pdf)`; empty for none."""
    endings = Counter(path.suffix.lower() or "without ending" for path in _visible(folder) if _by_ending(path) is None)
    if not endings:
        return ""
    shown = [f"{count} {ending}" for ending, count in endings.most_common(SHOWN_ENDINGS)]
    more = ["…"] if len(endings) > SHOWN_ENDINGS else []
    return f"{endings.total()} file{'s' if endings.total() > 1 else ''} ({', '.join(shown + more)})"


def _visible(folder: Path) -> Iterator[Path]:
    """The files below a folder by path, without hidden ones and without following links to folders."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            yield path
