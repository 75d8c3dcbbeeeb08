"""What indexes follow: the log, revisions by key, and a consistent export.

A server makes a commit visible piece by piece. The log has no gaps, so that a page ends at the first entry that cannot be read
yet; where a revision that the log names is missing, it was erased or is not visible yet, and one wait shows which.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace

from ai_memory.clock import to_micros
from ai_memory.inbox import Feedback, Proposal
from ai_memory.store.base import Action, Canonical, LogEntry, StoredRevision
from ai_memory.store.neo4j.database.connection import Connection
from ai_memory.store.neo4j.nodes import (
    EDGE,
    ENTITY,
    FEEDBACK,
    LOG,
    PROPOSAL,
    RECORD,
    entity,
    log_entry_of,
    log_sequence,
    record_key,
    relation,
    stored_revision,
)
from ai_memory.store.neo4j.nodes import feedback as feedback_of
from ai_memory.store.neo4j.nodes import proposal as proposal_of
from ai_memory.store.neo4j.relating import LOCATED
from ai_memory.types import Entity, MemoryRecord, Relation

PAGE = 2_000

_LOG = f"MATCH (g:LogEntry) WHERE g.sequence > $after RETURN {LOG} ORDER BY g.sequence LIMIT $limit"
_LOG_HERE = (
    "MATCH (g:LogEntry) WHERE $after < g.sequence <= $end AND g.namespace = $namespace "
    f"RETURN {LOG} ORDER BY g.sequence LIMIT $limit"
)
_LOG_BETWEEN = (
    "MATCH (g:LogEntry) WHERE g.namespace = $namespace AND $at <= g.at < $until AND (g.at > $at OR g.sequence > $number) "
    f"RETURN {LOG} ORDER BY g.at, g.sequence LIMIT $limit"
)
_LAPSED = (
    "MATCH (r:Revision) WHERE r.namespace = $namespace AND $at <= r.expires_at < $until "
    "AND (r.expires_at > $at OR r.key > $number) AND r.recorded_at <= r.expires_at "
    "AND (r.retired_at IS NULL OR r.retired_at > r.expires_at) AND (r.valid_to IS NULL OR r.valid_to > r.expires_at) "
    f"RETURN {RECORD} ORDER BY r.expires_at, r.key LIMIT $limit"
)
_BY_KEY = "UNWIND $keys AS key MATCH (r:Revision {key: key})"
_LIVE = "MATCH (r:Revision) WHERE r.key > $after {here} RETURN " + RECORD + " ORDER BY r.key LIMIT $limit"


def sequence(connection: Connection) -> int:
    """As `Store.sequence`."""
    ((newest,),) = connection.read("MATCH (s:Store {only: true}) RETURN s.sequence")
    return int(newest)


def log(connection: Connection, *, after: int = 0, limit: int = 10_000, namespace: str | None = None) -> list[LogEntry]:
    """As `Store.log`."""
    after = max(after, 0)
    if namespace is not None:
        connection.settle()
        end = sequence(connection)
        rows = connection.read(_LOG_HERE, after=after, end=end, limit=limit, namespace=namespace)
        return [log_entry_of(row) for row in rows]
    rows = connection.read(_LOG, after=after, limit=limit)
    whole = next((at for at, row in enumerate(rows) if log_sequence(row) != after + at + 1), len(rows))
    return [log_entry_of(row) for row in rows[:whole]]


def log_between(
    connection: Connection, namespace: str, *, after: tuple[dt.datetime, int], until: dt.datetime, limit: int
) -> list[LogEntry]:
    """As `Store.log_between`."""
    return [log_entry_of(row) for row in _between(connection, _LOG_BETWEEN, namespace, after, until, limit)]


def lapsed(
    connection: Connection, namespace: str, *, after: tuple[dt.datetime, int], until: dt.datetime, limit: int
) -> list[StoredRevision]:
    """As `Store.lapsed`."""
    return [stored_revision(row) for row in _between(connection, _LAPSED, namespace, after, until, limit)]


def _between(
    connection: Connection, query: str, namespace: str, after: tuple[dt.datetime, int], until: dt.datetime, limit: int
) -> list[list[Any]]:
    connection.settle()
    place = {"at": to_micros(after[0]), "number": after[1], "until": to_micros(until)}
    return connection.read(query, namespace=namespace, limit=limit, **place)


def load(connection: Connection, keys: Sequence[int]) -> dict[int, StoredRevision]:
    """As `Store.load`."""
    wanted = list(dict.fromkeys(int(key) for key in keys))
    if not wanted:
        return {}
    found = {record_key(row): stored_revision(row) for row in connection.read_whole(_BY_KEY, RECORD, keys=wanted)}
    missing = [key for key in wanted if key not in found]
    if missing:
        connection.settle()
        found.update(
            (record_key(row), stored_revision(row)) for row in connection.read_whole(_BY_KEY, RECORD, keys=missing)
        )
    return found


def live_revisions(
    connection: Connection, *, after: int = 0, limit: int = 10_000, namespace: str | None = None
) -> list[StoredRevision]:
    """As `Store.live_revisions`. A walk begins by waiting for what is being committed: what comes later is in the log."""
    if after <= 0:
        connection.settle()
    here = "" if namespace is None else "AND r.namespace = $namespace"
    rows = connection.read(_LIVE.format(here=here), after=after, limit=limit, namespace=namespace)
    return [stored_revision(row) for row in rows]


class Snapshot:
    """The store as it was at one sequence, less what was forgotten since: what came later is left out or taken back."""

    def __init__(self, connection: Connection, namespace: str | None) -> None:
        connection.settle()
        self._connection = connection
        self._namespace = namespace
        self._end = sequence(connection)
        self._seen = self._end
        self._retired: set[int] = set()
        self._unrelated: set[tuple[str, str]] = set()

    def memories(self) -> Iterator[MemoryRecord]:
        """All revisions, those of one memory together, memories by age."""
        query = (
            f"MATCH (m:Memory) WHERE $after < m.number <= $end {self._here('m')} WITH m ORDER BY m.number LIMIT $limit "
            "MATCH (m)-[:HAS_REVISION]->(r:Revision) WHERE r.key <= $end "
            f"RETURN {RECORD}, m.number ORDER BY m.number, r.key"
        )
        for row in self._rows(query):
            stored = stored_revision(row)
            later = stored.key in self._retired
            yield replace(stored.record, retired_at=None, retired_reason=None) if later else stored.record

    def entities(self) -> Iterator[Entity]:
        """All entities in the order they were made."""
        query = (
            f"MATCH (e:Entity) WHERE e.number > $after AND e.sequence <= $end {self._here('e')} "
            f"WITH e ORDER BY e.number LIMIT $limit RETURN {ENTITY}, e.number ORDER BY e.number"
        )
        return (entity(row) for row in self._rows(query))

    def relations(self) -> Iterator[Relation]:
        """All relations in the order they were made."""
        query = (
            f"MATCH (l:Relation) WHERE $after < l.key <= $end {self._here('l')} WITH l ORDER BY l.key LIMIT $limit "
            f"{LOCATED} RETURN {EDGE} ORDER BY x.key"
        )
        for row in self._rows(query):
            made = relation(row)
            later = (made.namespace, made.id) in self._unrelated
            yield replace(made, retired_at=None) if later else made

    def proposals(self) -> Iterator[Proposal]:
        """All proposals in the order they were made, in the state that they are in now."""
        query = (
            f"MATCH (p:Proposal) WHERE $after < p.key <= $end {self._here('p')} "
            f"RETURN {PROPOSAL}, p.key ORDER BY p.key LIMIT $limit"
        )
        return (proposal_of(row) for row in self._rows(query))

    def feedback(self) -> Iterator[Feedback]:
        """All feedback in the order of writing."""
        query = (
            f"MATCH (f:Feedback) WHERE $after < f.key <= $end {self._here('f')} "
            f"RETURN {FEEDBACK}, f.key ORDER BY f.key LIMIT $limit"
        )
        return (feedback_of(row) for row in self._rows(query))

    def _here(self, name: str) -> str:
        return "" if self._namespace is None else f"AND {name}.namespace = $namespace"

    def _rows(self, query: str) -> Iterator[list[Any]]:
        """The rows of a query in pages, by the number that each row ends in."""
        after = 0
        while rows := self._connection.read(query, after=after, end=self._end, limit=PAGE, namespace=self._namespace):
            self._follow()
            yield from rows
            after = rows[-1][-1]

    def _follow(self) -> None:
        """Read what has changed since, so that the page just read can be shown as it was."""
        while entries := log(self._connection, after=self._seen, limit=PAGE):
            for entry in entries:
                self._retired.update(entry.retired_keys)
                if entry.action is Action.UNRELATED and entry.relation_id is not None:
                    self._unrelated.add((entry.namespace, entry.relation_id))
            self._seen = entries[-1].sequence


def export(connection: Connection, namespace: str | None = None) -> Iterator[Canonical]:
    """As `Store.export`."""
    snapshot = Snapshot(connection, namespace)
    yield from snapshot.memories()
    yield from snapshot.entities()
    yield from snapshot.relations()
    yield from snapshot.proposals()
    yield from snapshot.feedback()
