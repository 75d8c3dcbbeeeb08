"""Answers kept by idempotency key, so that a repeated request writes nothing."""

from __future__ import annotations

import sqlite3

from ai_memory.store.rules import KEPT_MICROSECONDS, key_reused


def recall_answer(connection: sqlite3.Connection, key: str, request_digest: bytes, now: int) -> bytes | None:
    """The answer kept under `key`, None if there is none. Raises IdempotencyConflictError for another request."""
    connection.execute("DELETE FROM idempotency WHERE at <= ?", (now - KEPT_MICROSECONDS,))
    row = connection.execute("SELECT request_digest, response FROM idempotency WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    if row[0] != request_digest:
        raise key_reused(key)
    return bytes(row[1])


def keep_answer(connection: sqlite3.Connection, key: str, request_digest: bytes, answer: bytes, now: int) -> None:
    """Keep an answer for 24 hours."""
    connection.execute("INSERT INTO idempotency VALUES (?, ?, ?, ?)", (key, request_digest, answer, now))
