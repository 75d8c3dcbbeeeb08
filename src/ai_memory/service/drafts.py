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
from ai_memory.text.normal import clean_text, digests
from ai_memory.types import MemoryRecord

_CONTENT_FIELDS = tuple(name for name in Content.__struct_fields__)
_FACETS = ("user", "agent", "session")
_EARLIEST = dt.datetime(1, 1, 2, tzinfo=dt.UTC)
_LATEST = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)


def context_path(path: str) -> str:
    """`path` in its one spelling: segments joined by single slashes, none empty, no slash at the ends."""
    return "/".join(segment.strip() for segment in clean_text(path, "context").split("/") if segment.strip())


def to_remember(draft: Draft, namespace: str, at: dt.datetime, *, reinstate: bool) -> Remember:
    """The store command for a draft; raises InvalidInputError naming the field that is wrong."""
    clean_text(namespace, "namespace")
    user, agent, session = _clean(draft.user, "user"), _clean(draft.agent, "agent"), _clean(draft.session, "session")
    content = _checked(draft)
    digest = digests(namespace, user, agent, session, content.author, content.title, content.text)
    return Remember(
        id=new_id(MEMORY, at),
        namespace=namespace,
        user=user,
        agent=agent,
        session=session,
        content=content,
        content_hash=digest.content_hash,
        dedup_key=digest.dedup_key,
        value_digest=digest.value_digest,
        at=at,
        supersedes=draft.supersedes,
        reinstate=reinstate,
    )


def to_revise(request: ReviseRequest, current: MemoryRecord, at: dt.datetime) -> Revise:
    """The store command for a change to `current`, to be written onto that revision only; what is left out stays."""
    given = {name: value for name in _CONTENT_FIELDS if (value := getattr(request, name)) is not UNSET}
    content = _checked(Content(**{name: given.get(name, getattr(current, name)) for name in _CONTENT_FIELDS}))
    digest = digests(
        current.namespace, current.user, current.agent, current.session, content.author, content.title, content.text
    )
    return Revise(
        id=request.id,
        namespace=request.namespace,
        content=content,
        content_hash=digest.content_hash,
        dedup_key=digest.dedup_key,
        value_digest=digest.value_digest,
        at=at,
        if_revision=current.revision if request.if_revision is None else request.if_revision,
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


def _checked(given: Draft | Content) -> Content:
    """What a draft or a change says, in canonical form, once all of it is known to be storable."""
    text = clean_text(given.text)
    if not text or text.isspace():
        raise InvalidInputError("text is empty", hint="give at least one character that is not blank", field="text")
    valid_from, valid_to = _instant(given.valid_from, "valid_from"), _instant(given.valid_to, "valid_to")
    if valid_from and valid_to and valid_to <= valid_from:
        raise InvalidInputError(
            f"valid_to ({valid_to.isoformat()}) is not after valid_from ({valid_from.isoformat()})",
            hint="a memory is true from valid_from until just before valid_to",
            field="valid_to",
        )
    if given.attributes:
        check_attributes(given.type, given.attributes)
        _check_json_text(given.attributes, "attributes")
    return Content(
        type=given.type,
        context=context_path(given.context) if given.context else "",
        title=_clean(given.title, "title"),
        author=_clean(given.author, "author"),
        text=text,
        tags=_tags(given.tags),
        importance=given.importance,
        confidence=given.confidence,
        attributes=given.attributes,
        source=_clean(given.source, "source"),
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Tags without blanks around them, each once, in the order given."""
    if not tags:
        return ()
    kept = dict.fromkeys(clean_text(tag, "tags").strip() for tag in tags)
    kept.pop("", None)
    return tuple(kept)


def _instant(instant: dt.datetime | None, field: str) -> dt.datetime | None:
    """The instant in UTC (a missing zone means UTC), in the range that can be kept and compared."""
    if instant is None:
        return None
    aware = instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant
    if not _EARLIEST <= aware <= _LATEST:
        raise InvalidInputError(
            f"{field} {instant.isoformat()} is out of range", hint="years 1 to 9999 can be kept", field=field
        )
    return aware.astimezone(dt.UTC)


def _clean(value: str | None, field: str) -> str | None:
    return None if value is None else clean_text(value, field)


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
