"""The memories that a run of commands touches: looked up at once, changed here, written at once.

Commands of one batch see the effect of those before them because they all look and write here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence, Set
from itertools import chain
from operator import itemgetter

from msgspec import Struct, field

from ai_memory.clock import to_micros
from ai_memory.store.base import Remember, Restore, Retire, Revise
from ai_memory.store.keys import Neighbours, is_value, line_of
from ai_memory.store.neo4j.nodes import HELD, Held, held, label, memory_properties, revision_properties
from ai_memory.store.neo4j.transaction import Transaction
from ai_memory.store.neo4j.vectors import inherit
from ai_memory.store.tombstones import Entry
from ai_memory.types import MemoryRecord

MemoryCommand = Remember | Revise | Retire | Restore

_HISTORIES = (
    "UNWIND $rows AS row MATCH (m:Node {namespace: row[0], id: row[1]})-[:HAS_REVISION]->(r:Revision) "
    f"RETURN {HELD} ORDER BY r.key"
)
_SAYING = "UNWIND $rows AS row MATCH (r:Revision {dedup_key: row}) RETURN DISTINCT r.namespace, r.memory_id"

_VALUES = "UNWIND $rows AS row MATCH (r:Revision:Current {line: row}) RETURN DISTINCT r.namespace, r.memory_id"
_MEMORIES = "UNWIND $rows AS row MATCH (m:Node {namespace: row[0], id: row[1]}) RETURN m.namespace, m.id"
_FIRST_REVISIONS = "UNWIND $rows AS row CREATE (m:Node:Memory)-[:HAS_REVISION]->(r:Revision) SET m = row[0], r = row[1]"
_LATER_REVISIONS = (
    "UNWIND $rows AS row MATCH (m:Node {namespace: row[0].namespace, id: row[0].id}) "
    "CREATE (m)-[:HAS_REVISION]->(r:Revision) SET m.label = row[0].label, r = row[1]"
)
_RETIRED = (
    "UNWIND $rows AS row MATCH (r:Revision {key: row[0]}) "
    "SET r.retired_at = row[1], r.retired_reason = row[2], r.dedup_key = row[3] REMOVE r:Current"
)
_LABELS = "UNWIND $rows AS row MATCH (m:Node {namespace: row[0], id: row[1]}) SET m.label = row[2]"
_STRUCK = "UNWIND $rows AS row MATCH (o:Owed {key: row}) DELETE o"
_LOST_VECTORS = "UNWIND $rows AS row MATCH (:Revision {key: row})-[:HAS_VECTOR]->(v:Vector) DETACH DELETE v"
_LOST = "UNWIND $rows AS row MATCH (r:Revision {key: row}) DETACH DELETE r"
_REVIVED = (
    "UNWIND $rows AS row MATCH (r:Revision {key: row[0]}) "
    "SET r.dedup_key = row[1], r:Current REMOVE r.retired_at, r.retired_reason"
)
_NAMED = "UNWIND $rows AS row MATCH (n:Node {namespace: row[0], id: row[1]})"
_PENDING = "UNWIND $rows AS row UNWIND $generations AS generation CREATE (:Owed {generation: generation, key: row})"


class History(Struct):
    """All revisions of one memory, oldest first."""

    held: list[Held] = field(default_factory=list)

    @property
    def latest(self) -> Held | None:
        """The newest revision, even if it is retired."""
        return self.held[-1] if self.held else None


class Memories:
    """The working set of one run of commands."""

    def __init__(self, transaction: Transaction, commands: Sequence[MemoryCommand]) -> None:
        self.transaction = transaction
        self._histories: dict[tuple[str, str], History] = {}
        self._saying: dict[bytes, list[Held]] = {}
        self._lifted: list[tuple[str, str]] = []
        self._inherits: list[tuple[int, int]] = []
        self._look_up(commands)

    def _look_up(self, commands: Sequence[MemoryCommand]) -> None:
        transaction = self.transaction
        keys = [command.dedup_key.hex() for command in commands if not isinstance(command, Retire)]
        named = dict.fromkeys(chain.from_iterable(map(_names, commands)))
        named.update((tuple(row), None) for row in transaction.looked_up(_SAYING, list(dict.fromkeys(keys))))
        for values in transaction.looked_up(_HISTORIES, list(named)):
            self._hold(held(values))
        self._look_up_lines(commands)

    def _look_up_lines(self, commands: Sequence[MemoryCommand]) -> None:
        """Also the values of all keys that the commands write to."""
        lines = [line.hex() for line in map(self._line, commands) if line is not None]
        if not lines:
            return
        found = (tuple(row) for row in self.transaction.looked_up(_VALUES, list(dict.fromkeys(lines))))
        missing = [name for name in found if name not in self._histories]
        for values in self.transaction.looked_up(_HISTORIES, missing):
            self._hold(held(values))

    def _line(self, command: MemoryCommand) -> bytes | None:
        """The line of the value that a command writes; None where it has no key."""
        if isinstance(command, Retire):
            return None
        if isinstance(command, Restore):
            return line_of_record(command.revisions[-1]) if command.revisions else None
        if isinstance(command, Remember):
            return line_of(command.namespace, command.user, command.content.key)
        latest = self.history(command.namespace, command.id).latest
        return None if latest is None else line_of(command.namespace, latest.record.user, command.content.key)

    def neighbours(self, line: bytes | None, at: dt.datetime, *, without: str | None = None) -> Neighbours:
        """The values of a key next to an instant; the memory `without` is passed over."""
        values = [
            (latest.record.valid_from, history.held[0].key, latest.record)
            for history in self._histories.values()
            if (latest := history.latest) is not None
            and latest.record.id != without
            and is_value(latest.record)
            and latest.record.valid_from is not None
            and line_of_record(latest.record) == line
        ]
        before = [each for each in values if each[0] <= at]
        after = [each for each in values if each[0] > at]
        return Neighbours(
            max(before, key=itemgetter(0, 1))[2] if before else None,
            min(after, key=itemgetter(0, 1))[2] if after else None,
        )

    def _hold(self, held: Held) -> None:
        record = held.record
        self._histories.setdefault((record.namespace, record.id), History()).held.append(held)
        if held.dedup_key is not None:
            self._saying.setdefault(held.dedup_key, []).append(held)
            self._saying[held.dedup_key].sort(key=lambda each: each.key)

    def history(self, namespace: str, memory_id: str) -> History:
        """The revisions of a memory; empty if there is no such memory."""
        return self._histories.get((namespace, memory_id), History())

    def unretired(self, dedup_key: bytes) -> Iterable[Held]:
        """The unretired revisions with this dedup key, oldest first."""
        return (held for held in self._saying.get(dedup_key, ()) if held.record.retired_at is None)

    def retired(self, dedup_key: bytes) -> MemoryRecord | None:
        """The newest memory that has this dedup key and was retired, in its latest revision."""
        latest = (
            held
            for held in reversed(self._saying.get(dedup_key, ()))
            if held is self.history(held.record.namespace, held.record.id).latest
        )
        return next((held.record for held in latest if held.record.retired_at is not None), None)

    def lift(self, namespace: str, entry: Entry) -> None:
        """Take a tombstone away."""
        self.transaction.refusing.lift(namespace, entry)
        self._lifted.append((namespace, entry.row.hex()))

    def add(self, key: int, record: MemoryRecord, dedup_key: bytes | None, salt: bytes) -> None:
        """A new revision, the first one of a new memory or the next one of an existing memory."""
        self._hold(Held(key=key, record=record, dedup_key=dedup_key, salt=salt, new=True))

    def retire(self, held: Held, record: MemoryRecord, *, replaced: bool = False) -> None:
        """End a revision; `record` is what it is now. One that is `replaced` by another is no longer looked for."""
        held.record = record
        held.retired = True
        if replaced:
            held.dedup_key = None

    def take_back(self, held: Held, now: MemoryRecord, dedup_key: bytes | None, gone: Sequence[int]) -> None:
        """Make a retired revision current again, as the record `now`, and erase those that came after it, by their keys."""
        transaction = self.transaction
        transaction.in_pieces(_STRUCK, gone)
        transaction.in_pieces(_LOST_VECTORS, gone)
        transaction.in_pieces(_LOST, gone)
        shown = None if dedup_key is None else dedup_key.hex()
        transaction.in_pieces(_REVIVED, [(held.key, shown)])
        transaction.reseal("Revision", "UNWIND $rows AS row MATCH (n:Revision {key: row})", [held.key])
        transaction.in_pieces(_LABELS, [(now.namespace, now.id, label(now))])
        transaction.reseal("Memory", _NAMED, [(now.namespace, now.id)])

    def inherit(self, before: int, after: int) -> None:
        """The revision `after` says what `before` says, and takes over its vectors where there are any."""
        first = next((root for root, later in self._inherits if later == before), before)
        self._inherits.append((first, after))

    def flush(self) -> None:
        """Write all that changed."""
        transaction = self.transaction
        changed = [
            history for history in self._histories.values() if any(held.new or held.retired for held in history.held)
        ]
        transaction.lift(self._lifted)
        new = [held for history in changed for held in history.held if held.new]
        insert(transaction, new, {h.held[0].key for h in changed if h.held[0].new})
        ended = [
            (
                held.key,
                to_micros(held.record.retired_at),
                held.record.retired_reason,
                None if held.dedup_key is None else held.dedup_key.hex(),
            )
            for history in changed
            for held in history.held
            if held.retired and not held.new and held.record.retired_at is not None
        ]
        transaction.in_pieces(_RETIRED, ended)
        retired = [h.held[-1].record for h in changed if not h.held[-1].new]
        transaction.in_pieces(_LABELS, [(record.namespace, record.id, label(record)) for record in retired])
        if ended:
            transaction.reseal(
                "Revision", "UNWIND $rows AS row MATCH (n:Revision {key: row})", [row[0] for row in ended]
            )
        if retired:
            transaction.reseal("Memory", _NAMED, [(record.namespace, record.id) for record in retired])
        if transaction.open_generations:
            transaction.in_pieces(_PENDING, [held.key for held in new], generations=transaction.open_generations)
        made = {held.key for held in new}
        inherit(transaction, [(before, after) for before, after in self._inherits if before not in made])


def insert(transaction: Transaction, new: Sequence[Held], first: Set[int] | None = None) -> None:
    """Insert revisions, with their memories where they are the `first` (by default: where the memory is not there yet)."""
    if first is None:
        first = _first(transaction, new)
    seal = transaction.sealed
    latest = {(held.record.namespace, held.record.id): label(held.record) for held in new}
    for begins, query in ((True, _FIRST_REVISIONS), (False, _LATER_REVISIONS)):
        for current in (True, False):
            rows = [
                (
                    seal(
                        "Memory",
                        memory_properties(held.key, held.record, latest[held.record.namespace, held.record.id]),
                    ),
                    seal("Revision", revision_properties(held.key, held.record, held.dedup_key, held.salt)),
                )
                for held in new
                if (held.key in first) is begins and (held.record.retired_at is None) is current
            ]
            transaction.in_pieces(query.replace(":Revision)", ":Revision:Current)") if current else query, rows)
    later = {(held.record.namespace, held.record.id) for held in new if held.key not in first}
    if later:  # their labels were changed
        transaction.reseal("Memory", _NAMED, sorted(later))


def _first(transaction: Transaction, new: Sequence[Held]) -> set[int]:
    """Keys of the revisions that begin a memory which is not there yet."""
    names = list(dict.fromkeys((held.record.namespace, held.record.id) for held in new))
    there = {tuple(row) for row in transaction.looked_up(_MEMORIES, names)}
    keys: dict[tuple[str, str], int] = {}
    for each in new:
        keys.setdefault((each.record.namespace, each.record.id), each.key)
    return {key for name, key in keys.items() if name not in there}


def _names(command: MemoryCommand) -> Iterable[tuple[str, str]]:
    """The memories that a command reads, as (namespace, id)."""
    if isinstance(command, Restore):
        return ((record.namespace, record.id) for record in command.revisions[-1:])
    earlier = (*command.supersedes, *command.sources) if isinstance(command, Remember) else ()
    return ((command.namespace, memory_id) for memory_id in (command.id, *earlier))


def line_of_record(record: MemoryRecord) -> bytes | None:
    """The line of a value of a key; None for a memory without a key."""
    return line_of(record.namespace, record.user, record.key)
