"""Answers kept by idempotency key, so that a repeated request writes nothing."""

from __future__ import annotations

from ai_memory.store.neo4j.transaction import Transaction
from ai_memory.store.rules import KEPT_MICROSECONDS, key_reused


def recall_answer(transaction: Transaction, key: str, request_digest: bytes, now: int) -> bytes | None:
    """The answer kept under `key`, None if there is none. Raises IdempotencyConflictError for another request."""
    transaction.rows("MATCH (a:Answer) WHERE a.at <= $old DELETE a", old=now - KEPT_MICROSECONDS)
    rows = transaction.rows("MATCH (a:Answer {key: $key}) RETURN a.request_digest, a.response", key=key)
    if not rows:
        return None
    if rows[0][0] != request_digest.hex():
        raise key_reused(key)
    return bytes(rows[0][1])


def keep_answer(transaction: Transaction, key: str, request_digest: bytes, answer: bytes, now: int) -> None:
    """Keep an answer for 24 hours."""
    values = {"key": key, "request_digest": request_digest.hex(), "response": answer, "at": now}
    transaction.rows("CREATE (a:Answer) SET a = $values", values=values)
