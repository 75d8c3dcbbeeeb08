"""One atom of time, such as *15 March* or *last Friday*, read as a calendar interval.

A reader is given the atom's words and the moment from which it is seen. It returns None where the meaning is not certain: a date
that does not exist, an ambiguous one (3/5/2026), or one that needs a moment where none is known.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple, TypeVar

from ai_memory.extraction.calendar.holidays import holiday
from ai_memory.extraction.calendar.intervals import (
    DAY,
    FIXED,
    Interval,
    day,
    months,
    nth,
    nth_weekday,
    rolling,
    third,
    unit,
)
from ai_memory.extraction.calendar.words import (
    MONTH,
    NUMBER,
    PART_OF_DAY,
    RELATIVE_DAY,
    SEASON,
    SHIFT,
    THIRD,
    UNIT,
    WEEKDAY,
)

T = TypeVar("T")
Direction = Literal["past", "future", "near"]

_WORD = re.compile(r"\d+|[^\W\d_]+")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?:[ ]?([ap])\.?m)?$|(\d{1,2})[ ]?([ap])m$")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_SHORT_YEAR = re.compile(r"['’](\d\d)(?!\w)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_FIRST_SHORT = 70
"""'70 is 1970 and '69 is 2069."""
_LAST_NIGHT = (18, 30)
"""Hours from the midnight before yesterday's end: 18:00 to 6:00."""
_REACH = (1, 8)
"""Years looked at on each side; the wider reach for 29 February, which may be eight years away."""
_JUST = dt.timedelta(days=30)
"""A season that ended within these days is *this* one still, and *last summer* the one before it."""
_SEASON_MONTH = (3, 6, 9, 12)


class Seen(NamedTuple):
    """From where an atom is read."""

    at: dt.datetime | None
    """Local time, naive; None when it is not known when the text was said."""
    zone: dt.tzinfo
    direction: Direction
    """Where a date without a year is, seen from `at`."""


class _Atom(NamedTuple):
    words: list[str]
    text: str
    seen: Seen


def read(name: str, text: str, seen: Seen) -> Interval | None:
    """The interval that atom `name` with the words `text` means, or None where that is not certain."""
    text = _SHORT_YEAR.sub(lambda short: f" {_full_year(int(short[1]))}", text)
    try:
        return _READERS[name](_Atom(_words(text), text, seen))
    except (ValueError, OverflowError):
        return None  # no such day (31 April), or a year outside the calendar


def has_year(text: str) -> bool:
    """Return whether the atom names its year, so that it means the same whenever it was said."""
    return _YEAR.search(text) is not None or _SHORT_YEAR.search(text) is not None


def _full_year(short: int) -> int:
    return short + (1900 if short >= _FIRST_SHORT else 2000)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold().replace("ё", "е"))


def _pick(words: Iterable[str], table: Mapping[str, T]) -> T | None:
    return next((table[word] for word in words if word in table), None)


def _year(words: list[str]) -> int | None:
    return next((int(word) for word in words if len(word) == 4 and word.isdigit()), None)


def _number(words: list[str]) -> int | None:
    return next(
        (int(word) if word.isdigit() else NUMBER[word] for word in words if word.isdigit() or word in NUMBER), None
    )


def _numbered_month(atom: _Atom) -> Interval | None:
    year = _year(atom.words) or 0
    month = next(int(word) for word in atom.words if len(word) < 4)
    if atom.words[0] == str(year) and month == year % 100 + 1:
        return None  # 2010-11 may be a season from one year to the next
    return months(year, month, 1)


def _iso_week(atom: _Atom) -> Interval | None:
    year, week = int(atom.words[0]), int(atom.words[-1])
    return unit("week", dt.datetime.fromisocalendar(year, week, 1))


def _rolling(atom: _Atom) -> Interval | None:
    name = _pick(atom.words, UNIT)
    if atom.seen.at is None or name is None:
        return None
    count = _number(atom.words)
    ahead = _pick(atom.words, SHIFT) != -1
    return rolling(name, atom.seen.at, (1 if ahead else -1) * (1 if count is None else count))


def _nth(atom: _Atom) -> Interval | None:
    ordinal, what, *rest = atom.words
    if ordinal.isdigit():
        what, *rest = rest  # the letters of 1st
    number = 0 if ordinal in SHIFT else (int(ordinal) if ordinal.isdigit() else NUMBER[ordinal])
    whole = _whole(rest, atom)
    if whole is None or whole.start is None:
        return None
    weekday = WEEKDAY.get(what)
    return nth(whole, UNIT[what], number) if weekday is None else nth_weekday(whole, weekday, number)


def _whole(words: list[str], atom: _Atom) -> Interval | None:
    """The month, year or other unit that an expression names a part of."""
    if _pick(words, MONTH):
        return _month(atom._replace(words=words))
    if year := _year(words):
        return months(year, 1, 12)
    name = _pick(words, UNIT)
    return unit(name, atom.seen.at, _pick(words, SHIFT) or 0) if name and atom.seen.at else None


def _week_of(atom: _Atom) -> Interval | None:
    """The week or weekend of a date or holiday."""
    name = UNIT[atom.words[0]]
    rest = atom._replace(words=atom.words[1:])
    if iso := _ISO.search(atom.text):
        inside: Interval | None = day(dt.date.fromisoformat(iso[1]))
    else:
        inside = _holiday(rest) if holiday(atom.text) else _date(rest)
    return unit(name, inside.start) if inside and inside.start else None


def _holiday(atom: _Atom) -> Interval | None:
    days = holiday(atom.text)
    if days is None:
        return None
    year = _year(atom.words) or _shifted_year(atom.words, atom.seen)
    if year:
        return days(year)
    at, shift = atom.seen.at, _pick(atom.words, SHIFT)
    if at is None or shift is None:
        return _nearest(days, atom.seen)
    if not shift:
        return days(at.year)
    around = [(span.start, span.end) for span in map(days, range(at.year - 1, at.year + 3)) if span.start and span.end]
    if shift < 0:
        return Interval(*max(span for span in around if span[1] <= at))
    return Interval(*min(span for span in around if span[0] > at))


def _nearest(make: Callable[[int], Interval], seen: Seen) -> Interval | None:
    """Of the intervals that `make` gives for the years around, the one in the direction of `seen`."""
    if seen.at is None:
        return None
    for reach in _REACH:
        found = []
        for year in range(seen.at.year - reach, seen.at.year + reach + 1):
            try:
                found.append(make(year))
            except ValueError:
                continue  # 29 February, or the end of the calendar
        if found:
            return _choose(found, seen.at, seen.direction)
    return None


def _choose(found: list[Interval], at: dt.datetime, direction: Direction) -> Interval | None:
    spans = [(span.start, span.end) for span in found if span.start and span.end]
    past = [span for span in spans if span[0] <= at]
    future = [span for span in spans if span[1] > at]
    if direction == "past" and past:
        return Interval(*max(past))
    if direction == "future" and future:
        return Interval(*min(future))
    chosen = min(spans, key=lambda span: max(span[0] - at, at - span[1], dt.timedelta(0)), default=None)
    return Interval(*chosen) if chosen else None


def _with_clock(text: str, whole: Interval) -> Interval:
    """The minute of the day that the text ends with, or the whole day where it names none."""
    clock = _CLOCK.search(text.casefold())
    if not clock or whole.start is None:
        return whole
    hour, minute = (int(clock[1]), int(clock[2])) if clock[1] else (int(clock[4]), 0)
    half = clock[3] or clock[5]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    start = whole.start.replace(hour=hour, minute=minute)
    return Interval(start, start + FIXED["minute"])


def _iso(atom: _Atom) -> Interval | None:
    match = _ISO.fullmatch(atom.text)
    if not match:
        return None
    date = dt.date.fromisoformat(match[1])
    if not match[2]:
        return day(date)
    start = dt.datetime.combine(date, dt.time.fromisoformat(match[2]))
    if match[3]:
        offset = dt.datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3]}")
        start = offset.astimezone(atom.seen.zone).replace(tzinfo=None)
    return Interval(start, start + FIXED["minute"])


def _dotted(atom: _Atom) -> Interval | None:
    number, month, year = map(int, atom.words)
    return day(dt.date(year, month, number))


def _slashed(atom: _Atom) -> Interval | None:
    first, second, year = map(int, atom.words)
    if first > 12 or first == second:
        return day(dt.date(year, second, first))
    return day(dt.date(year, first, second)) if second > 12 else None


def _days(atom: _Atom) -> Interval | None:
    first, last = (int(word) for word in atom.words if len(word) < 3 and word.isdigit())
    month = _pick(atom.words, MONTH)

    def make(year: int) -> Interval:
        return Interval(day(dt.date(year, month or 0, first)).start, day(dt.date(year, month or 0, last)).end)

    year = _year(atom.words)
    return make(year) if year else _nearest(make, atom.seen)


def _date(atom: _Atom) -> Interval | None:
    month = _pick(atom.words, MONTH)
    number = next((n for word in atom.words if (n := _day_number(word))), 0)

    def make(year: int) -> Interval:
        return day(dt.date(year, month or 0, number))

    year = _year(atom.words) or _shifted_year(atom.words, atom.seen)
    whole = make(year) if year else _nearest(make, atom.seen)
    return _with_clock(atom.text, whole) if whole else None


def _day_number(word: str) -> int:
    if word.isdigit():
        return int(word) if len(word) < 3 else 0
    return NUMBER.get(word, 0)


def _shifted_year(words: list[str], seen: Seen) -> int | None:
    """The year of *last year*, *прошлого года* after a date."""
    if "year" not in words and "года" not in words:
        return None
    shift = _pick(words, SHIFT)
    return seen.at.year + shift if seen.at and shift is not None else None


def _part(atom: _Atom) -> Interval | None:
    which = _pick(atom.words, THIRD)
    whole = _whole(atom.words, atom)
    return third(whole, which or 0) if whole else None


def _month(atom: _Atom) -> Interval | None:
    month = _pick(atom.words, MONTH) or 0
    year = _year(atom.words) or _shifted_year(atom.words, atom.seen)
    return months(year, month, 1) if year else _nearest(lambda year: months(year, month, 1), atom.seen)


def _day(atom: _Atom) -> Interval | None:
    if atom.seen.at is None:
        return None
    today = atom.seen.at.replace(hour=0, minute=0, second=0, microsecond=0)
    if atom.words[:3] == ["the", "day", "before"]:
        shift = -2
    elif atom.words[:3] == ["the", "day", "after"]:
        shift = 2
    elif atom.words[:2] == ["last", "night"]:
        return Interval(*(today - DAY + dt.timedelta(hours=hour) for hour in _LAST_NIGHT))
    else:
        shift = _pick(atom.words, RELATIVE_DAY) or 0
    whole = day(today + shift * DAY)
    hours = _pick(atom.words, PART_OF_DAY)
    if hours and whole.start:
        return Interval(*(whole.start + dt.timedelta(hours=hour) for hour in hours))
    return _with_clock(atom.text, whole)


def _ago(atom: _Atom) -> Interval | None:
    return _away(atom.words, atom.seen, -1)


def _ahead(atom: _Atom) -> Interval | None:
    return _away([word for word in atom.words if word not in ("in", "через")], atom.seen, 1)


def _away(words: list[str], seen: Seen, sign: int) -> Interval | None:
    if seen.at is None:
        return None
    name = _pick([word.rstrip("s") if word.isascii() else word for word in words], UNIT | _BARE_UNIT)
    count = _number(words)
    month = _pick(words, MONTH)
    if name is None:
        return None
    shift = sign * (1 if count is None else count)
    if month and name == "year" and "in" in words:
        return months(seen.at.year + shift, month, 1)
    return unit(name, seen.at, shift)


_BARE_UNIT = {"минуту": "minute", "минут": "minute", "день": "day", "неделю": "week", "недель": "week", "лет": "year"}


def _quarter(atom: _Atom) -> Interval | None:
    short = _QUARTER.search(atom.text)
    half = short[1] == "H" if short else any(word.startswith("полугоди") for word in atom.words)
    first = atom.words[0]
    number = int(short[2]) if short else int(first) if first.isdigit() else NUMBER.get(first) or _ORDINAL[first[:4]]
    length = 6 if half else 3
    if number > 12 // length:
        return None

    def make(year: int) -> Interval:
        return months(year, (number - 1) * length + 1, length)

    year = _year(atom.words) or _shifted_year(atom.words, atom.seen)
    if year is None and "year" in atom.words and atom.seen.at:
        year = atom.seen.at.year  # of the year
    return make(year) if year else _nearest(make, atom.seen)


_QUARTER = re.compile(r"([QH])([1-4])")
_ORDINAL = {"перв": 1, "втор": 2, "трет": 3, "четв": 4}


def _shifted(atom: _Atom) -> Interval | None:
    at = atom.seen.at
    if at is None:
        return None
    by = _pick(atom.words, SHIFT) or 0
    rest = [word for word in atom.words if word not in SHIFT]
    weekday, month, season, name = _pick(rest, WEEKDAY), _pick(rest, MONTH), _pick(rest, SEASON), _pick(rest, UNIT)
    if weekday is not None:
        return _with_clock(atom.text, _shifted_weekday(weekday, by, at))
    if month or season is not None:
        first, length = (month, 1) if month else (_SEASON_MONTH[season or 0], 3)
        return _shifted_months(first, length, by, at)
    return unit(name, at, by) if name else None


def _shifted_weekday(weekday: int, by: int, at: dt.datetime) -> Interval:
    if by < 0:
        back = (at.weekday() - weekday - 1) % 7 + 1
        return day(at - back * DAY)
    monday = unit("week", at, by).start or at
    return day(monday + weekday * DAY)


def _shifted_months(first: int, length: int, by: int, at: dt.datetime) -> Interval:
    """The month or season before, around or after `at`; one of several months that has just ended is *this* one still."""
    around = [months(year, first, length) for year in range(at.year - 2, at.year + 3)]
    spans = [(span.start, span.end) for span in around if span.start and span.end]
    still = _JUST if length > 1 else dt.timedelta(0)
    if by < 0:
        return Interval(*max(span for span in spans if span[1] + still <= at))
    if by > 0:
        return Interval(*min(span for span in spans if span[0] > at))
    holding = [span for span in spans if span[0] <= at < span[1] + still]
    return Interval(*holding[0]) if holding else months(at.year, first, length)


def _weekday(atom: _Atom) -> Interval | None:
    if atom.seen.at is None:
        return None
    weekday = _pick(atom.words, WEEKDAY) or 0
    if "week" in atom.words:
        return _shifted_weekday(weekday, 0, atom.seen.at + FIXED["week"] * (_pick(atom.words, SHIFT) or 0))
    monday = unit("week", atom.seen.at).start or atom.seen.at
    around = [day(monday + (weekday + 7 * week) * DAY) for week in (-1, 0, 1)]
    chosen = _choose(around, atom.seen.at, atom.seen.direction)
    return _with_clock(atom.text, chosen) if chosen else None


def _season(atom: _Atom) -> Interval | None:
    first = _SEASON_MONTH[_pick(atom.words, SEASON) or 0]
    year = _year(atom.words)
    return months(year, first, 3) if year else _nearest(lambda year: months(year, first, 3), atom.seen)


def _whole_year(atom: _Atom) -> Interval | None:
    year = int(atom.words[0])
    return months(year if len(atom.words[0]) > 2 else _full_year(year), 1, 12)


_READERS: dict[str, Callable[[_Atom], Interval | None]] = {
    "iso": _iso,
    "iso_week": _iso_week,
    "numbered_month": _numbered_month,
    "dotted_month": _numbered_month,
    "week_of": _week_of,
    "nth": _nth,
    "rolling": _rolling,
    "holiday": _holiday,
    "short_year": _whole_year,
    "dotted": _dotted,
    "slashed": _slashed,
    "days": _days,
    "date": _date,
    "part": _part,
    "month": _month,
    "day": _day,
    "ago": _ago,
    "ahead": _ahead,
    "quarter": _quarter,
    "shifted": _shifted,
    "weekday": _weekday,
    "season": _season,
    "year": _whole_year,
}
