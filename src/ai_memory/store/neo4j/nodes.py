"""Properties of nodes and relationships to values of the model, and back. docs/neo4j.md describes the graph."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec

from ai_memory.clock import EPOCH, to_micros
from ai_memory.store.base import Action, LogEntry, StoredRevision
from ai_memory.store.values import CONTENT_FIELDS, content_of, content_row, finite, instant, json_text, micros
from ai_memory.text.analysis import analyse
from ai_memory.text.properties import label_of
from ai_memory.types import EmbedderIdentity, Entity, Generation, Job, MemoryRecord, MemoryType, Relation

Properties = dict[str, Any]
Values = Sequence[Any]
"""What a query returns, in the order of the constant that it returns."""

_TYPES = {str(member): member for member in MemoryType}

RECORD_FIELDS = (
    "key", "memory_id", "namespace", "user", "agent", "session", "created_at", "recorded_at", "retired_at",
    "retired_reason", "revision", "content_hash", *CONTENT_FIELDS,
)  # fmt: skip
RECORD = ", ".join(f"r.{name}" for name in RECORD_FIELDS)
"""What `stored_revision` reads, from a revision r."""

EDGE = (
    "x.id, x.namespace, startNode(x).id, endNode(x).id, type(x), x.weight, x.attributes, x.evidence, x.valid_from, "
    "x.valid_to, x.recorded_at, x.retired_at, x.key"
)
"""What `relation` reads, from a relationship x."""

ENTITY = "e.id, e.namespace, e.name, e.kind, e.created_at, e.aliases"
GENERATION = "g.number, g.model, g.revision, g.prompts, g.dtype, g.dimension, g.state, g.created_at"
JOB = "j.id, j.kind, j.state, j.namespace, j.payload, j.progress, j.error, j.created_at, j.updated_at"
LOG_FIELDS = (
    "sequence", "at", "action", "namespace", "memory_id", "relation_id", "erased_keys", "retired_keys", "actor", "reason",
    "content_hash", "digest",
)  # fmt: skip
LOG = ", ".join(f"g.{name}" for name in LOG_FIELDS)

_MADE_A_REVISION = frozenset({Action.REMEMBERED, Action.REVISED, Action.RESTORED})


def memory_properties(number: int, record: MemoryRecord, shown: str | None) -> Properties:
    """A memory node: what never changes about a memory, and what it is called now (`label`).

    `number` is the key of its first revision.
    """
    return {
        "number": number,
        "namespace": record.namespace,
        "id": record.id,
        "user": record.user,
        "agent": record.agent,
        "session": record.session,
        "created_at": to_micros(record.created_at),
        "label": shown,
    }


def label(record: MemoryRecord) -> str | None:
    """What a memory node is called in a walk and in Neo4j's browser; None where it is retired."""
    return None if record.retired_at is not None else label_of(record.title, record.text)


def revision_properties(key: int, record: MemoryRecord, dedup_key: bytes | None, value_digest: bytes) -> Properties:
    """A revision node. It repeats what never changes about its memory, so that one node answers a filter.

    Raises InvalidInputError for what cannot be kept.
    """
    values = dict(zip(CONTENT_FIELDS, content_row(content_of(record)), strict=True))
    created = to_micros(record.created_at)
    return values | {
        "tags": list(record.tags) or None,  # a list, for Cypher
        "key": key,
        "memory_id": record.id,
        "namespace": record.namespace,
        "user": record.user,
        "agent": record.agent,
        "session": record.session,
        "created_at": created,
        "recorded_at": to_micros(record.recorded_at),
        "retired_at": micros(record.retired_at),
        "retired_reason": record.retired_reason,
        "revision": record.revision,
        "content_hash": record.content_hash,
        "occurred": created if values["valid_from"] is None else values["valid_from"],
        "dedup_key": None if dedup_key is None else dedup_key.hex(),
        "value_digest": value_digest.hex(),
        "terms": " ".join(analyse(record.text if record.title is None else f"{record.title}\n{record.text}")),
    }


def stored_revision(values: Values) -> StoredRevision:
    """The revision with its key that values of `RECORD` hold."""
    (
        key, memory_id, namespace, user, agent, session, created_at, recorded_at, retired_at, retired_reason,
        revision, content_hash, valid_from, valid_to, memory_type, context, title, author, tags, importance,
        confidence, attributes, source, text,
    ) = values[:24]  # fmt: skip
    created = EPOCH + dt.timedelta(0, 0, created_at)
    made = MemoryRecord(
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
        tags=() if tags is None else tuple(tags),
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
        content_hash=content_hash,
    )
    return StoredRevision(key=key, record=made)


def record(values: Values) -> MemoryRecord:
    """The memory that values of `RECORD` hold."""
    return stored_revision(values).record


def relation_properties(key: int, made: Relation) -> Properties:
    """A relationship between two nodes."""
    return {
        "key": key,
        "id": made.id,
        "namespace": made.namespace,
        "weight": finite(made.weight, "weight"),
        "attributes": json_text(made.attributes) if made.attributes else None,
        "evidence": made.evidence,
        "valid_from": micros(made.valid_from),
        "valid_to": micros(made.valid_to),
        "recorded_at": to_micros(made.recorded_at),
        "retired_at": micros(made.retired_at),
    }


def locator_properties(key: int, made: Relation) -> Properties:
    """The node that finds a relationship by the relation's id."""
    return {
        "key": key,
        "id": made.id,
        "namespace": made.namespace,
        "source": made.source,
        "target": made.target,
        "type": made.type,
        "evidence": made.evidence,
    }


def relation(values: Values) -> Relation:
    """The relation that values of `EDGE` hold."""
    relation_id, namespace, source, target, kind, weight, attributes, evidence, begin, end, recorded, retired = values[
        :12
    ]
    return Relation(
        id=relation_id,
        namespace=namespace,
        source=source,
        target=target,
        type=kind,
        weight=weight,
        attributes={} if attributes is None else msgspec.json.decode(attributes),
        evidence=evidence,
        valid_from=instant(begin),
        valid_to=instant(end),
        recorded_at=EPOCH + dt.timedelta(microseconds=recorded),
        retired_at=instant(retired),
    )


def entity_properties(number: int, sequence: int, made: Entity) -> Properties:
    """An entity node; `number` counts them, `sequence` is that of the log entry it was made with."""
    return {
        "number": number,
        "sequence": sequence,
        "id": made.id,
        "namespace": made.namespace,
        "name": made.name,
        "folded": made.name.casefold(),
        "kind": made.kind,
        "aliases": sorted(set(made.aliases)),
        "created_at": to_micros(made.created_at),
    }


def entity(values: Values) -> Entity:
    """The entity that values of `ENTITY` hold."""
    entity_id, namespace, name, kind, created_at, aliases = values[:6]
    created = EPOCH + dt.timedelta(microseconds=created_at)
    return Entity(
        id=entity_id, namespace=namespace, name=name, kind=kind, aliases=tuple(aliases or ()), created_at=created
    )


def generation(values: Values) -> Generation:
    """The generation that values of `GENERATION` hold."""
    number, model, revision, prompts, dtype, dimension, state, created_at = values
    identity = EmbedderIdentity(model=model, revision=revision, prompts=prompts, dtype=dtype, dimension=dimension)
    return Generation(
        id=number, embedder=identity, state=state, created_at=EPOCH + dt.timedelta(microseconds=created_at)
    )


def log_entry(values: Values) -> LogEntry:
    """The entry that values of `LOG` hold."""
    sequence, at, action_name, namespace, memory_id, relation_id, erased, retired, _, reason, _, digest = values
    action = Action(action_name)
    return LogEntry(
        sequence=sequence,
        at=EPOCH + dt.timedelta(microseconds=at),
        action=action,
        namespace=namespace,
        memory_id=memory_id,
        relation_id=relation_id,
        keys=(sequence,) if action in _MADE_A_REVISION else _numbers(erased),
        retired_keys=_numbers(retired),
        reason=reason,
        digest=digest,
    )


def _numbers(text: str | None) -> tuple[int, ...]:
    return () if text is None else tuple(msgspec.json.decode(text))


def job_properties(job: Job) -> Properties:
    """A job node."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "namespace": job.namespace,
        "payload": json_text(job.payload),
        "progress": json_text(job.progress),
        "error": job.error,
        "created_at": to_micros(job.created_at),
        "updated_at": to_micros(job.updated_at),
    }


def job(values: Values) -> Job:
    """The job that values of `JOB` hold."""
    job_id, kind, state, namespace, payload, progress, error, created_at, updated_at = values
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
