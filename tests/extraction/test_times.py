"""Dates and times: what each expression means, seen from a Wednesday in March, and what is none."""

from __future__ import annotations

import datetime as dt

import pytest

from ai_memory.extraction.calendar.holidays import easter, orthodox_easter
from ai_memory.extraction.extract import extract
from ai_memory.extraction.values import TimeExpression

SAID = dt.datetime(2026, 3, 18, 10, tzinfo=dt.UTC)


def times(text: str, said_at: dt.datetime | None = SAID) -> list[str]:
    return [span(expression) for expression in extract(text, said_at=said_at).times]


def span(expression: TimeExpression) -> str:
    return "..".join(shown(bound) for bound in (expression.since, expression.until))


def shown(bound: dt.datetime | None) -> str:
    if bound is None:
        return ""
    return bound.strftime("%Y-%m-%d" if bound.time() == dt.time() else "%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # days
        ("It broke the day before yesterday.", "2026-03-16..2026-03-17"),
        ("Call him tonight.", "2026-03-18T18:00..2026-03-19"),
        ("Meet tomorrow at 9:05 am.", "2026-03-19T09:05..2026-03-19T09:06"),
        ("Meet tomorrow at 12 am.", "2026-03-19..2026-03-19T00:01"),
        ("It was on 2 June 2020.", "2020-06-02..2020-06-03"),
        ("It was on June 2nd, 2020.", "2020-06-02..2020-06-03"),
        ("It was on the 3rd of January.", "2026-01-03..2026-01-04"),
        ("It will be on the 3rd of January.", "2027-01-03..2027-01-04"),
        ("Born on 29 February.", "2024-02-29..2024-03-01"),
        ("since 2026-02-28T23:30:00+02:00", "2026-02-28T21:30.."),
        ("on 25/12/2025", "2025-12-25..2025-12-26"),
        ("on 12/25/2025", "2025-12-25..2025-12-26"),
        ("5 марта прошлого года", "2025-03-05..2025-03-06"),
        # weekdays
        ("Last Wednesday it rained.", "2026-03-11..2026-03-12"),
        ("This Monday was calm.", "2026-03-16..2026-03-17"),
        ("We fly next Sunday.", "2026-03-29..2026-03-30"),
        ("Ready by Tuesday.", "..2026-03-25"),
        ("It failed on Tuesday.", "2026-03-17..2026-03-18"),
        ("в прошлый четверг", "2026-03-12..2026-03-13"),
        # longer units
        ("It broke last week.", "2026-03-09..2026-03-16"),
        ("two months ago", "2026-01-01..2026-02-01"),
        ("in five days", "2026-03-23..2026-03-24"),
        ("5 minutes ago", "2026-03-18T09:55..2026-03-18T09:56"),
        ("last quarter", "2025-10-01..2026-01-01"),
        ("this winter", "2025-12-01..2026-03-01"),
        ("last autumn", "2025-09-01..2025-12-01"),
        ("полгода спустя, в следующем году", "2027-01-01..2028-01-01"),
        ("во втором квартале 2025 года", "2025-04-01..2025-07-01"),
        ("late 2024", "2024-09-01..2025-01-01"),
        ("by the end of the month", "..2026-04-01"),
        ("в начале марта", "2026-03-01..2026-03-11"),
        # the last and the next few, with today
        ("What did we do in the last 7 days?", "2026-03-11..2026-03-19"),
        ("over the past two weeks", "2026-03-04..2026-03-19"),
        ("in the past couple of months", "2026-01-18..2026-03-19"),
        ("the last few days", "2026-03-15..2026-03-19"),
        ("the past month", "2026-02-18..2026-03-19"),
        ("within the last three hours", "2026-03-18T07:00..2026-03-18T10:01"),
        ("in the next ten days", "2026-03-18..2026-03-29"),
        ("a couple of weeks ago", "2026-03-02..2026-03-09"),
        ("за последние 7 дней", "2026-03-11..2026-03-19"),
        ("за последнюю неделю", "2026-03-11..2026-03-19"),
        ("в течение последних двух месяцев", "2026-01-18..2026-03-19"),
        ("за прошедшие пару недель", "2026-03-04..2026-03-19"),
        ("в ближайшие три дня", "2026-03-18..2026-03-22"),
        # months, quarters, years and weeks by number
        ("It was in 2024-05.", "2024-05-01..2024-06-01"),
        ("since 2024/05", "2024-05-01.."),
        ("It was in 11/2025.", "2025-11-01..2025-12-01"),
        ("в 05.2024", "2024-05-01..2024-06-01"),
        ("from 2024-05 to 2024-08", "2024-05-01..2024-09-01"),
        ("It was in '24.", "2024-01-01..2025-01-01"),
        ("since ’98", "1998-01-01.."),
        ("May '24 was warm", "2024-05-01..2024-06-01"),
        ("on 15 May '24", "2024-05-15..2024-05-16"),
        ("in the summer of '24", "2024-06-01..2024-09-01"),
        ("in 2024 Q1", "2024-01-01..2024-04-01"),
        ("2024-Q3", "2024-07-01..2024-10-01"),
        ("Q3'25", "2025-07-01..2025-10-01"),
        ("Q2 of last year", "2025-04-01..2025-07-01"),
        ("the second quarter of 2024", "2024-04-01..2024-07-01"),
        ("third quarter last year", "2025-07-01..2025-10-01"),
        ("2024-W20", "2024-05-13..2024-05-20"),
        # parts of a whole
        ("the second week of May 2025", "2025-05-08..2025-05-15"),
        ("the last week of February 2024", "2024-02-23..2024-03-01"),
        ("the last Friday of March 2025", "2025-03-28..2025-03-29"),
        ("the first Monday in May 2025", "2025-05-05..2025-05-06"),
        ("the first half of 2024", "2024-01-01..2024-07-01"),
        ("the second half of May 2025", "2025-05-16..2025-06-01"),
        ("the first half of the year", "2026-01-01..2026-07-01"),
        ("the last day of last month", "2026-02-28..2026-03-01"),
        ("вторая неделя мая 2025 года", "2025-05-08..2025-05-15"),
        ("во второй половине 2024 года", "2024-07-01..2025-01-01"),
        ("the week of May 12, 2025", "2025-05-12..2025-05-19"),
        ("the weekend of 8 May 2025", "2025-05-10..2025-05-12"),
        ("на неделе 12 мая 2025 года", "2025-05-12..2025-05-19"),
        # seasons and holidays
        ("What did we do in the summer?", "2025-06-01..2025-09-01"),
        ("Что мы делали зимой?", "2025-12-01..2026-03-01"),
        ("What did we do at Christmas?", "2025-12-24..2025-12-27"),
        ("What did he say on New Year's Eve?", "2025-12-31..2026-01-01"),
        ("over Easter 2024", "2024-03-29..2024-04-02"),
        ("last Easter", "2025-04-18..2025-04-22"),
        ("Thanksgiving 2025", "2025-11-27..2025-11-28"),
        ("the week of Christmas 2025", "2025-12-22..2025-12-29"),
        ("Что было на Новый год?", "2025-12-31..2026-01-02"),
        ("Что было на Пасху 2024 года?", "2024-05-05..2024-05-06"),
        # bounds and ranges
        ("since 2019", "2019-01-01.."),
        ("until March", "..2026-04-01"),
        ("before 2020", "..2020-01-01"),
        ("after 2020", "2021-01-01.."),
        ("from 3 to 5 May 2025", "2025-05-03..2025-05-06"),
        ("May 3 – May 5, 2025", "2025-05-03..2025-05-06"),
        ("from November to February 2025", "2024-11-01..2025-03-01"),
        ("between 2015 and 2017", "2015-01-01..2018-01-01"),
        ("from May 2024 to July", "2024-05-01..2024-08-01"),
        ("from 3 May 2024 to 5 June", "2024-05-03..2024-06-06"),
        ("с 2015 по 2017 год", "2015-01-01..2018-01-01"),
        ("после мая 2025 года", "2025-06-01.."),
    ],
)
def test_meaning(text: str, expected: str) -> None:
    assert times(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "It may work, so march on.",
        "April called. August is my cousin.",
        "for three weeks, within two days, all day",
        "every Friday, on Mondays, each May",
        "at 9:30 and at 5 pm",
        "31 February, 32 May",
        "on 3/5/2026",
        "2024 rows, 1999 users, port 2022",
        "version 2024.1.2026",
        "по понедельникам и каждый вторник",
        "майский день, мартовский кот",
        "CVE-2024-05, part 11/2025/3, 5/2026/1, ABC-2024-05, 13/2025",
        "the last three minutes of the game, в последние три минуты игры, lost in the fourth quarter",
        "the season of 2010-11, the 2001-02 identity",
        "season 2023-24, version 11.2025, he said '24 hours'",
        "The ferry does not run in summer. Holiday pay is settled in the spring.",
        "The Christmas tree is in the basement. Every Easter we meet.",
        "Надежда умирает последней, последний раз, новый год",
        "Good morning. New York. Second half.",
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert times(text) == []


def test_without_a_moment_only_whole_dates_are_told() -> None:
    text = "Yesterday, on 2 June, last May, 3 weeks ago, since 2019, on 5 July 2020, in May 2021"
    assert times(text, None) == ["2019-01-01..", "2020-07-05..2020-07-06", "2021-05-01..2021-06-01"]


def test_days_are_the_days_of_the_speakers_zone() -> None:
    tokyo = dt.timezone(dt.timedelta(hours=9))
    said = dt.datetime(2026, 3, 18, 1, tzinfo=tokyo)  # still the 17th in UTC
    assert times("today", said) == ["2026-03-17T15:00..2026-03-18T15:00"]


@pytest.mark.parametrize("year", [1, 2, 9998, 9999])
def test_the_ends_of_the_calendar_are_no_fault(year: int) -> None:
    text = "9999 years ago, in 9999 years, last year, next year, next winter, since May, on Friday, tomorrow"
    for zone in (dt.UTC, dt.timezone(dt.timedelta(hours=-12)), dt.timezone(dt.timedelta(hours=14))):
        for month, day in ((1, 1), (12, 31)):
            extract(text, said_at=dt.datetime(year, month, day, tzinfo=zone))


def test_easter_is_where_the_churches_have_it() -> None:
    assert [easter(year).isoformat() for year in (1981, 2000, 2024, 2025, 2026, 2038)] == [
        "1981-04-19", "2000-04-23", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25",
    ]  # fmt: skip
    assert [orthodox_easter(year).isoformat() for year in (2000, 2024, 2025, 2026)] == [
        "2000-04-30", "2024-05-05", "2025-04-20", "2026-04-12",
    ]  # fmt: skip
