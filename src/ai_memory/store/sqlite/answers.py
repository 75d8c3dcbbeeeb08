"""Answers kept under idempotency keys, so that a request that is sent again gets the first one's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ai_memory.store.base import Once, Result
from ai_memory.store.rules import KEPT_MICROSECONDS, is_kept, key_reused, memories_of, repeats_what_is_forgotten
from ai_memory.store.sqlite.rows.seals import insert_sealed, reseal
from ai_memory.store.sqlite.transaction import Transaction
from ai_memory.store.values import json_text

INSERT_ANSWER = insert_sealed("idempotency")

_ABOUT = (
    "namespace = ?1 AND EXISTS (SELECT 1 FROM json_each(memories) WHERE value IN (SELECT value FROM json_each(?2)))"
)


def kept_answer(connection: sqlite3.Connection, once: Once, now: int) -> bytes | None:
    """The answer kept under an idempotency key, None if there is none. Raises IdempotencyConflictError for another request."""
    # One that is dated later than now by as much was kept while the clock was ahead: it would never leave.
    outdated = (now - KEPT_MICROSECONDS, now + KEPT_MICROSECONDS)
    connection.execute("DELETE FROM idempotency WHERE at <= ? OR at > ?", outdated)
    found = connection.execute("SELECT request_digest, response FROM idempotency WHERE key = ?", (once.key,)).fetchone()
    if found is None:
        return None
    known, response = found
    if known is not None and known != once.request:
        raise key_reused()
    return bytes(response)


def keep_answer(transaction: Transaction, once: Once, results: Sequence[Result], answer: bytes, now: int) -> None:
    """Keep an answer for 24 hours."""
    if is_kept(results):
        request = None if repeats_what_is_forgotten(results) else once.request
        namespace, memories = transaction.namespace(once.namespace), json_text(memories_of(results))
        transaction.connection.execute(INSERT_ANSWER, (once.key, namespace, request, answer, memories, now))


def erase_requests(transaction: Transaction) -> None:
    """Erase what is kept of the requests whose answers are about memories that this batch forgot."""
    for namespace, ids in transaction.forgotten_ids.items():
        values = (transaction.namespace(namespace), json_text(ids))
        transaction.connection.execute(f"UPDATE idempotency SET request_digest = NULL WHERE {_ABOUT}", values)
        reseal(transaction.connection, "idempotency", _ABOUT, values)
