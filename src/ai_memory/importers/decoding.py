"""The text of a file: its encoding by its first bytes, and what a file is that holds no text."""

from __future__ import annotations

import codecs
from pathlib import Path

from ai_memory.errors import InvalidInputError, TooLargeError

MAX_FILE_BYTES = 64_000_000
"""A larger file is refused: it is read whole."""

BINARY = (
    (
        b"PK\x03\x04",
        "a ZIP archive or an office document",
        "give an archive the ending .zip; of a document, save the text as .txt or .md",
    ),
    (b"\x1f\x8b", "compressed with gzip", "give JSON lines the ending .jsonl.gz, or unpack it"),
    (b"%PDF-", "a PDF document", "save its text as .txt or .md"),
    (b"SQLite format 3\0", "an SQLite database", "open a store of this service with --data-dir, or export it there"),
    (b"\x89PNG", "a PNG picture", ""),
    (b"\xff\xd8\xff", "a JPEG picture", ""),
    (b"{\\rtf", "a document in Rich Text Format", "save its text as .txt or .md"),
)
"""How files begin that are not text, what they are, and what to do instead."""

TEXTS = "Markdown (.md), text (.txt), tables (.csv, .tsv) and JSON (.json, .jsonl) can be imported"

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(start: bytes) -> str:
    """The encoding of a text that begins with these bytes: by its byte order mark, or UTF-16 by its NUL bytes, else UTF-8."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    even, odd = start[::2].count(0), start[1::2].count(0)
    if len(start) < 4:
        return "utf-8"
    if odd > len(start) // 5 and not even:
        return "utf-16-le"
    if even > len(start) // 5 and not odd:
        return "utf-16-be"
    return "utf-8"


def text_of(path: Path) -> str:
    """The text of a file in UTF-8, UTF-16 or UTF-32.

    Raises InvalidInputError for a file that cannot be read or holds no text, naming its format; TooLargeError.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise TooLargeError(
                f"{path} has {size:,} bytes", hint="split it into several files", limit=MAX_FILE_BYTES, actual=size
            )
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    refuse_binary(path, data)
    try:
        text = data.decode(encoding_of(data[:4096]))
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"{path} is not UTF-8 (byte {error.start})"
            if error.encoding.lower().startswith("utf-8")
            else f"{path} is not valid {error.encoding.upper()} (byte {error.start})",
            hint=f"convert it: iconv -f WINDOWS-1252 -t UTF-8 {path.name}",
        ) from None
    if "\0" in text:
        raise InvalidInputError(f"{path} is a binary file", hint=TEXTS)
    return text


def refuse_binary(path: Path, start: bytes) -> None:
    """Raise InvalidInputError, which names the format, if a file begins like one of a known binary format."""
    for mark, what, instead in BINARY:
        if start.startswith(mark):
            raise InvalidInputError(f"{path} is {what}", hint="; ".join(filter(None, (TEXTS, instead))))


def unreadable(path: Path | str, error: OSError) -> InvalidInputError:
    """The error for a file that the system does not give."""
    return InvalidInputError(f"{path} cannot be read: {error.strerror or error}", hint="check the path")
