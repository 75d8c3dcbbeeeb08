"""The errors that refused commands mean."""

from __future__ import annotations

from ai_memory.errors import ConflictError, MemoryServiceError, NotFoundError, StaleRevisionError
from ai_memory.service.handlers.lookup import no_such_memory
from ai_memory.store.base import Rejected, Result
from ai_memory.wording.ways import by_field

_HINTS = {
    "conflict": "remember the new text as a separate memory",
    "duplicate": "use that memory, or retire one of the two",
    "forgotten": by_field("reinstate", "", ", if it should come back"),
}


def raise_rejected(result: Result, memory_id: str, namespace: str) -> None:
    """Raise the error that a refused command means; nothing for any other result."""
    if not isinstance(result, Rejected):
        return
    error: MemoryServiceError
    if result.code == "stale_revision":
        error = StaleRevisionError(result.reason, hint="read the memory again and decide on its current revision")
    elif result.code == "not_found":
        error = no_such_memory(memory_id, namespace) if memory_id else NotFoundError(result.reason)
    else:
        error = ConflictError(result.reason, hint=_HINTS.get(result.code))
    error.details.update(result.details)
    raise error
