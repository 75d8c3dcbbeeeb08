"""What one entry of the log changed, and whether a memory is one of those that were asked for. Pure functions."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ai_memory.store.base import Action
from ai_memory.text.caseless import caseless
from ai_memory.types import Content, Facets, MemoryRecord

Kind = Literal["new", "revised", "superseded", "ended", "retired"]


class Made(NamedTuple):
    """A revision that the log says was made, or retired, and the one before it."""

    action: Action
    before: MemoryRecord | None
    after: MemoryRecord
    superseded: bool
    """Whether another memory superseded it in the same write."""


def kind_of(made: Made) -> Kind | None:
    """What it was; None where it is a part of something else, such as the later revisions of an archive."""
    if made.action is Action.REMEMBERED:
        return "new"
    if made.action is Action.RESTORED:
        return "new" if made.after.revision == 1 else None
    if made.action is Action.RETIRED:
        return "retired"
    if made.action is not Action.REVISED:
        return None
    if (
        made.before is not None
        and made.after.valid_to is not None
        and differing(made.before, made.after) == ("valid_to",)
    ):
        return "superseded" if made.superseded else "ended"
    return "revised"


def differing(before: MemoryRecord, after: MemoryRecord) -> tuple[str, ...]:
    """The fields of the content that two revisions have different values of."""
    return tuple(name for name in Content.__struct_fields__ if getattr(before, name) != getattr(after, name))


def matches(wanted: Facets, record: MemoryRecord) -> bool:
    """Whether a memory is one that the filters mean; its namespace is not looked at."""
    for facet, values in (
        (record.user, wanted.user),
        (record.agent, wanted.agent),
        (record.session, wanted.session),
        (record.type, wanted.types),
        (record.author, wanted.author),
        (record.key, wanted.keys),
        (record.id, wanted.ids),
    ):
        if values and facet not in values:
            return False
    if wanted.pinned is not None and record.pinned is not wanted.pinned:
        return False
    path, context = caseless(record.context), caseless(wanted.context)
    if context and path != context and not path.startswith(context + "/"):
        return False
    tags = {caseless(tag) for tag in record.tags}
    return (
        all(caseless(tag) in tags for tag in wanted.tags)
        and (not wanted.any_tags or any(caseless(tag) in tags for tag in wanted.any_tags))
        and not any(caseless(tag) in tags for tag in wanted.without_tags)
    )
