"""The refusals that several commands share."""

from __future__ import annotations

from ai_memory.store.base import Rejected
from ai_memory.store.sqlite.connection import Row


def unknown(memory_id: str) -> Rejected:
    """There is no such memory in the namespace."""
    return Rejected(code="not_found", reason=f"there is no memory {memory_id}", details={"id": memory_id})


def forgotten() -> Rejected:
    """The text was forgotten on purpose."""
    return Rejected(code="forgotten", reason="this text was forgotten on purpose and is not taken back")


def refuse(row: Row | None, memory_id: str, if_revision: int | None) -> Rejected | None:
    """Why a change to the memory whose latest revision is `row` (RECORD_COLUMNS) may not be made, if so."""
    if row is None:
        return unknown(memory_id)
    current: int = row[10]
    if if_revision is None or if_revision == current:
        return None
    return Rejected(
        code="stale_revision",
        reason=f"memory {memory_id} is at revision {current}, not {if_revision}",
        details={"expected": if_revision, "current": current},
    )
