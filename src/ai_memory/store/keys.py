"""Keys: the values of one fact in the order in which they hold, at most one at any moment.

All unretired memories of a namespace that have the same key and the same user are one *line*. Each value holds from its
`valid_from` until the next one's, or until its own `valid_to` if that is earlier, whichever of them was stored first. So a new
value changes its two neighbours in time at most: it ends the one that holds when it begins, and ends itself where the next one
begins. Where two values begin at the same instant the one stored later counts, and the other was never true.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import NamedTuple

from msgspec.structs import replace

from ai_memory.store.base import Rejected, Remember
from ai_memory.types import MemoryRecord


class Neighbours(NamedTuple):
    """Values of a line next to an instant, those that were never true left out."""

    before: MemoryRecord | None
    """The newest that begins then or earlier."""
    after: MemoryRecord | None
    """The oldest that begins later."""


def line_of(namespace: str, user: str | None, key: str | None) -> bytes | None:
    """16 bytes that the values of one key share exactly; None for a memory without a key."""
    if key is None:
        return None
    parts = (namespace, "-" if user is None else f"={user}", key)
    framed = b"".join(
        b"%d:%b" % (len(part), part) for part in (each.encode("utf-8", "surrogatepass") for each in parts)
    )
    return hashlib.blake2b(framed, digest_size=16, person=b"key").digest()


def begins(command: Remember) -> dt.datetime:
    """When a new value begins to hold: its `valid_from`, else when it is stored."""
    return command.content.valid_from or command.at


def said_already(command: Remember, line: Neighbours) -> MemoryRecord | None:
    """The memory of which a new value is a duplicate: one that holds in the same time, or, where the new one names no instant, the
    one that holds now.

    The same value with a later `valid_from` of its own is no duplicate: it holds again from there on, whatever may yet be stored
    between the two.
    """
    current = line.before
    if current is None or current.content_hash != command.content_hash or not _holds_at(current, begins(command)):
        return None
    if current.expires_at is not None and current.expires_at <= command.at:  # nobody is given it any more
        return None
    if command.content.valid_from is None:
        return current if command.content.valid_to in (None, current.valid_to) else None
    same = (current.valid_from, current.valid_to)
    content = placed(command, line).content
    return current if (content.valid_from, content.valid_to) == same else None


def placed(command: Remember, line: Neighbours) -> Remember:
    """The command with the time in which its value holds."""
    begin, end = begins(command), command.content.valid_to
    after = ended_by(end, line)
    end = end if after is None else after.valid_from
    return replace(command, content=replace(command.content, valid_from=begin, valid_to=end))


def ends(begin: dt.datetime, line: Neighbours) -> MemoryRecord | None:
    """The value that ends where a new one begins: the one that holds then."""
    return line.before if line.before is not None and _holds_at(line.before, begin) else None


def ended_by(end: dt.datetime | None, line: Neighbours) -> MemoryRecord | None:
    """The next value, where a new one that would hold until `end` (None: for good) ends with it."""
    after = line.after
    if after is None or after.valid_from is None or (end is not None and end <= after.valid_from):
        return None
    return after


def overlapping(record: MemoryRecord, line: Neighbours) -> MemoryRecord | None:
    """Another value that holds in the time of `record`, whose neighbours without itself are `line`; None where there is none."""
    if record.valid_from is None or _is_never(record):
        return None
    return ends(record.valid_from, line) or ended_by(record.valid_to, line)


def taken(record: MemoryRecord, other: MemoryRecord) -> Rejected:
    """A change would give a key two values at one moment."""
    until = "" if other.valid_to is None else f" until {other.valid_to.isoformat()}"
    since = "" if other.valid_from is None else f" from {other.valid_from.isoformat()}"
    return Rejected(
        code="conflict",
        reason=f"the key {record.key} has another value{since}{until}, memory {other.id}",
        details={"memory_id": other.id, "key": record.key},
    )


def is_value(record: MemoryRecord) -> bool:
    """Whether a memory is a value of a line: it has a key, is not retired and was true at some moment."""
    return record.key is not None and record.retired_at is None and not _is_never(record)


def _is_never(record: MemoryRecord) -> bool:
    return record.valid_to is not None and record.valid_from is not None and record.valid_to <= record.valid_from


def _holds_at(record: MemoryRecord, instant: dt.datetime) -> bool:
    return record.valid_to is None or record.valid_to > instant
