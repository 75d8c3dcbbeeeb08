"""The audit chain: each log entry's digest covers the one before it, on every backend alike."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from ai_memory.types import Relation

GENESIS = bytes(32)
"""The digest before the first log entry."""

ChainedEntry = tuple[
    int, int, str, str, str | None, str | None, str | None, str | None, str | None, str | None, str | None
]
"""What a digest covers: sequence, at (microseconds), action, namespace, memory id, relation id, erased keys, retired keys,
actor, reason, content hash. Keys are a compact JSON array or None, the hash hexadecimal digits or None."""


def chain_digest(before: bytes, entry: ChainedEntry) -> bytes:
    """sha256 over the previous digest and the JSON array of the entry."""
    return hashlib.sha256(before + msgspec.json.encode(entry)).digest()


def number_list(numbers: Sequence[int]) -> str | None:
    """Keys as an entry holds them; None for no keys."""
    return f"[{','.join(map(str, numbers))}]" if numbers else None


def relation_hash(made: Relation) -> bytes:
    """sha256 over the relation as a JSON object, as if it were not retired: what the log holds of it."""
    return hashlib.sha256(msgspec.json.encode(replace(made, retired_at=None))).digest()
