"""Keeps the in-memory partitions in step with the store, whoever wrote to it.

The store's log says what changed, in commit order; the follower applies it at the next call, so that two processes on one
store see each other's writes. Vectors have a position of their own, because they are paid later than texts are written.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

from ai_memory.index.partition import Partition
from ai_memory.store.base import Action, LogEntry, Store, StoredRevision, VectorRow
from ai_memory.types import Generation

logger = logging.getLogger(__name__)

LOG_PAGE = 5_000
VECTOR_PAGE = 5_000


class Snapshots(Protocol):
    """Saved partitions, so that opening a large store rebuilds nothing."""

    def load(self, store: Store) -> tuple[dict[str, Partition], Progress] | None:
        """The partitions as last saved and how far they had got, or None where nothing usable was saved."""
        ...

    def save(self, store: Store, partitions: dict[str, Partition], progress: Progress) -> None:
        """Save all partitions as they are at `progress`."""
        ...

    def discard(self) -> None:
        """Delete what was saved; called before a forgotten text's terms could outlive it on disk."""
        ...


class Progress:
    """How far the partitions have followed the store."""

    def __init__(self, sequence: int = 0, generation: int | None = None, vector_position: int = 0) -> None:
        self.sequence = sequence
        self.generation = generation
        self.vector_position = vector_position


class Follower:
    """One partition a namespace, brought up to date by `catch_up`."""

    def __init__(self, store: Store, snapshots: Snapshots | None = None, *, snapshot_rows: int = 0) -> None:
        self._store = store
        self._snapshots = snapshots
        self._snapshot_rows = snapshot_rows
        self._lock = threading.RLock()
        self._partitions: dict[str, Partition] = {}
        self._dimension: int | None = None
        self._progress = Progress()
        self._offered: dict[int, StoredRevision] = {}
        self._offered_lock = threading.Lock()
        self._unsaved = 0
        self._opened = False

    def offer(self, revisions: Iterable[StoredRevision]) -> None:
        """Hand over revisions that this process has just written, to spare reading them back."""
        with self._offered_lock:
            for revision in revisions:
                self._offered[revision.key] = revision

    def partition(self, namespace: str) -> Partition | None:
        """The partition of a namespace, or None if nothing was ever stored in it."""
        return self._partitions.get(namespace)

    def catch_up(self, generation: Generation | None) -> None:
        """Apply what the store's log and vectors have beyond what was applied before."""
        with self._lock:
            if not self._opened:
                self._open()
            if self._store.sequence() != self._progress.sequence:
                self._follow_log()
            self._follow_vectors(generation)

    def bytes_used(self) -> int:
        """Memory held by all partitions, in bytes."""
        return sum(partition.nbytes for partition in list(self._partitions.values()))

    def save(self, *, force: bool = False) -> None:
        """Save a snapshot when enough has changed since the last one (`force`: when anything has)."""
        if self._snapshots is None or self._snapshot_rows == 0:
            return
        with self._lock:
            if self._unsaved >= self._snapshot_rows or (force and self._unsaved >= min(1_000, self._snapshot_rows)):
                self._snapshots.save(self._store, self._partitions, self._progress)
                self._unsaved = 0

    def forget_saved(self) -> None:
        """Delete the saved snapshot; the next save writes one without what has been forgotten."""
        if self._snapshots is not None:
            self._snapshots.discard()

    def reset(self) -> None:
        """Drop everything and begin anew from canonical rows at the next `catch_up`."""
        with self._lock:
            self.forget_saved()
            self._partitions, self._progress, self._opened = {}, Progress(), True
            self._unsaved = 0

    def _open(self) -> None:
        self._opened = True
        loaded = self._snapshots.load(self._store) if self._snapshots is not None else None
        if loaded is not None:
            self._partitions, self._progress = loaded
        elif self._store.sequence() > 0:
            self._rebuild()

    def _rebuild(self) -> None:
        """Build from the live revisions, which is less work than replaying a long log."""
        sequence = self._store.sequence()
        after, count = 0, 0
        while page := self._store.live_revisions(after=after, limit=LOG_PAGE):
            for revision in page:
                self._add(revision)
            after, count = page[-1].key, count + len(page)
        self._progress = Progress(sequence=sequence)
        if count:
            logger.info("index built from %d revisions", count)

    def _follow_log(self) -> None:
        while entries := self._store.log(after=self._progress.sequence, limit=LOG_PAGE):
            revisions = self._revisions_of(entries)
            for entry in entries:
                self._apply(entry, revisions)
                self._progress.sequence = entry.sequence
            if len(entries) < LOG_PAGE:
                break

    def _revisions_of(self, entries: Sequence[LogEntry]) -> dict[int, StoredRevision]:
        """The revisions that these entries added, from what was offered or else from the store."""
        wanted = [key for entry in entries if entry.action is not Action.FORGOTTEN for key in entry.keys]
        with self._offered_lock:
            found = {key: self._offered.pop(key) for key in wanted if key in self._offered}
        missing = [key for key in wanted if key not in found]
        if missing:
            found.update(self._store.load(missing))
        return found

    def _apply(self, entry: LogEntry, revisions: dict[int, StoredRevision]) -> None:
        if entry.action is Action.FORGOTTEN:
            partition = self._partitions.get(entry.namespace)
            if partition is not None:
                partition.remove(entry.keys)
            self.forget_saved()
            return
        for key in entry.keys:
            revision = revisions.get(key)
            if revision is not None:
                self._add(revision)
        if entry.retired_keys:
            partition = self._partitions.get(entry.namespace)
            if partition is not None:
                for key in entry.retired_keys:
                    partition.retire(key, entry.at)

    def _add(self, revision: StoredRevision) -> None:
        namespace = revision.record.namespace
        partition = self._partitions.get(namespace)
        if partition is None:
            partition = self._partitions[namespace] = Partition(namespace, self._dimension)
        before = partition.n
        partition.add(revision.key, revision.record)
        self._unsaved += partition.n - before

    def _follow_vectors(self, generation: Generation | None) -> None:
        if generation is None:
            return
        if self._progress.generation != generation.id:
            self._dimension = generation.embedder.dimension
            for partition in self._partitions.values():
                partition.reset_vectors(self._dimension)
            self._progress.generation, self._progress.vector_position = generation.id, 0
        if self._store.vector_position(generation.id) == self._progress.vector_position:
            return
        while True:
            rows, position = self._store.vector_rows(
                generation.id, after=self._progress.vector_position, limit=VECTOR_PAGE
            )
            self._take(rows)
            self._progress.vector_position = position
            if len(rows) < VECTOR_PAGE:
                return

    def _take(self, rows: list[VectorRow]) -> None:
        """Give each partition its vectors."""
        vectors = [(row.key, row.passage, row.vector) for row in rows]
        self._unsaved += len(vectors)
        partitions = list(self._partitions.values())
        if len(partitions) == 1:
            partitions[0].set_vectors(vectors)
            return
        for partition in partitions:
            partition.set_vectors([vector for vector in vectors if len(partition.rows_of(vector[0]))])
