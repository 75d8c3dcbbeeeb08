"""Expressions that name one calendar unit: *15 March*, *last Friday*, *3 weeks ago*, *в прошлом месяце*.

Each such expression is an **atom**. `STARTS` gives for a word the pattern of all atoms that may begin with it, so that patterns are
tried only at words of time. Months and weekdays in English need a capital; `times.py` decides about *May* and the like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ai_memory.extraction.calendar.languages import LANGUAGES
from ai_memory.extraction.calendar.words import (
    HOLIDAY,
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
_HOLIDAY_EN = (
    r"(?:(?:Christmas|Xmas)(?:[ ](?:Eve|Day))?|Boxing[ ]Day|New[ ]Year(?:['’]?s)?(?:[ ](?:Eve|Day))?|Good[ ]Friday"
    r"|Easter(?:[ ](?:Sunday|Monday))?|Pentecost|Halloween|Thanksgiving|Valentine['’]?s[ ]Day)"
)
_HOLIDAY_RU = "(?:Рождеств(?:[оауе]|ом)|Нов(?:ый|ого|ому|ым|ом)[ ](?i:год(?:[ауе]|ом)?)|Пасх(?:[аиуе]|ой))"
_SHIFT_RU = r"(?i:прошл|эт|следующ|текущ|нынешн)[а-яё]{1,3}"
_SOME_EN = rf"(?:\d{{1,4}}|(?i:{_any(NUMBERS)}|(?:a[ ])?couple(?:[ ]of)?))"
_COUNT_EN = rf"(?:{_SOME_EN}|(?i:an?))"
_COUNT_RU = (
    r"(?:\d{1,4}|(?i:один|одну|дв[ае]|двух|тр[её]х|три|четыр[её]х|четыре|(?:пят|шест|сем|восьм|восем|девят|десят)[ьи]"
    "|пару))"
)
_UNIT_EN = "(?:minute|hour|day|week|month|year)s?"
_UNIT_RU = "(?i:минут[уы]?|час(?:а|ов)?|день|дн(?:я|ей|и)|суток|недел[юиь]|месяц(?:а|ев|ы)?|года?|лет)"
_YEAR = r"(?:(?:19|20)\d\d)"
_YEAR_RU = rf"(?:{_YEAR}(?:[ ]?(?:года|году|год|гг?\.))?)"
_SHORT_YEAR = r"['’]\d\d(?![\w'’])"
_ITS_YEAR = rf"(?:(?:,?[ ]|[ ]of[ ]){_YEAR}\b|[ ](?:of[ ])?{_SHORT_YEAR}|[ ](?:of[ ])?(?:last|this|next)[ ]year)"
_ITS_YEAR_RU = rf"(?:[ ]{_YEAR_RU}|[ ](?:прошлого|этого|следующего)[ ]года)"
_CLOCK = r"(?:[ ,]{1,2}(?:at|в)?[ ]?(?:\d{1,2}:\d\d(?:[ ]?[ap]\.?m)?|\d{1,2}[ ]?[ap]m)\b)"
_NTH = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|{_any(ORDINALS)})"
_ORDINAL_EN = rf"(?i:[1-5](?:st|nd|rd|th)|{_any(ORDINALS[:5])})"
_ORDINAL_RU = "(?i:перв|втор|трет|четв[её]рт|пят)[а-яё]{1,4}"
_DATE_EN = (
    rf"(?:(?:the[ ])?{_NTH}(?:[ ]of)?[ ]{_MONTH_EN}\b{_ITS_YEAR}?|{_MONTH_EN}[ ](?:the[ ])?{_NTH}\b(?:,?[ ]{_YEAR}\b)?)"
)
_DATE_RU = rf"\d{{1,2}}(?:-?го)?[ ]{_MONTH_RU}\b{_ITS_YEAR_RU}?"
_WHOLE_EN = rf"(?:{_MONTH_EN}\b{_ITS_YEAR}?|{_YEAR}|(?i:(?:the|this|next|last)[ ](?:week|month|quarter|year)))"
_WHOLE_RU = rf"""(?:{_MONTH_RU}\b{_ITS_YEAR_RU}?|{_YEAR_RU}
    |(?i:(?:(?:прошл|эт|следующ|текущ)[а-яё]{{2,3}}[ ])?(?:недели|месяца|квартала|года)))"""

ATOMS = {
    "iso": r"(?<![\w-])\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\w-])",
    "iso_week": rf"(?<![\w-]){_YEAR}-?W(?:0[1-9]|[1-4]\d|5[0-3])(?![\w-])",
    "quarter": rf"""
        (?:\b[QH][1-4](?:(?:[ ,/-]{{1,2}}|[ ]of[ ]){_YEAR}\b|[ ]?{_SHORT_YEAR}|[ ](?:of[ ])?(?:last|this|next)[ ]year)?
           |(?<![\w-]){_YEAR}[ /-]?[QH][1-4]
           |\b{_ORDINAL_EN}[ ](?i:quarter)[ ](?:of[ ])?(?:{_YEAR}|(?i:(?:the|last|this|next)[ ]year))
           |\b(?i:перв|втор|трет|четв[её]рт)[а-яё]{{1,4}}[ ](?:квартал|полугоди)[а-яё]{{0,2}}(?:[ ]{_YEAR_RU}|{_ITS_YEAR_RU})?
        )\b""",
    "numbered_month": rf"""
        (?:(?<![\w/.-]){_YEAR}[-/](?:0[1-9]|1[0-2])(?![\w/-]|\.\d)
          |(?<![\w/.-])(?:0?[1-9]|1[0-2])/{_YEAR}(?![\w/-]|\.\d))""",
    "dotted_month": rf"(?<![\w/.-])(?:0[1-9]|1[0-2])\.{_YEAR}(?![\w/-]|\.\d)",
    "dotted": rf"(?<![\w.])\d{{1,2}}\.\d{{1,2}}\.{_YEAR}(?!\w|\.\d)",
    "slashed": rf"(?<![\w/])\d{{1,2}}/\d{{1,2}}/{_YEAR}(?![\w/])",
    "days": rf"""
        \b\d{{1,2}}(?:[ ]?[–—-][ ]?|[ ](?:and|to|по|и)[ ])\d{{1,2}}
        [ ](?:{_MONTH_EN}(?:,?[ ]{_YEAR})?|{_MONTH_RU}(?:[ ]{_YEAR_RU})?)\b""",
    "week_of": rf"""
        \b(?:(?i:(?:week|weekend)[ ](?:of|from|beginning|starting|commencing|ending))[ ](?:the[ ])?
              (?:{_DATE_EN}|{_YEAR}-\d\d-\d\d|{_HOLIDAY_EN}(?:[ ]{_YEAR})?)
           |(?i:недел[яеиюь](?:[ ]с)?)[ ](?:{_DATE_RU}|{_HOLIDAY_RU})
        )(?!\w)""",
    "nth": rf"""
        \b(?:(?:{_ORDINAL_EN}|(?i:last))[ ](?:(?i:day|week|weekend|month|quarter|half)|{_WEEKDAY_EN})[ ](?i:of|in)[ ]{_WHOLE_EN}
           |(?:{_ORDINAL_RU}|(?i:последн)[а-яё]{{2,3}})[ ]
              (?i:недел[яеиюь]|половин[аеуы]|день|дня|выходны[ехм]|месяц[ае]?|квартал[ае]?|{_WEEKDAY_RU})[ ]{_WHOLE_RU}
        )\b""",
    "rolling": rf"""
        \b(?:(?i:last|past|previous|next|coming|following)[ ](?:{_SOME_EN}|(?i:(?:a[ ])?few))[ ](?i:{_UNIT_EN}|quarters?)(?![ ]of\b)
           |(?i:past[ ](?:day|week|month|quarter|year))
           |(?i:последн|прошедш|прошл|ближайш|следующ)[а-яё]{{2,3}}[ ](?:{_COUNT_RU}|(?i:несколько))
              [ ]{_UNIT_RU}(?!(?<=минут|инуты|инуту)[ ][а-яё])
           |(?i:последн(?:юю|ей|ий|его|ем)|ближайш(?:ую|ей|ий|его|ем))[ ](?i:недел[юеи]|месяца?|квартала?|года?|сутки)
        )\b""",
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
    "shifted": rf"""
        \b(?:{_SHIFT_EN}[ ](?:(?i:week|month|quarter|year|weekend)|{_SEASON_EN}|{_MONTH_EN}|{_WEEKDAY_EN})
           |{_SHIFT_RU}[ ](?:недел[еюия]|месяц[еау]?|квартал[еау]?|год[уа]?|выходны[ех]|{_SEASON_RU}|{_MONTH_RU}|{_WEEKDAY_RU})
        )\b{_CLOCK}?""",
    "weekday": rf"\b(?:{_WEEKDAY_EN}(?:[ ](?:last|next|this)[ ]week)?|{_WEEKDAY_RU})\b(?![-\w]){_CLOCK}?",
    "holiday": rf"""
        \b(?:(?:(?i:last|this|next)[ ])?{_HOLIDAY_EN}(?:{_ITS_YEAR}|(?![\w]))
           |(?:{_SHIFT_RU}[ ])?{_HOLIDAY_RU}(?:[ ]{_YEAR_RU})?(?!\w))""",
    "season": rf"\b(?:{_SEASON_EN}(?:[ ](?:of[ ])?(?:{_YEAR}\b|{_SHORT_YEAR}))?|{_SEASON_RU}(?:[ ]{_YEAR_RU})?)(?!\w)",
    "short_year": r"(?<=['’])\d\d(?![\w'’])",
    "year": rf"(?<![\w.,:/-])(?:{_YEAR}\b(?![.,:/-]\d))(?:[ ]?(?:года|году|год|гг?\.))?",
}  # fmt: skip
"""The atoms by name, in order of precedence where several begin at one place."""

_BEGINNINGS: tuple[tuple[Iterable[str], str], ...] = (
    (MONTH, "date month"),
    (WEEKDAY, "weekday"),
    (SEASON, "season"),
    (NUMBER, "nth date ago quarter"),
    (("a",), "ago"),
    (("week", "weekend", "неделя", "недели", "неделе", "неделю"), "week_of"),
    (HOLIDAY, "holiday"),
    (UNIT, "ago"),
    (SHIFT, "nth rolling holiday shifted day"),
    (RELATIVE_DAY, "day"),
    (THIRD, "part"),
    (("the",), "date part day"),
    (("in", "через"), "ahead"),
    (("q1", "q2", "q3", "q4", "h1", "h2"), "quarter"),
    ((DIGIT,), "iso iso_week quarter numbered_month dotted_month dotted slashed days nth date ago short_year year"),
)


def _starts() -> dict[str, re.Pattern[str]]:
    """For each word that an atom can begin with, the atoms that may begin there."""
    names: dict[str, frozenset[str]] = {}
    for words, atoms in _BEGINNINGS:
        for word in words:
            names[word] = names.get(word, frozenset()) | set(atoms.split())
    every = dict(ATOMS)
    for code, language in LANGUAGES.items():
        theirs = {f"{code}_{name}": pattern for name, pattern in language.patterns.items()}
        every |= theirs
        for word in language.starts:
            names[word] = names.get(word, frozenset()) | frozenset(theirs)
        names[DIGIT] |= {f"{code}_date", f"{code}_rolling"}
    compiled = {
        chosen: re.compile(
            "|".join(f"(?P<{name}>{pattern})" for name, pattern in every.items() if name in chosen), re.VERBOSE
        )
        for chosen in set(names.values())
    }
    return {word: compiled[chosen] for word, chosen in names.items()}


STARTS = _starts()
