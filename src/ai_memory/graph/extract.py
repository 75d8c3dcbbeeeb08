"""From a text and the time it was said to mentions, times and statements: the one door of extraction.

Everything is told by spelling, by lists of names and by the words around; no model is asked and nothing is read but the lists that
come with the package. English and Russian are read in one pass, so nobody has to say which of the two a text is.
"""

from __future__ import annotations

import datetime as dt

from ai_memory.errors import InvalidInputError
from ai_memory.graph import declension, frames, names, shapes, statements, tenses, times, words
from ai_memory.graph.values import Extraction


def extract(text: str, *, said_at: dt.datetime | None = None) -> Extraction:
    """What `text` names and states, with the spans of all of it; an empty Extraction for a text without names.

    `said_at` is when the text was said, with a timezone: its days are the days that *yesterday* and *15 March* mean. Without it
    only times with a year of their own are given. The same text and time always give the same answer, and any characters do:
    NUL, lone surrogates, any script. Time grows with the text's length alone.

    Raises InvalidInputError for a `text` that is no string and a `said_at` without a timezone.
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
    verbs = frames.find(text, cut)
    taken = [(expression.start, expression.end) for expression in when]
    mentions = sorted(shaped + names.find(text, cut, shaped, taken, verbs))
    stated = statements.find(text, mentions, when, verbs, said_at)
    return Extraction(tuple(mentions), tuple(when), tuple(stated))


def forget_words() -> None:
    """Drop the remembered words of all texts, so that none outlives the text it came from."""
    words.lexeme.cache_clear()
    frames.beginning_with.cache_clear()
    declension.nominatives.cache_clear()
    tenses.tense.cache_clear()
