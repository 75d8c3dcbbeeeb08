"""Time as a capability: the system's clock, a manual one for tests and replays, and the zone whose days a user means.

All instants are timezone-aware UTC datetimes with microseconds; the store keeps them as integers, microseconds since the
Unix epoch, so that comparing them is exact.
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import NamedTuple, Protocol

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DAY_MICROS = 86_400_000_000
_MICROSECOND = dt.timedelta(microseconds=1)


class Clock(Protocol):
    """A source of the present instant."""

    def now(self) -> dt.datetime:
        """The present instant, in UTC."""
        ...


class MachineZone(dt.tzinfo):
    """The zone that this machine is set to, with its changes over the year."""

    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta | None:
        """The offset from UTC at this time on the wall; 0 outside the years that the machine knows."""
        if when is None:
            return None
        try:
            return when.replace(tzinfo=None).astimezone().utcoffset()
        except (OverflowError, ValueError, OSError):
            return dt.timedelta()

    def dst(self, when: dt.datetime | None) -> dt.timedelta | None:
        """Unknown: it is part of the offset."""
        del when
        return None

    def tzname(self, when: dt.datetime | None) -> str | None:
        """The offset, such as UTC+13:00: abbreviations mean several zones."""
        return None if when is None else str(dt.timezone(self.utcoffset(when) or dt.timedelta()))

    def fromutc(self, when: dt.datetime) -> dt.datetime:
        """The time on the wall at an instant that is given with this zone and UTC's hour."""
        try:
            there = when.replace(tzinfo=dt.UTC).astimezone()
        except (OverflowError, ValueError, OSError):
            return when
        first = there.replace(tzinfo=self, fold=0)
        return first if first.utcoffset() == there.utcoffset() else first.replace(fold=1)


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


def is_plain_date(instant: dt.datetime) -> bool:
    """Whether an instant was given as a date alone: it is kept as midnight UTC, and is the same day in every zone."""
    return instant.astimezone(dt.UTC).time() == dt.time()


def in_zone(instant: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The instant on the clocks of `zone`; a plain date is the beginning of that day there."""
    at = instant.astimezone(dt.UTC)
    if is_plain_date(at):
        return at.replace(tzinfo=zone)
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at  # the first or last day of the calendar, in another zone


def day_in(instant: dt.datetime, zone: dt.tzinfo) -> str:
    """The day of an instant in `zone`, as YYYY-MM-DD."""
    return in_zone(instant, zone).date().isoformat()


class Edge(NamedTuple):
    """An instant that stored ones are compared with, in microseconds since the epoch, and what plain dates are compared with.

    A plain date is kept as midnight UTC and begins at midnight of the edge's own zone, so it meets the edge shifted by the offset.
    """

    instant: int
    plain: int

    @property
    def shifted(self) -> bool:
        """Whether the two differ."""
        return self.instant != self.plain


def edge(at: dt.datetime) -> Edge:
    """The edge at an instant, in the zone that it was given in; without one in UTC."""
    micros = to_micros(at)
    return Edge(micros, micros + (at.utcoffset() or dt.timedelta()) // _MICROSECOND)


def has_come(instant: dt.datetime, at: dt.datetime) -> bool:
    """Whether a stored instant is at or before `at`; a plain date comes with its midnight in the zone of `at`."""
    micros, limit = to_micros(instant), edge(at)
    return micros <= (limit.instant if micros % DAY_MICROS else limit.plain)
