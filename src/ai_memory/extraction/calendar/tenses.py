"""Which tense a word by itself indicates: enough to decide whether *on Friday* is in the past or in the future."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from ai_memory.extraction.calendar.words import words_of

_REMEMBERED = 65_536
_PAST = frozenset(
    words_of(
        """
        was were had did went came got made said told gave took left met saw sent found felt kept lost held ran began
        became broke bought brought built chose cut drove fell flew forgot grew hit knew led paid put read rose sat
        sold shut slept spent spoke stood taught thought threw wore won wrote born done gone been
        """
    )
)
"""Past forms of irregular English verbs."""
_FUTURE = frozenset(
    words_of(
        """
        will shall won't going must should is are due deadline deadlines plan plans planned scheduled upcoming expire
        expires end ends start starts begin begins open opens ship ships arrive arrives leave leaves будет будут будем
        буду будешь нужно надо должен должна должно должны
        """
    )
)
"""Signs of what is to come, the present of timetables included (*the demo is on Friday*)."""
_PAST_ENDING = re.compile(r"[a-z]{2,}ed|[а-я]{2,}(?:л|ла|ло|ли|лся|лась|лось|лись)")
_FUTURE_BEGINNING = ("план", "срок", "дедлайн")


@lru_cache(maxsize=_REMEMBERED)
def tense(key: str) -> Literal["past", "future", ""]:
    """The tense of a case-folded word with е for ё; empty for a word that has none."""
    if key in _FUTURE or key.startswith(_FUTURE_BEGINNING) or key.endswith("'ll"):
        return "future"
    if key in _PAST or _PAST_ENDING.fullmatch(key):
        return "past"
    return ""
