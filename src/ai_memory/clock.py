"""Time as a capability: the system's clock, a manual one for tests and replays, and the zone whose days a user means.

All instants are timezone-aware UTC datetimes with microseconds; the store keeps them as integers, microseconds since the
Unix epoch, so that comparing them is exact.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
import time
from collections.abc import Callable
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


BELIEVED_AFTER = 60 * 1_000_000
"""Microseconds that the machine's clock must have kept to a jump before it is followed."""
_FORWARD = 7 * DAY_MICROS
_BACK = 10 * 1_000_000
_NEVER_SET = 1_735_689_600_000_000
"""A machine without a battery starts in a year long gone, before 2025: the first jump is what sets its clock."""


def _wall_micros() -> int:
    return time.time_ns() // 1000


def _steady_micros() -> int:
    """Microseconds since some moment, whatever the clock is set to; sleep counts where the system knows of it."""
    return time.clock_gettime_ns(_STEADY) // 1000 if _STEADY is not None else time.monotonic_ns() // 1000


_STEADY: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


class SystemClock:
    """The machine's clock, without its jumps.

    A step back of more than ten seconds, or forward of more than a week, is followed once the machine's clock has kept to it for a
    minute; until then time goes on as before. So a clock that says 2076 for a moment dates nothing, and one that comes back from
    there is followed: time runs backwards then, once. Otherwise it never does. Smaller steps are followed at once, as after sleep.
    """

    def __init__(self, wall: Callable[[], int] = _wall_micros, steady: Callable[[], int] = _steady_micros) -> None:
        """Both give microseconds: since 1970 as the machine has it, and since some moment."""
        self._wall, self._steady = wall, steady
        self._lock = threading.Lock()
        self._last = 0
        self._offset = wall() - steady()
        self._jump: tuple[int, int] | None = None
        """A step that is not followed yet, and since when the clock has kept to it."""

    def now(self) -> dt.datetime:
        """The present instant; strictly later than any earlier answer but for a clock that was put back for good."""
        with self._lock:
            wall, steady = self._wall(), self._steady()
            if self._follows(wall - steady - self._offset, steady):
                self._offset = wall - steady
            self._last = max(self._offset + steady, self._last + 1)
            return EPOCH + dt.timedelta(microseconds=self._last)

    def jump(self) -> dt.timedelta:
        """How far the machine's clock is from this one; zero but where it jumped and is not followed yet."""
        with self._lock:
            return dt.timedelta(microseconds=self._jump[0] if self._jump is not None else 0)

    def _follows(self, step: int, steady: int) -> bool:
        """Whether to follow a step of the machine's clock against the steady one."""
        if -_BACK <= step <= _FORWARD or (step > 0 and self._offset + steady < _NEVER_SET):
            self._jump = None
            return True
        if self._jump is None or abs(step - self._jump[0]) > _BACK:
            self._jump = (step, steady)
        if steady - self._jump[1] < BELIEVED_AFTER:
            return False
        self._jump, self._last = None, 0
        return True


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


NEVER = "never"
"""In place of a period: for good."""
LONGEST = dt.timedelta(days=36_500)
_SECONDS = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3_600, "hour": 3_600, "d": 86_400, "day": 86_400,
    "w": 604_800, "week": 604_800, "month": 2_592_000, "y": 31_536_000, "year": 31_536_000,
}  # fmt: skip
_NUMBER = r"(\d{1,40}(?:\.\d{1,6})?)"
_PART = re.compile(_NUMBER + r"\s*([a-z]+)")


def period(text: str) -> dt.timedelta:
    """The length of time that a text such as `7d`, `1 week`, `1h 30m` or `3600` (seconds) means; a month has 30 days, a year 365.

    Raises ValueError, which says what is wrong, for anything else, for zero and below, and for more than a hundred years.
    """
    rest, seconds = text.strip().lower(), 0.0
    if re.fullmatch(_NUMBER, rest):
        rest += "s"
    while found := _PART.match(rest):
        unit = found[2].removesuffix("s") or "s"
        if unit not in _SECONDS:
            break
        seconds += float(found[1]) * _SECONDS[unit]
        rest = rest[found.end() :].lstrip()
    if rest or not text.strip():
        raise ValueError(f"{text[:40]!r} is no length of time; write 7d, 12h, 1 week, or a number of seconds")
    if not 1e-6 <= seconds <= LONGEST.total_seconds():
        raise ValueError(f"{text[:40]!r} is out of range: more than nothing and at most a hundred years (36500d)")
    return dt.timedelta(seconds=seconds)
