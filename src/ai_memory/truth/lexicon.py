"""Closed word classes of English, Russian, German and Chinese: what the words of a statement say about time, number, attribute.

The lists are in `data/`; words are looked up by their index terms, so that inflected forms of one stem need one entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ai_memory.truth.statement import terms_of

_FOLDER = Path(__file__).parent / "data"

Phrases = dict[str, list[tuple[tuple[str, ...], str]]]
"""By its first term: the whole phrase as terms, and its class."""


class Lexicon(NamedTuple):
    """All word classes."""

    cues: Phrases
    """Change, end, negation, …: the classes of `data/cues.txt`."""
    attributes: Phrases
    """The attributes of `data/attributes.txt`."""
    people: Phrases
    """The persons of `data/people.txt`."""
    contrasts: Phrases
    """The words of `data/contrasts.txt`, each as its line and itself, with a colon between."""
    days: Phrases
    """The weekdays, months, seasons and feasts of `data/days.txt`."""
    numbers: dict[str, str]
    """By a word of `data/numbers.txt`, case-folded: its number in digits."""
    single: frozenset[str]
    """The attributes of which a subject has one value at a time."""


@cache
def lexicon() -> Lexicon:
    """The word classes, read once."""
    cues: Phrases = {}
    attributes: Phrases = {}
    people: Phrases = {}
    contrasts: Phrases = {}
    days: Phrases = {}
    numbers: dict[str, str] = {}
    single: set[str] = set()
    for line in _lines("cues.txt"):
        name, _, words = line.split(" ", 2)
        _add(cues, name, words)
    for line in _lines("attributes.txt"):
        name, number, _, words = line.split(" ", 3)
        _add(attributes, name, words)
        if number == "one":
            single.add(name)
    for line in _lines("people.txt"):
        name, words = line.split(": ", 1)
        _add(people, name, words)
    for line in _lines("contrasts.txt"):
        name, words = line.split(": ", 1)
        for word in words.split(", "):
            terms = terms_of(word)
            _add(contrasts, f"{name}:{' '.join(terms)}", word)
    for line in _lines("days.txt"):
        _add(days, *line.split(": ", 1))
    for line in _lines("numbers.txt"):
        number, words = line.split(": ", 1)
        numbers |= dict.fromkeys(words.split(", "), number)
    return Lexicon(cues, attributes, people, contrasts, days, numbers, frozenset(single))


def classes(terms: Sequence[str], phrases: Phrases) -> frozenset[str]:
    """The classes of which a text has a word or phrase; empty for no terms."""
    found: set[str] = set()
    for at, term in enumerate(terms):
        for phrase, name in phrases.get(term, ()):
            if len(phrase) == 1 or tuple(terms[at : at + len(phrase)]) == phrase:
                found.add(name)
    return frozenset(found)


def _lines(name: str) -> Iterator[str]:
    for line in (_FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def _add(phrases: Phrases, name: str, words: str) -> None:
    for written in words.split(", "):
        terms = terms_of(written)
        if terms and (terms, name) not in phrases.setdefault(terms[0], []):
            phrases[terms[0]].append((terms, name))
