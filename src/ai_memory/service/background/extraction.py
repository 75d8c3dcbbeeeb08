"""Extracts what memories name and state in the background, into the graph file next to the store.

The store's log says what is still to be read, so nothing is lost when a process ends; any process of the store may read it.
Writes are not delayed: reading begins when they pause.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence, Set

from ai_memory.clock import in_zone
from ai_memory.errors import MemoryServiceError, StoreCorruptError, StoreFullError
from ai_memory.extraction.extract import extract, forget_words
from ai_memory.extraction.gazetteer import key
from ai_memory.extraction.resolve import Directory, resolve
from ai_memory.extraction.values import Mention
from ai_memory.service.background.decisions import Decisions
from ai_memory.store.base import Action, LogEntry, Store, StoredRevision
from ai_memory.store.graph_file import GraphFile, Named, ReadRevision, Said
from ai_memory.store.ids import entity_id
from ai_memory.truth.digest import is_digest
from ai_memory.types import DECISIONS, Entity, Problem, WipePending
from ai_memory.wording.ways import REBUILD

logger = logging.getLogger(__name__)

PAGE = 256
IDLE_SECONDS = 2.0
PAUSE_SECONDS = 1.0
"""A page is read when nothing was written in this process for so long, so that a bulk write is not slowed,"""
LONGEST_PAUSE_SECONDS = 5.0
"""but one at least in this time."""

OpenFile = Callable[[Callable[[int], str]], GraphFile]
"""Opens the graph file, given a function that returns the digest of a log entry."""


class GraphReader:
    """One background thread that extracts from the revisions in the store's log; it starts at first use."""

    def __init__(self, store: Store, open_file: OpenFile, decided: Decisions, zone: dt.tzinfo = dt.UTC) -> None:
        """`zone` is whose days *yesterday* means in a memory."""
        self._store = store
        self._decided = decided
        self._open_file = open_file
        self._zone = zone
        self._file: GraphFile | None = None
        self._unerased: tuple[int, WipePending] | None = None
        """What could not be erased, and the sequence of the log up to which the file must read for that."""
        self._directories: dict[str, Directory] = {}
        self._turn = threading.Lock()
        """Held while a page is read."""
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def kick(self) -> None:
        """Say that something was written."""
        if self._thread is None:
            with self._starting:
                if self._thread is None and not self._stopping.is_set():
                    self._thread = threading.Thread(target=self._run, name="graph-reader", daemon=True)
                    self._thread.start()
        self._wake.set()

    def unread(self) -> int:
        """How many changes in the store's log have not been read yet. Raises StoreError."""
        return max(self._store.sequence() - self.file().position(), 0)

    def catch_up(self, seconds: float) -> bool:
        """Read what is new for up to `seconds`; whether all has been read."""
        deadline = time.monotonic() + seconds
        with self._turn:
            while self._read_page():
                if self._stopping.is_set() or time.monotonic() >= deadline:
                    return self.unread() == 0
        return True

    def erase(self, namespace: str, memories: Sequence[str]) -> None:
        """Leave nothing of forgotten memories, here and on disk; on a device that is too full for it later, as `unwiped` says."""
        try:
            self.file().erase(namespace, memories, self)
            self._unerased = None
        except StoreFullError as error:  # they are gone from the store; the file follows its log
            logger.warning("what forgotten memories named is not erased yet: %s", error.message)
            self._unerased = self._store.sequence(), WipePending(since=None, why=error.message)
        self._directories.pop(namespace, None)
        forget_words()

    def check(self) -> Iterator[Problem]:
        """What is damaged in the file."""
        try:
            yield from self.file().check()
        except StoreCorruptError as error:
            yield Problem(check="graph", message=error.message, mend=str(REBUILD))

    def reset(self) -> None:
        """Forget all that was read, so that it is read again; a damaged file is made again."""
        with self._turn:
            self._directories.clear()
            file = self.file()
            try:
                file.clear()
            except StoreCorruptError:
                with self._starting:
                    file.delete()
                    self._file = None

    def unwiped(self) -> WipePending | None:
        """As `GraphFile.unwiped`, where the file is open; also while it does not know yet what was forgotten."""
        if self._unerased is not None and self._file is not None and self._file.position() >= self._unerased[0]:
            self._unerased = None
        if self._unerased is not None:
            return self._unerased[1]
        return None if self._file is None else self._file.unwiped()

    def upkeep(self) -> None:
        """As `GraphFile.upkeep`, where the file is open."""
        if self._file is not None and not self._stopping.is_set():
            self._file.upkeep()

    def close(self) -> None:
        """Stop after the current page; the next process continues from there."""
        self._stopping.set()
        self._wake.set()
        with self._starting:
            thread = self._thread
        if thread is not None:
            thread.join()
        with self._turn:
            if self._file is not None:
                self._file.close()

    def file(self) -> GraphFile:
        """The file, opened at its first use. Raises StoreError."""
        with self._starting:
            if self._file is None:
                self._file = self._open_file(self._digest_at)
            return self._file

    def _digest_at(self, sequence: int) -> str:
        entries = self._store.log(after=sequence - 1, limit=1) if sequence else []
        return next((entry.digest for entry in entries if entry.sequence == sequence), "")

    def _run(self) -> None:
        while not self._stopping.is_set():
            woken = self._wake.wait(IDLE_SECONDS)
            self._wake.clear()
            if woken:
                self._await_pause()
            try:
                while not self._stopping.is_set():
                    with self._turn:
                        if not self._read_page():
                            break
                    if self._wake.is_set():
                        self._await_pause()
            except MemoryServiceError as error:
                logger.warning("what memories name is not read: %s", error.message)
                self._stopping.wait(IDLE_SECONDS)
            except Exception:
                logger.exception("reading what memories name failed")
                self._stopping.wait(IDLE_SECONDS)

    def _await_pause(self) -> None:
        deadline = time.monotonic() + LONGEST_PAUSE_SECONDS
        while time.monotonic() < deadline and not self._stopping.is_set() and self._wake.wait(PAUSE_SECONDS):
            self._wake.clear()

    def _read_page(self) -> bool:
        """Read the next changes; False where there is none."""
        file = self.file()
        since = file.position()
        entries = self._store.log(after=since, limit=PAGE)
        if not entries:
            return False
        for namespace in {entry.namespace for entry in entries if entry.action in _OTHER_ENTITIES}:
            self._directories.pop(namespace, None)
        wanted = sorted({number for entry in entries for number in _current(entry)})
        loaded = self._store.load(wanted) if wanted else {}
        read = [self._read(each, self._directory) for each in loaded.values() if each.record.retired_at is None]
        retired = [number for entry in entries if entry.action is not Action.UNDONE for number in entry.retired_keys]
        retired = [number for number in retired if number not in loaded or loaded[number].record.retired_at is not None]
        now = entries[-1].sequence
        if not file.take(
            [each for each in read if each.mentions], retired, since, now, lambda: self._forgotten(entries), self
        ):
            self._directories.clear()  # another process read this page, and made entities that are not known here
        return True

    def made_by_people(self, namespace: str, ids: Sequence[str]) -> set[str]:
        """As `graph_file.Reader.made_by_people`."""
        return {entity.id for entity in self._store.entities(namespace, ids=ids)} if ids else set()

    def read_again(
        self, namespace: str, keys: Sequence[int], known: Sequence[tuple[int, Entity]]
    ) -> list[ReadRevision]:
        """As `graph_file.Reader.read_again`: with the entities known that were named before, as when everything is read again."""
        self._directories.pop(namespace, None)
        return self._read_as_if(namespace, keys, known, frozenset())

    def read_without(
        self, namespace: str, keys: Sequence[int], memories: Sequence[str], entities: Set[str]
    ) -> list[ReadRevision]:
        """What `read_again` will give for these revisions once `memories` and `entities` are forgotten; changes nothing."""
        return self._read_as_if(namespace, keys, self.file().known(namespace, memories), entities)

    def _read_as_if(
        self, namespace: str, keys: Sequence[int], known: Sequence[tuple[int, Entity]], without: Set[str]
    ) -> list[ReadRevision]:
        directory, whole = self._made_by_people(namespace, without)
        loaded = self._store.load(keys)
        earlier = iter([(first, whole.get(entity.id, entity)) for first, entity in known if entity.id not in without])
        following = next(earlier, None)
        read: list[ReadRevision] = []
        for number in sorted(loaded):
            while following is not None and following[0] < number:
                directory.add(following[1])
                following = next(earlier, None)
            if loaded[number].record.retired_at is None:
                read.append(self._read(loaded[number], lambda _: directory))
        return read

    def _forgotten(self, page: Sequence[LogEntry]) -> tuple[set[int], set[str]]:
        """Keys that are forgotten in a page, or after it by now, and the namespaces that a memory in this page was forgotten in."""
        namespaces = {entry.namespace for entry in page if entry.action is Action.FORGOTTEN}
        later = self._store.sequence() > page[-1].sequence
        wanted = {number for entry in page for number in _current(entry)}
        missing = wanted - self._store.load(sorted(wanted)).keys() if later and wanted else set()
        gone = {number for entry in page if entry.action in _ERASING for number in entry.keys}
        return missing | gone, namespaces

    def _read(self, revision: StoredRevision, directory_of: Callable[[str], Directory]) -> ReadRevision:
        record = revision.record
        # When it was said, in the user's zone.
        said = "" if is_digest(record) else record.text  # what a digest says its sources have said
        found = extract(said, said_at=in_zone(record.valid_from or record.created_at, self._zone))
        directory = directory_of(record.namespace) if found.mentions else Directory(())
        named: dict[Mention, Entity] = {}
        for each in resolve(found.mentions, directory):
            entity = each.entity
            if entity is None:
                kind = each.mention.kind.value
                name, at = each.name, record.recorded_at
                made = entity_id(record.namespace, kind, key(name))
                entity = Entity(id=made, namespace=record.namespace, name=name, kind=kind, created_at=at)
            named[each.mention] = entity
        spelt: set[str] = set()
        for mention, entity in named.items():
            if entity.name in (mention.name, mention.canonical):
                spelt.add(entity.id)
                directory.add(entity)
        first: dict[str, Named] = {}
        for mention, entity in named.items():
            first.setdefault(entity.id, Named(entity, mention.start, mention.end, entity.id in spelt))
        statements = tuple(
            Said(*ends, said.relation, said.valid_from, said.valid_to, said.start, said.end)
            for said in found.statements
            if (ends := (named[said.subject].id, named[said.object].id))[0] != ends[1]
        )
        return ReadRevision(
            revision.key,
            record.namespace,
            record.id,
            record.recorded_at,
            record.valid_from,
            record.ends,
            tuple(first.values()),
            statements,
        )

    def _directory(self, namespace: str) -> Directory:
        """The entities of a namespace: those that people made, and those that were read before."""
        if namespace not in self._directories:
            directory, known = self._made_by_people(namespace, frozenset())
            for entity, _ in self.file().entities(namespace):
                directory.add(known.get(entity.id, entity))
            self._directories[namespace] = directory
        return self._directories[namespace]

    def _made_by_people(self, namespace: str, without: Set[str]) -> tuple[Directory, dict[str, Entity]]:
        """A directory of the entities that people made, and these by id.

        One that only decisions are about is known by its whole name: what shorter names mean in a memory must not depend on
        what was decided about it, or the decision would no longer fit when the memory is read again.
        """
        identity = self._decided.identity(namespace)
        made = self._decided.entities(None, namespace, identity)
        known = {entity.id: entity for entity in made if entity.id not in without}
        decided = {end for each in self._decided.relations(namespace) for end in (each.source, each.target)}
        related = {
            end
            for each in (self._store.relations(namespace, sorted(decided)) if decided else ())
            if each.type not in DECISIONS
            for end in (each.source, each.target)
        }
        directory = Directory((), identity.root)
        for entity in known.values():
            directory.add(entity, whole=entity.id in decided - related)
        return directory, known


def _current(entry: LogEntry) -> Sequence[int]:
    """The keys of the revisions that a change made, or made current again."""
    if entry.action is Action.UNDONE:
        return entry.retired_keys
    return () if entry.action is Action.FORGOTTEN else entry.keys


_ERASING = (Action.FORGOTTEN, Action.UNDONE)
_OTHER_ENTITIES = frozenset({Action.RELATED, Action.UNRELATED, Action.FORGOTTEN})
"""What may have made, merged, split or removed entities since a directory was made."""
