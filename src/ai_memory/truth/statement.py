"""A statement: one remembered text, as far as it is compared with others."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ai_memory.text.analysis import analyse, forget_with_words
from ai_memory.text.stopwords import ALL
from ai_memory.text.terms import EXACT, SECOND

TOGETHER = 3_600_000_000
"""Memories without a date of their own that were stored less than an hour apart, in microseconds, came together: an import, a page
of notes. Which of them was written down first says nothing.
"""


_SHORT = 1_000
"""The terms of texts up to so many characters are kept: hits are the same ones again and again."""


class Statement(NamedTuple):
    """What is known of a remembered text, or of the passage of it that is compared."""

    terms: tuple[str, ...]
    """The index terms of its text in their order, without exact forms."""
    words: frozenset[str]
    """The same without function words."""
    asks: bool
    """Whether it is a question itself: that has no value to give."""
    author: str | None
    when: int
    """When it happened or began to be true: microseconds since the epoch."""
    dated: bool
    """Whether that was given with it; else it is when it was stored."""
    score: float = 0.0
    """Of a hit: its score."""
    cosine: float = float("nan")
    """Of a hit: its cosine with the question; NaN where there is no vector."""
    text: str = ""
    """The text itself; where it is empty, only the terms are compared."""
    user: str | None = None
    context: str = ""


def statement(
    text: str,
    when: int,
    *,
    dated: bool = True,
    asks: bool = False,
    author: str | None = None,
    user: str | None = None,
    context: str = "",
    score: float = 0.0,
    cosine: float = float("nan"),
) -> Statement:
    """A text as a statement. Never raises; a text without words is one that is like no other."""
    terms = terms_of(text)
    words = frozenset(terms) - ALL
    return Statement(terms, words, asks, author, when, dated, score, cosine, text, user, context)


def terms_of(text: str) -> tuple[str, ...]:
    """The index terms of a text in their order, without exact forms and second stems; empty for a text without words."""
    return _terms_of(text) if len(text) <= _SHORT else _terms_of.__wrapped__(text)


@lru_cache(maxsize=4096)
def _terms_of(text: str) -> tuple[str, ...]:
    return tuple(term for term in analyse(text) if term[0] not in (EXACT, SECOND))


forget_with_words(_terms_of.cache_clear)


def apart(first: Statement, second: Statement) -> bool:
    """Return whether one of two statements is newer than the other."""
    between = abs(first.when - second.when)
    return between > 0 if first.dated and second.dated else between >= TOGETHER
