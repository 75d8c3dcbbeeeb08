"""Calendar intervals: the day, week, month, season or other unit that contains an instant, and those before and after it.

All functions work on local, naive datetimes; `times.py` turns the result into UTC. Intervals are half-open. What leaves the years
1 to 9999 raises OverflowError or ValueError, as `datetime` does.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

DAY = dt.timedelta(days=1)
MONTHS = {"month": 1, "quarter": 3, "season": 3, "half": 6, "year": 12}
"""Units made of months, and of how many."""
FIXED = {"minute": dt.timedelta(minutes=1), "hour": dt.timedelta(hours=1), "day": DAY, "week": 7 * DAY}
"""Units of a fixed length."""


class Interval(NamedTuple):
    """From `start`, included, to `end`, excluded; None is not bounded on that side."""

    start: dt.datetime | None
    end: dt.datetime | None


def day(date: dt.date) -> Interval:
    """The whole of one date."""
    start = dt.datetime(date.year, date.month, date.day)
    return Interval(start, start + DAY)


def months(year: int, first: int, count: int) -> Interval:
    """`count` months from month `first` of `year`; a `first` outside 1 to 12 counts on into other years."""
    start, end = (dt.datetime(year + number // 12, number % 12 + 1, 1) for number in (first - 1, first - 1 + count))
    return Interval(start, end)


def unit(name: str, at: dt.datetime, shift: int = 0) -> Interval:
    """The calendar unit that contains `at`, or the one `shift` units after it (before it when negative).

    Weeks begin on Monday; quarters and halves with January; seasons with March, June, September, December.
    """
    if name == "weekend":
        monday = _floor("week", at) + shift * FIXED["week"]
        return Interval(monday + 5 * DAY, monday + 7 * DAY)
    if name in FIXED:
        start = _floor(name, at) + shift * FIXED[name]
        return Interval(start, start + FIXED[name])
    length = MONTHS[name]
    offset = 2 if name == "season" else 0
    first = (at.month - 1 - offset) // length * length + offset + 1
    return months(at.year, first + shift * length, length)


def third(whole: Interval, which: int) -> Interval:
    """The first, middle or last third (0, 1, 2): of a week 2, 2 and 3 days; of a month 10, 10 and the rest; else of its months."""
    assert whole.start is not None and whole.end is not None
    cuts: tuple[dt.datetime, ...]
    days = (whole.end - whole.start).days
    if days <= 7:
        cuts = (whole.start, whole.start + 2 * DAY, whole.start + 4 * DAY, whole.end)
    elif days <= 31:
        cuts = (whole.start, whole.start + 10 * DAY, whole.start + 20 * DAY, whole.end)
    else:
        length = (whole.end.year - whole.start.year) * 12 + whole.end.month - whole.start.month
        cuts = tuple(
            months(whole.start.year, whole.start.month + part * length // 3, 1).start or whole.end for part in range(4)
        )
    return Interval(cuts[which], cuts[which + 1])


def _floor(name: str, at: dt.datetime) -> dt.datetime:
    if name == "minute":
        return at.replace(second=0, microsecond=0)
    if name == "hour":
        return at.replace(minute=0, second=0, microsecond=0)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - midnight.weekday() * DAY if name == "week" else midnight
