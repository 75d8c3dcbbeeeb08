"""Properties of a text as a whole: whether it asks, how many tokens it costs, and the label it is shown under."""

from __future__ import annotations

import re

from ai_memory.text.words import WIDE_SCRIPTS

LABEL_CHARACTERS = 80
"""Characters of a text that stand in for a title."""

_QUESTION_MARKS = ("?", "\uff1f", "\u061f", "\u037e", "\u203d", "\u2047", "\u2048", "\u2049")
"""The question marks of Latin and Cyrillic, East Asian, Arabic and Greek script, and the doubled ones."""
_AFTER_MARK = "!.\u2026\"'\u201d\u2019\u00bb)]*_ \t\r\n"
"""What may follow a question mark without turning the question into something else."""
_WIDE = re.compile(f"[{WIDE_SCRIPTS}\U0001f000-\U0001faff]")
_ASCII_PER_TOKEN = 4.0
_OTHER_PER_TOKEN = 2.5


def asks(text: str) -> bool:
    """Return whether a text ends with a question mark, closing quotes and brackets aside; False for an empty one."""
    return text.rstrip(_AFTER_MARK).endswith(_QUESTION_MARKS)


def estimate_tokens(text: str) -> int:
    """How many tokens a text costs a language model, estimated: 0 for an empty text, at least 1 for any other.

    One token per character of Chinese, Japanese, Korean, Thai and emoji, one for every 4 ASCII characters and one for every
    2.5 of any other script: the rule of thumb of byte-pair vocabularies, rounded up. No tokenizer is asked, so the estimate is the
    same on every machine; it is for budgets, where being near is enough.
    """
    if not text:
        return 0
    if text.isascii():
        return -int(-len(text) // _ASCII_PER_TOKEN)
    wide = len(_WIDE.findall(text))
    ascii_count = len(text.encode("ascii", "ignore"))
    other = len(text) - ascii_count - wide
    return max(1, wide + -int(-(ascii_count / _ASCII_PER_TOKEN + other / _OTHER_PER_TOKEN) // 1))


def label_of(title: str | None, text: str) -> str:
    """The label of a memory in a graph: its title, or the first `LABEL_CHARACTERS` characters of its text."""
    return text[:LABEL_CHARACTERS] if title is None else title
