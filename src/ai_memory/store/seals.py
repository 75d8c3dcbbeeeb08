"""Seals: 16 bytes with each stored row, by which a change made behind the store's back is found.

A seal is a keyed digest, under the store's secret, of all columns of a row. A row that is written through the store is sealed;
`doctor` computes every seal again. It begins with two bytes of the secret's own digest, so that rows that another secret sealed
(the file with the secret was lost) are not taken for rows that were changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import msgspec

from ai_memory.store.tombstones import Secret

_TAG_BYTES = 2
_DIGEST_BYTES = 14
SEAL_BYTES = _TAG_BYTES + _DIGEST_BYTES

Seal = Callable[[Sequence[Any]], bytes]
"""From the values of a row (None, integers, floats, strings and bytes, or lists of them) to its seal."""


class Seals:
    """Makes the seals of one store. Safe for use by several threads."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._tag = hashlib.blake2b(key=secret.key, digest_size=_TAG_BYTES, person=b"seal").digest()
        self.of = cache(self._of)
        """What seals rows of one kind: a table, a label or a type of relationship."""

    def _of(self, kind: str) -> Seal:
        name = hashlib.blake2b(kind.encode(), digest_size=hashlib.blake2b.SALT_SIZE).digest()
        fresh = hashlib.blake2b(key=self._secret.key, digest_size=_DIGEST_BYTES, person=b"seal", salt=name).copy
        encode, tag = msgspec.msgpack.Encoder().encode, self._tag  # keeps apart types, and where one value ends

        def seal(values: Sequence[Any]) -> bytes:
            state = fresh()
            state.update(encode(values))
            return tag + state.digest()

        return seal

    def is_other(self, seal: object) -> bool:
        """Whether another secret made a seal, so that it cannot be compared."""
        return isinstance(seal, bytes) and len(seal) == SEAL_BYTES and seal[:_TAG_BYTES] != self._tag
