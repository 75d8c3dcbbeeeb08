"""Ids of memories, entities, relations, decisions, jobs, proposals, feedback: a prefix for the kind, then 26 base 32 characters.

The digits are Crockford's. The first ten characters are the instant in milliseconds, so that ids made later sort later; the
rest is random. An entity's id comes from its name, and that of a relation that the store makes by itself (SUPERSEDES) from
what it joins, so that everyone who makes it gives it the same one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from ai_memory.clock import to_micros

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80
_LENGTH = 26
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
"""Two characters at a time: ids are made for every memory of a bulk write."""

MEMORY, ENTITY, RELATION, DECISION, JOB = "mem_", "ent_", "rel_", "dec_", "job_"
PROPOSAL, FEEDBACK = "pro_", "fbk_"


def new_id(prefix: str, at: dt.datetime) -> str:
    """A fresh id such as `mem_01jz…`, 26 characters after the prefix, sorting by the millisecond of `at`."""
    millis = max(to_micros(at), 0) // 1000
    return prefix + _encode((millis << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS))


def relation_id(source: str, target: str, relation_type: str, at: dt.datetime) -> str:
    """The id of a relation made by the store itself: equal for equal endpoints, type and instant."""
    micros = to_micros(at)
    digest = hashlib.sha256("\0".join((source, target, relation_type, str(micros))).encode()).digest()
    return RELATION + _encode((max(micros, 0) // 1000 << _RANDOM_BITS) | int.from_bytes(digest[:10], "big"))


def entity_id(namespace: str, kind: str, key: str) -> str:
    """The id of a new entity: equal for an equal name, whichever comes first, a person who makes it or a text that names it."""
    digest = hashlib.sha256("\0".join((namespace, kind, key)).encode()).digest()
    return ENTITY + _encode(int.from_bytes(digest[:16], "big") >> 1)


def _encode(number: int) -> str:
    pairs = _PAIRS
    return "".join([pairs[(number >> shift) & 1023] for shift in range(5 * (_LENGTH - 2), -1, -10)])
