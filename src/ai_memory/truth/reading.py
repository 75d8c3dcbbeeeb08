"""What one statement says by its wording alone: whom and what it is about, which numbers and days it has, how it speaks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ai_memory.text.analysis import forget_with_words
from ai_memory.text.stopwords import ALL, FIRST_PERSON, FIRST_PERSON_WIDE
from ai_memory.truth.lexicon import classes, lexicon
from ai_memory.truth.statement import Statement, terms_of

_MOST_CHARACTERS = 2_000
"""So much of a text is read: what a statement is about, it says at its beginning."""
_MOST_TERMS = 300
_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")
_SENTENCE = re.compile(r"[.!?;:…]\s*[\"“«„(]*$|^\W*$|[\n→]\s*$")
_OWNER = re.compile(r"([^\W_]+(?:[-\s][A-Z][^\W_]+)?)['’]s?\b(?!t\b|re\b|ve\b|ll\b|d\b|m\b)")
_NUMBER = re.compile(r"(?<![^\W_])[#v€$£]?\s?(\d[\d.,:\-\s/]*\d|\d)\s?(%|°|€|\$|£|[^\W\d_]+)?")
_MINUS = re.compile(r"(?:^|[\s(])[-\u2212]\Z")
"""A minus at the end of what is before a number, which is no hyphen: *-250 degrees*, but not *AB-250*."""
_MARKS_OF_NUMBERS = re.compile(r"[\s,\-/]")
_CODE = re.compile(r"[@/_#\\]|[a-z][A-Z]")
_LETTER = re.compile(r"[^\W\d_]")
_ARTICLE = re.compile(r"\b(?:a|an|ein|eine|einen|einer)\b", re.IGNORECASE)
_MAY_THE_MONTH = re.compile(
    r"\b(?:in|of|by|until|till|since|from|to|on|next|last|early|late|mid|\d{1,2}(?:st|nd|rd|th)?) May\b|\bMay \d"
)
"""*May* as a month, and not what may be."""
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


class Number(NamedTuple):
    """A number of a text."""

    value: str
    """Its digits in one way of writing: without blanks and separators of thousands."""
    unit: str
    """The word or sign after it, or before it; empty where none is."""


class Reading(NamedTuple):
    """What was read in a statement; all words are index terms or case-folded."""

    cues: frozenset[str]
    attributes: frozenset[str]
    people: frozenset[str]
    owners: frozenset[str]
    """What something belongs to: *Ada's*, *the shop's*."""
    names: frozenset[str]
    """Capitalised words that do not begin a sentence."""
    begins: str
    """The first word that is no function word; empty where there is none."""
    first_person: bool
    numbers: tuple[Number, ...]
    days: frozenset[str]
    """Weekdays, months, seasons, feasts and years."""
    contrasts: frozenset[str]
    """Words that name one of several kinds: the name of their line in `data/contrasts.txt`, a colon, and the word."""
    codes: frozenset[str]
    """Addresses, paths, identifiers."""
    articles: bool
    """Whether something is named by an indefinite article."""
    content: tuple[str, ...]
    """The terms that are no function words, in order."""


def read(said: Statement) -> Reading:
    """Read the beginning of a statement; where the text is not given, its terms."""
    return _read((said.text or " ".join(said.terms))[:_MOST_CHARACTERS], said.terms[:_MOST_TERMS])


def comparable(first: Statement, second: Statement) -> bool:
    """Return whether two statements can be about the same: of one user, *I* the same person, neither of them a question."""
    if first.asks or second.asks or not (first.words and second.words) or first.user != second.user:
        return False
    return first.author == second.author or not (read(first).first_person or read(second).first_person)


@lru_cache(maxsize=4096)
def _read(text: str, terms: tuple[str, ...]) -> Reading:
    words = lexicon()
    content = tuple(term for term in terms if term not in ALL)
    names: set[str] = set()
    for found in _WORD.finditer(text):
        word = found[0]
        if word[0].isupper() and len(word) > 1 and not _SENTENCE.search(text, max(0, found.start() - 8), found.start()):
            names.update(terms_of(_bare(word)))
    return Reading(
        cues=classes(
            terms if _MAY_THE_MONTH.search(text) is None else [each for each in terms if each != "may"], words.cues
        ),
        attributes=classes(terms, words.attributes),
        people=classes(terms, words.people),
        owners=frozenset(term for found in _OWNER.finditer(text) for term in terms_of(found[1])) - ALL,
        names=frozenset(names) - ALL,
        begins=content[0] if content else "",
        first_person=not FIRST_PERSON.isdisjoint(_WORD.findall(text.casefold()))
        or any(each in text for each in FIRST_PERSON_WIDE),
        numbers=tuple(_numbers(text)),
        days=frozenset(_days(terms, text)),
        contrasts=classes(terms, words.contrasts),
        codes=frozenset(
            piece.casefold().strip(".,;:!?()")
            for piece in text.split()
            if _CODE.search(piece) and _LETTER.search(piece)
        ),
        articles=bool(_ARTICLE.search(text)),
        content=content,
    )


forget_with_words(_read.cache_clear)


def _bare(word: str) -> str:
    return re.sub(r"['’]s?$", "", word)


def _numbers(text: str) -> list[Number]:
    found = []
    for match in _NUMBER.finditer(text):
        value = _MARKS_OF_NUMBERS.sub("", match[1]).rstrip(".:")
        sign = "-" if _MINUS.search(text[max(0, match.start(1) - 2) : match.start(1)]) else ""
        unit = (match[2] or "").casefold()
        before = text[max(0, match.start() - 1) : match.start(1)].strip()
        found.append(Number(sign + (value.lstrip("0") or "0"), unit or (before if before in "#v€$£" else "")))
    numbers = lexicon().numbers
    spelled = [word.casefold() for word in _WORD.findall(text)]
    for at, word in enumerate(spelled):
        number = numbers.get(word)
        if number is not None:
            found.append(Number(number, spelled[at + 1] if at + 1 < len(spelled) else ""))
    return found


def _days(terms: tuple[str, ...], text: str) -> set[str]:
    return {name.split(":")[0] for name in classes(terms, lexicon().days)} | set(_YEAR.findall(text))
