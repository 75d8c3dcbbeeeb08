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


def rolling(name: str, at: dt.datetime, count: int) -> Interval:
    """The last `count` units with the current day in full (for hours and minutes: the current minute); the next, when positive.

    A month back from a day that the other month lacks is that month's last day.
    """
    here = unit("minute" if name in ("minute", "hour") else "day", at)
    start, end = here
    assert start is not None
    assert end is not None
    return Interval(_moved(start, name, count), end) if count < 0 else Interval(start, _moved(end, name, count))


def _moved(at: dt.datetime, name: str, count: int) -> dt.datetime:
    if name in FIXED:
        return at + count * FIXED[name]
    month = at.month - 1 + count * MONTHS[name]
    first = dt.datetime(at.year + month // 12, month % 12 + 1, 1)
    last = months(first.year, first.month, 1).end or first
    return min(first + (at.day - 1) * DAY, last - DAY)


def nth(whole: Interval, name: str, number: int) -> Interval | None:
    """The first, second … (1, 2, …) or last (0) `name` within a whole; None where it has no such one.

    The first week of a month is its first seven days, the last its last seven; the halves of a month end and begin in its middle.
    """
    start, end = whole
    assert start is not None
    assert end is not None
    if name == "weekend":
        saturday = nth_weekday(whole, 5, number)
        return Interval(saturday.start, saturday.start + 2 * DAY) if saturday and saturday.start else None
    if name == "half":
        cut = middle(whole)
        return (Interval(start, cut), Interval(cut, end))[number - 1] if 0 <= number <= 2 else None
    if name in FIXED:
        found = Interval(start + (number - 1) * FIXED[name], start + number * FIXED[name])
        if not number:
            found = Interval(end - FIXED[name], end)
    else:
        first = start.month + (number - 1) * MONTHS[name] if number else 13 - MONTHS[name]
        found = months(start.year, first, MONTHS[name])
    inside = found.start is not None and found.end is not None and start <= found.start and found.end <= end
    return found if inside else None


def nth_weekday(whole: Interval, weekday: int, number: int) -> Interval | None:
    """The first, second … or last (0) such weekday (Monday is 0) within a whole; None where it has no such one."""
    start, end = whole
    assert start is not None
    assert end is not None
    if number:
        at = start + ((weekday - start.weekday()) % 7 + 7 * (number - 1)) * DAY
    else:
        at = end - ((end.weekday() - weekday - 1) % 7 + 1) * DAY
    return Interval(at, at + DAY) if start <= at < end else None


def middle(whole: Interval) -> dt.datetime:
    """Where the second half of a whole begins: with a month where it has several, else with a day (the 16th of most months)."""
    start, end = whole
    assert start is not None
    assert end is not None
    length = (end.year - start.year) * 12 + end.month - start.month
    if length > 1 and length % 2 == 0:
        return months(start.year, start.month, length // 2).end or end
    return start + (end - start).days // 2 * DAY


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
