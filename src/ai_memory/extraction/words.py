"""A text cut into words once, for all who read words: times, verbs and names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from ai_memory.extraction.calendar.patterns import DIGIT, STARTS
from ai_memory.extraction.frames import Frame, beginning_with
from ai_memory.extraction.gazetteer import Entry, key, names

_WORD = re.compile(r"[^\W\d_]\w*(?:[-'’.&+][^\W_]+)*(?:\+\+|\#(?!\w))?|\d+(?:[.]\d+)*[a-z]{0,3}")
_POSSESSIVE = re.compile(r".+['’][sS]")
_BOUNDARY = re.compile(r"[.!?…:;\n\t•|\"“„«(\[]|^\s*[-*]\s")
_PARTS = re.compile("[-'’]")
_CAMEL = re.compile(r"[a-z][A-Z]\w+")
ABBREVIATED = frozenset(["dr", "mr", "mrs", "ms", "prof", "st", "jr", "sr", "vs", "etc", "г", "ул", "им"])
"""A full stop after these does not end a sentence."""
_REMEMBERED = 65_536


class Lexeme(NamedTuple):
    """What a word is in any text; cached by its spelling."""

    text: str
    """Without a possessive ending."""
    key: str
    """As it is looked up: case-folded, е for ё."""
    capital: bool
    possessive: bool
    entry: Entry | None
    """What the lists know of the word as a name."""
    time: re.Pattern[str] | None
    """The pattern of the times that may begin with the word; None where none does."""
    verbs: tuple[Frame, ...]
    """The verbs of statements that may begin with the word."""
    plain: bool
    """A word without a capital that neither a list nor its spelling makes a possible (beginning of a) name."""


class Word(Struct, frozen=True, gc=False):
    """One word of a text; `text[start:end]` is its lexeme's text."""

    start: int
    end: int
    lexeme: Lexeme
    initial: bool
    """Begins a sentence, a line, a quotation or the text after a colon: a capital means nothing there."""

    @property
    def text(self) -> str:
        """The word as it is written, without a possessive ending."""
        return self.lexeme.text

    @property
    def key(self) -> str:
        """The word as it is looked up."""
        return self.lexeme.key

    @property
    def capital(self) -> bool:
        """Whether it has a capital letter that suggests a name."""
        return self.lexeme.capital

    @property
    def possessive(self) -> bool:
        """Whether it was followed by a possessive ending."""
        return self.lexeme.possessive

    @property
    def entry(self) -> Entry | None:
        """What the lists know of it as a name."""
        return self.lexeme.entry


@lru_cache(maxsize=_REMEMBERED)
def lexeme(written: str) -> Lexeme:
    """The lexeme of a word as it is written."""
    possessive = _POSSESSIVE.fullmatch(written) is not None
    text = written[:-2] if possessive else written
    folded = key(text)
    capital = text[0].isupper() or _CAMEL.match(text) is not None
    entry = names().entries.get(folded)
    plain = not capital and (entry is None or entry.word) and "-" not in text
    time = STARTS.get(DIGIT if folded[:1].isdigit() else _PARTS.split(folded, maxsplit=1)[0])
    return Lexeme(text, folded, capital, possessive, entry, time, beginning_with(folded), plain)


def split(text: str) -> list[Word]:
    """The words and numbers of a text, in order; empty for one without letters and digits. Never raises."""
    words: list[Word] = []
    position = 0
    before: Lexeme | None = None
    for match in _WORD.finditer(text):
        start, end = match.span()
        this = lexeme(match.group())
        if start - position == 1 and text[position] == " ":
            initial = before is None
        else:
            initial = before is None or _begins(text[position:start], before)
        words.append(Word(start, start + len(this.text), this, initial))
        position, before = end, this
    return words


def _begins(gap: str, before: Lexeme) -> bool:
    abbreviated = gap == ". " and (len(before.text) == 1 or before.key in ABBREVIATED)
    return not abbreviated and _BOUNDARY.search(gap) is not None
