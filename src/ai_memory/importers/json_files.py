"""JSON documents of foreign programs: read item by item where they may be large."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from ai_memory.errors import InvalidInputError, TooLargeError
from ai_memory.importers.base import Reading
from ai_memory.importers.decoding import MAX_FILE_BYTES, encoding_of, unreadable

PIECE = 1 << 20
MAX_ITEM = 256 << 20
"""Characters of one item, such as a conversation; a larger one means that the file is damaged."""
_PEEKED = 64 << 10


def beginning(path: Path) -> str:
    """The first characters of a file as text, to recognise it by; empty for what is no file that can be read."""
    if not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            start = file.read(_PEEKED)
    except OSError:
        return ""
    return start.decode(encoding_of(start[:4096]), "replace").lstrip("\ufeff \t\r\n")


def document(path: Path) -> Any:
    """The whole of a JSON file. Raises InvalidInputError that says where it is damaged; TooLargeError."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise TooLargeError(
                f"{path} has {size:,} bytes of JSON in one piece",
                hint="export it in parts",
                limit=MAX_FILE_BYTES,
                actual=size,
            )
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    text = data.decode(encoding_of(data[:4096]), "replace").lstrip("\ufeff")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInputError(f"{path.name} is not valid JSON: {error}", hint="export it again") from None
    except UnicodeEncodeError as error:  # half a surrogate pair
        raise InvalidInputError(f"{path.name} is not valid Unicode: {error.reason}", hint="export it again") from None


def items(path: Path, reading: Reading) -> Iterator[Any]:
    """The items of a JSON array, one by one; a document of another kind is its only item.

    Where the file is damaged, what is before the damage has been yielded, and the rest is noted as unread.
    """
    if not beginning(path).startswith("["):
        yield document(path)
        return
    try:
        with path.open("rb") as raw:
            encoding = encoding_of(raw.read(4096))
        with path.open(encoding=encoding, errors="replace") as file:
            stream = _Items(file)
            while not stream.ended:
                yield from stream.next()
    except OSError as error:
        raise unreadable(path, error) from None
    if stream.wrong:
        reading.refuse(
            f"not valid JSON ({stream.wrong}); what follows was not read", f"{path.name}, item {stream.number}"
        )


class _Items:
    """The items of the array that a text begins with, read piece by piece."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._decoder = json.JSONDecoder()
        self._buffer = file.read(PIECE).lstrip("\ufeff \t\r\n")
        self._at = 1
        self.number = 1
        """The number of the item that is read next."""
        self.ended = False
        self.wrong = ""
        """What is wrong with that item, at the end of a damaged array."""

    def next(self) -> Iterator[Any]:
        """The next item, or none where the array ends or more of the text is needed first."""
        while self._at < len(self._buffer) and self._buffer[self._at] in " \t\r\n,":
            self._at += 1
        wrong = "it ends in the middle"
        if self._at < len(self._buffer):
            if self._buffer[self._at] == "]":
                self.ended = True
                return
            try:
                value, self._at = self._decoder.raw_decode(self._buffer, self._at)
            except RecursionError:
                self.ended, self.wrong = True, "nested too deeply"
                return
            except json.JSONDecodeError as error:  # damaged, or the rest of it is still to be read
                wrong = error.msg
            else:
                self.number += 1
                yield value
                return
        held = len(self._buffer) - self._at
        more = self._file.read(max(PIECE, held)) if held < MAX_ITEM else ""
        if more:
            self._buffer, self._at = self._buffer[self._at :] + more, 0
        else:
            self.ended, self.wrong = True, wrong


def lines(path: Path, reading: Reading) -> Iterator[dict[str, Any]]:
    """The objects of JSON lines; a line that is none is noted as unread."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                reading.place = f"{path.name}, line {number}"
                if not line.strip():
                    continue
                try:
                    value = msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"))
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    reading.refuse(f"not valid JSON: {error}")
                    continue
                if isinstance(value, dict):
                    yield value
                else:
                    reading.refuse("not a JSON object")
    except OSError as error:
        raise unreadable(path, error) from None
