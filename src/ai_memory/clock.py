"""Time as a capability: the system's clock, and a manual one for tests and replays.

All instants are timezone-aware UTC datetimes with microseconds; the store keeps them as integers, microseconds since the
Unix epoch, so that comparing them is exact.
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import Protocol

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class Clock(Protocol):
    """A source of the present instant."""

    def now(self) -> dt.datetime:
        """The present instant, in UTC."""
        ...


class SystemClock:
    """The machine's clock, never running backwards within a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = EPOCH

    def now(self) -> dt.datetime:
        """The present instant; strictly later than any earlier answer, so that revisions keep their order."""
        with self._lock:
            self._last = max(dt.datetime.now(dt.UTC), self._last + _MICROSECOND)
            return self._last


class ManualClock:
    """A clock that moves only when asked to (and one microsecond at each reading, to keep answers distinct)."""

    def __init__(self, start: dt.datetime) -> None:
        self._now = start.astimezone(dt.UTC)

    def now(self) -> dt.datetime:
        """The present instant of this clock."""
        self._now += _MICROSECOND
        return self._now

    def advance(self, by: dt.timedelta) -> None:
        """Move forward; a negative `by` raises ValueError."""
        if by < dt.timedelta(0):
            raise ValueError("a clock cannot be moved back")
        self._now += by


def to_micros(instant: dt.datetime) -> int:
    """Microseconds since the Unix epoch; a naive datetime is taken as UTC."""
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=dt.UTC)
    return (instant - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> dt.datetime:
    """The UTC datetime `micros` microseconds after the Unix epoch."""
    return EPOCH + dt.timedelta(microseconds=micros)
