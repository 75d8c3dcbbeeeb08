"""Dates and times in a text, resolved against the time it was said.

Atoms (`calendar/atoms.py`) are found, the word before each says how it is bounded, and two joined by *to* or *and* make a range. A
date without a year is in the past next to a past tense, in the future next to a sign of the future, else whichever is nearer.
`docs/extraction.md` says what each expression means.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from ai_memory.extraction.calendar import chinese
from ai_memory.extraction.calendar.atoms import Direction, Seen, has_year, read
from ai_memory.extraction.calendar.intervals import Interval
from ai_memory.extraction.calendar.languages import (
    ARTICLES,
    FOREIGN_PREPOSITIONS,
    FRENCH_MARKS,
    JOINS,
    LANGUAGES,
    PREPOSITIONS,
    TENSES,
)
from ai_memory.extraction.calendar.tenses import tense
from ai_memory.extraction.calendar.words import BOUND, Bound
from ai_memory.extraction.values import TimeExpression
from ai_memory.extraction.words import Word

_CLAUSE_END = re.compile(r"[.!?…,;:\n]|\s[—–-]\s")
_CLAUSE_WORDS = 16
"""Words looked at on each side of a time for the clause's tense."""
_GAP = re.compile(r"\s+['’]?")
"""Between a preposition and its time: blanks, and the mark of a shortened year (*in '24*)."""
_JOIN = re.compile(rf"\s*(?:to|until|till|through|по|до|到|至|[–—-])\s*|\s+(?:{JOINS})\s+|\s+(?P<pair>and|и)\s+")
_BETWEEN = frozenset(("between", "from", "между", "с", "со"))
_OFTEN = frozenset(["every", "each", "any", "most", "каждый", "каждую", "каждое", "каждые", "любой"])

_YEARLESS = frozenset(("days", "date", "month", "weekday", "season", "quarter", "part", "nth", "week_of", "holiday"))
_PASSED_OVER = frozenset(("the", "mid", "of", "самого"))
_NEUTRAL = frozenset(["on", "in", "at", "during", "of", "в", "во", "за", "от"])
_NEEDS_PREPOSITION = frozenset(("month", "weekday", "year", "short_year", "dotted_month", "season", "holiday"))
_AROUND = _NEUTRAL | BOUND.keys() | _BETWEEN | {"and"}
_LASTING = frozenset(("over", "within", "throughout", "around", "на", "под", "течение"))
"""These belong to a stretch of time, but a number after them is seldom a year (*over 2020 rows*)."""
_LENGTHS = frozenset(("rolling", "holiday", "nth", "week_of"))
_FIRM = frozenset(("since", "until", "till", "by", "before", "after", "до", "после", "к"))
"""What bounds these: *for the last week*, *на Новый год* do not say that it is to come."""
_YEAR_WORD = re.compile(r"\d(?:[ ]?(?:года|году|год|гг?\.))$")
_NOMINATIVE_MONTH = re.compile("январь|февраль|март|апрель|май|июнь|июль|август|сентябрь|октябрь|ноябрь|декабрь")
_SHIFTED = re.compile(r"(?i:last|this|next|прошл|эт|следующ)")
_SOFT_PAST = frozenset(("с", "со"))
"""These say from when, which is usually the past, but not next to a sign of the future."""


class _Atom(NamedTuple):
    name: str
    start: int
    end: int
    text: str
    word: str
    """The word before it, case-folded; empty where there is none."""
    begins: int
    """Where that word begins, if it belongs to the expression; else `start`."""
    place: int
    """The place of its first word among the words of the text."""
    foreign: bool = False
    """In German, Spanish, French or Chinese; `text` is its translation."""
    certain: Literal["past", "near", ""] = ""
    """The direction of a date without a year, where the language says it without verbs."""


def find(text: str, words: Sequence[Word], said_at: dt.datetime | None) -> list[TimeExpression]:
    """The expressions whose meaning is certain, in order; those that need `said_at` are left out where it is None.

    `said_at` has a timezone, and days are the days of that zone. Never raises.
    """
    atoms = list(_atoms(text, words))
    found = []
    index = 0
    while index < len(atoms):
        joined = index + 1 < len(atoms) and _joined(text, atoms[index], atoms[index + 1])
        expression = (
            _range(text, words, atoms[index], atoms[index + 1], said_at)
            if joined
            else _single(text, words, atoms[index], said_at)
        )
        if expression:
            found.append(expression)
        index += 2 if joined else 1
    return found


def _atoms(text: str, words: Sequence[Word]) -> Iterator[_Atom]:
    wide = [
        _Atom(
            each.name,
            each.start,
            each.end,
            each.english,
            each.bound,
            each.start,
            0,
            True,
            "past" if each.past else "near",
        )
        for each in chinese.find(text)
    ]
    yield from (
        sorted([*wide, *_between_blanks(text, words)], key=lambda atom: atom.start)
        if wide
        else _between_blanks(text, words)
    )


def _between_blanks(text: str, words: Sequence[Word]) -> Iterator[_Atom]:
    end = 0
    for index, begin in enumerate(words):
        pattern = begin.lexeme.time
        if pattern is None or begin.start < end:
            continue
        match = pattern.match(text, begin.start)
        if match:
            start, end = match.span()
            before = _before(text, words, index)
            code, _, name = (match.lastgroup or "").partition("_")
            language = LANGUAGES.get(code)
            word = before.key if before else ""
            word = PREPOSITIONS.get(word) or (language and FOREIGN_PREPOSITIONS.get(word)) or word
            belongs = word in _NEUTRAL or word in _LASTING or word in BOUND or word == "between"
            begins = before.start if before and belongs else start
            if language is None:
                yield _Atom(match.lastgroup or "", start, end, match.group(), word, begins, index)
            elif match.group() != "hier" or not FRENCH_MARKS.isdisjoint(each.key for each in words):
                yield _Atom(name, start, end, language.translated(match.group()), word, begins, index, foreign=True)


def _before(text: str, words: Sequence[Word], index: int) -> Word | None:
    """The word before an atom with nothing but blanks between, articles and *mid* passed over."""
    while index > 0 and _GAP.fullmatch(text, words[index - 1].end, words[index].start):
        index -= 1
        if words[index].key not in _PASSED_OVER and words[index].key not in ARTICLES:
            return words[index]
    return None


def _counts(text: str, words: Sequence[Word], atom: _Atom) -> bool:
    """Return whether a word that may be something else (May, Monday meetings, 2024, spring) is a time here."""
    if atom.word in _OFTEN:
        return False
    if atom.certain:
        return True
    if atom.name not in _NEEDS_PREPOSITION:
        return True
    if atom.name == "season":
        if has_year(atom.text) or (atom.word in BOUND and atom.word not in ("to", "for", "на", "по")):
            return True
        # *It does not run in winter* is about every winter, *where were we in winter* about one.
        placed = atom.word in _AROUND or atom.word in _LASTING or not atom.text.isascii()
        return placed and set(_tenses(text, words, atom)) - {""} == {"past"}
    if atom.name == "holiday" and (has_year(atom.text) or _SHIFTED.match(atom.text) or atom.word in _LASTING):
        return True
    if atom.name == "holiday" and atom.word == "and":
        return False
    if atom.name in ("year", "short_year"):
        return atom.word in _AROUND or _YEAR_WORD.search(atom.text) is not None
    if atom.foreign and atom.name == "weekday":
        return True
    if atom.name == "month" and (has_year(atom.text) or _NOMINATIVE_MONTH.fullmatch(atom.text)):
        return True
    if atom.name == "weekday" and atom.text.isupper():
        return True
    return atom.word in _AROUND or text[atom.end : atom.end + 1] == ""


def _direction(text: str, words: Sequence[Word], atom: _Atom, bound: Bound) -> Direction:
    """Whether a date without a year is past or future: as its preposition says, else as the clause's verbs do."""
    if atom.certain and not bound.direction:
        return atom.certain
    if bound.direction == "past" and atom.word not in _SOFT_PAST:
        return "past"
    if bound.direction == "future":
        return "future"
    tenses = set(_tenses(text, words, atom))
    if "past" in tenses:
        return "past"
    if "future" in tenses:
        return "future"
    return "past" if bound.direction == "past" else "near"


def _tenses(text: str, words: Sequence[Word], atom: _Atom) -> Iterator[str]:
    """The tenses of the words of the clause around an atom."""
    for step in (-1, 1):
        index, place = atom.place, atom.start if step < 0 else atom.end
        for _ in range(_CLAUSE_WORDS):
            index += step
            if not 0 <= index < len(words):
                break
            word = words[index]
            if step > 0 and word.start < atom.end:
                continue
            gap = text[word.end : place] if step < 0 else text[place : word.start]
            if gap != " " and _CLAUSE_END.search(gap):
                break
            place = word.start if step < 0 else word.end
            if word.initial or not word.capital:
                yield (TENSES.get(word.key, "") if atom.foreign else "") or tense(word.key)


def _seen(text: str, words: Sequence[Word], atom: _Atom, bound: Bound, said_at: dt.datetime | None) -> Seen:
    local = said_at.replace(tzinfo=None) if said_at else None
    zone = said_at.tzinfo if said_at and said_at.tzinfo else dt.UTC
    absolute = atom.name not in _YEARLESS or has_year(atom.text)
    return Seen(local, zone, "near" if absolute else _direction(text, words, atom, bound))


def _single(text: str, words: Sequence[Word], atom: _Atom, said_at: dt.datetime | None) -> TimeExpression | None:
    if not _counts(text, words, atom):
        return None
    bound = BOUND.get(atom.word, Bound())
    if atom.name in _LENGTHS and atom.word not in _FIRM:
        bound = Bound()
    if atom.name == "days":
        bound = Bound(direction=bound.direction if bound.closes else None)
    seen = _seen(text, words, atom, bound, said_at)
    interval = read(atom.name, atom.text, seen)
    if interval is None:
        return None
    ends = atom.name == "part" and re.search(r"\bend\b|\bкон", atom.text) is not None
    return _expression(text, atom.begins, atom.end, _bounded(interval, bound, ends), seen)


def _bounded(interval: Interval, bound: Bound, ends: bool) -> Interval:
    if bound.opens:
        return Interval(interval.end if bound.excludes else interval.start, None)
    if bound.closes:
        return Interval(None, interval.start if bound.excludes and not ends else interval.end)
    return interval


def _joined(text: str, first: _Atom, second: _Atom) -> bool:
    join = _JOIN.fullmatch(text, first.end, second.start)
    return join is not None and (join["pair"] is None or first.word in _BETWEEN)


def _range(
    text: str, words: Sequence[Word], first: _Atom, second: _Atom, said_at: dt.datetime | None
) -> TimeExpression | None:
    """From the first atom to the end of the second: where one has no year, it is the nearest such date on its side of the other."""
    seen = _seen(text, words, second, Bound(), said_at)
    if has_year(first.text) and second.name in _YEARLESS and not has_year(second.text):
        begin = read(first.name, first.text, seen)
        if begin is None or begin.start is None:
            return None
        end = read(second.name, second.text, Seen(begin.start, seen.zone, "future"))
    else:
        end = read(second.name, second.text, seen)
    if end is None or end.start is None:
        return None
    start = read(
        first.name, first.text, Seen(end.start, seen.zone, "past") if said_at or has_year(second.text) else seen
    )
    if start is None or start.start is None or end.end is None or start.start > end.end:
        return None
    return _expression(text, first.begins, second.end, Interval(start.start, end.end), seen)


def _expression(text: str, start: int, end: int, interval: Interval, seen: Seen) -> TimeExpression | None:
    try:
        since, until = (
            edge.replace(tzinfo=seen.zone).astimezone(dt.UTC) if edge else None
            for edge in (interval.start, interval.end)
        )
    except OverflowError:
        return None  # the first or last day of the calendar, in another zone
    return TimeExpression(start, end, text[start:end], since, until)
