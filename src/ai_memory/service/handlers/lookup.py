"""Which memory a request means: by its id, by the key that it is the value of, or from words that only it answers to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from ai_memory.errors import InvalidInputError, NotFoundError
from ai_memory.service.parts import Parts
from ai_memory.store.ids import MEMORY
from ai_memory.text.normal import clean_text
from ai_memory.text.shown import one_line
from ai_memory.types import MemoryRecord, Selection
from ai_memory.wording.ways import LIST

KEY = "key:"
"""How a reference by key begins; a name of the caller's own follows."""
SHOWN = 80
"""So many characters of a candidate's text are shown."""
_SEVERAL = 50


def no_such_memory(memory_id: str, namespace: str) -> NotFoundError:
    """The error for an id that this namespace does not have."""
    return NotFoundError(
        f"there is no memory {memory_id} in namespace {namespace}",
        hint=LIST,
        memory_id=memory_id,
        namespace=namespace,
    )


def as_selection(request: Selection) -> Selection:
    """The plain selection inside a request that extends one."""
    return Selection(**{name: getattr(request, name) for name in Selection.__struct_fields__})


def key_in(reference: str) -> str | None:
    """The key that a reference names; None where it is an id, or words."""
    return reference[len(KEY) :].strip() if reference.startswith(KEY) else None


def memory_named(
    parts: Parts,
    namespace: str,
    reference: str,
    *,
    as_of: dt.datetime | None = None,
    known_at: dt.datetime | None = None,
) -> str:
    """The id that a reference is, or that of the value of its key which holds at `as_of` (None: now).

    Raises NotFoundError where the key has no value then, and InvalidInputError where several users have one.
    """
    key = key_in(reference)
    if key is None:
        return reference
    clean_text(key, "id")
    selection = Selection(
        namespace=namespace, keys=(key,), as_of=as_of or parts.clock.now(), known_at=known_at, include_expired=False
    )
    found = parts.store.select(selection, limit=_SEVERAL).memories
    if not found:
        raise _no_value(parts, namespace, key)
    only_user(key, found)
    return found[0].id


def only_user(key: str, values: Sequence[MemoryRecord]) -> None:
    """Raise InvalidInputError where these values of a key are several users': a reference cannot say whose is meant."""
    if len({value.user for value in values}) > 1:
        raise InvalidInputError(
            f"the key {one_line(key)} has values of several users in this namespace",
            hint=LIST.after("name the memory by its id; list the key's values with the filters keys and user: "),
            candidates=candidates(values),
        )


def candidates(records: Sequence[MemoryRecord]) -> list[dict[str, str | None]]:
    """Memories that a reference may mean, for an error's details: id, user and the beginning of the text."""
    return [{"id": each.id, "user": each.user, "text": one_line(each.text)[:SHOWN]} for each in records]


def is_id(reference: str) -> bool:
    """Whether a reference is a memory's id, by how it begins."""
    return reference.startswith(MEMORY)


def _no_value(parts: Parts, namespace: str, key: str) -> NotFoundError:
    values = parts.store.select(Selection(namespace=namespace, keys=(key,)), limit=1).memories
    shown = one_line(key)
    if not values:
        return NotFoundError(f"there is no memory with the key {shown} in namespace {namespace}", hint=LIST, key=key)
    (last,) = values
    until = "" if last.ends is None else f" until {last.ends.isoformat()}"
    since = "" if last.valid_from is None else f" from {last.valid_from.isoformat()}"
    return NotFoundError(
        f"the key {shown} has no value at that time; {last.id} held{since}{until}",
        hint=LIST,
        key=key,
        memory_id=last.id,
    )
