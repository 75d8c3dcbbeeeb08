"""Reading request bodies: whole within a limit, or line by line without one; gzip in either case.

A compressed body is unpacked piece by piece within the same limits as a plain one, and in a thread: a small body can neither fill
the memory nor hold up the event loop.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from ai_memory.api.http.headers import Headers, header
from ai_memory.errors import InvalidInputError, MediaTypeError, OverloadedError, TooLargeError

_PIECE = 1 << 18
_SLICE = 1 << 16
SMALL_MEMBERS = 1_000
"""How many gzip members a body may have whose contents are less than `MEMBER_BYTES` on average."""
MEMBER_BYTES = 1_024
EXPANSION = 200
"""How many times larger than its compressed form a body may be; text is less than 20 times."""
EXPANSION_FROM = 1 << 26
"""Bytes up to which a body may expand by any factor."""

AT_ONCE = 32
"""Bodies of the largest size that may be unfinished at once; of smaller ones, as many more."""


class Unpacker:
    """Decodes the content encoding of a body, piece by piece. Unpacking takes time: not for the event loop."""

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
        self._members = 1
        self._packed = self._unpacked = 0

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """The decoded bytes of the next piece, in pieces of bounded size.

        Raises InvalidInputError where it is not gzip or consists of countless tiny members, TooLargeError where it expands by
        more than `EXPANSION`.
        """
        if self._gzip is None:
            yield data
            return
        for start in range(0, len(data), _SLICE):  # zlib copies what it has not read yet after each step
            yield from self._members_in(self._gzip, data[start : start + _SLICE])

    def _members_in(self, member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
        self._packed += len(data)
        piece = b""
        while data or len(piece) == _PIECE:  # a full piece may have left more inside, with no input to show for it
            try:
                piece = member.decompress(data, _PIECE)
            except zlib.error as error:
                raise _not_gzip(str(error)) from None
            self._check(len(piece))
            yield piece
            data = member.unconsumed_tail
            if member.eof and member.unused_data:  # gzip files may be several, one after the other
                self._members += 1
                data, member = member.unused_data, zlib.decompressobj(wbits=31)
        self._gzip = member

    def _check(self, more: int) -> None:
        self._unpacked += more
        if self._members > SMALL_MEMBERS + self._unpacked // MEMBER_BYTES:
            raise _not_gzip(f"it has more than {SMALL_MEMBERS:,} members that hold next to nothing")
        limit = EXPANSION_FROM + EXPANSION * self._packed
        if self._unpacked > limit:
            raise TooLargeError(
                f"the body expands to more than {EXPANSION} times its size",
                hint="send it in parts, or leave Content-Encoding out to send it plain",
                limit=limit,
                actual=self._unpacked,
            )

    def finish(self) -> None:
        """To be called at the end of the body; raises InvalidInputError where gzip is incomplete."""
        if self._gzip is not None and self._packed and not self._gzip.eof:
            raise _not_gzip("it ends too early")


class Body(NamedTuple):
    """A whole body as it was sent."""

    sent: bytes
    unpacker: Unpacker | None
    limit: int

    def unpacked(self) -> bytes:
        """Its contents. Takes time where it is compressed; raises what `Unpacker` raises, and TooLargeError over the limit."""
        if self.unpacker is None:
            return self.sent
        pieces: list[bytes] = []
        size = 0
        for piece in self.unpacker.unpack(self.sent):
            size += len(piece)
            if size > self.limit:
                raise _over(self.limit, size)
            pieces.append(piece)
        self.unpacker.finish()
        return b"".join(pieces)


def _not_gzip(why: str) -> InvalidInputError:
    return InvalidInputError(f"the body is not valid gzip: {why}", hint="leave Content-Encoding out to send it plain")


async def next_piece(receive: Receive) -> tuple[bytes, bool]:
    """The next bytes of the body as sent, and whether more follow. Raises ClientDisconnect when the client has left."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


class Bodies:
    """Reads whole bodies, and limits how much of unfinished ones is kept in memory. Used in the event loop only."""

    def __init__(self, limit: int) -> None:
        """`limit` is the most bytes of one body; all unfinished ones together may have `AT_ONCE` times as many."""
        self._limit = limit
        self._held = 0

    async def read(self, headers: Headers, receive: Receive) -> Body:
        """The whole body.

        Raises TooLargeError once it is known to be over the limit, MediaTypeError as `Unpacker` does, OverloadedError where
        others' unfinished bodies leave no memory for it, and ClientDisconnect.
        """
        first = dict(reversed(headers))  # reversed: the first of a name counts
        unpacker = Unpacker(headers) if b"content-encoding" in first else None
        declared = first.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self._limit:
            raise _over(self._limit, int(declared))
        pieces: list[bytes] = []
        size, more = 0, True
        try:
            while more:
                data, more = await next_piece(receive)
                size += len(data)
                self._held += len(data)
                if size > self._limit:
                    raise _over(self._limit, size)
                if self._held > AT_ONCE * self._limit:
                    raise _full(AT_ONCE * self._limit)
                pieces.append(data)
        finally:
            self._held -= size
        return Body(b"".join(pieces), unpacker, self._limit)


def _over(limit: int, actual: int) -> TooLargeError:
    return TooLargeError(
        f"the body has {actual:,} bytes or more, the limit is {limit:,}",
        hint="send less at once, raise AI_MEMORY_MAX_BODY_BYTES, or use import, which streams",
        limit=limit,
        actual=actual,
    )


def _full(limit: int) -> OverloadedError:
    return OverloadedError(
        f"bodies that have not arrived completely have {limit:,} bytes in all",
        hint="try again after the seconds in Retry-After",
        retry_after=1,
        limit=limit,
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
