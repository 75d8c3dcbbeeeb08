"""Keeps the in-memory partitions in step with the store, including writes of other processes.

The store's log says what changed, in commit order; the follower applies it at the next call, so that two processes on one
store see each other's writes. Vectors have a separate position, because they are stored later than the texts.

The partitions hold the vectors of one generation. When another becomes active, all vectors are read again before the next view
is given; a view taken earlier keeps the old ones until it is released.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from ai_memory.errors import StoreError
from ai_memory.index.partition import Partition, PartitionView
from ai_memory.index.snapshot import Origin
from ai_memory.service.background.embedder import active_generation
from ai_memory.service.background.snapshots import WORTH_SAVING, SnapshotFolder
from ai_memory.store.base import Action, LogEntry, Store, StoredRevision, VectorRow
from ai_memory.types import Generation, MemoryRecord, Problem
from ai_memory.wording.ways import REBUILD

logger = logging.getLogger(__name__)

LOG_PAGE = 5_000
MOST_OFFERED = 1_000
"""Revisions that wait to be taken up; in a program that only writes, such as an import, nobody takes them up."""
VECTOR_PAGE = 5_000


_ERASING = (Action.FORGOTTEN, Action.UNDONE)
"""Changes by which revisions go, so that none before them may be applied after them."""


class SwitchedError(Exception):
    """The active generation changed; retry with the new one."""


class Follower:
    """One partition per namespace, brought up to date by `catch_up`.

    `snapshots` None, or `snapshot_rows` 0, means that the index is rebuilt from the store at each start.
    """

    def __init__(self, store: Store, snapshots: SnapshotFolder | None = None, *, snapshot_rows: int = 0) -> None:
        self._store = store
        self._snapshots = snapshots
        self._snapshot_rows = snapshot_rows
        self._lock = threading.RLock()
        self._partitions: dict[str, Partition] = {}
        self._origin = Origin(store_id=store.store_id, sequence=0)
        self._dimension: int | None = None
        self._offered: OrderedDict[int, StoredRevision] = OrderedDict()
        self._offered_lock = threading.Lock()
        self._changed: dict[str, int] = {}
        self._saved = False
        self._opened = False

    def offer(self, revisions: Iterable[StoredRevision]) -> None:
        """Hand over revisions that this process has just written, to spare reading them back; only the latest are kept."""
        with self._offered_lock:
            for revision in revisions:
                if revision.key > self._origin.sequence:
                    self._offered[revision.key] = revision
            while len(self._offered) > MOST_OFFERED:
                self._offered.popitem(last=False)

    @property
    def opened(self) -> bool:
        """Whether the index was needed, so that it is in memory."""
        return self._opened

    def view(self, namespace: str, generation: Generation | None) -> PartitionView | None:
        """The current state of a namespace, with the vectors of `generation`; None if nothing was ever stored in it.

        With `generation` None the caller compares no vectors, and the view may hold those of any generation. Raises
        SwitchedError where the index holds the vectors of another generation and `generation` is no longer active.
        """
        with self._lock:
            position = self._follow()
            if generation is None or generation.id == self._origin.generation:
                self._follow_vectors(position)
            else:
                self._follow_active()
                if self._origin.generation != generation.id:
                    raise SwitchedError
            partition = self._partitions.get(namespace)
            return None if partition is None else partition.view()

    def catch_up(self) -> None:
        """Apply what the store's log and the active generation's vectors have beyond what was applied before."""
        with self._lock:
            self._follow()
            self._follow_active()

    def drop_forgotten(self) -> None:
        """Keep nothing in memory of what was forgotten. An index that was not needed yet is not built for that."""
        with self._lock:
            if self._opened:
                self.catch_up()
                return
            with self._offered_lock:
                self._offered.clear()  # they only spare reading them back

    def _follow(self) -> int:
        """Apply what is new in the log; the position of the vectors that are followed, as it was before."""
        if not self._opened:
            self._open()
            self._drop_stale_offers()
        sequence, position = self._store.positions(self._origin.generation)
        if sequence != self._origin.sequence:
            self._follow_log()
            self._drop_stale_offers()
        return position

    def bytes_used(self) -> int:
        """Memory held by all partitions, in bytes."""
        return sum(partition.nbytes for partition in list(self._partitions.values()))

    def close(self) -> None:
        """Save the current index, if it was ever used; where the store can no longer be read, it is rebuilt at the next start."""
        if not self._opened:
            return
        try:
            self.catch_up()  # else what another process forgot would be saved again
            self.save(closing=True)
        except StoreError as error:
            logger.warning("the index was not saved: %s", error.message)

    def save(self, *, closing: bool = False) -> None:
        """Save the index when enough has changed; when `closing`, also when a change or a forget left a large one unsaved."""
        if self._snapshots is None or not self._snapshot_rows:
            return
        with self._lock:
            rows = sum(self._changed.values())
            large = sum(partition.n for partition in self._partitions.values()) >= WORTH_SAVING
            worth = rows >= self._snapshot_rows or (closing and large and (rows >= WORTH_SAVING or not self._saved))
            if worth:
                digest = self._digest_at(self._origin.sequence)
                if self._snapshots.save(self._partitions, set(self._changed), self._origin, digest):
                    self._changed, self._saved = {}, True
                self._follow_log()  # what another process forgot meanwhile must not stay in what was just saved

    def forget_saved(self) -> None:
        """Delete the saved index, even where this process saves none: a forgotten text's words must not outlive it on disk."""
        if self._snapshots is not None:
            self._snapshots.discard()
            self._saved = False

    def check(self) -> Iterator[Problem]:
        """Whether the saved index is damaged: it is not used then, but built again from the store at each start."""
        damage = None if self._snapshots is None else self._snapshots.damage(self._store.store_id)
        if damage is not None:
            yield Problem(check="saved_index", message=f"the saved index is not used: {damage}", mend=str(REBUILD))

    def reset(self) -> None:
        """Drop everything and rebuild it from canonical rows at the next `catch_up`."""
        with self._lock:
            self.forget_saved()
            self._partitions, self._changed = {}, {}
            self._origin = Origin(store_id=self._store.store_id, sequence=0)
            self._opened = False

    def _open(self) -> None:
        """Take the saved partitions, and build those of the other namespaces from live revisions: less work than the log.

        They are built before the log is followed, which would otherwise begin them with its newest revisions only.
        """
        self._opened = True
        sequence = self._store.sequence()
        if loaded := self._load():
            self._partitions, self._origin = loaded
            self._dimension = next(partition.view().dimension for partition in self._partitions.values())
            self._saved = True
        else:
            self._origin = replace(self._origin, sequence=sequence)
        for namespace in [name for name, _ in self._store.namespaces() if name not in self._partitions]:
            self._build(namespace)
        self._follow_log()

    def _load(self) -> tuple[dict[str, Partition], Origin] | None:
        """The saved partitions, if the store's log contains their state: a store restored from a backup may have diverged."""
        if self._snapshots is None or not self._snapshot_rows:
            return None
        loaded = self._snapshots.load(self._store.store_id)
        if loaded is None or not loaded[0]:
            return None
        partitions, saved = loaded
        generation = saved.origin.generation
        if saved.digest != self._digest_at(saved.origin.sequence) or (
            generation is not None and self._store.vector_position(generation) < saved.origin.vector_position
        ):
            logger.warning("the saved index is not used: the store has been put back to an earlier state")
            return None
        return partitions, saved.origin

    def _digest_at(self, sequence: int) -> str:
        """The digest of the log entry with this sequence, which covers all before it; empty where there is none."""
        return next(
            (entry.digest for entry in self._store.log(after=sequence - 1, limit=1) if entry.sequence == sequence), ""
        )

    def _build(self, namespace: str) -> None:
        after = 0
        while page := self._store.live_revisions(after=after, limit=LOG_PAGE, namespace=namespace):
            self._add(page)
            after = page[-1].key
            if self._origin.generation is not None:
                self._fetch_vectors(namespace, self._origin.generation, [revision.key for revision in page])

    def _fetch_vectors(self, namespace: str, generation: int, keys: Sequence[int]) -> None:
        """Fetch the vectors before the current position, for revisions that were just added."""
        partition = self._partitions[namespace]
        wanted = [(key, passage) for key in keys for passage in range(partition.passages(key))]
        found = self._store.vectors(generation, wanted)
        partition.set_vectors([(key, passage, vector) for (key, passage), vector in found.items()])

    def _follow_log(self) -> None:
        while entries := self._store.log(after=self._origin.sequence, limit=LOG_PAGE):
            revisions = self._revisions_of(entries)
            erasing = [at for at, entry in enumerate(entries) if entry.action in _ERASING]
            start = 0
            for at in (*erasing, len(entries)):
                self._apply(entries[start:at], revisions)
                self._erase(entries[at : at + 1])
                start = at + 1
            self._origin = replace(self._origin, sequence=entries[-1].sequence)
            if len(entries) < LOG_PAGE:
                break

    def _revisions_of(self, entries: Sequence[LogEntry]) -> dict[int, StoredRevision]:
        """The revisions that these entries added, from what was offered or else from the store."""
        wanted = [key for entry in entries if entry.action not in _ERASING for key in entry.keys]
        with self._offered_lock:
            found = {key: self._offered.pop(key) for key in wanted if key in self._offered}
        missing = [key for key in wanted if key not in found]
        if missing:
            found.update(self._store.load(missing))
        return found

    def _drop_stale_offers(self) -> None:
        """Offers that came after another thread had already read the same revisions from the store."""
        with self._offered_lock:
            for key in [key for key in self._offered if key <= self._origin.sequence]:
                del self._offered[key]

    def _apply(self, entries: Sequence[LogEntry], revisions: dict[int, StoredRevision]) -> None:
        """Carry out entries none of which erases: all additions first, since a key is never added after it was retired."""
        self._add([revisions[key] for entry in entries for key in entry.keys if key in revisions])
        for entry in entries:
            partition = self._partitions.get(entry.namespace)
            if entry.retired_keys and partition is not None:
                for key in entry.retired_keys:
                    partition.retire(key, entry.at)
                self._note(entry.namespace, len(entry.retired_keys))

    def _erase(self, entries: Sequence[LogEntry]) -> None:
        for entry in entries:
            partition = self._partitions.get(entry.namespace)
            if partition is not None:
                partition.remove(entry.keys)
                self._note(entry.namespace, len(entry.keys))
                if entry.action is Action.UNDONE:
                    for key in entry.retired_keys:
                        partition.revive(key)
                    self._note(entry.namespace, len(entry.retired_keys))
            if entry.action is Action.FORGOTTEN:
                self.forget_saved()

    def _add(self, revisions: Sequence[StoredRevision]) -> None:
        by_namespace: dict[str, list[tuple[int, MemoryRecord]]] = {}
        for revision in revisions:
            by_namespace.setdefault(revision.record.namespace, []).append((revision.key, revision.record))
        for namespace, added in by_namespace.items():
            partition = self._partitions.get(namespace)
            if partition is None:
                partition = self._partitions[namespace] = Partition(namespace, self._dimension)
            before = partition.n
            partition.add_many(added)
            self._note(namespace, partition.n - before)

    def _follow_active(self) -> None:
        """Take the vectors of the generation that is active now, all of them where it is another one than before."""
        active = active_generation(self._store)
        if active is not None and self._origin.generation != active.id:
            self._dimension = active.embedder.dimension
            for namespace, partition in self._partitions.items():
                partition.reset_vectors(self._dimension)
                self._note(namespace, partition.n)  # what is saved must be of one generation throughout
            self._origin = replace(self._origin, generation=active.id, vector_position=0)
        if self._origin.generation is not None:
            self._follow_vectors(self._store.vector_position(self._origin.generation))

    def _follow_vectors(self, newest: int) -> None:
        generation = self._origin.generation
        if generation is None or newest == self._origin.vector_position:
            return
        while True:
            rows, position = self._store.vector_rows(generation, after=self._origin.vector_position, limit=VECTOR_PAGE)
            # Some may belong to revisions written since the log was followed: those need their rows first, or
            # their vectors would be dropped for good.
            if rows and self._store.sequence() != self._origin.sequence:
                self._follow_log()
            self._take(rows)
            self._origin = replace(self._origin, vector_position=position)
            if len(rows) < VECTOR_PAGE:
                return

    def _take(self, rows: list[VectorRow]) -> None:
        """Give each partition its vectors; a single partition selects its own."""
        vectors = [(row.key, row.passage, row.vector) for row in rows]
        alone = len(self._partitions) == 1
        for namespace, partition in self._partitions.items():
            mine = vectors if alone else [vector for vector in vectors if len(partition.rows_of(vector[0]))]
            if mine:
                partition.set_vectors(mine)
                self._note(namespace, len(mine))

    def _note(self, namespace: str, rows: int) -> None:
        self._changed[namespace] = self._changed.get(namespace, 0) + rows
