"""One namespace in memory: its catalog, its lexical index and its vectors, with the same row numbers.

One writer at a time and any number of readers, from any threads. A reader takes a `view()` and works on that: rows added later
are not in it. A retirement or an erasure may show in a view that was taken before, from one call to the next; a mask is always
of one moment.

Readers take the lock only for what may change in place (masks, sessions, names); scoring, which takes long, runs on immutable
postings and on vectors that are only overwritten by an erasure, and so never waits for the writer.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ai_memory.clock import to_micros
from ai_memory.index.base import Floats, Mask, QueryTerm, Rows, SparseScores
from ai_memory.index.catalog import Catalog
from ai_memory.index.copies import ALONE, Groups
from ai_memory.index.dense import DenseView, ExactDenseIndex, checked
from ai_memory.index.lexical import ByTerm, LexicalView, PostingsIndex
from ai_memory.text.analysis import analyse, forget_words
from ai_memory.text.passages import split
from ai_memory.types import MemoryRecord, Selection

ENDS = ("valid_to", "expires_at")
BATCH = 1_000
"""Revisions added under one lock at most; readers wait for some twenty milliseconds."""


class PartitionView:
    """A partition at one moment: rows 0 … n-1, to be masked and scored."""

    def __init__(
        self, n: int, catalog: Catalog, lexical: LexicalView, dense: DenseView | None, lock: threading.RLock
    ) -> None:
        self.n = n
        self._catalog = catalog
        self._lexical = lexical
        self._dense = dense
        self._lock = lock

    @property
    def dimension(self) -> int | None:
        """The vectors' dimension; None while the partition has none."""
        return None if self._dense is None else self._dense.dimension

    def mask(self, selection: Selection) -> Mask:
        """Which rows a selection means, bool, shape (n,); a new array. Its namespace must be this partition's."""
        with self._lock:
            return self._catalog.mask(selection, self.n)

    def lexical_scores(self, terms: Sequence[QueryTerm]) -> SparseScores:
        """BM25 of every row that matches at least one term: rows int32 ascending, scores float32; empty for no terms.

        The rows may be n and beyond where rows were added since.
        """
        return self._lexical.scores(terms)

    def sharing(self, names: Iterable[str], words: int, postings: int, least: float) -> SparseScores:
        """As `LexicalView.sharing`."""
        return self._lexical.sharing(names, words, postings, least)

    def holding(self, rows: Rows, user: str | None, at: dt.datetime) -> Mask:
        """Which of some rows are current, have not ended by an instant and belong to a user (None: to nobody): bool."""
        with self._lock:
            return self._catalog.holding(rows, user, at)

    def matches(self, terms: Sequence[QueryTerm], row: int) -> list[str]:
        """The surfaces of the terms that a row matches."""
        return self._lexical.matches(terms, row)

    def lexical_by_term(self, terms: Sequence[QueryTerm], rows: Rows) -> ByTerm:
        """What each of t terms gives to each of r rows, float32, shape (t, r), and each term's idf mass, float64, shape (t,)."""
        return self._lexical.by_term(terms, rows)

    def repeated(self, mask: Mask, periods: Sequence[Mask] = ()) -> Groups:
        """The copies among the rows of `mask`, bool, shape (n,): those to leave out, and which row stands for each.

        That is one inside the `periods`, bool, shape (n,), where there are any, and of several the one that happened last.
        """
        with self._lock:
            return self._catalog.repeated(mask, periods)

    def without(self, terms: Sequence[QueryTerm], rows: Rows) -> tuple[QueryTerm, ...]:
        """The terms, each as rare as it would be without some rows, int32."""
        return self._lexical.without(terms, rows)

    def names(self, facet: str, rows: Rows) -> list[str | None]:
        """The value of a facet (`memory`, `author`, `agent`, …) in each of `rows`, int32; None where there is none, or no more."""
        with self._lock:
            names = self._catalog.names[facet].names
            return [names[number] for number in self._catalog.column(facet)[rows].tolist()]

    def document_frequency(self, term: QueryTerm) -> int:
        """How many rows match a term."""
        return self._lexical.document_frequency(term)

    @property
    def mean_length(self) -> float:
        """The mean number of words in a row, those of title, author and tags included; 1.0 where there is no word at all."""
        return self._lexical.mean_length

    def dense_scores(self, query: Floats) -> Floats:
        """Approximate cosine of `query`, float32, shape (dimension,), with each row: float32, shape (n,).

        NaN for a row without a vector; all NaN while the partition has no dimension. Raises like `dense.checked`.
        """
        if self._dense is None:
            return np.full(self.n, np.nan, np.float32)
        return self._dense.scores(query, self.n)

    def both_scores(self, query: Floats, terms: Sequence[QueryTerm]) -> tuple[Floats, SparseScores]:
        """`dense_scores`, float32, shape (n,), and `lexical_scores`: the words on this thread while others scan the vectors."""
        if self._dense is None:
            return self.dense_scores(query), self.lexical_scores(terms)
        found: list[SparseScores] = []
        dense = self._dense.scores(query, self.n, meanwhile=lambda: found.append(self.lexical_scores(terms)))
        return dense, found[0]

    def session_neighbours(self, rows: Rows, before: int, after: int, mask: Mask | None = None) -> Rows:
        """The rows around each of r rows in its session: int32, shape (r, before + after), in the order of time; -1 for none.

        Only rows of `mask` count (None: current ones). The order is (occurred, key, passage).
        """
        with self._lock:
            found = self._catalog.session_neighbours(rows, before, after, mask)
        found[found >= self.n] = -1
        return found

    def session_rows(self, row: int, mask: Mask | None = None) -> Rows:
        """All rows of a row's session in order, int32, those of `mask` only (None: current ones); empty without a session."""
        with self._lock:
            rows = self._catalog.session_rows(row, mask)
        return rows[rows < self.n]

    def keys(self) -> NDArray[np.int64]:
        """The revision key of each row, int64, shape (n,)."""
        return self._catalog.column("key")[: self.n]

    def passages(self) -> NDArray[np.int32]:
        """The number of each row's passage within its revision, from 0: int32, shape (n,)."""
        return self._catalog.column("passage")[: self.n]

    def memories(self) -> NDArray[np.int32]:
        """The number of each row's memory, equal for all rows of its revisions: int32, shape (n,)."""
        return self._catalog.column("memory")[: self.n]

    def sessions(self) -> NDArray[np.int32]:
        """The number of each row's session, 0 for none: int32, shape (n,)."""
        return self._catalog.column("session")[: self.n]

    def authors(self) -> NDArray[np.int32]:
        """The number of each row's author, 0 for none: int32, shape (n,)."""
        return self._catalog.column("author")[: self.n]

    def occurred(self) -> NDArray[np.int64]:
        """When each row's memory happened (`valid_from`, else `created_at`): microseconds since the epoch, int64, shape (n,)."""
        return self._catalog.column("occurred")[: self.n]

    def asks(self) -> NDArray[np.bool_]:
        """Whether each row's memory ends in a question: bool, shape (n,)."""
        return self._catalog.column("asks")[: self.n]

    def importance(self) -> NDArray[np.float64]:
        """Each row's importance, in [0, 1]: float64, shape (n,)."""
        return self._catalog.column("importance")[: self.n]

    def memory_ids(self, rows: Rows) -> list[str | None]:
        """The memory id of each of `rows`, int32, in their order; None for an erased row."""
        return self.names("memory", rows)

    def named_authors(self, terms: Sequence[QueryTerm]) -> list[int]:
        """The numbers of the authors whom a question's terms name, ascending."""
        with self._lock:
            return self._catalog.named_authors(terms)

    @property
    def dialogue(self) -> float:
        """The share of the rows that are in a session of at least two people, in [0, 1]."""
        with self._lock:
            return self._catalog.dialogues.share

    @property
    def any_expires(self) -> bool:
        """Whether any row has an expiry, passed or not."""
        with self._lock:
            return self._catalog.expiring.n > 0

    def turned(self, selection: Selection, since: dt.datetime, until: dt.datetime) -> list[tuple[int, int, bool]]:
        """What of a selection was true at one of two instants and not at the other: instant, key, and whether it began.

        The instant, in microseconds, is that at which it began, or ended or expired.
        """
        with self._lock:
            before, after = (
                self._catalog.mask(replace(selection, as_of=at), self.n) & (self.passages() == 0)
                for at in (since, until)
            )
            columns = {name: self._catalog.column(name)[: self.n].copy() for name in ("key", *ENDS, "valid_from")}
        ends = np.minimum(*(columns[name] for name in ENDS))
        found: list[tuple[int, int, bool]] = []
        for rows, at, began in ((after & ~before, columns["valid_from"], True), (before & ~after, ends, False)):
            found += [
                (at_, key, began) for at_, key in zip(at[rows].tolist(), columns["key"][rows].tolist(), strict=True)
            ]
        return found

    def confirmed(self, ids: Iterable[str], since: dt.datetime) -> set[str]:
        """Those of some memories of which a copy, or they themselves, were recorded at `since` or later."""
        with self._lock:
            current = self._catalog.column("current")[: self.n]
            recorded, said = (self._catalog.column(name)[: self.n] for name in ("recorded_at", "statement"))
            late = current & (recorded >= to_micros(since))
            again = np.unique(said[late & (said != ALONE)])
            rows = self.rows_of_memories(list(ids))
            kept = rows[np.isin(said[rows], again) | late[rows]]
            return {name for name in self.names("memory", kept) if name is not None}

    def rows_of(self, key: int) -> Rows:
        """The rows of a revision, int32 ascending; empty if the key is unknown or erased."""
        with self._lock:
            rows = self._catalog.rows_of(key)
        return rows[rows < self.n]

    def rows_of_memories(self, ids: Iterable[str]) -> Rows:
        """The current rows of some memories, int32 ascending; empty for no ids."""
        return np.flatnonzero(self.mask(Selection(ids=tuple(ids)))).astype(np.int32) if ids else np.empty(0, np.int32)


class Partition:
    """The in-memory index of one namespace."""

    def __init__(self, namespace: str, dimension: int | None = None) -> None:
        """An empty partition for vectors of `dimension` values; None means that there is no embedder yet."""
        self.namespace = namespace
        self.catalog = Catalog()
        self.lexical = PostingsIndex()
        self.dense = None if dimension is None else ExactDenseIndex(dimension)
        self.lock = threading.RLock()

    @property
    def n(self) -> int:
        """How many rows there are, erased ones included."""
        return self.catalog.n

    @property
    def nbytes(self) -> int:
        """An estimate of the memory held, in bytes."""
        dense = 0 if self.dense is None else self.dense.nbytes
        return self.catalog.nbytes + self.lexical.nbytes + dense

    def view(self) -> PartitionView:
        """The partition as it is now."""
        with self.lock:
            dense = None if self.dense is None else self.dense.view()
            return PartitionView(self.catalog.n, self.catalog, self.lexical.view(), dense, self.lock)

    def add(self, key: int, record: MemoryRecord) -> None:
        """Index the passages of a revision; a key that is here already changes nothing."""
        self.add_many([(key, record)])

    def add_many(self, revisions: Sequence[tuple[int, MemoryRecord]]) -> None:
        """Index the passages of some revisions, given with their keys; a key that is here already changes nothing.

        Texts are analysed outside the lock, in batches of `BATCH`.
        """
        for start in range(0, len(revisions), BATCH):
            batch = dict(revisions[start : start + BATCH])
            known = self.catalog.find_rows(np.fromiter(batch, np.int64, len(batch)))
            for key, row in zip(list(batch), known.tolist(), strict=True):
                if row >= 0:
                    del batch[key]
            if batch:
                self._add(list(batch), list(batch.values()))

    def _add(self, keys: Sequence[int], records: Sequence[MemoryRecord]) -> None:
        analysed = [_passage_terms(record) for record in records]
        with self.lock:
            rows = self.catalog.add_many(keys, records, [len(passages) for passages in analysed])
            self.lexical.add_many(rows.start, [terms for passages in analysed for terms in passages])

    def retire(self, key: int, at: dt.datetime) -> None:
        """Record when a revision was retired; an unknown key changes nothing."""
        with self.lock:
            self.catalog.retire(key, at)

    def revive(self, key: int) -> None:
        """Make a retired revision current again; an unknown key changes nothing."""
        with self.lock:
            self.catalog.revive(key)

    def remove(self, keys: Iterable[int]) -> None:
        """Erase revisions: catalog, words and vectors, and what was derived from their text. Unknown keys change nothing."""
        with self.lock:
            found = [self.catalog.rows_of(key) for key in keys]
            rows = np.concatenate(found) if found else np.empty(0, np.int32)
            if not len(rows):
                return
            self.lexical.remove(rows.tolist())
            if self.dense is not None:
                self.dense.remove(rows.tolist())
            self.catalog.remove(rows)
            # The analysis remembers words of all texts; those of a forgotten one must not outlive it.
            forget_words()

    def set_vectors(self, vectors: Sequence[tuple[int, int, NDArray[np.float32]]]) -> None:
        """Store the vectors of some passages, each as (key, passage, vector of shape (dimension,), float32).

        Keys and passages that are not here are left out; no vectors change nothing. Raises EmbedderMismatchError for another
        dimension, or while the partition has none, and InvalidInputError for NaN, infinity or zeros; nothing is stored then.
        """
        if not vectors:
            return
        keys = np.fromiter((key for key, _, _ in vectors), np.int64, len(vectors))
        passages = np.fromiter((passage for _, passage, _ in vectors), np.int64, len(vectors))
        with self.lock:
            dimension = 0 if self.dense is None else self.dense.dimension
            for _, _, vector in vectors:
                if vector.shape != (dimension,):
                    checked(vector[None], dimension)
            stacked = checked(np.stack([vector for _, _, vector in vectors]), dimension)
            if self.dense is None:
                return
            rows = self.catalog.find_rows(keys)
            # A revision's passages are adjacent rows, so a passage is its first row plus its number, if that row is still its own.
            at = np.minimum(rows + passages, max(self.catalog.n - 1, 0))
            known = (rows >= 0) & (passages >= 0)
            known[known] = (self.catalog.column("key")[at[known]] == keys[known]) & (
                self.catalog.column("passage")[at[known]] == passages[known]
            )
            self.dense.add(at[known].tolist(), stacked[known])

    def reset_vectors(self, dimension: int | None) -> None:
        """Drop all vectors and expect those of another generation."""
        with self.lock:
            self.dense = None if dimension is None else ExactDenseIndex(dimension)

    def missing_vectors(self) -> int:
        """How many rows, erased ones not counted, have no vector."""
        with self.lock:
            live = ~self.catalog.column("erased")
            if self.dense is not None:
                live &= ~self.dense.present(self.catalog.n)
            return int(live.sum())

    def rows_of(self, key: int) -> Rows:
        """The rows of a revision, int32 ascending; empty if the key is unknown or erased."""
        with self.lock:
            return self.catalog.rows_of(key)

    def passages(self, key: int) -> int:
        """How many passages a revision has; 0 if the key is unknown or erased."""
        return len(self.rows_of(key))


def _passage_terms(record: MemoryRecord) -> list[list[str]]:
    """The index terms of each passage of a text.

    Title, author and tags are words of every passage, so that a long text is found by them wherever it is cut.
    """
    passages = [analyse(record.text[start:end]) for start, end in split(record.text)]
    described_by = [part for part in (record.title, record.author, *record.tags) if part]
    if described_by:
        about = analyse(" ".join(described_by))
        passages = [passage + about for passage in passages]
    return passages
