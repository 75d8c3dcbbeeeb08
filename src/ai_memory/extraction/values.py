"""What extraction finds in one text, as immutable values.

Spans are half-open and count characters (code points) of the text as it was given: `text[start:end]` is the span's text.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from msgspec import Struct


class Kind(StrEnum):
    """The kind of entity that a mention names; the value is an entity's `kind` in the graph."""

    PERSON = "person"
    ORGANISATION = "organisation"
    PRODUCT = "product"
    PLACE = "place"
    EMAIL = "email"
    URL = "url"
    PATH = "path"
    SYMBOL = "symbol"
    """An identifier, call, option or variable of a program."""
    VERSION = "version"
    ERROR = "error"
    """An error code, an HTTP or exit status, or the name of an exception."""
    WIKI = "wiki"
    """A `[[wiki link]]`; the canonical name is the text inside, without an alias."""
    TAG = "tag"
    """A `#tag`; the canonical name has no `#`."""
    HANDLE = "handle"
    """A `@mention`; the canonical name has no `@`."""


NAMED = frozenset((Kind.PERSON, Kind.ORGANISATION, Kind.PRODUCT, Kind.PLACE))
"""Kinds that are recognised by words, not by their shape, and so may be known by several names."""


class Mention(Struct, frozen=True, order=True):
    """One place in a text where something is named.

    `name` is the text between `start` and `end`; `canonical` the same name in its base form: a Russian name in the nominative, a
    link, tag or handle without its marks.
    """

    start: int
    end: int
    kind: Kind
    name: str
    canonical: str


class TimeExpression(Struct, frozen=True):
    """A date or time that a text names, with the interval it means.

    `since` is included and `until` excluded; None is not bounded on that side (*since May* has no `until`). Both are UTC.
    """

    start: int
    end: int
    text: str
    since: dt.datetime | None
    until: dt.datetime | None


class Statement(Struct, frozen=True):
    """A relation between two mentions that one clause of the text states, and when it held.

    `start` to `end` is the clause's evidence: from its first mention or time to its last. `valid_from` is included, `valid_to`
    excluded, None not known; both UTC.
    """

    subject: Mention
    relation: str
    object: Mention
    valid_from: dt.datetime | None
    valid_to: dt.datetime | None
    start: int
    end: int


class Extraction(Struct, frozen=True):
    """All that was found in one text, each in the order of the text; all empty for a text that names nothing."""

    mentions: tuple[Mention, ...] = ()
    times: tuple[TimeExpression, ...] = ()
    statements: tuple[Statement, ...] = ()
