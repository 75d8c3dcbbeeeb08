"""Cutting a long text into passages, each small enough to have one meaning for an embedder and to be shown as one hit.

The limit is about 200 English words (1,200 characters), which fits the 256 tokens that small sentence models were trained
with; a character of Chinese, Japanese, Korean or Thai carries more, and counts for 2.4, which makes the limit 500 of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from ai_memory.text.words import WIDE_SCRIPTS

LIMIT = 1200
"""The greatest weight of one passage, in characters of an alphabet."""
SPLIT_VERSION = 1
"""Changes whenever `split` would cut some text differently; stored passages of another version are rebuilt."""

_WIDE_WEIGHT = 2.4
_WIDE = re.compile(f"[{WIDE_SCRIPTS}]")
_CUTS = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"[.!?…]+[\"'”’»)\]]*\s+|[。！？｡]+[」』”’）]*\s*"),
    re.compile(r"[;:,，、；：]\s*"),
    re.compile(r"\s+"),
)
"""Where to cut, best place first: paragraph, line, sentence, clause, word. A cut falls after the match."""
_TITLE = 2
"""Letters of the longest title that is written with a full stop, such as Dr. and Mr."""
_JOINERS = "\u200d\ufe0e\ufe0f"


class Passage(NamedTuple):
    """The characters `start` to `end` (exclusive) of a text."""

    start: int
    end: int


def split(text: str, limit: int = LIMIT) -> list[Passage]:
    """Passages that cover `text` exactly, in order, each of weight at most `limit`; an empty text gives one empty passage.

    The same text always gives the same passages. The text is divided into equal shares first, so that no small rest is left
    over; each cut is then moved to the best place near its share. A cut falls inside a word only where there is no other place,
    and between a character and its marks only where these alone are over the limit. Raises ValueError for a limit below 1.
    """
    if limit < 1:
        raise ValueError("a passage needs room for at least one character")
    weights = _weights(text, limit)
    return list(_passages(text, weights, limit))


def sentences(text: str) -> list[Passage]:
    """The sentences and lines of a text that say something, in order, without the blanks around them; none of an empty text.

    A full stop ends no sentence behind an initial or a short title, nor where a small letter or a digit follows.
    """
    cuts = {match.end() for match in _CUTS[1].finditer(text)}
    for match in _CUTS[2].finditer(text):
        before, after = text[: match.start()].rsplit(None, 1)[-1:], text[match.end() : match.end() + 1]
        short = bool(before) and len(before[0]) <= _TITLE and before[0][:1].isupper() and match.group().startswith(".")
        if not (short or after.islower() or after.isdigit()):
            cuts.add(match.end())
    found, start = [], 0
    for cut in sorted({*cuts, len(text)}):
        said = text[start:cut]
        if any(character.isalnum() for character in said):
            lead = len(said) - len(said.lstrip())
            found.append(Passage(start + lead, start + len(said.rstrip())))
        start = cut
    return found


def passage_at(text: str, number: int) -> Passage:
    """A passage of a text by its number, from 0; the last one for any greater number."""
    passages = split(text)
    return passages[min(number, len(passages) - 1)]


def _weights(text: str, limit: int) -> list[float] | None:
    """The weight of each prefix (n + 1 numbers), or None when every character weighs 1."""
    if text.isascii() or not _WIDE.search(text):
        return None
    sums, total = [0.0], 0.0
    wide = {match.start() for match in _WIDE.finditer(text)}
    for position in range(len(text)):
        total += min(_WIDE_WEIGHT, limit) if position in wide else 1.0
        sums.append(total)
    return sums


def _passages(text: str, weights: list[float] | None, limit: int) -> Iterator[Passage]:
    start, end = 0, len(text)
    while True:
        rest = _weight(weights, start, end)
        if rest <= limit:
            yield Passage(start, end)
            return
        shares = -int(-rest // limit)
        cut = _best_cut(text, start, _reach(weights, start, rest / shares), _reach(weights, start, limit))
        yield Passage(start, cut)
        start = cut


def _weight(weights: list[float] | None, start: int, end: int) -> float:
    return float(end - start) if weights is None else weights[end] - weights[start]


def _reach(weights: list[float] | None, start: int, weight: float) -> int:
    """The furthest end, beyond `start`, such that the part from `start` weighs at most `weight`."""
    if weights is None:
        return start + max(1, int(weight))
    low, high = start + 1, len(weights) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if weights[middle] - weights[start] <= weight:
            low = middle
        else:
            high = middle - 1
    return low


def _best_cut(text: str, start: int, share: int, furthest: int) -> int:
    """The best place to cut between half a share and `furthest`: of the best kind, the one nearest to the share."""
    earliest = start + max(1, (share - start) // 2)
    for pattern in _CUTS:
        places = [match.end() for match in pattern.finditer(text, earliest - 1, furthest) if match.end() >= earliest]
        if places:
            return min(places, key=lambda place: (abs(place - share), place))
    cut = furthest
    while cut > earliest and _inside_character(text, cut):
        cut -= 1
    return cut if not _inside_character(text, cut) else furthest


def _inside_character(text: str, position: int) -> bool:
    """Return whether a cut at `position` would separate a mark, a joiner or an emoji modifier from what it belongs to."""
    if position >= len(text):
        return False
    after, before = text[position], text[position - 1]
    return (
        unicodedata.combining(after) != 0
        or unicodedata.category(after) in ("Mn", "Mc", "Me")
        or after in _JOINERS
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
    )
