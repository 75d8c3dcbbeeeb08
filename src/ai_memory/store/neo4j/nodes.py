"""Properties of nodes and relationships to values of the model, and back. docs/neo4j.md describes the graph."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from ai_memory.clock import EPOCH, to_micros
from ai_memory.inbox import Feedback, Proposal
from ai_memory.store.base import LogEntry, StoredRevision
from ai_memory.store.chain import LOG_COLUMNS, ChainedEntry, log_entry
from ai_memory.store.copying import CopiedAnswer
from ai_memory.store.keys import line_of
from ai_memory.store.mapping import CODECS, INSTANT, JSON, Codec, reader, writer
from ai_memory.text.analysis import analyse
from ai_memory.text.properties import label_of
from ai_memory.types import EmbedderIdentity, Entity, Generation, Job, MemoryRecord, Relation

Properties = dict[str, Any]
Values = Sequence[Any]
"""What a query returns, in the order of the constant that it returns."""


def returned(names: Sequence[str], of: str, **elsewhere: str) -> str:
    """Properties to return: those of the node or relationship `of`, but for the ones that are found `elsewhere`."""
    return ", ".join(elsewhere.get(name, f"{of}.{name}") for name in names)


_RECORD_FIELDS = MemoryRecord.__struct_fields__
_NUMBER = "revision_key"
_RECORD_NAMES = (_NUMBER, *_RECORD_FIELDS)
RECORD = returned(_RECORD_NAMES, "r", id="r.memory_id", revision_key="r.key", key="r.fact_key")
"""What `stored_revision` reads, from a revision r; more values may follow."""

HELD = f"{RECORD}, r.dedup_key, r.salt"
"""What `held` reads, from a revision r."""

EDGE = returned(
    (*Relation.__struct_fields__, "key"), "x", source="startNode(x).id", target="endNode(x).id", type="type(x)"
)
"""What `relation` reads, from a relationship x; more values may follow."""

ENTITY = returned(Entity.__struct_fields__, "e")
"""What `entity` reads, from an entity e; more values may follow."""

GENERATION = "g.number, g.model, g.revision, g.prompts, g.dtype, g.dimension, g.state, g.created_at"
JOB = returned(Job.__struct_fields__, "j")
LOG = returned(LOG_COLUMNS, "g")

_CODECS = {
    **CODECS,
    bool: Codec("{0}", "bool({0})"),  # absent in what earlier versions wrote
    tuple[str, ...]: Codec("list({0}) or None", "tuple({0} or ())"),  # a list, so that Cypher can look into it
    # Most revisions are first ones: one datetime for both instants saves a tenth of the time that a record takes.
    "created_at": Codec(INSTANT.write, f"(created := {INSTANT.read})"),
    "recorded_at": Codec(INSTANT.write, f"created if {{0}} == {{row[created_at]}} else {INSTANT.read}"),
}


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


_REVISION_NAMES = tuple({"id": "memory_id", "key": "fact_key"}.get(name, name) for name in _RECORD_FIELDS)
"""A revision's id is that of its memory, and not what finds it; its own key is a number."""

_record_values = writer(MemoryRecord, _RECORD_FIELDS, _CODECS)


def revision_properties(key: int, record: MemoryRecord, dedup_key: bytes | None, salt: bytes) -> Properties:
    """A revision node. It repeats what never changes about its memory, so that one node answers a filter.

    Raises InvalidInputError for what cannot be kept.
    """
    line = line_of(record.namespace, record.user, record.key)
    return dict(zip(_REVISION_NAMES, _record_values(record), strict=True)) | {
        "key": key,
        "line": None if line is None else line.hex(),
        "occurred": to_micros(record.valid_from or record.created_at),
        "dedup_key": None if dedup_key is None else dedup_key.hex(),
        "salt": salt.hex(),
        "terms": " ".join(analyse(record.text if record.title is None else f"{record.title}\n{record.text}")),
    }


record = reader(MemoryRecord, _RECORD_NAMES, _CODECS)
"""The memory that values of `RECORD` hold."""

record_key = itemgetter(_RECORD_NAMES.index(_NUMBER))
"""The key of the revision in values of `RECORD`."""


def stored_revision(values: Values) -> StoredRevision:
    """The revision with its key that values of `RECORD` hold."""
    return StoredRevision(key=record_key(values), record=record(values))


class Held(Struct):
    """A revision in the graph, or on its way there; `retired` when this batch retired it, `new` when it made it."""

    key: int
    record: MemoryRecord
    dedup_key: bytes | None
    salt: bytes
    new: bool = False
    retired: bool = False


def held(values: Values) -> Held:
    """The revision, with what is not shown of it, that values of `HELD` hold."""
    *_, dedup_key, salt = values
    return Held(
        key=record_key(values),
        record=record(values),
        dedup_key=None if dedup_key is None else bytes.fromhex(dedup_key),
        salt=bytes.fromhex(salt),
    )


_EDGE_FIELDS = tuple(name for name in Relation.__struct_fields__ if name not in ("source", "target", "type"))
_edge_values = writer(Relation, _EDGE_FIELDS)


def relation_properties(key: int, made: Relation) -> Properties:
    """A relationship between two nodes, which are its ends and whose type is the relation's."""
    return dict(zip(_EDGE_FIELDS, _edge_values(made), strict=True)) | {"key": key}


def locator_properties(key: int, salt: bytes, made: Relation) -> Properties:
    """The node that finds a relationship by the relation's id, with the salt of its commitment."""
    return {
        "key": key,
        "salt": salt.hex(),
        "id": made.id,
        "namespace": made.namespace,
        "source": made.source,
        "target": made.target,
        "type": made.type,
        "evidence": made.evidence,
    }


relation = reader(Relation, Relation.__struct_fields__)
"""The relation that values of `EDGE` hold."""


def entity_properties(number: int, sequence: int, made: Entity) -> Properties:
    """An entity node; `number` counts them, `sequence` is that of the log entry it was made with."""
    return {
        "number": number,
        "sequence": sequence,
        "id": made.id,
        "namespace": made.namespace,
        "name": made.name,
        "label": made.name,
        "folded": made.name.casefold(),
        "kind": made.kind,
        "aliases": sorted(set(made.aliases)),
        "created_at": to_micros(made.created_at),
    }


entity = reader(Entity, Entity.__struct_fields__, _CODECS)
"""The entity that values of `ENTITY` hold."""


PROPOSAL = returned(Proposal.__struct_fields__, "p")
"""What `proposal` reads, from a proposal p; more values may follow."""
FEEDBACK = returned(Feedback.__struct_fields__, "f")
"""What `feedback` reads, from feedback f; more values may follow."""
_proposal_values = writer(Proposal, Proposal.__struct_fields__)
_feedback_values = writer(Feedback, Feedback.__struct_fields__)
proposal = reader(Proposal, Proposal.__struct_fields__)
"""The proposal that values of `PROPOSAL` hold."""
feedback = reader(Feedback, Feedback.__struct_fields__)
"""The feedback that values of `FEEDBACK` hold."""


def proposal_properties(key: int, pair: bytes, made: Proposal) -> Properties:
    """A proposal node."""
    named = dict(zip(Proposal.__struct_fields__, _proposal_values(made), strict=True))
    return named | {"key": key, "pair": pair.hex()}


def feedback_properties(key: int, made: Feedback) -> Properties:
    """A node of feedback."""
    return dict(zip(Feedback.__struct_fields__, _feedback_values(made), strict=True)) | {"key": key}


def generation(values: Values) -> Generation:
    """The generation that values of `GENERATION` hold."""
    number, model, revision, prompts, dtype, dimension, state, created_at = values
    identity = EmbedderIdentity(model=model, revision=revision, prompts=prompts, dtype=dtype, dimension=dimension)
    return Generation(
        id=number, embedder=identity, state=state, created_at=EPOCH + dt.timedelta(microseconds=created_at)
    )


log_sequence = itemgetter(LOG_COLUMNS.index("sequence"))
"""The sequence of the entry in values of `LOG`; None where the server does not show the entry's properties yet."""


def logged(values: Values) -> tuple[ChainedEntry, str]:
    """The entry as the chain covers it, and its digest in hexadecimal digits, that values of `LOG` hold."""
    *entry, digest = values
    return ChainedEntry(*entry), digest


def log_entry_of(values: Values) -> LogEntry:
    """The entry that values of `LOG` hold."""
    return log_entry(*logged(values))


def log_properties(entry: ChainedEntry, digest: bytes) -> Properties:
    """A log entry's node."""
    return asdict(entry) | {"digest": digest.hex()}


def answer_properties(answer: CopiedAnswer) -> Properties:
    """An answer kept under an idempotency key."""
    request = answer.request_digest
    values = {name: value for name, value in asdict(answer).items() if name != "opened"}
    return values | {
        "key": answer.key.hex(),
        "request_digest": None if request is None else request.hex(),
        "memories": list(answer.memories),
    }


_JOB_CODECS = {**CODECS, "payload": JSON, "progress": JSON}  # never absent, even if empty
_job_values = writer(Job, Job.__struct_fields__, _JOB_CODECS)


def job_properties(job: Job) -> Properties:
    """A job node."""
    return dict(zip(Job.__struct_fields__, _job_values(job), strict=True))


job = reader(Job, Job.__struct_fields__, _JOB_CODECS)
"""The job that values of `JOB` hold."""
