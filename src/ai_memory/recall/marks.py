"""What a hit says of its time, in words: how often it was said, and whether it has ended, lapsed or was replaced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from ai_memory.recall.answer import Hit


def marks(hit: Hit, day: Callable[[dt.datetime], str]) -> Iterator[str]:
    """The marks of a hit, none for one that is said once and true; they consist of days (from `day`), ids and fixed words."""
    if hit.copies is not None:
        first, last = day(hit.copies.first), day(hit.copies.last)
        yield f"×{hit.copies.count} {first}" + (f" to {last}" if last != first else "")
    if hit.validity == "ended" and hit.until is not None:
        yield f"until {day(hit.until)}"
    if hit.validity == "expired" and hit.memory.expires_at is not None:
        yield f"expired {day(hit.memory.expires_at)}"
    if hit.superseded_by is not None:
        yield f"replaced by [{hit.superseded_by}]"
    elif hit.validity == "uncertain":
        newer = next((rival for rival in hit.rivals if rival.order == "newer"), None)
        yield f"may have been replaced by [{newer.id}] on {day(newer.since)}" if newer else "may have been replaced"
