"""Reading memories, relations, entities and counts. Each function takes a connection that shows one snapshot."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from functools import partial

from ai_memory.clock import to_micros
from ai_memory.errors import InvalidInputError
from ai_memory.store.base import Canonical, LogEntry, StoredRevision
from ai_memory.store.chain import log_entry
from ai_memory.store.cursors import cursor_of, position_of
from ai_memory.store.sqlite.file.connection import Row
from ai_memory.store.sqlite.inbox import exported
from ai_memory.store.sqlite.rows import (
    ENTITY_COLUMNS,
    JOB_COLUMNS,
    LOGGED_COLUMNS,
    RECORD_COLUMNS,
    RECORD_SOURCE,
    RELATION_SOURCE,
    entity,
    job,
    logged,
    record,
    record_key,
    relation,
    stored_revision,
)
from ai_memory.store.sqlite.selection import Conditions, Spellings, below_contexts, spellings, was_known, was_valid
from ai_memory.store.values import json_text
from ai_memory.types import DECISIONS, Entity, Job, MemoryRecord, Page, Relation, Selection, StoreStats

LATEST = "r.key = (SELECT max(key) FROM revisions WHERE memory = m.number)"

_LOG_SELECT = f"SELECT {LOGGED_COLUMNS} FROM log g JOIN namespaces n ON n.number = g.namespace"

_NAMES = "CROSS JOIN namespaces n ON n.number = m.namespace"

_FEW = 1000

_DECISION_TYPES = "(" + ", ".join(f"'{kind}'" for kind in DECISIONS) + ")"
"""In words, as the index `relations_by_decision` has them: SQLite uses it for these words alone."""


def namespace_number(connection: sqlite3.Connection, namespace: str) -> int | None:
    """The number of a namespace, None if nothing was ever written to it."""
    row = connection.execute("SELECT number FROM namespaces WHERE name = ?", (namespace,)).fetchone()
    return None if row is None else int(row[0])


def get(
    connection: sqlite3.Connection, namespace: str, ids: Sequence[str], *, known_at: dt.datetime | None = None
) -> list[MemoryRecord | None]:
    """As `Store.get`."""
    values: dict[str, str | int] = {"namespace": namespace}
    if len(ids) == 1:
        wanted, values["ids"] = "m.id = :ids", ids[0]
    else:
        wanted, values["ids"] = "m.id IN (SELECT value FROM json_each(:ids))", json_text(list(ids))
    when = LATEST
    if known_at is not None:
        when, values["known_at"] = was_known("r", "known_at"), to_micros(known_at)
    rows = connection.execute(
        f"SELECT {RECORD_COLUMNS} FROM namespaces n JOIN memories m ON m.namespace = n.number "
        f"JOIN revisions r ON r.memory = m.number WHERE n.name = :namespace AND {wanted} AND {when}",
        values,
    )
    if len(ids) == 1:
        row = rows.fetchone()
        return [None if row is None else record(row)]
    found = {made.id: made for made in map(record, rows)}
    return [found.get(memory_id) for memory_id in ids]


def revisions(connection: sqlite3.Connection, namespace: str, memory_id: str) -> list[MemoryRecord]:
    """As `Store.revisions`."""
    sql = f"{RECORD_SOURCE} WHERE n.name = ? AND m.namespace = n.number AND m.id = ? ORDER BY r.key"
    return [record(row) for row in connection.execute(sql, (namespace, memory_id))]


def select(
    connection: sqlite3.Connection,
    selection: Selection,
    *,
    limit: int,
    cursor: str | None = None,
    newest_first: bool = True,
    retired: bool = False,
) -> Page:
    """As `Store.select`."""
    if limit < 1:
        raise InvalidInputError(f"limit must be at least 1, not {limit}")
    place = None if cursor is None else position_of(cursor, selection, newest_first, retired)
    number = namespace_number(connection, selection.namespace)
    if number is None:
        return Page(memories=())
    conditions = Conditions(selection, number, partial(spellings, connection, namespace=number, retired=retired))
    if selection.known_at is None:
        conditions.add(LATEST if retired else "r.retired_at IS NULL")
    beyond, order = ("<", "DESC") if newest_first else (">", "ASC")
    if place is not None:
        occurred, memory_id = place
        conditions.add(
            f"r.occurred {beyond}= :occurred AND (r.occurred {beyond} :occurred OR m.id {beyond} :id)",
            occurred=occurred,
            id=memory_id,
        )
    source = _source(connection, selection, number, conditions.written)
    rows = connection.execute(
        f"SELECT {RECORD_COLUMNS}, r.occurred FROM {source} WHERE {conditions.sql} "
        f"ORDER BY r.occurred {order}, m.id {order} LIMIT :limit",
        {**conditions.values, "limit": limit + 1},
    ).fetchall()
    memories = tuple(map(record, rows[:limit]))
    if len(rows) <= limit:
        return Page(memories=memories)
    *_, occurred = rows[limit - 1]
    return Page(memories=memories, cursor=cursor_of(selection, newest_first, retired, occurred, memories[-1].id))


def _source(connection: sqlite3.Connection, selection: Selection, namespace: int, written: Spellings) -> str:
    """The tables in the order that reads least: from the most selective filter, else along time until the page is full.

    CROSS JOIN keeps SQLite, which knows no counts, from choosing another order.
    """
    if selection.ids or selection.session:
        return f"memories m CROSS JOIN revisions r ON r.memory = m.number {_NAMES}"
    for tags in written.tags:
        if _few(connection, "tags WHERE tag IN (SELECT value FROM json_each(:tags))", {"tags": json_text(tags)}):
            return f"revisions r NOT INDEXED CROSS JOIN memories m ON m.number = r.memory {_NAMES}"
    if written.contexts is not None:
        inside, values = below_contexts(written.contexts)
        below = f"revisions r INDEXED BY revisions_by_context WHERE r.namespace = :namespace AND {inside}"
        if _few(connection, f"{below} AND r.retired_at IS NULL", {"namespace": namespace, **values}):
            joined = "CROSS JOIN memories m ON m.number = r.memory"
            return f"revisions r INDEXED BY revisions_by_context {joined} {_NAMES}"
    return f"revisions r INDEXED BY revisions_by_time CROSS JOIN memories m ON m.number = r.memory {_NAMES}"


def _few(connection: sqlite3.Connection, source: str, values: dict[str, str | int]) -> bool:
    """Whether a source has so few rows that fetching and sorting them all beats walking along time."""
    (count,) = connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM {source} LIMIT {_FEW})", values).fetchone()
    return bool(count < _FEW)


def load(connection: sqlite3.Connection, keys: Sequence[int]) -> dict[int, StoredRevision]:
    """As `Store.load`."""
    rows = connection.execute(
        f"{RECORD_SOURCE} WHERE r.key IN (SELECT value FROM json_each(?))", (json_text([int(key) for key in keys]),)
    )
    return {record_key(row): stored_revision(row) for row in rows}


def live_revisions(
    connection: sqlite3.Connection, *, after: int = 0, limit: int = 10_000, namespace: str | None = None
) -> list[StoredRevision]:
    """As `Store.live_revisions`."""
    where, values = "r.key > ?", [after]
    if namespace is not None:
        where += " AND +r.namespace = ?"  # + keeps to the order of keys
        values.append(namespace_number(connection, namespace) or 0)
    rows = connection.execute(
        f"SELECT {RECORD_COLUMNS} FROM revisions r CROSS JOIN memories m ON m.number = r.memory "
        f"CROSS JOIN namespaces n ON n.number = r.namespace WHERE {where} ORDER BY r.key LIMIT ?",
        (*values, limit),
    )
    return [stored_revision(row) for row in rows]


def sequence(connection: sqlite3.Connection) -> int:
    """As `Store.sequence`: one look at the end of the log's key, about 10 microseconds."""
    (newest,) = connection.execute("SELECT max(sequence) FROM log").fetchone()
    return newest or 0


def log(
    connection: sqlite3.Connection, *, after: int = 0, limit: int = 10_000, namespace: str | None = None
) -> list[LogEntry]:
    """As `Store.log`."""
    where, values = "g.sequence > ?", [after]
    if namespace is not None:
        number = namespace_number(connection, namespace)
        if number is None:
            return []
        where, values = where + " AND g.namespace = ?", [after, number]
    rows = connection.execute(f"{_LOG_SELECT} WHERE {where} ORDER BY g.sequence LIMIT ?", (*values, limit))
    return [_log_entry(row) for row in rows]


def log_between(
    connection: sqlite3.Connection,
    namespace: str,
    *,
    after: tuple[dt.datetime, int],
    until: dt.datetime,
    limit: int,
) -> list[LogEntry]:
    """As `Store.log_between`."""
    at, number = after
    rows = connection.execute(
        f"SELECT {LOGGED_COLUMNS} FROM log g INDEXED BY log_by_time CROSS JOIN namespaces n ON n.number = g.namespace "
        "WHERE g.namespace = :namespace AND (g.at, g.sequence) > (:at, :number) AND g.at < :until "
        "ORDER BY g.at, g.sequence LIMIT :limit",
        {
            "namespace": namespace_number(connection, namespace),
            "at": to_micros(at),
            "number": number,
            "until": to_micros(until),
            "limit": limit,
        },
    )
    return [_log_entry(row) for row in rows]


def lapsed(
    connection: sqlite3.Connection,
    namespace: str,
    *,
    after: tuple[dt.datetime, int],
    until: dt.datetime,
    limit: int,
) -> list[StoredRevision]:
    """As `Store.lapsed`."""
    at, number = after
    rows = connection.execute(
        f"SELECT {RECORD_COLUMNS} FROM revisions r INDEXED BY revisions_by_expiry "
        f"CROSS JOIN memories m ON m.number = r.memory {_NAMES} "
        "WHERE r.namespace = :namespace AND (r.expires_at, r.key) > (:at, :number) AND r.expires_at < :until "
        "AND r.recorded_at <= r.expires_at AND (r.retired_at IS NULL OR r.retired_at > r.expires_at) "
        "AND (r.valid_to IS NULL OR r.valid_to > r.expires_at) ORDER BY r.expires_at, r.key LIMIT :limit",
        {
            "namespace": namespace_number(connection, namespace),
            "at": to_micros(at),
            "number": number,
            "until": to_micros(until),
            "limit": limit,
        },
    )
    return [stored_revision(row) for row in rows]


def _log_entry(row: Row) -> LogEntry:
    entry, digest = logged(row)
    return log_entry(entry, digest.hex())


def relations(
    connection: sqlite3.Connection,
    namespace: str,
    ids: Sequence[str],
    *,
    types: Sequence[str] = (),
    as_of: dt.datetime | None = None,
    known_at: dt.datetime | None = None,
    heaviest: int | None = None,
) -> list[Relation]:
    """As `Store.relations`."""
    number = namespace_number(connection, namespace)
    values: dict[str, str | int | float | None] = {"namespace": number, "ids": json_text(list(ids))}
    clauses = ["l.retired_at IS NULL"]
    if known_at is not None:
        clauses, values["known_at"] = [was_known("l", "known_at")], to_micros(known_at)
    if as_of is not None:
        clause, more = was_valid("l", as_of)
        clauses.append(clause)
        values |= more
    if types:
        clauses.append("l.type IN (SELECT value FROM json_each(:types))")
        values["types"] = json_text([str(kind) for kind in types])
    if heaviest is not None:
        place = f"{_touching('l.weight', clauses, 'UNION ALL')} ORDER BY 1 DESC LIMIT 1 OFFSET :heaviest - 1"
        last = connection.execute(place, {**values, "heaviest": heaviest}).fetchone()
        if last is not None:
            clauses.append("l.weight >= :least")
            values["least"] = last[0]
    rows = connection.execute(
        f"{RELATION_SOURCE} WHERE l.key IN ({_touching('l.key', clauses)}) ORDER BY l.key", values
    )
    return [relation(row) for row in rows]


def _touching(column: str, clauses: Sequence[str], union: str = "UNION") -> str:
    """A query for what has one of `:ids` at either end: with the plainest clauses it reads the indexes alone, without a row."""
    return f" {union} ".join(
        f"SELECT {column} FROM relations l WHERE l.namespace = :namespace AND "
        f"l.{end} IN (SELECT value FROM json_each(:ids)) AND {' AND '.join(clauses)}"
        for end in ("source", "target")
    )


def one_relation(connection: sqlite3.Connection, namespace: str, relation_id: str) -> Relation | None:
    """As `Store.relation`."""
    row = connection.execute(
        f"{RELATION_SOURCE} WHERE l.namespace = ? AND l.id = ?", (namespace_number(connection, namespace), relation_id)
    ).fetchone()
    return None if row is None else relation(row)


def decisions(connection: sqlite3.Connection, namespace: str) -> list[Relation]:
    """As `Store.decisions`."""
    rows = connection.execute(
        f"{RELATION_SOURCE} WHERE l.namespace = ? AND l.type IN {_DECISION_TYPES} ORDER BY l.key",
        (namespace_number(connection, namespace),),
    )
    return [relation(row) for row in rows]


def entities(
    connection: sqlite3.Connection, namespace: str, *, names: Sequence[str] = (), ids: Sequence[str] = ()
) -> list[Entity]:
    """As `Store.entities`."""
    values: dict[str, str] = {"namespace": namespace}
    clauses = []
    if names:
        folded = "SELECT value FROM json_each(:names)"
        aliased = f"SELECT entity FROM aliases WHERE folded IN ({folded})"
        clauses.append(f"(e.folded IN ({folded}) OR e.number IN ({aliased}))")
        values["names"] = json_text([name.casefold() for name in names])
    if ids:
        clauses.append("e.id IN (SELECT value FROM json_each(:ids))")
        values["ids"] = json_text(list(ids))
    wanted = f" AND ({' OR '.join(clauses)})" if clauses else ""
    rows = connection.execute(
        f"SELECT {ENTITY_COLUMNS} FROM namespaces n "
        f"JOIN entities e ON e.namespace = n.number WHERE n.name = :namespace{wanted} ORDER BY e.number",
        values,
    )
    return [entity(row) for row in rows]


def contexts(connection: sqlite3.Connection, namespace: str) -> list[tuple[str, int]]:
    """As `Store.contexts`."""
    sql = (
        "SELECT context, count(*) FROM revisions INDEXED BY revisions_by_context "
        "WHERE namespace = ? AND retired_at IS NULL GROUP BY context ORDER BY context"
    )
    return list(connection.execute(sql, (namespace_number(connection, namespace),)))


def namespaces(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    """As `Store.namespaces`."""
    sql = (
        "SELECT n.name, (SELECT count(*) FROM revisions r INDEXED BY revisions_by_context "
        "WHERE r.namespace = n.number AND r.retired_at IS NULL) FROM namespaces n "
        "WHERE EXISTS (SELECT 1 FROM memories m WHERE m.namespace = n.number) ORDER BY n.name"
    )
    return list(connection.execute(sql))


def stats(connection: sqlite3.Connection, namespace: str | None = None) -> StoreStats:
    """As `Store.stats`."""
    number = None if namespace is None else namespace_number(connection, namespace)
    here = "" if namespace is None else " WHERE namespace = :number"
    also = "" if namespace is None else " AND namespace = :number"
    values = {"number": number}

    def count(sql: str) -> int:
        return int(connection.execute(sql, values).fetchone()[0])

    by_type: dict[str, int] = dict(
        connection.execute(
            "SELECT type, count(*) FROM revisions INDEXED BY revisions_by_context "
            f"WHERE retired_at IS NULL{also} GROUP BY type ORDER BY type",
            values,
        ).fetchall()
    )
    unretired = sum(by_type.values())
    revisions = count(f"SELECT count(*) FROM revisions{here}")
    pending = "SELECT count(*) FROM owed o JOIN generations g ON g.number = o.generation AND g.state = 'active'"
    if namespace is not None:
        pending += " JOIN revisions r ON r.key = o.revision AND r.namespace = :number"
    has_generation = count("SELECT EXISTS (SELECT 1 FROM generations WHERE state = 'active')")
    return StoreStats(
        memories=unretired,
        revisions=revisions,
        retired=count(f"SELECT count(*) FROM memories{here}") - unretired,
        relations=count(f"SELECT count(*) FROM relations WHERE retired_at IS NULL{also}"),
        entities=count(f"SELECT count(*) FROM entities{here}"),
        tombstones=count(f"SELECT count(*) FROM tombstones{here}"),
        pending=count(pending) if has_generation else revisions,
        by_type=by_type,
    )


def jobs(
    connection: sqlite3.Connection,
    *,
    kind: str | None = None,
    states: Sequence[str] = (),
    since: dt.datetime | None = None,
) -> list[Job]:
    """As `Store.jobs`."""
    rows = connection.execute(
        f"SELECT {', '.join(JOB_COLUMNS)} FROM jobs WHERE (:kind IS NULL OR kind = :kind) "
        "AND (:states = '[]' OR state IN (SELECT value FROM json_each(:states))) "
        "AND (:since IS NULL OR updated_at >= :since) ORDER BY created_at DESC, id DESC",
        {
            "kind": kind,
            "states": json_text(list(states)),
            "since": None if since is None else to_micros(since),
        },
    )
    return [job(row) for row in rows]


def job_by_id(connection: sqlite3.Connection, job_id: str) -> Job | None:
    """One job, None where there is none of that id."""
    row = connection.execute(f"SELECT {', '.join(JOB_COLUMNS)} FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else job(row)


def export(connection: sqlite3.Connection, namespace: str | None) -> Iterator[Canonical]:
    """As `Store.export`; rows are read as they are asked for."""
    number = None if namespace is None else namespace_number(connection, namespace)
    values = {"number": number}
    where = "" if namespace is None else "WHERE +{}.namespace = :number"  # + keeps to the order, without sorting
    memories = (
        f"SELECT {RECORD_COLUMNS} FROM memories m CROSS JOIN revisions r ON r.memory = m.number {_NAMES} "
        f"{where.format('m')} ORDER BY m.number, r.key"
    )
    for row in connection.execute(memories, values):
        yield record(row)
    named = (
        f"SELECT {ENTITY_COLUMNS} FROM entities e "
        f"CROSS JOIN namespaces n ON n.number = e.namespace {where.format('e')} ORDER BY e.number"
    )
    for row in connection.execute(named, values):
        yield entity(row)
    for row in connection.execute(f"{RELATION_SOURCE} {where.format('l')} ORDER BY l.key", values):
        yield relation(row)
    yield from exported(connection, number, here=namespace is not None)
