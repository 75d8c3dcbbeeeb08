"""A SQLite store as the source and the target of a copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import asdict

from ai_memory.clock import to_micros
from ai_memory.errors import ConflictError
from ai_memory.store.chain import LOG_COLUMNS
from ai_memory.store.copying import (
    CopiedAnswer,
    CopiedEntity,
    CopiedEntry,
    CopiedFeedback,
    CopiedGeneration,
    CopiedJob,
    CopiedPending,
    CopiedProposal,
    CopiedRelation,
    CopiedRevision,
    CopiedTombstone,
    CopiedVector,
    Cursor,
    Head,
    Part,
    Progress,
)
from ai_memory.store.seals import Seals
from ai_memory.store.sqlite.answers import INSERT_ANSWER
from ai_memory.store.sqlite.file import meta
from ai_memory.store.sqlite.file.connection import Row
from ai_memory.store.sqlite.relating import INSERT_RELATION
from ai_memory.store.sqlite.revisions import INSERT_MEMORY, INSERT_REVISION, INSERT_TAG
from ai_memory.store.sqlite.rows import (
    ENTITY_COLUMNS,
    FEEDBACK_COLUMNS,
    GENERATION_COLUMNS,
    JOB_COLUMNS,
    LOGGED_COLUMNS,
    PROPOSAL_COLUMNS,
    RECORD_COLUMNS,
    RELATION_COLUMNS,
    entity,
    feedback,
    feedback_row,
    generation,
    hash_column,
    insert_into,
    job,
    job_row,
    logged,
    memory_row,
    proposal,
    proposal_row,
    record,
    record_key,
    relation,
    relation_row,
    revision_row,
)
from ai_memory.store.sqlite.rows.seals import insert_sealed, reseal
from ai_memory.store.sqlite.schema import STORE_ID
from ai_memory.store.sqlite.vectors import insert_vectors
from ai_memory.store.tombstones import Secret
from ai_memory.store.values import json_text

MARK = "copying"
"""The row of `meta` that holds a `Progress` while the store is being filled."""

_TABLES = {
    Part.GENERATIONS: "generations",
    Part.LOG: "log",
    Part.REVISIONS: "revisions",
    Part.ENTITIES: "entities",
    Part.RELATIONS: "relations",
    Part.PROPOSALS: "proposals",
    Part.FEEDBACK: "feedback",
    Part.TOMBSTONES: "tombstones",
    Part.PENDING: "owed",
    Part.VECTORS: "vectors",
    Part.JOBS: "jobs",
    Part.ANSWERS: "idempotency",
}

_SELECTS: dict[Part, str] = {
    Part.GENERATIONS: f"SELECT {GENERATION_COLUMNS} FROM generations WHERE number > :a ORDER BY number",
    Part.LOG: f"SELECT {LOGGED_COLUMNS} FROM log g CROSS JOIN namespaces n ON n.number = g.namespace "
    "WHERE g.sequence > :a ORDER BY g.sequence",
    Part.REVISIONS: f"SELECT {RECORD_COLUMNS}, r.dedup_key, r.salt FROM revisions r "
    "CROSS JOIN memories m ON m.number = r.memory CROSS JOIN namespaces n ON n.number = r.namespace "
    "WHERE r.key > :a ORDER BY r.key",
    Part.ENTITIES: f"SELECT {ENTITY_COLUMNS}, e.number FROM entities e CROSS JOIN namespaces n ON n.number = e.namespace "
    "WHERE e.number > :a ORDER BY e.number",
    Part.RELATIONS: f"SELECT {RELATION_COLUMNS}, l.salt, l.key FROM relations l CROSS JOIN namespaces n ON n.number = l.namespace "
    "WHERE l.key > :a ORDER BY l.key",
    Part.PROPOSALS: f"SELECT {PROPOSAL_COLUMNS}, p.key, p.pair FROM proposals p CROSS JOIN namespaces n ON n.number = p.namespace "
    "WHERE p.key > :a ORDER BY p.key",
    Part.FEEDBACK: f"SELECT {FEEDBACK_COLUMNS}, f.key FROM feedback f CROSS JOIN namespaces n ON n.number = f.namespace "
    "WHERE f.key > :a ORDER BY f.key",
    Part.TOMBSTONES: "SELECT t.sequence, n.name, t.digest, t.sealed, t.salt FROM tombstones t JOIN namespaces n "
    "ON n.number = t.namespace WHERE (t.sequence, lower(hex(t.digest))) > (:a, :c) "
    "ORDER BY t.sequence, lower(hex(t.digest))",
    Part.PENDING: "SELECT generation, revision FROM owed WHERE (generation, revision) > (:a, :b) ORDER BY 1, 2",
    Part.VECTORS: "SELECT generation, position, revision, passage, vector FROM vectors INDEXED BY vectors_by_generation "
    "WHERE generation >= :a AND (generation > :a OR position > :b) ORDER BY generation, position",
    Part.JOBS: f"SELECT {', '.join(JOB_COLUMNS)} FROM jobs WHERE id > :c ORDER BY id",
    Part.ANSWERS: "SELECT i.key, n.name, i.request_digest, i.response, i.memories, i.at FROM idempotency i "
    "CROSS JOIN namespaces n ON n.number = i.namespace WHERE lower(hex(i.key)) > :c ORDER BY i.key",
}


def _revision(row: Row) -> CopiedRevision:
    *_, dedup_key, salt = row
    return CopiedRevision(record_key(row), record(row), dedup_key, salt)


def _entity(row: Row) -> CopiedEntity:
    *_, number = row
    return CopiedEntity(number, entity(row))


def _answer(row: Row) -> CopiedAnswer:
    key, namespace, request_digest, response, memories, at = row
    return CopiedAnswer(key, namespace, request_digest, response, tuple(msgspec.json.decode(memories)), at)


def _relation(row: Row) -> CopiedRelation:
    *_, salt, key = row
    return CopiedRelation(key, relation(row), salt)


def _proposal(row: Row) -> CopiedProposal:
    *_, key, pair = row
    return CopiedProposal(key, proposal(row), pair)


_READS: dict[Part, Callable[[Row], Any]] = {
    Part.GENERATIONS: lambda row: CopiedGeneration(generation(row)),
    Part.LOG: lambda row: CopiedEntry(*logged(row)),
    Part.REVISIONS: _revision,
    Part.ENTITIES: _entity,
    Part.RELATIONS: _relation,
    Part.FEEDBACK: lambda row: CopiedFeedback(row[-1], feedback(row)),
    Part.PENDING: lambda row: CopiedPending(*row),
    Part.VECTORS: lambda row: CopiedVector(*row),
    Part.JOBS: lambda row: CopiedJob(job(row)),
}


class SqliteSource:
    """`Source` on a connection that shows one snapshot."""

    def __init__(self, connection: sqlite3.Connection, secret: Secret) -> None:
        self._connection = connection
        self._reads: dict[Part, Callable[[Row], Any]] = _READS | {
            Part.TOMBSTONES: lambda row: CopiedTombstone.of(secret, *row),
            Part.ANSWERS: lambda row: _answer(row).opened_with(secret),
            Part.PROPOSALS: lambda row: _proposal(row).opened_with(secret),
        }
        store_id = str(meta.get(connection, STORE_ID))
        newest = connection.execute("SELECT sequence, digest FROM log ORDER BY sequence DESC LIMIT 1").fetchone()
        self.head = Head(store_id, *((newest[0], newest[1].hex()) if newest else (0, "")))

    def rows(self, part: Part, after: Cursor, limit: int) -> list[Any]:
        """As `Source.rows`."""
        values = {"a": after[0], "b": after[1], "c": after[2], "limit": limit}
        found = self._connection.execute(f"{_SELECTS[part]} LIMIT :limit", values)
        return [self._reads[part](row) for row in found]

    def counts(self) -> dict[Part, int]:
        """As `Source.counts`."""
        return {
            part: self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for part, table in _TABLES.items()
        }


def progress_of(connection: sqlite3.Connection) -> str | None:
    """How far a copy into this store got, as JSON; None where none is under way."""
    return meta.get(connection, MARK)


class Filling:
    """What a copy does inside the target's write transactions."""

    def __init__(self, connection: sqlite3.Connection, secret: Secret, seals: Seals) -> None:
        self._connection = connection
        self._secret = secret
        self._seals = seals

    def begin(self, progress: Progress) -> None:
        """Mark an empty store. Raises ConflictError where it is not empty."""
        for part, table in _TABLES.items():
            if self._connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None:
                raise ConflictError(
                    f"the target is not empty: it has {part.label}", hint="name a store that does not exist yet"
                )
        meta.put(self._connection, MARK, progress.encoded())

    def take(self, part: Part, rows: list[Any], progress: Progress) -> None:
        """Insert rows of one part and note how far it is."""
        inserts: dict[Part, Callable[[list[Any]], None]] = {
            Part.GENERATIONS: self._generations,
            Part.LOG: self._log,
            Part.REVISIONS: self._revisions,
            Part.ENTITIES: self._entities,
            Part.RELATIONS: self._relations,
            Part.PROPOSALS: self._proposals,
            Part.FEEDBACK: self._feedback,
            Part.TOMBSTONES: self._tombstones,
            Part.PENDING: self._pending,
            Part.VECTORS: self._vectors,
            Part.JOBS: self._jobs,
            Part.ANSWERS: self._answers,
        }
        inserts[part](rows)
        meta.put(self._connection, MARK, progress.encoded())

    def finish(self, head: Head) -> None:
        """Take the mark away and the source's id on."""
        self._connection.execute("DELETE FROM meta WHERE name = ?", (MARK,))
        meta.put(self._connection, STORE_ID, head.store_id)

    def _insert(self, table: str, rows: list[Row]) -> None:
        self._connection.executemany(insert_sealed(table), rows)

    def _namespace(self, name: str) -> int:
        self._connection.execute("INSERT OR IGNORE INTO namespaces (name) VALUES (?)", (name,))
        (number,) = self._connection.execute("SELECT number FROM namespaces WHERE name = ?", (name,)).fetchone()
        reseal(self._connection, "namespaces", "number = ?", (number,))
        return int(number)

    def _generations(self, rows: list[CopiedGeneration]) -> None:
        for row in rows:
            made, who = row.generation, row.generation.embedder
            values = (
                who.model,
                who.revision,
                who.prompts,
                who.dtype,
                who.dimension,
                made.state,
                to_micros(made.created_at),
            )
            self._connection.execute(insert_sealed("generations"), (made.id, *values))

    def _log(self, rows: list[CopiedEntry]) -> None:
        numbers = {name: self._namespace(name) for name in {row.entry.namespace for row in rows}}
        entries = [
            asdict(row.entry)
            | {
                "namespace": numbers[row.entry.namespace],
                "content_hash": None if row.entry.content_hash is None else hash_column(row.entry.content_hash),
                "digest": row.digest,
            }
            for row in rows
        ]
        self._connection.executemany(
            insert_into("log", LOG_COLUMNS), [tuple(entry[name] for name in LOG_COLUMNS) for entry in entries]
        )

    def _revisions(self, rows: list[CopiedRevision]) -> None:
        memories: dict[tuple[int, str], int] = {}
        revisions: list[Row] = []
        tags: list[Row] = []
        for row in rows:
            made, created_at = row.record, to_micros(row.record.created_at)
            namespace = self._namespace(made.namespace)
            memory = memories.get((namespace, made.id)) or self._memory(namespace, made.id)
            about = memory_row(memory or row.key, namespace, made, created_at)
            if memory is None:
                memory = row.key
                self._connection.execute(INSERT_MEMORY, about)
            memories[namespace, made.id] = memory
            digests = (hash_column(made.content_hash), row.dedup_key, row.salt)
            revision = revision_row(row.key, memory, namespace, made, created_at, *digests)
            revisions.append((*revision, self._seals.of("revisions")(revision + about)))
            tags.extend((tag, row.key) for tag in dict.fromkeys(made.tags))
        self._connection.executemany(INSERT_REVISION, revisions)
        self._connection.executemany(INSERT_TAG, tags)

    def _memory(self, namespace: int, memory_id: str) -> int | None:
        sql = "SELECT number FROM memories WHERE namespace = ? AND id = ?"
        found = self._connection.execute(sql, (namespace, memory_id)).fetchone()
        return None if found is None else int(*found)

    def _entities(self, rows: list[CopiedEntity]) -> None:
        for row in rows:
            made = row.entity
            folded, created = made.name.casefold(), to_micros(made.created_at)
            self._insert(
                "entities",
                [(row.number, made.id, self._namespace(made.namespace), made.name, folded, made.kind, created)],
            )
            self._insert("aliases", [(row.number, alias, alias.casefold()) for alias in made.aliases])

    def _relations(self, rows: list[CopiedRelation]) -> None:
        seal = self._seals.of("relations")
        made = [relation_row(row.key, self._namespace(row.relation.namespace), row.salt, row.relation) for row in rows]
        self._connection.executemany(INSERT_RELATION, [(*row, seal(row)) for row in made])

    def _proposals(self, rows: list[CopiedProposal]) -> None:
        made = [
            proposal_row(row.key, self._namespace(row.proposal.namespace), row.under(self._secret), row.proposal)
            for row in rows
        ]
        self._insert("proposals", made)

    def _feedback(self, rows: list[CopiedFeedback]) -> None:
        made = [feedback_row(row.key, self._namespace(row.feedback.namespace), row.feedback) for row in rows]
        self._insert("feedback", made)

    def _tombstones(self, rows: list[CopiedTombstone]) -> None:
        values = [(self._namespace(row.namespace), *row.under(self._secret), row.salt, row.sequence) for row in rows]
        self._insert("tombstones", values)

    def _pending(self, rows: list[CopiedPending]) -> None:
        values = [(row.generation, row.key) for row in rows]
        self._connection.executemany("INSERT INTO owed VALUES (?, ?)", values)

    def _vectors(self, rows: list[CopiedVector]) -> None:
        values = [(row.generation, row.key, row.passage, row.vector) for row in rows]
        insert_vectors(self._connection, self._seals, values)

    def _jobs(self, rows: list[CopiedJob]) -> None:
        self._insert("jobs", [job_row(row.job) for row in rows])

    def _answers(self, rows: list[CopiedAnswer]) -> None:
        answers = [
            (row.key, self._namespace(row.namespace), row.request_digest, row.response, json_text(row.memories), row.at)
            for row in (each.under(self._secret) for each in rows)
        ]
        self._connection.executemany(INSERT_ANSWER, answers)


class SqliteTarget:
    """`Target` on a store's writer."""

    def __init__(
        self, submit: Callable[[Callable[[sqlite3.Connection], Any]], Any], secret: Secret, seals: Seals
    ) -> None:
        self._submit = submit
        self._filling: Callable[[sqlite3.Connection], Filling] = lambda each: Filling(each, secret, seals)

    def progress(self) -> Progress | None:
        """As `Target.progress`."""
        return Progress.decoded(self._submit(progress_of))

    def begin(self, head: Head) -> Progress:
        """As `Target.begin`."""
        progress = Progress(head, {})
        self._submit(lambda connection: self._filling(connection).begin(progress))
        return progress

    def take(self, part: Part, rows: list[Any], progress: Progress) -> None:
        """As `Target.take`."""
        self._submit(lambda connection: self._filling(connection).take(part, rows, progress))

    def finish(self, head: Head) -> None:
        """As `Target.finish`."""
        self._submit(lambda connection: self._filling(connection).finish(head))
