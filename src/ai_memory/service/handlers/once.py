"""Writing, and writing once for each idempotency key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_json
from ai_memory.errors import InvalidInputError
from ai_memory.service.parts import Parts
from ai_memory.store.base import Command, Once, Result, Stored, StoredRevision

MAX_KEY = 256

Answer = TypeVar("Answer", bound=Struct)


class Write(Struct, frozen=True):
    """An operation that writes, as its request asks for it."""

    operation: str
    request: Struct
    namespace: str
    idempotency_key: str | None


def write(parts: Parts, commands: Sequence[Command]) -> list[Result]:
    """Write durably, hand the new revisions to the index, and wake the background workers."""
    results = parts.store.write(commands, actor=parts.actor)
    _after(parts, results)
    return results


def write_once(
    parts: Parts,
    asked: Write,
    commands: Sequence[Command],
    answer: Callable[[list[Result]], Answer],
    kind: type[Answer],
) -> tuple[Answer, bool]:
    """Carry out the commands once per idempotency key: what `answer` makes of their results, and whether it is a repetition.

    An answer is kept longer than the memories that it is about may be, so it must hold no text, and what a repeated one says
    of a memory may be true no longer.
    """
    if asked.idempotency_key is None:
        return answer(write(parts, commands) if commands else []), False
    once = _once(parts, asked, asked.idempotency_key)
    seen: list[list[Result]] = []

    def encode(results: list[Result]) -> bytes:
        seen[:] = [results]
        return msgspec.json.encode(answer(results))

    kept = from_json(parts.store.write_idempotent(once, commands, encode, actor=parts.actor), kind)
    for results in seen:
        _after(parts, results)
    return kept, not seen


def _once(parts: Parts, asked: Write, key: str) -> Once:
    """The digests of a key and its request. A key is one of a namespace and of an operation, and says nothing about others."""
    if not 1 <= len(key) <= MAX_KEY:
        raise InvalidInputError(
            f"idempotency_key must have 1 to {MAX_KEY} characters", field="idempotency_key", limit=MAX_KEY
        )

    def digest(value: object) -> bytes:
        store = parts.store.store_id.encode()
        return hashlib.blake2b(msgspec.json.encode(value), digest_size=16, key=store, person=b"idempotency").digest()

    return Once(
        namespace=asked.namespace,
        key=digest((asked.namespace, asked.operation, key)),
        request=digest((asked.operation, asked.request)),
    )


def _after(parts: Parts, results: Sequence[Result]) -> None:
    parts.follower.offer(
        [
            StoredRevision(key=result.sequence, record=result.record)
            for result in results
            if isinstance(result, Stored) and result.record is not None and result.record.retired_at is None
        ]
    )
    parts.backlog.kick()
    if parts.graph is not None:
        parts.graph.kick()
