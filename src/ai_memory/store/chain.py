"""The audit chain: each log entry's digest covers the one before it, on every backend alike.

To change, remove or reorder an entry one would have to recompute every digest after it, and every copy and backup has the
newest one. `doctor` recomputes them all. An entry holds no text, so that the chain outlives a forget: it holds a commitment to the
content, made with a random salt that is stored with the content alone. While the content is there, the two can be compared; once it
is erased, and its salt with it, nobody can find out by trying what it was.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from ai_memory.clock import EPOCH
from ai_memory.store.base import Action, LogEntry
from ai_memory.types import Actor, Relation

GENESIS = bytes(32)
"""The digest before the first log entry."""

_MADE_A_REVISION = frozenset({Action.REMEMBERED, Action.REVISED, Action.RESTORED})


class ChainedEntry(Struct, frozen=True, array_like=True):
    """What a digest covers, in this order: as JSON it is an array.

    `at` is in microseconds since 1970, keys are a compact JSON array or None, the hash is hexadecimal digits or None.
    """

    sequence: int
    at: int
    action: str
    namespace: str
    memory_id: str | None
    relation_id: str | None
    erased_keys: str | None
    retired_keys: str | None
    actor: str | None
    reason: str | None
    content_hash: str | None


LOG_COLUMNS = (*ChainedEntry.__struct_fields__, "digest")
"""How every store names what it keeps of an entry."""


def chain_digest(before: bytes, entry: ChainedEntry) -> bytes:
    """sha256 over the previous digest and the JSON array of the entry."""
    return hashlib.sha256(before + msgspec.json.encode(entry)).digest()


def log_entry(entry: ChainedEntry, digest: str) -> LogEntry:
    """The entry as those who follow the log read it; `digest` is in hexadecimal digits."""
    action = Action(entry.action)
    return LogEntry(
        sequence=entry.sequence,
        at=EPOCH + dt.timedelta(microseconds=entry.at),
        action=action,
        namespace=entry.namespace,
        actor=_ACTORS.get(entry.actor, Actor.UNKNOWN),
        memory_id=entry.memory_id,
        relation_id=entry.relation_id,
        keys=(entry.sequence,) if action in _MADE_A_REVISION else _numbers(entry.erased_keys),
        retired_keys=_numbers(entry.retired_keys),
        reason=entry.reason,
        digest=digest,
    )


_ACTORS: dict[str | None, Actor] = {str(each): each for each in Actor}


def logged_actor(actor: Actor) -> str | None:
    """An actor as an entry holds it; None for one that is not known, as in entries of earlier versions."""
    return None if actor is Actor.UNKNOWN else str(actor)


def number_list(numbers: Sequence[int]) -> str | None:
    """Keys as an entry holds them; None for no keys."""
    return f"[{','.join(map(str, numbers))}]" if numbers else None


def _numbers(text: str | None) -> tuple[int, ...]:
    return () if text is None else tuple(msgspec.json.decode(text))


SALT_BYTES = 16


def new_salt() -> bytes:
    """A salt for one revision or relation."""
    return secrets.token_bytes(SALT_BYTES)


def commitment(content_hash: str, salt: bytes) -> bytes:
    """16 bytes, BLAKE2b over the hash with the salt as key: what the log holds of a revision or of a relation."""
    return hashlib.blake2b(content_hash.encode(), key=salt, digest_size=16, person=b"log").digest()


def agrees(committed: bytes | None, content_hash: str, salt: bytes | None) -> bool:
    """Whether a log entry holds the commitment to what is stored; False where a salt was lost or damaged."""
    return salt is not None and len(salt) == SALT_BYTES and committed == commitment(content_hash, salt)


def relation_hash(made: Relation) -> str:
    """sha256 in hexadecimal digits over the relation as a JSON object, as if it were not retired and without its actor.

    The log's entry says who made it.
    """
    values = asdict(replace(made, retired_at=None))
    del values["actor"]
    return hashlib.sha256(msgspec.json.encode(values)).hexdigest()
