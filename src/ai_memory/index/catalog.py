"""The metadata of each row, in columns, and which rows a selection means.

A row is a passage of a revision. Columns are numpy arrays; strings are kept once and referred to by number (dictionary encoding).
Instants are microseconds since the Unix epoch, with `ALWAYS` and `NEVER` for bounds that are not set.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.clock import DAY_MICROS, Edge, edge, to_micros
from ai_memory.conditions.meaning import Attribute, Condition, Every, Filter, Not
from ai_memory.conditions.parsing import parse_condition
from ai_memory.errors import InvalidInputError
from ai_memory.index.attributes import AttributeIndex
from ai_memory.index.authors import AuthorWords
from ai_memory.index.base import Mask, QueryTerm, Rows
from ai_memory.index.copies import ALONE, Copies, Groups, statement
from ai_memory.index.dialogue import Dialogues
from ai_memory.index.growable_array import GrowableArray
from ai_memory.index.sessions import SessionOrder
from ai_memory.text.caseless import caseless
from ai_memory.text.properties import asks
from ai_memory.types import MemoryRecord, MemoryType, Selection

ALWAYS = -(1 << 63)
"""`valid_from` of a memory without one: earlier than any instant, so that comparisons need no case for None."""
NEVER = (1 << 63) - 1
"""`valid_to`, `expires_at` and `retired_at` where they are not set: later than any instant."""

COLUMNS: dict[str, type[np.generic]] = {
    "key": np.int64,
    "passage": np.int32,
    "memory": np.int32,
    "user": np.int32,
    "agent": np.int32,
    "session": np.int32,
    "author": np.int32,
    "fact_key": np.int32,
    "context": np.int32,
    "type": np.int8,
    "importance": np.float64,
    "confidence": np.float64,
    "valid_from": np.int64,
    "valid_to": np.int64,
    "expires_at": np.int64,
    "recorded_at": np.int64,
    "retired_at": np.int64,
    "occurred": np.int64,
    "statement": np.int64,
    "asks": np.bool_,
    "pinned": np.bool_,
    "current": np.bool_,
    "erased": np.bool_,
}
FACETS = ("memory", "user", "agent", "session", "author", "fact_key", "context")
_FEW = 3
"""Comparing a column with this many numbers is as fast as looking each row up in a table."""
_TYPES = {kind: number for number, kind in enumerate(MemoryType)}


class NameTable:
    """Strings and their numbers; None is number 0."""

    def __init__(self, names: Iterable[str | None] = (None,)) -> None:
        """A table of `names` in the order of their numbers, None first; later ones that are None are numbers no longer in use."""
        self.names: list[str | None] = list(names)
        self._numbers: dict[str | None, int] = {name: number for number, name in enumerate(self.names)}

    def number(self, name: str | None) -> int:
        """The number of a name; the next free one if it is new."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self.names)
            self.names.append(name)
        return number

    def find(self, name: str | None) -> int | None:
        """The number of a name, None if it is not known."""
        return self._numbers.get(name)

    def forget(self, number: int) -> None:
        """Drop a name that no row has any more; its number is not used again."""
        name = self.names[number]
        if name is not None:
            del self._numbers[name]
            self.names[number] = None


class Catalog:
    """The rows of one namespace. One writer at a time; `Partition` serialises it with readers of masks."""

    def __init__(self) -> None:
        self.columns = {name: GrowableArray(dtype) for name, dtype in COLUMNS.items()}
        self.names = {facet: NameTable() for facet in FACETS}
        self.tags: dict[str, GrowableArray] = {}
        """The rows of each tag as written."""
        self._spellings: dict[str, set[str]] = {}
        """The tags that are the same without case."""
        self.ending = GrowableArray(np.int32)
        """Rows with a `valid_to`."""
        self.expiring = GrowableArray(np.int32)
        """Rows with an `expires_at`."""
        self.attributes = AttributeIndex()
        self.sessions = SessionOrder()
        self.copies = Copies()
        self.dialogues = Dialogues()
        self._author_words = AuthorWords()
        # Keys usually come in ascending order, and are then searched directly; otherwise through an order made when needed.
        self._order: NDArray[np.int64] | None = None
        self._sorted = True

    @property
    def n(self) -> int:
        """How many rows were ever added, erased ones included."""
        return self.columns["key"].n

    def column(self, name: str) -> NDArray[Any]:
        """One of `COLUMNS`, shape (n,), of its dtype; a view that keeps its length while rows are added."""
        return self.columns[name].view()

    def add(self, key: int, record: MemoryRecord, passages: int) -> range:
        """Add the rows of a revision with `passages` passages, at least one; returns them."""
        return self.add_many([key], [record], [passages])

    def add_many(self, keys: Sequence[int], records: Sequence[MemoryRecord], passages: Sequence[int]) -> range:
        """Add the rows of some revisions, at least one, each with its number of passages; returns them, in that order."""
        first = self.n
        counts = np.asarray(passages)
        starts = first + np.cumsum(counts) - counts
        rows = range(first, first + int(counts.sum()))
        fresh = np.asarray(keys, np.int64)
        if (first and fresh[0] < self.columns["key"].data[first - 1]) or (fresh[1:] < fresh[:-1]).any():
            self._sorted = False
        self._order = None
        self.columns["passage"].extend(np.arange(rows.start, rows.stop) - np.repeat(starts, counts))
        for name, values in self._values(keys, records).items():
            self.columns[name].extend(np.repeat(np.array(values, COLUMNS[name]), counts))
        tagged: dict[str, list[int]] = {}
        for start, count, record in zip(starts.tolist(), passages, records, strict=True):
            self.attributes.add(range(start, start + count), record.attributes)
            for tag in set(record.tags):
                tagged.setdefault(tag, []).extend(range(start, start + count))
            if record.valid_to is not None:
                self.ending.extend(range(start, start + count))
            if record.expires_at is not None:
                self.expiring.extend(range(start, start + count))
        for tag, having in tagged.items():
            if tag not in self.tags:
                self._know(tag, GrowableArray(np.int32))
            self.tags[tag].extend(having)
        self.sessions.extend(first, self.columns)
        # Passages of a text are compared with the same passage of its copies.
        said = self.columns["statement"].data[first : rows.stop]
        said[said != ALONE] += self.columns["passage"].data[first : rows.stop][said != ALONE]
        self.copies.extend(first, self.column("statement"))
        self.dialogues.add(*self._who_said(slice(first, rows.stop)))
        return rows

    def retire(self, key: int, at: dt.datetime) -> bool:
        """Set when a revision was retired; False if its key is unknown."""
        rows = self.rows_of(key)
        self.columns["retired_at"].data[rows] = to_micros(at)
        self.columns["current"].data[rows] = False
        return len(rows) > 0

    def holding(self, rows: Rows, user: str | None, at: dt.datetime) -> Mask:
        """Which of some rows are current, have not ended by an instant and belong to a user (None: to nobody): bool."""
        number = self.names["user"].find(user)
        if number is None:
            return np.zeros(len(rows), np.bool_)
        valid = self.column("valid_to")[rows] > to_micros(at)
        kept: Mask = self.column("current")[rows] & valid & (self.column("user")[rows] == number)
        return kept

    def revive(self, key: int) -> bool:
        """Make a retired revision current again; False if its key is unknown."""
        rows = self.rows_of(key)
        self.columns["retired_at"].data[rows] = NEVER
        self.columns["current"].data[rows] = True
        return len(rows) > 0

    def remove(self, rows: Rows) -> None:
        """Erase rows, int32: no mask has them any more, and names that only they had are dropped. Their numbers are not reused."""
        for tag in [tag for tag, having in self.tags.items() if np.isin(having.view(), rows).any()]:
            kept = self.tags[tag].view()
            kept = kept[~np.isin(kept, rows)]
            if len(kept):
                self.tags[tag] = GrowableArray(np.int32, kept)
            else:
                del self.tags[tag]
                self._spellings[caseless(tag)].discard(tag)
                if not self._spellings[caseless(tag)]:
                    del self._spellings[caseless(tag)]
        self.ending, self.expiring = (
            GrowableArray(np.int32, having.view()[~np.isin(having.view(), rows)])
            for having in (self.ending, self.expiring)
        )
        self.attributes.remove(rows)
        self.copies.remove(rows, self.column("statement"))
        self.dialogues.remove(*self._who_said(np.unique(rows)))
        self.sessions.remove(np.unique(self.column("session")[rows]).tolist(), rows)
        for facet, names in self.names.items():
            self._forget_names(names, self.column(facet), rows)
        # Rebuilt at the next question: an erased author's words must go, and there are few authors.
        self._author_words = AuthorWords()
        # The key stays, so that rows remain sorted by it and an erased key is recognised.
        for name in ("passage", "type", *FACETS):
            self.columns[name].data[rows] = 0
        for name in (
            "importance",
            "confidence",
            "valid_from",
            "valid_to",
            "expires_at",
            "recorded_at",
            "retired_at",
            "occurred",
            "statement",
        ):
            self.columns[name].data[rows] = 0
        for name in ("asks", "pinned", "current"):
            self.columns[name].data[rows] = False
        self.columns["erased"].data[rows] = True

    def rows_of(self, key: int) -> Rows:
        """The rows of a revision, int32 ascending; empty if the key is unknown or erased."""
        rows = self.find_rows(np.array([key]))[0]
        if rows < 0:
            return np.empty(0, np.int32)
        keys = self.column("key")
        end = int(rows) + 1
        while end < len(keys) and keys[end] == key:
            end += 1
        return np.arange(rows, end, dtype=np.int32)

    def find_rows(self, keys: NDArray[np.int64]) -> Rows:
        """The first row of each of k keys: int32, shape (k,), -1 where a key is unknown or erased."""
        known = self.column("key")
        if not len(known):
            return np.full(len(keys), -1, np.int32)
        if self._sorted:
            at = known.searchsorted(keys)
        else:
            if self._order is None:
                self._order = np.argsort(known, kind="stable")
            place = known.searchsorted(keys, sorter=self._order)
            at = self._order[np.minimum(place, len(known) - 1)]
        at = np.minimum(at, len(known) - 1)
        found = (known[at] == keys) & ~self.column("erased")[at]
        return np.where(found, at, -1).astype(np.int32)

    def restore(
        self,
        columns: dict[str, NDArray[Any]],
        names: dict[str, list[str | None]],
        tags: dict[str, NDArray[np.int32]],
        attributes: AttributeIndex,
    ) -> None:
        """Take over what a snapshot kept; the catalog must be new.

        `columns`: one array of shape (n,) for each of `COLUMNS`, of its dtype; `tags`: int32 rows, ascending, for each tag.
        """
        self.columns = {name: GrowableArray(COLUMNS[name], columns[name]) for name in COLUMNS}
        self.names = {facet: NameTable(names[facet]) for facet in FACETS}
        self._author_words = AuthorWords()
        self.attributes = attributes
        for tag, rows in tags.items():
            self._know(tag, GrowableArray(np.int32, rows))
        erased = self.column("erased")
        self.ending, self.expiring = (
            GrowableArray(np.int32, np.flatnonzero((self.column(name) != NEVER) & ~erased).astype(np.int32))
            for name in ("valid_to", "expires_at")
        )
        keys = self.column("key")
        self._sorted = bool((keys[1:] >= keys[:-1]).all())
        self.sessions.restore(self.columns)
        self.copies = Copies(self.column("statement"))
        self.dialogues = Dialogues()
        self.dialogues.add(*self._who_said(np.flatnonzero(~erased).astype(np.int32)))

    def _who_said(self, rows: Rows | slice) -> tuple[NDArray[np.int32], NDArray[np.int32], list[str | None]]:
        """The session and the author of some rows, by number, and all authors' names."""
        return self.column("session")[rows], self.column("author")[rows], self.names["author"].names

    def _know(self, tag: str, rows: GrowableArray) -> None:
        self.tags[tag] = rows
        self._spellings.setdefault(caseless(tag), set()).add(tag)

    @property
    def nbytes(self) -> int:
        """Bytes of arrays and, estimated, of names."""
        arrays = sum(column.nbytes for column in self.columns.values()) + self.ending.nbytes + self.expiring.nbytes
        tags = sum(rows.nbytes + 200 for rows in self.tags.values())
        return (
            arrays
            + tags
            + self.attributes.nbytes
            + self.sessions.nbytes
            + self.copies.nbytes
            + sum(180 * len(names.names) for names in self.names.values())
        )

    def named_authors(self, terms: Iterable[QueryTerm]) -> list[int]:
        """The numbers of the authors whom a question's terms name, ascending."""
        return self._author_words.named(self.names["author"].names, terms)

    # selections
    def mask(self, selection: Selection, n: int) -> Mask:
        """Which of the first `n` rows a selection means: a new array, bool, shape (n,). Its namespace is not looked at.

        Raises InvalidInputError when `include_ended` or `include_expired` is false and no instant is given to compare with.
        """
        mask = self._known(selection, n)
        self._apply(selection, mask)
        if selection.where is not None:
            mask &= self._holds(parse_condition(selection.where), n)
        return mask

    def _apply(self, selection: Selection, mask: Mask) -> None:
        """Keep the rows that all filters of a selection mean, but for its condition and for what was known when."""
        self._apply_facets(selection, mask)
        self._apply_tags(selection, mask)
        self._apply_times(selection, mask)
        for name, least in (("importance", selection.min_importance), ("confidence", selection.min_confidence)):
            if least > 0.0:
                mask &= self.columns[name].data[: len(mask)] >= least

    def _holds(self, condition: Condition, n: int) -> Mask:
        """Which of the first `n` rows a condition holds for: a new array, bool, shape (n,)."""
        if isinstance(condition, Attribute):
            return self.attributes.mask(condition, n)
        if isinstance(condition, Not):
            return ~self._holds(condition.part, n)
        if isinstance(condition, Filter):
            mask: Mask = np.ones(n, np.bool_)
            self._apply(condition.selection, mask)
            return mask
        joined = np.logical_and if isinstance(condition, Every) else np.logical_or
        found = self._holds(condition.parts[0], n)
        for part in condition.parts[1:]:
            joined(found, self._holds(part, n), out=found)
        return found

    def _known(self, selection: Selection, n: int) -> Mask:
        """Rows that the service held true at `known_at`, or holds true now."""
        if selection.known_at is None:
            current: Mask = self.columns["current"].data[:n].copy()
            return current
        at = to_micros(selection.known_at)
        mask: Mask = self.columns["recorded_at"].data[:n] <= at
        mask &= self.columns["retired_at"].data[:n] > at
        mask &= ~self.columns["erased"].data[:n]
        return mask

    def _apply_facets(self, selection: Selection, mask: Mask) -> None:
        for facet, wanted in (
            ("user", selection.user),
            ("agent", selection.agent),
            ("session", selection.session),
            ("author", selection.author),
            ("fact_key", selection.keys),
            ("memory", selection.ids),
        ):
            if wanted:
                numbers = [self.names[facet].find(name) for name in wanted]
                self._keep(facet, [number for number in numbers if number is not None], mask)
        if selection.types:
            self._keep("type", [_TYPES[kind] for kind in selection.types], mask)
        if selection.pinned is not None:
            mask &= self.columns["pinned"].data[: len(mask)] == selection.pinned
        if selection.context:
            wanted_path = caseless(selection.context)
            below = wanted_path + "/"
            paths = ((at, caseless(path)) for at, path in enumerate(self.names["context"].names) if path is not None)
            self._keep("context", [at for at, path in paths if path == wanted_path or path.startswith(below)], mask)

    def _keep(self, column: str, numbers: Sequence[int], mask: Mask) -> None:
        """Keep the rows whose number in a column is among `numbers`; none when `numbers` is empty."""
        values = self.columns[column].data[: len(mask)]
        if not numbers:
            mask[:] = False
        elif len(numbers) <= _FEW:
            kept = values == numbers[0]
            for number in numbers[1:]:
                kept |= values == number
            mask &= kept
        else:
            # One look-up per row instead of one comparison per row and number; `np.isin` would sort first.
            table = np.zeros(max(int(values.max(initial=0)), *numbers) + 1, np.bool_)
            table[list(numbers)] = True
            mask &= table.take(values, mode="clip")

    def _apply_tags(self, selection: Selection, mask: Mask) -> None:
        for tag in selection.tags:
            mask &= self._tagged((tag,), len(mask))
        if selection.any_tags:
            mask &= self._tagged(selection.any_tags, len(mask))
        if selection.without_tags:
            mask &= ~self._tagged(selection.without_tags, len(mask))

    def _tagged(self, tags: Sequence[str], n: int) -> Mask:
        """Rows that have at least one of the tags, in any letter case."""
        tagged = np.zeros(n, np.bool_)
        for tag in tags:
            for spelling in self._spellings.get(caseless(tag), ()):
                rows = self.tags[spelling].view()
                tagged[rows[rows < n]] = True
        return tagged

    def _apply_times(self, selection: Selection, mask: Mask) -> None:
        n = len(mask)
        if selection.as_of is not None:
            at = edge(selection.as_of)
            begun = self.columns["valid_from"].data[:n]
            mask &= begun <= _limits(begun, at)
            self._drop_ended(at, mask)
        if not selection.include_ended:
            if selection.now is None:
                raise InvalidInputError("leaving out what has ended needs `now`, the instant to compare with")
            self._drop_ended(edge(selection.now), mask)
        self._apply_expiry(selection, mask)
        occurred, recorded = self.columns["occurred"].data[:n], self.columns["recorded_at"].data[:n]
        if selection.occurred_after is not None:
            mask &= occurred >= _limits(occurred, edge(selection.occurred_after))
        if selection.occurred_before is not None:
            mask &= occurred < _limits(occurred, edge(selection.occurred_before))
        if selection.recorded_after is not None:
            mask &= recorded >= to_micros(selection.recorded_after)
        if selection.recorded_before is not None:
            mask &= recorded < to_micros(selection.recorded_before)

    def _drop_ended(self, at: Edge, mask: Mask) -> None:
        """Leave out rows whose `valid_to` is at or before `at`; few rows have one, so only those are looked at."""
        rows = self.ending.view()
        rows = rows[rows < len(mask)]
        ends = self.columns["valid_to"].data[rows]
        mask[rows[ends <= _limits(ends, at)]] = False

    def _apply_expiry(self, selection: Selection, mask: Mask) -> None:
        """Leave out rows that have expired, and keep those alone that expire before an instant; few rows ever expire."""
        rows = self.expiring.view()
        rows = rows[rows < len(mask)]
        expiries = self.columns["expires_at"].data[rows]
        if not selection.include_expired:
            if selection.expired_by is None:
                raise InvalidInputError("leaving out what has expired needs `now`, the instant to compare with")
            mask[rows[expiries <= to_micros(selection.expired_by)]] = False
        if selection.expires_before is not None:
            kept = np.zeros(len(mask), np.bool_)
            kept[rows[expiries < to_micros(selection.expires_before)]] = True
            mask &= kept

    def repeated(self, mask: Mask, periods: Sequence[NDArray[np.bool_]] = ()) -> Groups:
        """The copies among the rows of `mask`, bool, shape (n,): those to leave out, and which row stands for each.

        That is one inside the `periods`, bool, shape (n,), where there are any, and of several the one that happened last.
        """
        inside = [period.astype(np.int64) for period in periods]
        return self.copies.groups(
            self.column("statement"), mask, [*inside, self.column("occurred"), self.column("key")]
        )

    # neighbours
    def session_neighbours(self, rows: Rows, before: int, after: int, mask: Mask | None = None) -> Rows:
        """The rows around each of r rows in its session: int32, shape (r, before + after), in the order of time.

        So the nearest before is in column `before - 1` and the nearest after in column `before`. The order is (occurred, key,
        passage). Only rows of `mask` count (None: current ones); -1 where there is none or the row has no session.
        """
        chosen = self.column("current") if mask is None else mask
        return self.sessions.neighbours(self.columns, rows, before, after, chosen)

    def session_rows(self, row: int, mask: Mask | None = None) -> Rows:
        """All rows of a row's session in order, int32, those of `mask` only (None: current ones); empty without a session."""
        rows = self.sessions.ordered(int(self.columns["session"].data[row]), self.columns)
        chosen = self.column("current") if mask is None else mask
        return rows[rows < len(chosen)][chosen[rows[rows < len(chosen)]]]

    def _values(self, keys: Sequence[int], records: Sequence[MemoryRecord]) -> dict[str, Sequence[Any]]:
        """The values of each column except `passage`, one per record."""
        recorded = [to_micros(record.recorded_at) for record in records]
        started = [None if record.valid_from is None else to_micros(record.valid_from) for record in records]
        memory, user, agent, session, author, fact_key, context = (self.names[facet].number for facet in FACETS)
        return {
            "memory": [memory(record.id) for record in records],
            "user": [user(record.user) for record in records],
            "agent": [agent(record.agent) for record in records],
            "session": [session(record.session) for record in records],
            "author": [author(record.author) for record in records],
            "fact_key": [fact_key(record.key) for record in records],
            "context": [context(record.context or None) for record in records],
            "type": [_TYPES[record.type] for record in records],
            "importance": [record.importance for record in records],
            "confidence": [record.confidence for record in records],
            "valid_from": [ALWAYS if at is None else at for at in started],
            "valid_to": [NEVER if record.valid_to is None else to_micros(record.valid_to) for record in records],
            "expires_at": [NEVER if record.expires_at is None else to_micros(record.expires_at) for record in records],
            "recorded_at": recorded,
            "retired_at": [NEVER if record.retired_at is None else to_micros(record.retired_at) for record in records],
            "occurred": [
                to_micros(record.created_at) if at is None else at for record, at in zip(records, started, strict=True)
            ],
            "statement": [statement(record) for record in records],
            "asks": [asks(record.text) for record in records],
            "pinned": [record.pinned for record in records],
            "current": [record.retired_at is None for record in records],
            "erased": [False] * len(records),
            "key": keys,
        }

    @staticmethod
    def _forget_names(names: NameTable, column: NDArray[np.int32], rows: Rows) -> None:
        """Drop the names that only the erased `rows` have: a forgotten author's name must not remain in memory."""
        erased = np.zeros(len(column), np.bool_)
        erased[rows] = True
        for number in np.unique(column[rows]).tolist():
            if number and not ((column == number) & ~erased).any():
                names.forget(number)


def _limits(instants: NDArray[np.int64], at: Edge) -> int | NDArray[np.int64]:
    """What each of n instants, int64, shape (n,), is compared with: the edge, or its plain date."""
    return np.where(instants % DAY_MICROS == 0, at.plain, at.instant) if at.shifted else at.instant
