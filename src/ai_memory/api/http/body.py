"""Reading request bodies: whole within a limit, or line by line without one; gzip in either case.

A compressed body is unpacked piece by piece within the same limits as a plain one, so that a small body cannot fill the memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from starlette.types import Receive

from ai_memory.api.http.headers import Headers, header
from ai_memory.errors import InvalidInputError, MediaTypeError, ServiceUnavailableError, TooLargeError

_PIECE = 1 << 18


class Unpacker:
    """Decodes the content encoding of a body, piece by piece."""

    def __init__(self, headers: Headers) -> None:
        """Raises MediaTypeError for an encoding other than gzip."""
        encoding = (header(headers, b"content-encoding") or "identity").lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            raise MediaTypeError(
                f"Content-Encoding {encoding[:40]!r} is not supported",
                hint="send the body plain or with Content-Encoding: gzip",
                accepted=["gzip", "identity"],
            )
        self._gzip = zlib.decompressobj(wbits=31) if encoding != "identity" else None
        self._begun = False

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """The decoded bytes of the next piece, in pieces of bounded size. Raises InvalidInputError where it is not gzip."""
        if self._gzip is None:
            yield data
            return
        piece = b""
        while data or len(piece) == _PIECE:  # a full piece may have left more inside, with no input to show for it
            self._begun = True
            try:
                piece = self._gzip.decompress(data, _PIECE)
            except zlib.error as error:
                raise _not_gzip(str(error)) from None
            yield piece
            data = self._gzip.unconsumed_tail
            if self._gzip.eof and self._gzip.unused_data:  # gzip files may be several, one after the other
                data, self._gzip = self._gzip.unused_data, zlib.decompressobj(wbits=31)

    def finish(self) -> None:
        """To be called at the end of the body; raises InvalidInputError where gzip is incomplete."""
        if self._gzip is not None and self._begun and not self._gzip.eof:
            raise _not_gzip("it ends too early")


def _not_gzip(why: str) -> InvalidInputError:
    return InvalidInputError(f"the body is not valid gzip: {why}", hint="leave Content-Encoding out to send it plain")


async def next_piece(receive: Receive) -> tuple[bytes, bool]:
    """The next bytes of the body as sent, and whether more follow. Raises ServiceUnavailableError when the client has left."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ServiceUnavailableError("the client disconnected before the whole body had arrived")
    return message.get("body", b""), message.get("more_body", False)


async def read_body(headers: Headers, receive: Receive, limit: int) -> bytes:
    """The whole body, unpacked. Raises TooLargeError once it is known to be over `limit` bytes."""
    first = dict(reversed(headers))  # reversed: the first of a name counts
    unpacker = Unpacker(headers) if b"content-encoding" in first else None
    declared = first.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise _over(limit, int(declared))
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        data, more = await next_piece(receive)
        for piece in (data,) if unpacker is None else unpacker.unpack(data):
            size += len(piece)
            if size > limit:
                raise _over(limit, size)
            pieces.append(piece)
    if unpacker is not None:
        unpacker.finish()
    return b"".join(pieces)


def _over(limit: int, actual: int) -> TooLargeError:
    return TooLargeError(
        f"the body has {actual:,} bytes or more, the limit is {limit:,}",
        hint="send less at once, raise AI_MEMORY_MAX_BODY_BYTES, or use import, which streams",
        limit=limit,
        actual=actual,
    )


class LineSplitter:
    """Cuts a stream of bytes into lines without their ends.

    Of a line longer than `limit` bytes only the first `limit + 1` are kept: enough for the reader to see that it is too long and
    to report it; the lines after it are read as usual.
    """

    def __init__(self, limit: int) -> None:
        self._keep = limit + 1
        self._rest = bytearray()

    def lines(self, data: bytes) -> Iterator[bytes]:
        """The lines that `data` completes."""
        *ended, last = data.split(b"\n")
        for part in ended:
            self._rest += part[: self._keep - len(self._rest)]
            yield bytes(self._rest)
            self._rest.clear()
        self._rest += last[: self._keep - len(self._rest)]

    def last(self) -> Iterator[bytes]:
        """The line after the last line end, if it is not empty."""
        if self._rest:
            yield bytes(self._rest)
