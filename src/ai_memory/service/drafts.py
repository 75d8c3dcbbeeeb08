"""From what a caller gives to what the store keeps: checks of meaning, canonical paths and tags, digests.

Types and ranges have been checked when the request was built; here is what one field alone cannot tell.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from msgspec import UNSET

from ai_memory.attributes import check_attributes
from ai_memory.errors import InvalidInputError
from ai_memory.operations.writing import Draft, ReviseRequest
from ai_memory.store.base import Content, Remember, Revise
from ai_memory.store.ids import MEMORY, new_id
from ai_memory.text.normal import clean_text, content_hash, dedup_key, value_digest
from ai_memory.types import MemoryRecord

_CONTENT_FIELDS = tuple(name for name in Content.__struct_fields__)
_SHORT_TEXT_FIELDS = ("title", "author", "source")
_FACETS = ("user", "agent", "session")
_EARLIEST = dt.datetime(1, 1, 2, tzinfo=dt.UTC)
_LATEST = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)


def context_path(path: str) -> str:
    """`path` in its one spelling: segments joined by single slashes, none empty, no slash at the ends."""
    return "/".join(segment.strip() for segment in clean_text(path, "context").split("/") if segment.strip())


def to_remember(draft: Draft, namespace: str, at: dt.datetime, *, reinstate: bool) -> Remember:
    """The store command for a draft; raises InvalidInputError naming the field that is wrong."""
    for field in _FACETS:
        _clean(draft, field)
    content = _checked(Content(**{name: getattr(draft, name) for name in _CONTENT_FIELDS}))
    said = (content.author, content.title, content.text)
    return Remember(
        id=new_id(MEMORY, at),
        namespace=clean_text(namespace, "namespace"),
        user=draft.user,
        agent=draft.agent,
        session=draft.session,
        content=content,
        content_hash=content_hash(*said),
        dedup_key=dedup_key(namespace, draft.user, draft.agent, draft.session, *said),
        value_digest=value_digest(namespace, *said),
        at=at,
        supersedes=draft.supersedes,
        reinstate=reinstate,
    )


def to_revise(request: ReviseRequest, current: MemoryRecord, at: dt.datetime) -> Revise:
    """The store command for a change to `current`; what the request leaves out stays."""
    given = {name: value for name in _CONTENT_FIELDS if (value := getattr(request, name)) is not UNSET}
    content = _checked(Content(**{name: given.get(name, getattr(current, name)) for name in _CONTENT_FIELDS}))
    said = (content.author, content.title, content.text)
    return Revise(
        id=request.id,
        namespace=request.namespace,
        content=content,
        content_hash=content_hash(*said),
        dedup_key=dedup_key(current.namespace, current.user, current.agent, current.session, *said),
        value_digest=value_digest(current.namespace, *said),
        at=at,
        if_revision=request.if_revision,
        reason=request.reason,
    )


def differing_fields(draft: Draft, standing: MemoryRecord) -> tuple[str, ...]:
    """Fields that the draft gives (other than by default) and that differ from what stands."""
    found = []
    for field in msgspec.structs.fields(Draft):
        if field.name in ("text", "supersedes", *_FACETS):
            continue
        given = getattr(draft, field.name)
        default = field.default if field.default is not msgspec.NODEFAULT else {}
        if field.name == "context":
            given = context_path(given)
        if given != default and given != getattr(standing, field.name):
            found.append(field.name)
    return tuple(found)


def _checked(content: Content) -> Content:
    clean_text(content.text)
    if not content.text.strip():
        raise InvalidInputError("text is empty", hint="give at least one character that is not blank", field="text")
    for field in _SHORT_TEXT_FIELDS:
        _clean(content, field)
    if content.valid_from is not None:
        _in_range(content.valid_from, "valid_from")
    if content.valid_to is not None:
        _in_range(content.valid_to, "valid_to")
    if content.valid_from and content.valid_to and _aware(content.valid_to) <= _aware(content.valid_from):
        raise InvalidInputError(
            f"valid_to ({content.valid_to.isoformat()}) is not after valid_from ({content.valid_from.isoformat()})",
            hint="a memory is true from valid_from until just before valid_to",
            field="valid_to",
        )
    check_attributes(content.type, content.attributes)
    _check_json_text(content.attributes, "attributes")
    return msgspec.structs.replace(
        content,
        context=context_path(content.context),
        tags=_tags(content.tags),
        valid_from=content.valid_from and _aware(content.valid_from),
        valid_to=content.valid_to and _aware(content.valid_to),
    )


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Tags without blanks around them, each once, in the order given."""
    if not tags:
        return ()
    kept = dict.fromkeys(clean_text(tag, "tags").strip() for tag in tags)
    kept.pop("", None)
    return tuple(kept)


def _aware(instant: dt.datetime) -> dt.datetime:
    return instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant.astimezone(dt.UTC)


def _in_range(instant: dt.datetime, field: str) -> None:
    if not _EARLIEST <= (instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)) <= _LATEST:
        raise InvalidInputError(
            f"{field} {instant.isoformat()} is out of range", hint="years 1 to 9999 can be kept", field=field
        )


def _clean(owner: Any, field: str) -> None:
    value = getattr(owner, field)
    if value is not None:
        clean_text(value, field)


def _check_json_text(value: Any, field: str) -> None:
    """Refuse what JSON in UTF-8 cannot hold, at any depth."""
    if isinstance(value, str):
        clean_text(value, field)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_json_text(str(key), field)
            _check_json_text(inner, field)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_json_text(inner, field)
