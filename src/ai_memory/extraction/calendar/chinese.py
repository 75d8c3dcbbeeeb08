"""Dates and times in Chinese, simplified or traditional: found without words, which nothing separates, and given in English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ai_memory.extraction.calendar.words import MONTHS, SEASON, WEEKDAYS
from ai_memory.text.han import simplified

_HAN = re.compile("[\u4e00-\u9fff]")
_DIGITS = "一二三四五六七八九"
_WEEK_DAYS = "一二三四五六日"
_N = r"\d{1,4}|[一二两三四五六七八九十]{1,3}|几"
_U = "分钟|个?小时|天|个?星期|个?礼拜|周|个?月|个?季度|年"
_YEAR = r"(?:(?:19|20)\d\d年|[去今明]年)"
_MONTH = r"(?<![\d.一二三四五六七八九十个])(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])月"
_BOUND = {"以来": "since", "起": "since", "之前": "before", "以前": "before", "前": "before"} | dict.fromkeys(
    ("之后", "以后", "后"), "after"
)
_BEFORE = re.compile(r"(?:自从|自|从)$")
_HAPPENED = re.compile("[了过]|做过|曾|发生")
_UNITS = {
    "分钟": "minute",
    "小时": "hour",
    "天": "day",
    "星期": "week",
    "礼拜": "week",
    "周": "week",
    "月": "month",
} | {
    "季度": "quarter",
    "年": "year",
    "周末": "weekend",
}
_SHIFTS = {"上": "last", "这": "this", "本": "this", "下": "next", "去": "last", "今": "this", "明": "next"}
_DAYS = {
    "今": "today",
    "昨": "yesterday",
    "明": "tomorrow",
    "前": "the day before yesterday",
    "后": "the day after tomorrow",
}
_PARTS = {"早": "morning", "上午": "morning", "下午": "afternoon", "晚": "evening"}
_THIRDS = {"初": "early", "上旬": "early", "中": "mid", "底": "late", "末": "late", "下旬": "late"}
_HOLIDAYS = {"圣诞": "christmas", "元旦": "new years day", "复活": "easter", "万圣": "halloween", "情人": "valentine"}
_SEASONS = dict(zip("春夏秋冬", [name for name in SEASON if name.isascii() and name != "fall"], strict=True))


class Found(NamedTuple):
    """One atom: its place in the text, its name, its words in English, and how it is bounded (a preposition, or nothing)."""

    start: int
    end: int
    name: str
    english: str
    bound: str
    past: bool
    """Whether its sentence is about what has happened."""


def find(text: str) -> Iterator[Found]:
    """The atoms of a text in order, none overlapping another; none for a text without Chinese characters. Never raises."""
    if not _HAN.search(text):
        return
    text = simplified(text)
    matches = [
        (match.start(), -match.end(), place, match)
        for place, (_, pattern, _) in enumerate(_ATOMS)
        for match in pattern.finditer(text)
    ]
    end = 0
    for start, _, place, match in sorted(matches, key=lambda found: found[:3]):
        if start < end:
            continue
        name, _, english = _ATOMS[place]
        end = match.end()
        bound = _BOUND.get(match.groupdict().get("bound") or "", "")
        before = _BEFORE.search(text, 0, start) if bound == "since" else None
        clause = re.search(r"[^。！？!?；;\n]*", text[end:])
        past = _HAPPENED.search(clause[0]) is not None if clause else False
        yield Found(before.start() if before else start, end, name, english(match), bound, past)


def _number(written: str) -> str:
    if written.isdigit():
        return written
    if written == "几":
        return "few"
    tens, ten, ones = written.replace("两", "二").rpartition("十")
    value = (_DIGITS.find(tens) + 1 or 1) * 10 if ten else 0
    return str(value + _DIGITS.find(ones[:1] or " ") + 1)


def _unit(written: str) -> str:
    return _UNITS[written.removeprefix("个").removeprefix("一")]


def _year(written: str | None) -> str:
    if not written:
        return ""
    return written[:4] if written[:1].isdigit() else f"{_SHIFTS[written[0]]} year"


def _month(written: str) -> str:
    return MONTHS[int(_number(written.rstrip("月"))) - 1]


def _counted(match: re.Match[str]) -> str:
    return f"{_number(match['n'])} {_unit(match['u'])}"


def _half(match: re.Match[str]) -> str:
    which = "1" if match["half"] == "上" else "2"
    return f"H{which} {_year(match['year'])}"


def _day(match: re.Match[str]) -> str:
    part = next((english for chinese, english in _PARTS.items() if chinese in (match["part"] or "")), "")
    return f"{_DAYS[match['day']]} {part}".strip()


_Reader = Callable[[re.Match[str]], str]
_TAIL = r"(?P<bound>以来|起|之前|以前|之后|以后|前|后(?!天))?"
_ATOMS: tuple[tuple[str, re.Pattern[str], _Reader], ...] = tuple(
    (name, re.compile(pattern), reader)
    for name, pattern, reader in (
        (
            "date",
            rf"(?P<year>{_YEAR})?(?P<month>{_MONTH})(?P<day>\d{{1,2}}|[一二三四五六七八九十]{{1,3}})[日号]{_TAIL}",
            lambda m: f"{_number(m['day'])} {_month(m['month'])} {_year(m['year'])}",
        ),
        (
            "part",
            rf"(?P<year>{_YEAR})?(?P<month>{_MONTH})份?(?P<third>初|上旬|中旬?|底|末|下旬)",
            lambda m: f"{_THIRDS[m['third'].replace('中旬', '中')]} {_month(m['month'])} {_year(m['year'])}",
        ),
        (
            "month",
            rf"(?P<year>{_YEAR})?(?P<month>{_MONTH})份?(?![\d日号]){_TAIL}",
            lambda m: f"{_month(m['month'])} {_year(m['year'])}",
        ),
        (
            "quarter",
            rf"(?P<year>{_YEAR})?的?第?(?P<n>[1-4一二三四])季度",
            lambda m: f"Q{_number(m['n'])} {_year(m['year'])}",
        ),
        ("quarter", rf"(?P<year>{_YEAR})?的?(?P<half>[上下])半年", _half),
        (
            "season",
            rf"(?P<year>{_YEAR})的?(?P<season>[春夏秋冬])[天季]?",
            lambda m: f"{_SEASONS[m['season']]} {_year(m['year'])}",
        ),
        ("day", r"(?P<day>[今昨明]|(?<![目之以])前|(?<![之以])后)天(?P<part>早上|上午|下午|晚上)?", _day),
        ("day", r"(?P<day>[今昨])(?P<part>[早晚])(?:上)?", _day),
        ("ago", rf"(?P<n>{_N})(?P<u>{_U})(?:之前|以前|前)", lambda m: f"{_counted(m)} ago"),
        ("ahead", rf"(?P<n>{_N})(?P<u>{_U})(?:之后|以后|后)(?!天)", _counted),
        ("rolling", rf"(?:最近|过去|近)这?的?(?P<n>{_N})(?P<u>{_U})", lambda m: f"last {_counted(m)}"),
        ("rolling", rf"(?:未来|接下来)的?(?P<n>{_N})(?P<u>{_U})", lambda m: f"next {_counted(m)}"),
        ("rolling", r"(?:最近|过去)一?(?P<u>周|个星期|个礼拜|个月|年)(?!末)", lambda m: f"last 1 {_unit(m['u'])}"),
        (
            "shifted",
            r"(?P<shift>[上这本下])(?:一?个|一)?(?P<u>周末|周(?![围边期密到转年刊])|星期|礼拜|月(?![亮光球饼])|季度)(?![一二三四五六日天\d])",
            lambda m: f"{_SHIFTS[m['shift']]} {_unit(m['u'])}",
        ),
        (
            "weekday",
            rf"(?:(?P<shift>[上这本下])个?)?(?:周|星期|礼拜)(?P<day>[{_WEEK_DAYS}天])(?!个)",
            lambda m: (
                f"{WEEKDAYS[_WEEK_DAYS.find(m['day'].replace('天', '日'))]}"
                + (f" {_SHIFTS[m['shift']]} week" if m["shift"] else "")
            ),
        ),
        ("shifted", r"(?P<shift>[去今明])年(?![上下]半年)", lambda m: f"{_SHIFTS[m['shift']]} year"),
        ("ago", "前年", lambda _: "2 years ago"),
        (
            "holiday",
            rf"(?P<year>{_YEAR})?的?(?P<name>圣诞节?|元旦|复活节|万圣节|情人节)",
            lambda m: f"{_HOLIDAYS[m['name'].removesuffix('节')]} {_year(m['year'])}",
        ),
        ("year", rf"(?P<year>(?<!\d)(?:19|20)\d\d)年{_TAIL}", lambda m: m["year"]),
    )
)
