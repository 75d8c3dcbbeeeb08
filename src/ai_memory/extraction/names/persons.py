"""Names of people: first names, initials, patronymics, family names, and their nominatives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ai_memory.extraction.gazetteer import names
from ai_memory.extraction.names import words as near
from ai_memory.extraction.names.declension import like, nominatives
from ai_memory.extraction.values import Kind
from ai_memory.extraction.words import Word
from ai_memory.text import stopwords

LONGEST = 4
"""Words of the longest person's name."""
_STOP = stopwords.ENGLISH | stopwords.RUSSIAN
_PATRONYMIC = re.compile(rf"[А-ЯЁ][а-яё]+(?:{'|'.join(near.PATRONYMIC)})")
_SURNAME = re.compile(rf"[а-яё]{{2,}}(?:{'|'.join(near.SURNAME)})")
_LATER_NAME = re.compile(rf"{_SURNAME.pattern}|[а-яё]+(?:ич|на)")
_CANDIDATES = 4
"""Nominatives of a form that are checked for the ending of a family name."""
_IRISH = re.compile(r"O['’][A-Z]\w+|Mc[A-Z]\w+")


def is_patronymic(word: Word) -> bool:
    """Return whether a word is a Russian patronymic in any case (Сергеевна, Викторовичем)."""
    return _PATRONYMIC.fullmatch(word.text) is not None


def is_family(word: Word) -> bool:
    """Return whether a word is a family name by its spelling alone (O'Brien, McKay)."""
    return _IRISH.fullmatch(word.text) is not None


def surname(word: Word) -> str | None:
    """The nominative of a Russian family name, recognised by its ending; None for any other word."""
    return next((form for form in nominatives(word.key)[:_CANDIDATES] if _SURNAME.fullmatch(form)), None)


def first_name(word: Word) -> str | None:
    """The nominative of a first name as its key, a double name (Jean-Luc) by its first half; None where it is none."""
    for part in (word.key, word.key.partition("-")[0]):
        for candidate in nominatives(part):
            entry = names().entries.get(candidate)
            if entry and Kind.PERSON in entry.kinds and not entry.family and part not in _STOP:
                return candidate if part == word.key else word.key
    return None


def full_name(words: Sequence[Word], *, titled: bool) -> tuple[str, ...]:
    """The nominatives of a person's name of several words at the beginning of `words`; empty where there is none.

    `words` are written as one name; `titled` says that a title precedes them. The result has one part for each word that belongs
    to the name.
    """
    words = words[:LONGEST]
    letters = [word for word in words if len(word.text) == 1]
    if letters and len(words[-1].text) > 2 and len(letters) == len(words) - 1 and words[-1] not in letters:
        return tuple(word.text for word in words)  # J. Doe, Е. В. Крылов
    first = first_name(words[0])
    if first is None and not titled:
        return ()
    count = next(
        (place for place, word in enumerate(words) if place and word.key in near.ORGANISATION_WORDS), len(words)
    )
    while count > 1 and not words[count - 1].capital:
        count -= 1
    return _nominatives(words[:count], first or words[0].key) if count > 1 else ()


def _nominatives(words: Sequence[Word], first: str) -> tuple[str, ...]:
    """Each word of a name in the nominative, given that of the first name; all as they are where the first name is."""
    if first == words[0].key:
        return tuple(word.text for word in words)
    feminine = first.endswith(("а", "я", "ь"))
    found = [like(words[0].text, first)]
    for word in words[1:]:
        fitting = (form for form in nominatives(word.key)[1:] if _LATER_NAME.fullmatch(form))
        form = next((form for form in fitting if form.endswith(("а", "я")) == feminine), word.key)
        found.append(like(word.text, form))
    return tuple(found)
