"""Cursors of the pages of a selection, the same on every backend."""

from __future__ import annotations

import base64
import hashlib

import msgspec
from msgspec.structs import replace

from ai_memory.decoding import from_json
from ai_memory.errors import InvalidInputError
from ai_memory.types import Selection


def cursor_of(selection: Selection, newest_first: bool, retired: bool, occurred: int, memory_id: str) -> str:
    """A cursor that points behind one memory of this selection: base64url of JSON, no padding."""
    position = msgspec.json.encode([occurred, memory_id, _digest(selection, newest_first, retired)])
    return base64.urlsafe_b64encode(position).rstrip(b"=").decode()


def position_of(cursor: str, selection: Selection, newest_first: bool, retired: bool) -> tuple[int, str]:
    """The place (occurred, memory id) that a cursor points behind.

    Raises InvalidInputError for one that was changed, or that belongs to another selection or direction.
    """
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        occurred, memory_id, digest = from_json(packed, tuple[int, str, str])
    except ValueError as error:
        raise InvalidInputError(
            "the cursor is damaged", hint="pass the cursor of the page before, unchanged, or none", cursor=cursor[:100]
        ) from error
    if digest != _digest(selection, newest_first, retired):
        raise InvalidInputError(
            "the cursor belongs to another selection", hint="keep the filters and the order while paging"
        )
    return occurred, memory_id


def _digest(selection: Selection, newest_first: bool, retired: bool) -> str:
    # `now` moves from page to page and only decides what has ended
    encoded = msgspec.json.encode([replace(selection, now=None), newest_first, *([retired] if retired else [])])
    return hashlib.sha256(encoded).hexdigest()[:16]
