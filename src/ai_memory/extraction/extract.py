"""From a text and the time it was said to mentions, times and statements: the entry point of extraction.

Everything is recognised by spelling, by lists of names and by the surrounding words; no model is used and no file is read but the
lists that come with the package. All languages are read in one pass, so the language of a text need not be given: English and
Russian, and the dates and times of German, Spanish, French and Chinese.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable, Iterable

from ai_memory.errors import InvalidInputError
from ai_memory.extraction import frames, shapes, statements, times, words
from ai_memory.extraction.calendar import tenses
from ai_memory.extraction.names import declension
from ai_memory.extraction.names import recognition as names
from ai_memory.extraction.values import Extraction, Mention, TimeExpression

VERSION = "2"
"""Must be raised with every change to what is found, so that texts which were read before are read again."""

Finder = Callable[[str], Iterable[Mention]]
"""Finds names in a text; spans count its characters."""


def extract(text: str, *, said_at: dt.datetime | None = None, model: Finder | None = None) -> Extraction:
    """What `text` names and states, with the spans of all of it; an empty Extraction for a text without names.

    `said_at` is when the text was said, with a timezone: its days are the days that *yesterday* and *15 March* mean. Without it
    only times that name their year are found. The same text and time always give the same answer, and all characters are
    accepted: NUL, lone surrogates, any script. Time is linear in the text's length.

    `model`, such as `gliner.NameModel(folder).find`, adds the names that it finds where none was found yet.

    Raises InvalidInputError for a `text` that is not a string and a `said_at` without a timezone.
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"text must be a string, not {type(text).__name__}")
    if said_at is not None and said_at.utcoffset() is None:
        raise InvalidInputError(
            f"said_at has no timezone: {said_at.isoformat()}",
            hint="Give an aware datetime, such as datetime.now(timezone.utc).",
        )
    cut = words.split(text)
    shaped = shapes.find(text)
    when = times.find(text, cut, said_at)
    verbs = frames.find(text, ((word.start, word.lexeme.verbs) for word in cut if word.lexeme.verbs))
    taken = [(expression.start, expression.end) for expression in when]
    mentions = sorted(shaped + names.find(text, cut, shaped, taken, verbs))
    if model is not None:
        mentions = _with_more(mentions, taken, model(text))
    stated = statements.find(text, mentions, when, verbs, said_at)
    return Extraction(tuple(mentions), tuple(when), tuple(stated))


def times_named(text: str, said_at: dt.datetime) -> tuple[TimeExpression, ...]:
    """The dates and times in `text` alone, as `extract` finds them; `said_at` has a timezone. Never raises."""
    return tuple(times.find(text, words.split(text), said_at))


def _with_more(mentions: list[Mention], times: list[tuple[int, int]], more: Iterable[Mention]) -> list[Mention]:
    """All mentions, together with those of `more` that overlap neither a mention nor a time."""
    taken = sorted([*((mention.start, mention.end) for mention in mentions), *times])
    starts = [start for start, _ in taken]

    def is_free(mention: Mention) -> bool:
        place = bisect_left(starts, mention.end)
        return place == 0 or taken[place - 1][1] <= mention.start

    return sorted([*mentions, *filter(is_free, more)])


def forget_words() -> None:
    """Empty the caches of words, so that none outlives the text it came from."""
    words.lexeme.cache_clear()
    declension.nominatives.cache_clear()
    tenses.tense.cache_clear()
