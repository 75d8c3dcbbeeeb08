"""The place of a value of a key among the others, as `store.keys` needs to know it."""

from __future__ import annotations

import datetime as dt

from ai_memory.clock import to_micros
from ai_memory.store.keys import Neighbours, line_of
from ai_memory.store.sqlite.rows import RECORD_SOURCE, record
from ai_memory.store.sqlite.transaction import Transaction
from ai_memory.types import MemoryRecord

_VALUES = (
    f"{RECORD_SOURCE} WHERE r.line = :line AND r.retired_at IS NULL AND m.id IS NOT :without "
    "AND (r.valid_to IS NULL OR r.valid_to > r.valid_from) AND "
)
_BEFORE = f"{_VALUES} r.valid_from <= :at ORDER BY r.valid_from DESC, r.memory DESC LIMIT 1"
_AFTER = f"{_VALUES} r.valid_from > :at ORDER BY r.valid_from, r.memory LIMIT 1"


def neighbours(
    transaction: Transaction,
    namespace: str,
    user: str | None,
    key: str | None,
    at: dt.datetime,
    *,
    without: str | None = None,
) -> Neighbours:
    """The values of a key next to an instant; the memory `without` is passed over."""
    values = {"line": line_of(namespace, user, key), "at": to_micros(at), "without": without}

    def found(sql: str) -> MemoryRecord | None:
        row = transaction.connection.execute(sql, values).fetchone()
        return None if row is None else record(row)

    return Neighbours(found(_BEFORE), found(_AFTER))
