"""The days of holidays by name and year."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from ai_memory.extraction.calendar.intervals import DAY, Interval, day

Days = Callable[[int], Interval]


def holiday(text: str) -> Days | None:
    """The days in a given year of the holiday that a text names; None where it names none that is known.

    *New Year* is the night and the day after it: New Year 2025 begins on 31 December 2024.
    """
    folded = text.casefold().replace("ё", "е").replace("’", "'")
    return next((days for pattern, days in _HOLIDAYS if pattern.search(folded)), None)


def easter(year: int) -> dt.date:
    """Easter Sunday of the Western churches (the anonymous Gregorian algorithm)."""
    golden, century, rest = year % 19, year // 100, year % 100
    shift = (8 * century + 13) // 25
    epact = (19 * golden + century - century // 4 - shift + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    number = epact + weekday - 7 * correction + 114
    return dt.date(year, number // 31, number % 31 + 1)


def orthodox_easter(year: int) -> dt.date:
    """Easter Sunday of the Eastern churches, as a date of the Gregorian calendar."""
    epact = (19 * (year % 19) + 15) % 30
    weekday = (2 * (year % 4) + 4 * (year % 7) - epact + 34) % 7
    number = epact + weekday + 114
    julian = dt.date(year, number // 31, number % 31 + 1)
    return julian + (year // 100 - year // 400 - 2) * DAY


def _on(month: int, first: int, last: int | None = None) -> Days:
    return lambda year: Interval(day(dt.date(year, month, first)).start, day(dt.date(year, month, last or first)).end)


def _around_easter(first: int, last: int, sunday: Callable[[int], dt.date] = easter) -> Days:
    return lambda year: Interval(day(sunday(year) + first * DAY).start, day(sunday(year) + last * DAY).end)


def _new_year(year: int) -> Interval:
    return Interval(day(dt.date(year - 1, 12, 31)).start, day(dt.date(year, 1, 1)).end)


def _thanksgiving(year: int) -> Interval:
    first = dt.date(year, 11, 1)
    return day(first + ((3 - first.weekday()) % 7 + 21) * DAY)


_HOLIDAYS: tuple[tuple[re.Pattern[str], Days], ...] = tuple(
    (re.compile(pattern), days)
    for pattern, days in (
        ("(?:christmas|xmas) eve", _on(12, 24)),
        ("(?:christmas|xmas) day", _on(12, 25)),
        ("christmas|xmas", _on(12, 24, 26)),
        ("boxing day", _on(12, 26)),
        ("new year'?s? eve", _on(12, 31)),
        ("new year'?s? day", _on(1, 1)),
        ("new year|нов[а-я]+ год", _new_year),
        ("good friday", _around_easter(-2, -2)),
        ("easter sunday", _around_easter(0, 0)),
        ("easter monday", _around_easter(1, 1)),
        ("easter", _around_easter(-2, 1)),
        ("pentecost", _around_easter(49, 50)),
        ("halloween", _on(10, 31)),
        ("thanksgiving", _thanksgiving),
        ("valentine", _on(2, 14)),
        ("all saints", _on(11, 1)),
        ("рождеств", _on(1, 7)),
        ("пасх", _around_easter(0, 0, orthodox_easter)),
    )
)
"""A longer name comes before the shorter one that it contains."""
