"""From what a caller gives to what the store keeps: checks of meaning, canonical paths and tags, digests.

Types and ranges have been checked when the request was built; here is what depends on more than one field.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from operator import attrgetter
from typing import Any, get_type_hints

import msgspec
from msgspec import UNSET

from ai_memory.attributes import check_attributes
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import parse
from ai_memory.operations.writing import Draft, ReviseRequest
from ai_memory.service.handlers.expiry import new_expiry
from ai_memory.store.base import Remember, Revise
from ai_memory.store.ids import MEMORY, new_id
from ai_memory.text.caseless import caseless
from ai_memory.text.normal import clean_text, content_hash, digests
from ai_memory.truth.ageing import Policies
from ai_memory.types import Content, MemoryRecord

_CONTENT_FIELDS = tuple(name for name in Content.__struct_fields__)
_content_values = attrgetter(*_CONTENT_FIELDS)
_FACETS = ("user", "agent", "session")
_EARLIEST = dt.datetime(1, 1, 2, tzinfo=dt.UTC)
MAX_ID, MAX_NAMESPACE = 64, 128
MAX_DEPTH = 64
"""How deep attributes may be nested."""
_LATEST = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)


def context_path(path: str, field: str = "context") -> str:
    """`path` in its one spelling: segments joined by single slashes, none empty, no slash at the ends."""
    return "/".join(segment.strip() for segment in clean_text(path, field).split("/") if segment.strip())


def fact_key(key: str, field: str = "key") -> str | None:
    """`key` without blanks around it; None for a blank one, which is not given."""
    return clean_text(key, field).strip() or None


def to_remember(
    draft: Draft, namespace: str, at: dt.datetime, *, reinstate: bool, policies: Policies | None = None
) -> Remember:
    """The store command for a draft; raises InvalidInputError naming the field that is wrong.

    `policies` say when it lapses where it does not say so itself.
    """
    clean_text(namespace, "namespace")
    user, agent, session = _facets(draft)
    content = _checked(draft)
    if policies is not None and content.expires_at is None and draft.ttl is None:
        content = msgspec.structs.replace(content, expires_at=policies.expiry(content, at))
    digest = digests(namespace, user, agent, session, content.author, content.title, content.text, content.key)
    return Remember(
        id=new_id(MEMORY, at),
        namespace=namespace,
        user=user,
        agent=agent,
        session=session,
        content=content,
        content_hash=digest.content_hash,
        dedup_key=digest.dedup_key,
        at=at,
        supersedes=draft.supersedes,
        reinstate=reinstate,
    )


def to_revise(request: ReviseRequest, current: MemoryRecord, at: dt.datetime) -> Revise:
    """The store command for a change to `current`, to be written onto that revision only; what is left out stays."""
    given = {name: value for name in _CONTENT_FIELDS if (value := getattr(request, name)) is not UNSET}
    if (expiry := new_expiry(request, current, at)) is not UNSET:
        given["expires_at"] = expiry
    whole = Content(**{name: given.get(name, getattr(current, name)) for name in _CONTENT_FIELDS})
    if whole.key is not None and whole.valid_from is None:  # a value of a key holds from an instant on
        whole = msgspec.structs.replace(whole, valid_from=current.created_at)
    content = _checked(whole, may_be_empty=not given.keys() & {"valid_from", "valid_to"})
    digest = digests(
        current.namespace,
        current.user,
        current.agent,
        current.session,
        content.author,
        content.title,
        content.text,
        content.key,
    )
    return Revise(
        id=current.id,
        namespace=request.namespace,
        content=content,
        content_hash=digest.content_hash,
        dedup_key=digest.dedup_key,
        at=at,
        if_revision=current.revision if request.if_revision is None else request.if_revision,
        reason=_clean(request.reason, "reason"),
    )


def check_record(record: MemoryRecord) -> None:
    """Raise InvalidInputError unless an archive's revision is one that this service could have made."""
    check_namespace(record.namespace)
    if not record.id.startswith(MEMORY) or len(record.id) > MAX_ID or not record.id.isascii():
        raise InvalidInputError(f"{record.id[:80]!r} is no memory's id", hint="ids look like mem_…", field="id")
    _facets(record)
    _clean(record.retired_reason, "retired_reason")
    content = {name: getattr(record, name) for name in _CONTENT_FIELDS}
    _checked(parse(Draft, content), may_be_empty=True)
    if record.key is not None and record.valid_from is None:
        raise InvalidInputError(
            f"{record.id} has a key and no valid_from",
            hint="a value of a key holds from an instant on",
            field="valid_from",
        )
    if record.content_hash != content_hash(record.author, record.title, record.text):
        raise InvalidInputError(
            f"the content hash of {record.id} is not that of its text",
            hint="the archive was changed after it was exported; to bring in changed texts, give them as drafts",
            field="content_hash",
        )


def check_namespace(namespace: str) -> str:
    """`namespace` itself, once it is known to be a name that can be kept."""
    if not 1 <= len(clean_text(namespace, "namespace")) <= MAX_NAMESPACE:
        raise InvalidInputError(
            f"a namespace has 1 to {MAX_NAMESPACE} characters", hint="leave it out for default", field="namespace"
        )
    return namespace


def check_json(values: dict[str, Any], field: str) -> None:
    """Refuse what JSON in UTF-8 cannot hold, at any depth, and more depth than anybody needs."""
    _check_json(values, field, MAX_DEPTH)


def differing_fields(draft: Draft, current: MemoryRecord) -> tuple[str, ...]:
    """Fields that the draft gives (other than by default) and that differ in the memory that says the same."""
    found = []
    for field in msgspec.structs.fields(Draft):
        if field.name not in _CONTENT_FIELDS or field.name == "text":
            continue
        given, there = getattr(draft, field.name), getattr(current, field.name)
        default = field.default if field.default is not msgspec.NODEFAULT else {}
        if given is not None and field.name in _BY_NAME:
            given = _BY_NAME[field.name](given, field.name)
        if given != default and _compared(field.name, given) != _compared(field.name, there):
            found.append(field.name)
    return tuple(found)


def _compared(name: str, value: Any) -> Any:
    """A field's value as it is compared: contexts and tags without case."""
    if name == "context":
        return caseless(value)
    return [caseless(tag) for tag in value] if name == "tags" else value


def _checked(given: Draft | Content, *, may_be_empty: bool = False) -> Content:
    """What a draft or a change says, in canonical form, once all of it is known to be storable.

    `may_be_empty`: its validity may end where it begins, as that of a memory which was superseded from its very beginning.
    """
    values = dict(zip(_CONTENT_FIELDS, _content_values(given), strict=True))
    for name, canonical in _CANONICAL:
        value = values[name]
        if value:  # None, no tags and an empty context are canonical
            values[name] = canonical(value, name)
    content = Content(**values)
    text, valid_from, valid_to = content.text, content.valid_from, content.valid_to
    if not text or text.isspace():
        raise InvalidInputError("text is empty", hint="give at least one character that is not blank", field="text")
    if valid_from and valid_to and (valid_to < valid_from or (valid_to == valid_from and not may_be_empty)):
        raise InvalidInputError(
            f"valid_to ({valid_to.isoformat()}) is not after valid_from ({valid_from.isoformat()})",
            hint="a memory is true from valid_from until just before valid_to",
            field="valid_to",
        )
    if content.attributes:
        check_attributes(content.type, content.attributes)
        check_json(content.attributes, "attributes")
    return content


def _tags(tags: tuple[str, ...], field: str) -> tuple[str, ...]:
    """Tags without blanks around them, each once in whatever case, in the order and the first spelling given."""
    kept: dict[str, str] = {}
    for tag in tags:
        written = clean_text(tag, field).strip()
        if written:
            kept.setdefault(caseless(written), written)
    return tuple(kept.values())


def _instant(instant: dt.datetime, field: str) -> dt.datetime:
    """The instant in UTC (a missing zone means UTC), in the range that can be kept and compared."""
    aware = instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant
    if not _EARLIEST <= aware <= _LATEST:
        raise InvalidInputError(
            f"{field} {instant.isoformat()} is out of range", hint="years 1 to 9999 can be kept", field=field
        )
    return aware.astimezone(dt.UTC)


def _facets(given: Draft | MemoryRecord) -> tuple[str | None, ...]:
    """User, agent and session, once each is known to be storable."""
    facets: tuple[str | None, ...] = (given.user, given.agent, given.session)
    for name, facet in zip(_FACETS, facets, strict=True):
        if facet is not None:
            clean_text(facet, name)
    return facets


def _clean(value: str | None, field: str) -> str | None:
    return None if value is None else clean_text(value, field)


def _check_json(value: Any, field: str, depth: int) -> None:
    if isinstance(value, str):
        clean_text(value, field)
    elif isinstance(value, dict | list | tuple):
        if not depth:
            raise InvalidInputError(
                f"{field} is nested more than {MAX_DEPTH} deep", hint="flatten it", field=field, limit=MAX_DEPTH
            )
        if isinstance(value, dict):
            for key in value:
                clean_text(str(key), field)
            value = value.values()
        for inner in value:
            _check_json(inner, field, depth - 1)


_BY_TYPE: dict[Any, Callable[[Any, str], Any]] = {
    str: clean_text,
    str | None: clean_text,
    tuple[str, ...]: _tags,
    dt.datetime | None: _instant,
}
_BY_NAME: dict[str, Callable[[Any, str], Any]] = {"context": context_path, "key": fact_key}
_CANONICAL = tuple(
    (name, _BY_NAME.get(name) or _BY_TYPE[hint])
    for name, hint in get_type_hints(Content).items()
    if name in _BY_NAME or hint in _BY_TYPE
)
"""How each field of a content comes into canonical form, by its name or its type; the other types have one form."""
