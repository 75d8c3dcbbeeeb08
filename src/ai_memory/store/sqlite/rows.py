"""Rows of the tables to values of the model, and back. The byte formats are described in docs/store.md."""

from __future__ import annotations

import datetime as dt

import msgspec

from ai_memory.clock import EPOCH, to_micros
from ai_memory.store.base import StoredRevision
from ai_memory.store.sqlite.file.connection import Row
from ai_memory.store.values import CONTENT_FIELDS, json_text
from ai_memory.types import EmbedderIdentity, Entity, Generation, Job, MemoryRecord, MemoryType, Relation

_TYPES = {str(member): member for member in MemoryType}

REVISION_COLUMNS = (
    "key, memory, namespace, revision, recorded_at, retired_at, retired_reason, occurred, content_hash, dedup_key, "
    "value_digest, " + ", ".join(CONTENT_FIELDS)
)
REVISION_MARKS = ", ".join("?" * len(REVISION_COLUMNS.split(", ")))

RECORD_COLUMNS = (
    "r.key, m.id, n.name, m.user, m.agent, m.session, m.created_at, r.recorded_at, r.retired_at, r.retired_reason, "
    "r.revision, r.content_hash, " + ", ".join(f"r.{name}" for name in CONTENT_FIELDS)
)
"""What `record` reads, from revisions r, memories m and namespaces n."""

RELATION_COLUMNS = (
    "l.id, n.name, l.source, l.target, l.type, l.weight, l.attributes, l.evidence, l.valid_from, l.valid_to, "
    "l.recorded_at, l.retired_at"
)
"""What `relation` reads, from relations l and namespaces n."""

ENTITY_COLUMNS = (
    "e.id, n.name, e.name, e.kind, e.created_at, "
    "(SELECT json_group_array(alias) FROM (SELECT alias FROM aliases WHERE entity = e.number ORDER BY alias))"
)
"""What `entity` reads, from entities e and namespaces n."""

GENERATION_COLUMNS = "number, model, revision, prompts, dtype, dimension, state, created_at"
JOB_COLUMNS = "id, kind, state, namespace, payload, progress, error, created_at, updated_at"


def hash_column(content_hash: str) -> bytes | str:
    """Lower-case hexadecimal digits as half as many bytes; any other string as it is."""
    try:
        packed = bytes.fromhex(content_hash)
    except ValueError:
        return content_hash
    return packed if packed.hex() == content_hash else content_hash


def record(row: Row) -> MemoryRecord:
    """The memory that a row of `RECORD_COLUMNS` holds."""
    (
        _, memory_id, namespace, user, agent, session, created_at, recorded_at, retired_at, retired_reason,
        revision, content_hash, valid_from, valid_to, memory_type, context, title, author, tags, importance,
        confidence, attributes, source, text,
    ) = row  # fmt: skip
    created = EPOCH + dt.timedelta(0, 0, created_at)
    return MemoryRecord(
        id=memory_id,
        namespace=namespace,
        user=user,
        agent=agent,
        session=session,
        type=_TYPES[memory_type],
        context=context,
        title=title,
        author=author,
        text=text,
        tags=() if tags is None else tuple(msgspec.json.decode(tags)),
        importance=importance,
        confidence=confidence,
        attributes={} if attributes is None else msgspec.json.decode(attributes),
        source=source,
        valid_from=None if valid_from is None else EPOCH + dt.timedelta(0, 0, valid_from),
        valid_to=None if valid_to is None else EPOCH + dt.timedelta(0, 0, valid_to),
        created_at=created,
        recorded_at=created if recorded_at == created_at else EPOCH + dt.timedelta(0, 0, recorded_at),
        retired_at=None if retired_at is None else EPOCH + dt.timedelta(0, 0, retired_at),
        retired_reason=retired_reason,
        revision=revision,
        content_hash=content_hash.hex() if isinstance(content_hash, bytes) else content_hash,
    )


def stored_revision(row: Row) -> StoredRevision:
    """The revision with its key that a row of `RECORD_COLUMNS` holds."""
    return StoredRevision(key=row[0], record=record(row))


def relation(row: Row) -> Relation:
    """The relation that a row of `RELATION_COLUMNS` holds."""
    relation_id, namespace, source, target, kind, weight, attributes, evidence, begin, end, recorded, retired = row
    return Relation(
        id=relation_id,
        namespace=namespace,
        source=source,
        target=target,
        type=kind,
        weight=weight,
        attributes={} if attributes is None else msgspec.json.decode(attributes),
        evidence=evidence,
        valid_from=None if begin is None else EPOCH + dt.timedelta(0, 0, begin),
        valid_to=None if end is None else EPOCH + dt.timedelta(0, 0, end),
        recorded_at=EPOCH + dt.timedelta(0, 0, recorded),
        retired_at=None if retired is None else EPOCH + dt.timedelta(0, 0, retired),
    )


def entity(row: Row) -> Entity:
    """The entity that a row of `ENTITY_COLUMNS` holds."""
    entity_id, namespace, name, kind, created_at, aliases = row
    created = EPOCH + dt.timedelta(microseconds=created_at)
    others = () if aliases == "[]" else tuple(msgspec.json.decode(aliases))
    return Entity(id=entity_id, namespace=namespace, name=name, kind=kind, aliases=others, created_at=created)


def generation(row: Row) -> Generation:
    """The generation that a row of `GENERATION_COLUMNS` holds."""
    number, model, revision, prompts, dtype, dimension, state, created_at = row
    identity = EmbedderIdentity(model=model, revision=revision, prompts=prompts, dtype=dtype, dimension=dimension)
    return Generation(
        id=number, embedder=identity, state=state, created_at=EPOCH + dt.timedelta(microseconds=created_at)
    )


def job_row(job: Job) -> Row:
    """A job as `JOB_COLUMNS`."""
    created, updated = to_micros(job.created_at), to_micros(job.updated_at)
    payload, progress = json_text(job.payload), json_text(job.progress)
    return (job.id, job.kind, job.state, job.namespace, payload, progress, job.error, created, updated)


def job(row: Row) -> Job:
    """The job that a row of `JOB_COLUMNS` holds."""
    job_id, kind, state, namespace, payload, progress, error, created_at, updated_at = row
    return Job(
        id=job_id,
        kind=kind,
        state=state,
        namespace=namespace,
        payload=msgspec.json.decode(payload),
        progress=msgspec.json.decode(progress),
        error=error,
        created_at=EPOCH + dt.timedelta(microseconds=created_at),
        updated_at=EPOCH + dt.timedelta(microseconds=updated_at),
    )
