"""How many tokens a text will cost a language model, without asking one: for budgets, where being near is enough."""

from __future__ import annotations

import re

from ai_memory.text.words import WIDE_SCRIPTS

_WIDE = re.compile(f"[{WIDE_SCRIPTS}\U0001f000-\U0001faff]")
_ASCII_PER_TOKEN = 4.0
_OTHER_PER_TOKEN = 2.5


def estimate_tokens(text: str) -> int:
    """An estimate that is the same on every machine; 0 for an empty text, at least 1 for any other.

    One token a character for Chinese, Japanese, Korean, Thai and emoji, one for every 4 ASCII characters and one for every
    2.5 of any other script: the rule of thumb of byte-pair vocabularies, rounded up.
    """
    if not text:
        return 0
    if text.isascii():
        return -int(-len(text) // _ASCII_PER_TOKEN)
    wide = len(_WIDE.findall(text))
    ascii_count = len(text.encode("ascii", "ignore"))
    other = len(text) - ascii_count - wide
    return max(1, wide + -int(-(ascii_count / _ASCII_PER_TOKEN + other / _OTHER_PER_TOKEN) // 1))
