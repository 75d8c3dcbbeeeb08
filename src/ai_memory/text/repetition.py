"""Whether a short remark repeats a text, or a part of it that gives it away.

For what is kept when a text is erased: `forget` keeps its reason in the log forever, so a reason that quotes the memory
would keep what was to be forgotten. A remark has to be able to say what kind of memory it was ("an old address"), so common
words may be shared. Refused are, after case, accents, punctuation, spacing, invisible characters and Unicode compatibility
forms are evened out:

- the whole text, whatever its length;
- consecutive words of it: six, or in a text of fewer than twelve words half of them and at least three; two of them must
  carry meaning, so that phrases such as "at the end of" do not count. Where a script puts no spaces between words, two
  characters count as one word;
- what identifies by itself: nine digits in a row, whatever separates them (card, phone and account numbers, but no dates);
  a word of six or more characters with letters and digits (passwords, keys, ids); an e-mail address.

One ordinary word, or two, cannot be distinguished from shared vocabulary: a password that is a plain word, or a name, passes
unless it is the whole text. The same holds for a paraphrase.
"""

from __future__ import annotations

import math
import re

from ai_memory.text import stopwords
from ai_memory.text.words import MARKS, WIDE_SCRIPTS, fold, visible

_FEWEST_WORDS, _MOST_WORDS = 3, 6
_MEANINGFUL = 2
_IDENTIFYING_DIGITS = 9
"""More than a date has, and as many as the shortest national numbers of persons and phones."""
_IDENTIFYING_CHARACTERS = 6

_WIDE = re.compile(f"[{WIDE_SCRIPTS}]")
_WORD = re.compile(rf"[{WIDE_SCRIPTS}]|(?:[^\W_{WIDE_SCRIPTS}]|[{MARKS}])+")
_ADDRESS = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+\.\w+")
_NUMBER = re.compile(r"\d(?:[\s().+/-]*\d)*")
_STOP = stopwords.ENGLISH | stopwords.RUSSIAN | stopwords.GERMAN


class Remark:
    """A remark that texts are compared with; what it says is taken apart once for any number of texts."""

    def __init__(self, remark: str) -> None:
        plain = _even(remark)
        words = _WORD.findall(plain)
        self._padded = _padded(words)
        self._runs = {count: _runs(words, count) for count in range(_FEWEST_WORDS, _MOST_WORDS + 1)}
        addresses = (_padded(_WORD.findall(address)) for address in _ADDRESS.findall(plain))
        self._identifiers = {*addresses, *(f" {word} " for word in words if _identifies(word))}
        self._numbers = {
            digits[start : start + _IDENTIFYING_DIGITS]
            for digits in _numbers(plain)
            for start in range(len(digits) - _IDENTIFYING_DIGITS + 1)
        }

    def repeats(self, text: str) -> bool:
        """True if the remark contains all of `text`, or a part of it that gives it away; False for a text without words."""
        words = _WORD.findall(_even(text))
        if not words:
            return False
        whole = _padded(words)
        if whole in self._padded and (len(words) > 1 or words[0] not in _STOP):
            return True
        return self.repeats_part(text)

    def repeats_part(self, text: str) -> bool:
        """True if the remark contains a part of `text` that gives it away; a short text as a whole is no such part."""
        plain = _even(text)
        words = _WORD.findall(plain)
        whole = _padded(words)
        half = (len(words) - len(_WIDE.findall(plain)) / 2) / 2
        needed = min(max(_FEWEST_WORDS, math.ceil(half)), _MOST_WORDS)
        return (
            any(run in whole for run in self._runs[needed])
            or any(identifier in whole for identifier in self._identifiers)
            or (bool(self._numbers) and any(part in digits for digits in _numbers(plain) for part in self._numbers))
        )


def _even(text: str) -> str:
    return fold(visible(text).casefold())


def _padded(words: list[str]) -> str:
    """Words such that a run of them is found with `in` only at word boundaries."""
    return f" {' '.join(words)} "


def _runs(words: list[str], count: int) -> set[str]:
    """Every shortest run of words that weighs `count` and says something."""
    runs: set[str] = set()
    for start in range(len(words)):
        weight, end = 0.0, start
        while end < len(words) and weight < count:
            weight += 0.5 if _WIDE.fullmatch(words[end]) else 1.0
            end += 1
        if weight >= count and sum(word not in _STOP for word in words[start:end]) >= _MEANINGFUL:
            runs.add(_padded(words[start:end]))
    return runs


def _identifies(word: str) -> bool:
    return len(word) >= _IDENTIFYING_CHARACTERS and not word.isalpha() and not word.isdecimal()


def _numbers(text: str) -> list[str]:
    """The digits of each number that is long enough to identify."""
    found = ("".join(filter(str.isdecimal, number)) for number in _NUMBER.findall(text))
    return [digits for digits in found if len(digits) >= _IDENTIFYING_DIGITS]
