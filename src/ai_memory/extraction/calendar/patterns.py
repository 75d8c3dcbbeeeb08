"""Expressions that name one calendar unit: *15 March*, *last Friday*, *3 weeks ago*, *в прошлом месяце*.

Each such expression is an **atom**. `STARTS` gives for a word the pattern of all atoms that may begin with it, so that patterns are
tried only at words of time. Months and weekdays in English need a capital; `times.py` decides about *May* and the like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ai_memory.extraction.calendar.words import (
    MONTH,
    NUMBER,
    NUMBERS,
    ORDINALS,
    RELATIVE_DAY,
    SEASON,
    SHIFT,
    THIRD,
    UNIT,
    WEEKDAY,
    WEEKDAYS,
)

DIGIT = "0"
"""The key of `STARTS` for any word that begins with a digit."""


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=lambda word: (-len(word), word))) + ")"


def _russian(words: Iterable[str]) -> str:
    return _any(word.replace("е", "[её]") for word in words if not word.isascii())


def _written(words: Iterable[str]) -> str:
    """English words with a first capital or all capitals."""
    return _any({form for word in words if word.isascii() for form in (word.title(), word.upper())})


_MONTH_EN, _MONTH_RU = _written(MONTH), _russian(MONTH)
_WEEKDAY_EN, _WEEKDAY_RU = _written(WEEKDAYS), _russian(WEEKDAY)
_SEASON_EN, _SEASON_RU = "(?:spring|summer|autumn|winter)", _russian(SEASON)
_SHIFT_EN = "(?i:last|this|next|past|current|coming|previous|following)"
_SHIFT_RU = r"(?i:прошл|эт|следующ|текущ|нынешн)[а-яё]{1,3}"
_COUNT_EN = rf"(?:\d{{1,4}}|(?i:an?|{_any(NUMBERS)}))"
_COUNT_RU = r"(?:\d{1,4}|(?i:один|одну|два|две|три|четыре|пять|шесть|семь|восемь|девять|десять|пару))"
_UNIT_EN = "(?:minute|hour|day|week|month|year)s?"
_UNIT_RU = "(?i:минут[уы]?|час(?:а|ов)?|день|дн(?:я|ей)|недел[юиь]|месяц(?:а|ев)?|года?|лет)"
_YEAR = r"(?:(?:19|20)\d\d)"
_YEAR_RU = rf"(?:{_YEAR}(?:[ ]?(?:года|году|год|гг?\.))?)"
_ITS_YEAR = rf"(?:,?[ ]{_YEAR}\b|[ ](?:last|this|next)[ ]year)"
_ITS_YEAR_RU = rf"(?:[ ]{_YEAR_RU}|[ ](?:прошлого|этого|следующего)[ ]года)"
_CLOCK = r"(?:[ ,]{1,2}(?:at|в)?[ ]?(?:\d{1,2}:\d\d(?:[ ]?[ap]\.?m)?|\d{1,2}[ ]?[ap]m)\b)"
_NTH = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|{_any(ORDINALS)})"

ATOMS = {
    "iso": r"(?<![\w-])\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\w-])",
    "dotted": rf"(?<![\w.])\d{{1,2}}\.\d{{1,2}}\.{_YEAR}(?!\w|\.\d)",
    "slashed": rf"(?<![\w/])\d{{1,2}}/\d{{1,2}}/{_YEAR}(?![\w/])",
    "days": rf"""
        \b\d{{1,2}}(?:[ ]?[–—-][ ]?|[ ](?:and|to|по|и)[ ])\d{{1,2}}
        [ ](?:{_MONTH_EN}(?:,?[ ]{_YEAR})?|{_MONTH_RU}(?:[ ]{_YEAR_RU})?)\b""",
    "date": rf"""
        \b(?:(?:the[ ])?{_NTH}(?:[ ]of)?[ ]{_MONTH_EN}\b{_ITS_YEAR}?
           |{_MONTH_EN}[ ](?:the[ ])?\d{{1,2}}(?:st|nd|rd|th)?\b(?!:\d|\.\d)(?:,?[ ]{_YEAR}\b)?
           |\d{{1,2}}(?:-?го)?[ ]{_MONTH_RU}\b{_ITS_YEAR_RU}?
        ){_CLOCK}?""",
    "part": rf"""
        \b(?:(?i:early|mid|late|(?:the[ ])?(?:beginning|start|middle|end)[ ]of(?:[ ]the)?)[ -]
              (?:{_MONTH_EN}(?:[ ]{_YEAR})?|{_YEAR}|(?:(?:this|next|last)[ ])?(?:week|month|quarter|year))
           |(?i:начал[еаоу]|середин[еыу]|кон(?:це|ца|цу|ец))[ ]
              (?:{_MONTH_RU}{_ITS_YEAR_RU}?|{_YEAR_RU}|(?:(?:прошл|эт|следующ)[а-яё]{{2,3}}[ ])?(?:недели|месяца|квартала|года))
        )\b""",
    "month": rf"\b(?:{_MONTH_EN}\b{_ITS_YEAR}?|{_MONTH_RU}\b{_ITS_YEAR_RU}?)(?!\w|[ ]\d|-)",
    "day": rf"""
        \b(?:(?i:the[ ]day[ ](?:before[ ]yesterday|after[ ]tomorrow)|tonight|last[ ]night|this[ ](?:morning|afternoon|evening)
               |(?:yesterday|today|tomorrow)(?:[ ](?:morning|afternoon|evening))?)
           |(?i:{_russian(RELATIVE_DAY)})(?:[ ](?:утром|дн[её]м|вечером|ночью))?
        )\b{_CLOCK}?""",
    "ago": rf"\b(?:{_COUNT_EN}[ ]{_UNIT_EN}[ ]ago(?:[ ]in[ ]{_MONTH_EN})?|(?:{_COUNT_RU}[ ])?{_UNIT_RU}[ ]назад)\b",
    "ahead": rf"\b(?:[Ii]n[ ]{_COUNT_EN}[ ]{_UNIT_EN}\b(?!['’ -]\w*)|[Чч]ерез[ ](?:{_COUNT_RU}[ ])?{_UNIT_RU}\b)",
    "quarter": rf"""
        \b(?:[QH][1-4](?:[ ,]{{1,2}}{_YEAR})?
           |(?i:перв|втор|трет|четв[её]рт)[а-яё]{{1,4}}[ ](?:квартал|полугоди)[а-яё]{{0,2}}(?:[ ]{_YEAR_RU})?
        )\b""",
    "shifted": rf"""
        \b(?:{_SHIFT_EN}[ ](?:(?i:week|month|quarter|year|weekend)|{_SEASON_EN}|{_MONTH_EN}|{_WEEKDAY_EN})
           |{_SHIFT_RU}[ ](?:недел[еюия]|месяц[еау]?|квартал[еау]?|год[уа]?|выходны[ех]|{_SEASON_RU}|{_MONTH_RU}|{_WEEKDAY_RU})
        )\b{_CLOCK}?""",
    "weekday": rf"\b(?:{_WEEKDAY_EN}(?:[ ](?:last|next|this)[ ]week)?|{_WEEKDAY_RU})\b(?![-\w]){_CLOCK}?",
    "season": rf"\b(?:{_SEASON_EN}(?:[ ](?:of[ ])?{_YEAR})?|{_SEASON_RU}(?:[ ]{_YEAR_RU})?)\b",
    "year": rf"(?<![\w.,:/-])(?:{_YEAR}\b(?![.,:/-]\d))(?:[ ]?(?:года|году|год|гг?\.))?",
}  # fmt: skip
"""The atoms by name, in order of precedence where several begin at one place."""

_BEGINNINGS: tuple[tuple[Iterable[str], str], ...] = (
    (MONTH, "date month"),
    (WEEKDAY, "weekday"),
    (SEASON, "season"),
    (NUMBER, "date ago quarter"),
    (UNIT, "ago"),
    (SHIFT, "shifted day"),
    (RELATIVE_DAY, "day"),
    (THIRD, "part"),
    (("the",), "date part day"),
    (("in", "через"), "ahead"),
    (("q1", "q2", "q3", "q4", "h1", "h2"), "quarter"),
    ((DIGIT,), "iso dotted slashed days date ago year"),
)


def _starts() -> dict[str, re.Pattern[str]]:
    """For each word that an atom can begin with, the atoms that may begin there."""
    names: dict[str, frozenset[str]] = {}
    for words, atoms in _BEGINNINGS:
        for word in words:
            names[word] = names.get(word, frozenset()) | set(atoms.split())
    compiled = {
        chosen: re.compile(
            "|".join(f"(?P<{name}>{pattern})" for name, pattern in ATOMS.items() if name in chosen), re.VERBOSE
        )
        for chosen in set(names.values())
    }
    return {word: compiled[chosen] for word, chosen in names.items()}


STARTS = _starts()
