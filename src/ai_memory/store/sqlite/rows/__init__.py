"""Rows of the tables to values of the model, and back. The byte formats are described in docs/store.md.

A column has the name of the field that it holds, and the readers and writers are made from the fields of the structs. One is
named otherwise: a memory's `key` is `fact_key`, since the key of a table is a number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from operator import itemgetter

from msgspec import Struct

from ai_memory.clock import EPOCH, to_micros
from ai_memory.inbox import Feedback, Proposal
from ai_memory.store.base import StoredRevision
from ai_memory.store.chain import LOG_COLUMNS, ChainedEntry
from ai_memory.store.keys import line_of
from ai_memory.store.mapping import CODECS, INSTANT, JSON, Codec, Row, reader, writer
from ai_memory.types import EmbedderIdentity, Entity, Generation, Job, MemoryRecord, Relation


def hash_column(content_hash: str) -> bytes | str:
    """Lower-case hexadecimal digits as half as many bytes; any other string as it is."""
    try:
        packed = bytes.fromhex(content_hash)
    except ValueError:
        return content_hash
    return packed if packed.hex() == content_hash else content_hash


_HASH = Codec(read="{0}.hex() if isinstance({0}, bytes) else {0}")
"""The way back."""


def columns_of(names: Sequence[str], table: str, elsewhere: Mapping[str, str]) -> str:
    """Columns to select: those of `table`, but for the ones that are found `elsewhere`."""
    return ", ".join(elsewhere.get(name, f"{table}.{name}") for name in names)


def insert_into(table: str, names: Sequence[str], *, replacing: bool = False) -> str:
    """The statement that inserts one row of these columns."""
    verb = "INSERT OR REPLACE" if replacing else "INSERT"
    return f"{verb} INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


# ── memories ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_MEMORY_FIELDS = {
    "id": "m.id", "namespace": "n.name", "user": "m.user", "agent": "m.agent", "session": "m.session",
    "created_at": "m.created_at",
}  # fmt: skip
"""What never changes about a memory, and where it is; all other fields but the actor are columns of `revisions`."""


def _actor(table: str) -> dict[str, str]:
    """Who wrote a row of `table` is kept in the log alone, where the audit chain covers it."""
    return {"actor": f"(SELECT g.actor FROM log g WHERE g.sequence = {table}.key)"}


_NUMBER = "revision_key"
_RECORD_NAMES = (_NUMBER, *MemoryRecord.__struct_fields__)
RECORD_COLUMNS = columns_of(_RECORD_NAMES, "r", _MEMORY_FIELDS | {_NUMBER: "r.key", "key": "r.fact_key"} | _actor("r"))
"""What `record` reads, from revisions r, memories m and namespaces n."""

_RECORD_CODECS = {
    **CODECS,
    # Most revisions are first ones: one datetime for both instants saves a tenth of the time that a record takes.
    "created_at": Codec(INSTANT.write, f"(created := {INSTANT.read})"),
    "recorded_at": Codec(INSTANT.write, f"created if {{0}} == {{row[created_at]}} else {INSTANT.read}"),
    "content_hash": _HASH,
}

record = reader(MemoryRecord, _RECORD_NAMES, _RECORD_CODECS)
"""The memory that a row of `RECORD_COLUMNS` holds; more columns may follow."""

record_key = itemgetter(_RECORD_NAMES.index(_NUMBER))
"""The key of the revision in a row of `RECORD_COLUMNS`."""


def stored_revision(row: Row) -> StoredRevision:
    """The revision with its key that a row of `RECORD_COLUMNS` holds."""
    return StoredRevision(key=record_key(row), record=record(row))


class Held(Struct, frozen=True):
    """A revision in the store with what is not shown of it; `memory` is the number of its memory."""

    key: int
    record: MemoryRecord
    memory: int
    content_hash: bytes | str
    dedup_key: bytes | None
    salt: bytes


_FROM = "FROM revisions r JOIN memories m ON m.number = r.memory JOIN namespaces n ON n.number = r.namespace"
RECORD_SOURCE = f"SELECT {RECORD_COLUMNS} {_FROM}"
HELD_SOURCE = f"SELECT {RECORD_COLUMNS}, r.memory, r.content_hash, r.dedup_key, r.salt {_FROM}"


def held(row: Row) -> Held:
    """What a row of `HELD_SOURCE` holds."""
    *_, memory, content_hash, dedup_key, salt = row
    return Held(record_key(row), record(row), memory, content_hash, dedup_key, salt)


MEMORY_COLUMNS = ("number", "id", "namespace", "user", "agent", "session", "created_at")


def memory_row(number: int, namespace: int, made: MemoryRecord, created_at: int) -> Row:
    """A memory as `MEMORY_COLUMNS`. `number` is the key of its first revision, `namespace` that of the namespace.

    `created_at` is the record's in microseconds.
    """
    return (number, made.id, namespace, made.user, made.agent, made.session, created_at)


_REVISION_FIELDS = tuple(
    name
    for name in MemoryRecord.__struct_fields__
    if name not in _MEMORY_FIELDS and name not in ("content_hash", "recorded_at", "actor")
)
REVISION_COLUMNS = (
    "key", "memory", "namespace", "occurred", "recorded_at", "content_hash", "dedup_key", "salt", "line",
    *("fact_key" if name == "key" else name for name in _REVISION_FIELDS),
)  # fmt: skip

_revision_values = writer(MemoryRecord, _REVISION_FIELDS, _RECORD_CODECS)


def revision_row(
    key: int,
    memory: int,
    namespace: int,
    made: MemoryRecord,
    created_at: int,
    content_hash: bytes | str,
    dedup_key: bytes | None,
    salt: bytes,
) -> Row:
    """A revision as `REVISION_COLUMNS`.

    `created_at` is the record's in microseconds and `content_hash` the record's as a `hash_column`: the memory's row and the
    log have them as well, and a new memory's instants, which are all one, are converted once.
    """
    occurred = created_at if made.valid_from is None else to_micros(made.valid_from)
    recorded_at = created_at if made.recorded_at is made.created_at else to_micros(made.recorded_at)
    digests = (content_hash, dedup_key, salt, line_of(made.namespace, made.user, made.key))
    return (key, memory, namespace, occurred, recorded_at, *digests, *_revision_values(made))


# ── relations, entities ────────────────────────────────────────────────────────────────────────────────────────────────

_RELATION_FIELDS = Relation.__struct_fields__
RELATION_COLUMNS = columns_of(_RELATION_FIELDS, "l", {"namespace": "n.name"} | _actor("l"))
"""What `relation` reads, from relations l and namespaces n."""

RELATION_SOURCE = f"SELECT {RELATION_COLUMNS} FROM relations l JOIN namespaces n ON n.number = l.namespace"

relation = reader(Relation, _RELATION_FIELDS)
"""The relation that a row of `RELATION_COLUMNS` holds; more columns may follow."""

_RELATION_OWN_FIELDS = tuple(name for name in _RELATION_FIELDS if name not in ("namespace", "actor"))
RELATION_ROW = ("key", "namespace", "salt", *_RELATION_OWN_FIELDS)

_relation_values = writer(Relation, _RELATION_OWN_FIELDS)


def relation_row(key: int, namespace: int, salt: bytes, made: Relation) -> Row:
    """A relation as `RELATION_ROW`; `namespace` is the namespace's number."""
    return (key, namespace, salt, *_relation_values(made))


_ALIASES = "(SELECT json_group_array(alias) FROM (SELECT alias FROM aliases WHERE entity = e.number ORDER BY alias))"

ENTITY_COLUMNS = columns_of(Entity.__struct_fields__, "e", {"namespace": "n.name", "aliases": _ALIASES})
"""What `entity` reads, from entities e and namespaces n."""

entity = reader(Entity, Entity.__struct_fields__)
"""The entity that a row of `ENTITY_COLUMNS` holds; more columns may follow."""

ENTITY_ROW = ("number", "id", "namespace", "name", "folded", "kind", "created_at")


# ── proposals, feedback ────────────────────────────────────────────────────────────────────────────────────────────────

PROPOSAL_COLUMNS = columns_of(Proposal.__struct_fields__, "p", {"namespace": "n.name"})
"""What `proposal` reads, from proposals p and namespaces n."""
PROPOSAL_SOURCE = f"SELECT {PROPOSAL_COLUMNS} FROM proposals p JOIN namespaces n ON n.number = p.namespace"
FEEDBACK_COLUMNS = columns_of(Feedback.__struct_fields__, "f", {"namespace": "n.name"})
"""What `feedback` reads, from feedback f and namespaces n."""
FEEDBACK_SOURCE = f"SELECT {FEEDBACK_COLUMNS} FROM feedback f JOIN namespaces n ON n.number = f.namespace"

proposal = reader(Proposal, Proposal.__struct_fields__)
"""The proposal that a row of `PROPOSAL_COLUMNS` holds; more columns may follow."""
feedback = reader(Feedback, Feedback.__struct_fields__)
"""The feedback that a row of `FEEDBACK_COLUMNS` holds; more columns may follow."""

_PROPOSAL_FIELDS = tuple(name for name in Proposal.__struct_fields__ if name != "namespace")
_FEEDBACK_FIELDS = tuple(name for name in Feedback.__struct_fields__ if name != "namespace")
PROPOSAL_ROW = ("key", "namespace", "pair", *_PROPOSAL_FIELDS)
FEEDBACK_ROW = ("key", "namespace", *_FEEDBACK_FIELDS)
_proposal_values = writer(Proposal, _PROPOSAL_FIELDS)
_feedback_values = writer(Feedback, _FEEDBACK_FIELDS)


def proposal_row(key: int, namespace: int, pair: bytes, made: Proposal) -> Row:
    """A proposal as `PROPOSAL_ROW`; `namespace` is the namespace's number."""
    return (key, namespace, pair, *_proposal_values(made))


def feedback_row(key: int, namespace: int, made: Feedback) -> Row:
    """Feedback as `FEEDBACK_ROW`; `namespace` is the namespace's number."""
    return (key, namespace, *_feedback_values(made))


# ── the log ────────────────────────────────────────────────────────────────────────────────────────────────────────────

LOGGED_COLUMNS = columns_of(LOG_COLUMNS, "g", {"namespace": "n.name"})
"""What `logged` reads, from the log g and namespaces n."""


_entry = reader(ChainedEntry, LOG_COLUMNS, {**CODECS, "content_hash": _HASH})


def logged(row: Row) -> tuple[ChainedEntry, bytes]:
    """The entry as the chain covers it (with the namespace's name, and the hash in digits), and its digest."""
    *_, digest = row
    return _entry(row), digest


# ── generations, jobs ──────────────────────────────────────────────────────────────────────────────────────────────────

GENERATION_ROW = ("number", "model", "revision", "prompts", "dtype", "dimension", "state", "created_at")
GENERATION_COLUMNS = ", ".join(GENERATION_ROW)


def generation(row: Row) -> Generation:
    """The generation that a row of `GENERATION_COLUMNS` holds."""
    number, model, revision, prompts, dtype, dimension, state, created_at = row
    identity = EmbedderIdentity(model=model, revision=revision, prompts=prompts, dtype=dtype, dimension=dimension)
    return Generation(
        id=number, embedder=identity, state=state, created_at=EPOCH + dt.timedelta(microseconds=created_at)
    )


JOB_COLUMNS = Job.__struct_fields__

_JOB_CODECS = {**CODECS, "payload": JSON, "progress": JSON}  # never NULL, even if empty

job = reader(Job, JOB_COLUMNS, _JOB_CODECS)
"""The job that a row of `JOB_COLUMNS` holds."""

job_row = writer(Job, JOB_COLUMNS, _JOB_CODECS)
"""A job as `JOB_COLUMNS`."""
