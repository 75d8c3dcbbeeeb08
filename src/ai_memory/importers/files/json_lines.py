"""JSON from files and standard input as lines of UTF-8: JSON lines as they are, one object per line of a JSON array."""

from __future__ import annotations

import codecs
import gzip
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, Any, cast

import msgspec

from ai_memory.errors import InvalidInputError, TooLargeError
from ai_memory.importers.decoding import MAX_FILE_BYTES, encoding_of
from ai_memory.importers.foreign import drafts_in
from ai_memory.operations.imported import TEXT_NAMES

PEEKED = 4096


def lines_of(raw: IO[bytes], name: str, advance: Callable[[int], None]) -> Iterator[bytes]:
    """The lines of a file in UTF-8, decompressed if its name ends in .gz. `advance` is called with the number of bytes read.

    The items of a JSON array, or of the only list in a JSON object, are lines too; an item that is a string is the text of a draft.
    """
    if not name.endswith(".gz"):
        yield from _decoded(_counted(raw, raw, advance))
        return
    try:
        with gzip.open(raw) as unpacked:
            yield from _decoded(_counted(cast("IO[bytes]", unpacked), raw, advance))
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInputError(
            f"{name} is a damaged gzip file: {error}",
            hint="lines before the damage were imported; fix the file and run again",
        ) from None


def _counted(lines: IO[bytes], raw: IO[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    """The lines, with the number of bytes of the file that each took."""
    before = 0
    for line in lines:
        if lines is raw:
            advance(len(line))
        else:
            now = raw.tell()
            advance(now - before)
            before = now
        yield line


def _decoded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The lines in UTF-8 without a byte order mark, whatever Unicode encoding they are in."""
    first = next(pieces, b"")
    encoding = encoding_of(first[:PEEKED])
    if encoding == "utf-8-sig":
        first, encoding = first.removeprefix(codecs.BOM_UTF8), "utf-8"
    whole = itertools.chain((first,) if first else (), pieces)
    lines = _objects(whole if encoding == "utf-8" else _recoded(whole, encoding))
    return itertools.chain.from_iterable(map(drafts_in, lines))


def _recoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + decoder.decode(piece)).split("\n")
        yield from (line.encode() for line in lines)
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest.encode()


def _objects(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The lines, or the items of a document that is one JSON array or object over several lines."""
    held: list[bytes] = []
    for line in lines:
        held.append(line)
        if line.strip():
            break
    start = held[-1].strip() if held else b""
    if start[:1] == b"[" or (start[:1] == b"{" and not _is_json(start)):
        size = len(start)
        for line in lines:
            held.append(line)
            size += len(line)
            if size > MAX_FILE_BYTES:
                if start[:1] == b"[":
                    raise TooLargeError(
                        f"a JSON array of more than {MAX_FILE_BYTES:,} bytes",
                        hint="write one object per line (JSON lines)",
                        limit=MAX_FILE_BYTES,
                    )
                break
        else:
            with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                held = [_draft(item) for item in _items(msgspec.json.decode(b"\n".join(held)))]
    yield from itertools.chain(held, lines)


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _items(document: Any) -> list[Any]:
    """The drafts of a JSON document: the items of an array, those of the only list of objects in an object, or the object."""
    if isinstance(document, list):
        return document
    if not isinstance(document, dict) or any(name in document for name in ("text", *TEXT_NAMES)):
        return [document]
    lists = [value for value in document.values() if isinstance(value, list) and all(map(_is_object, value)) and value]
    return lists[0] if len(lists) == 1 else [document]


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _draft(item: Any) -> bytes:
    return msgspec.json.encode({"text": item} if isinstance(item, str) else item)
