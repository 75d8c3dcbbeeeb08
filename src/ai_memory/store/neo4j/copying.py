"""A Neo4j store as the source and the target of a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ai_memory.clock import to_micros
from ai_memory.errors import ConflictError
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
from ai_memory.store.neo4j import vectors
from ai_memory.store.neo4j.database.connection import Rows
from ai_memory.store.neo4j.memories import insert
from ai_memory.store.neo4j.nodes import (
    EDGE,
    ENTITY,
    FEEDBACK,
    GENERATION,
    HELD,
    JOB,
    LOG,
    PROPOSAL,
    Held,
    answer_properties,
    entity,
    feedback,
    generation,
    held,
    job,
    job_properties,
    log_properties,
    logged,
    proposal,
    relation,
)
from ai_memory.store.neo4j.relating import LOCATED, Joined, insert_entities, join
from ai_memory.store.neo4j.transaction import INSERT_ANSWERS, Transaction
from ai_memory.store.tombstones import Secret

_LABELS = {
    Part.GENERATIONS: "Generation",
    Part.LOG: "LogEntry",
    Part.REVISIONS: "Revision",
    Part.ENTITIES: "Entity",
    Part.RELATIONS: "Relation",
    Part.PROPOSALS: "Proposal",
    Part.FEEDBACK: "Feedback",
    Part.TOMBSTONES: "Tombstone",
    Part.PENDING: "Owed",
    Part.VECTORS: "Vector",
    Part.JOBS: "Job",
    Part.ANSWERS: "Answer",
}

_BEHIND_PAIR = "(n.generation = $a AND n.{0} > $b) OR n.generation > $a"

_QUERIES: dict[Part, str] = {
    Part.GENERATIONS: f"MATCH (g:Generation) WHERE g.number > $a RETURN {GENERATION} ORDER BY g.number",
    Part.LOG: f"MATCH (g:LogEntry) WHERE g.sequence > $a RETURN {LOG} ORDER BY g.sequence",
    Part.REVISIONS: f"MATCH (r:Revision) WHERE r.key > $a RETURN {HELD} ORDER BY r.key",
    Part.ENTITIES: f"MATCH (e:Entity) WHERE e.number > $a RETURN {ENTITY}, e.number ORDER BY e.number",
    Part.RELATIONS: "MATCH (l:Relation) WHERE l.key > $a WITH l ORDER BY l.key LIMIT $limit "
    f"{LOCATED} RETURN {EDGE}, l.salt, l.key ORDER BY l.key",
    Part.PROPOSALS: f"MATCH (p:Proposal) WHERE p.key > $a RETURN {PROPOSAL}, p.key, p.pair ORDER BY p.key",
    Part.FEEDBACK: f"MATCH (f:Feedback) WHERE f.key > $a RETURN {FEEDBACK}, f.key ORDER BY f.key",
    Part.TOMBSTONES: "MATCH (t:Tombstone) WHERE t.sequence > $a OR (t.sequence = $a AND t.digest > $c) "
    "RETURN t.sequence, t.namespace, t.digest, t.sealed, t.salt ORDER BY t.sequence, t.digest",
    Part.PENDING: f"MATCH (n:Owed) WHERE {_BEHIND_PAIR.format('key')} RETURN n.generation, n.key ORDER BY n.generation, n.key",
    Part.VECTORS: f"MATCH (n:Vector) WHERE {_BEHIND_PAIR.format('position')} "
    "RETURN n.generation, n.position, n.key, n.passage, n.vector ORDER BY n.generation, n.position",
    Part.JOBS: f"MATCH (j:Job) WHERE j.id > $c RETURN {JOB} ORDER BY j.id",
    Part.ANSWERS: "MATCH (a:Answer) WHERE a.key > $c "
    "RETURN a.key, a.namespace, a.request_digest, a.response, a.memories, a.at ORDER BY a.key",
}


def _entry(row: list[Any]) -> CopiedEntry:
    entry, digest = logged(row)
    return CopiedEntry(entry, bytes.fromhex(digest))


def _revision(row: list[Any]) -> CopiedRevision:
    found = held(row)
    return CopiedRevision(found.key, found.record, found.dedup_key, found.salt)


def _entity(row: list[Any]) -> CopiedEntity:
    *_, number = row
    return CopiedEntity(number, entity(row))


def _relation(row: list[Any]) -> CopiedRelation:
    *_, salt, key = row
    return CopiedRelation(key, relation(row), bytes.fromhex(salt))


def _tombstone(row: list[Any], secret: Secret) -> CopiedTombstone:
    sequence, namespace, *digests = row
    digest, sealed, salt = (None if each is None else bytes.fromhex(each) for each in digests)
    assert digest is not None
    return CopiedTombstone.of(secret, sequence, namespace, digest, sealed, salt)


def _answer(row: list[Any]) -> CopiedAnswer:
    key, namespace, request_digest, response, memories, at = row
    request = None if request_digest is None else bytes.fromhex(request_digest)
    return CopiedAnswer(bytes.fromhex(key), namespace, request, bytes(response), tuple(memories), at)


def _proposal(row: list[Any], secret: Secret) -> CopiedProposal:
    *_, key, pair = row
    return CopiedProposal(key, proposal(row), bytes.fromhex(pair)).opened_with(secret)


_READS: dict[Part, Callable[[list[Any]], Any]] = {
    Part.GENERATIONS: lambda row: CopiedGeneration(generation(row)),
    Part.LOG: _entry,
    Part.REVISIONS: _revision,
    Part.ENTITIES: _entity,
    Part.RELATIONS: _relation,
    Part.FEEDBACK: lambda row: CopiedFeedback(row[-1], feedback(row)),
    Part.PENDING: lambda row: CopiedPending(*row),
    Part.VECTORS: lambda row: CopiedVector(*row),
    Part.JOBS: lambda row: CopiedJob(job(row)),
}


class Neo4jSource:
    """`Source` on a connection that keeps others from writing."""

    def __init__(self, read: Callable[..., Rows], secret: Secret) -> None:
        self._read = read
        self._reads: dict[Part, Callable[[list[Any]], Any]] = _READS | {
            Part.TOMBSTONES: lambda row: _tombstone(row, secret),
            Part.PROPOSALS: lambda row: _proposal(row, secret),
            Part.ANSWERS: lambda row: _answer(row).opened_with(secret),
        }
        ((store_id, sequence, digest),) = read("MATCH (s:Store {only: true}) RETURN s.store_id, s.sequence, s.digest")
        self.head = Head(store_id, sequence, digest if sequence else "")

    def rows(self, part: Part, after: Cursor, limit: int) -> list[Any]:
        """As `Source.rows`."""
        query = _QUERIES[part] + ("" if part is Part.RELATIONS else " LIMIT $limit")
        return [self._reads[part](row) for row in self._read(query, a=after[0], b=after[1], c=after[2], limit=limit)]

    def counts(self) -> dict[Part, int]:
        """As `Source.counts`."""
        return {part: int(self._read(f"MATCH (n:{label}) RETURN count(n)")[0][0]) for part, label in _LABELS.items()}


class Neo4jTarget:
    """`Target` on a store's write transactions."""

    def __init__(
        self, submit: Callable[[Callable[[Transaction], Any]], Any], secret: Secret, index: Callable[[Any], None]
    ) -> None:
        self._submit = submit
        self._secret = secret
        self._index = index

    def progress(self) -> Progress | None:
        """As `Target.progress`."""
        return Progress.decoded(self._submit(lambda each: each.rows("MATCH (s:Store) RETURN s.copying")[0][0]))

    def begin(self, head: Head) -> Progress:
        """As `Target.begin`."""
        progress = Progress(head, {})

        def run(transaction: Transaction) -> None:
            for part, label in _LABELS.items():
                if transaction.rows(f"MATCH (n:{label}) RETURN 1 LIMIT 1"):
                    raise ConflictError(f"the target is not empty: it has {part.label}", hint="name an empty database")
            _note(transaction, progress)

        self._submit(run)
        return progress

    def take(self, part: Part, rows: list[Any], progress: Progress) -> None:
        """As `Target.take`."""

        def run(transaction: Transaction) -> None:
            if part is Part.TOMBSTONES:
                _tombstones(transaction, rows, self._secret)
            elif part is Part.PROPOSALS:
                transaction.keep_proposals([(row.key, row.under(self._secret), row.proposal) for row in rows])
            elif part is Part.ANSWERS:
                answers = [transaction.sealed("Answer", answer_properties(row.under(self._secret))) for row in rows]
                transaction.in_pieces(INSERT_ANSWERS, answers)
            else:
                _TAKES[part](transaction, rows)
            _note(transaction, progress)

        self._submit(run)
        if part is Part.GENERATIONS:
            for row in rows:
                self._index(row.generation)

    def finish(self, head: Head) -> None:
        """As `Target.finish`."""

        def run(transaction: Transaction) -> None:
            ((entities,),) = transaction.rows("MATCH (e:Entity) RETURN coalesce(max(e.number), 0)")
            transaction.store |= {"store_id": head.store_id, "sequence": head.sequence, "entities": entities}
            if head.sequence:
                transaction.store["digest"] = head.digest
            transaction.store.pop("copying", None)

        self._submit(run)


def _note(transaction: Transaction, progress: Progress) -> None:
    transaction.store["copying"] = progress.encoded()


def _generations(transaction: Transaction, rows: list[CopiedGeneration]) -> None:
    for row in rows:
        made = row.generation
        values = {name: getattr(made.embedder, name) for name in made.embedder.__struct_fields__}
        values |= {"number": made.id, "state": made.state, "created_at": to_micros(made.created_at), "position": 0}
        transaction.rows("CREATE (g:Generation) SET g = $values", values=transaction.sealed("Generation", values))
        transaction.store["generations"] = made.id


def _log(transaction: Transaction, rows: list[CopiedEntry]) -> None:
    entries = [log_properties(row.entry, row.digest) for row in rows]
    transaction.in_pieces("UNWIND $rows AS row CREATE (g:LogEntry) SET g = row", entries)


def _revisions(transaction: Transaction, rows: list[CopiedRevision]) -> None:
    insert(transaction, [Held(row.key, row.record, row.dedup_key, row.salt, new=True) for row in rows])


def _tombstones(transaction: Transaction, rows: list[CopiedTombstone], secret: Secret) -> None:
    values = []
    for row in rows:
        digests = (*row.under(secret), row.salt)
        values.append((row.namespace, *(None if each is None else each.hex() for each in digests), row.sequence))
    transaction.bury(values)


def _vectors(transaction: Transaction, rows: list[CopiedVector]) -> None:
    for number in sorted({row.generation for row in rows}):
        blobs = [(row.key, row.passage, row.vector) for row in rows if row.generation == number]
        vectors.insert(transaction, number, blobs)


_TAKES: dict[Part, Callable[[Transaction, list[Any]], None]] = {
    Part.GENERATIONS: _generations,
    Part.LOG: _log,
    Part.REVISIONS: _revisions,
    Part.ENTITIES: lambda transaction, rows: insert_entities(
        transaction, [(row.number, 0, row.entity) for row in rows]
    ),
    Part.RELATIONS: lambda transaction, rows: join(
        transaction, [Joined(row.key, row.relation, row.salt) for row in rows]
    ),
    Part.PENDING: lambda transaction, rows: transaction.in_pieces(
        "UNWIND $rows AS row CREATE (:Owed {generation: row[0], key: row[1]})",
        [(row.generation, row.key) for row in rows],
    ),
    Part.FEEDBACK: lambda transaction, rows: transaction.keep_feedback([(row.key, row.feedback) for row in rows]),
    Part.VECTORS: _vectors,
    Part.JOBS: lambda transaction, rows: transaction.in_pieces(
        "UNWIND $rows AS row CREATE (j:Job) SET j = row",
        [transaction.sealed("Job", job_properties(row.job)) for row in rows],
    ),
}
