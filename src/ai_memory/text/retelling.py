"""When a text says a forgotten one again, however it is dressed up.

`normal_form` decides what is stored twice and forgives nothing that a reader sees. What was forgotten on purpose must not come
back by a change of looks, so here much more is evened out: compatibility forms, case, accents (й stays), characters that are not
seen, blanks wherever they are, quotes, brackets, bullets, emphasis and the punctuation of sentences, all kinds of dashes, digits of
any script, and characters that look like ASCII letters and digits (`data/lookalikes.txt`). What says something else stays: every
word and number, the marks inside a number (1.5, 12:30), a sign before it, and symbols (+, %, €, emoji).

Two texts are the same if they share a digest. There are two digests because a look-alike may be found before or after case is
folded: a capital I looks like l and is an i, a Cyrillic Н looks like H and is an н.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ai_memory.text.words import MARKS, WIDE_SCRIPTS, fold

_FILE = Path(__file__).parent / "data" / "lookalikes.txt"

_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
"""Controls, what Unicode says is not shown, and marks that are drawn over any letter."""

_AS_ASCII = str.maketrans(
    dict.fromkeys(
        "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2e3a\u2e3b\u30a0\ufe58\ufe63\uff0d\u058a\u05be", "-"
    )
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02b9\u02bb\u02bc\u02bd\u00b4\uff07", "'")
    | {"\u2044": "/", "\u2215": "/", "\u2800": " ", "\u3164": " ", "\uffa0": " ", "\u066b": ".", "\u066c": ","}
)
"""Dashes, apostrophes and slashes as those of ASCII; characters that look like a blank as one."""

_BULLETS = re.compile(
    r"^(?:[\s\u2022\u2023\u2219\u00b7\u25cf\u25cb\u25e6\u25c6\u25c7\u25a0\u25a1\u25aa\u25ab\u25b6\u25ba\u25b8\u25b9\u2605\u2606"
    r"\u2726\u2192\u2794\u279c\u27a4\u27a2>|*]|#+\s|[-+](?!\d)|\[[ xX]?\]\s|\(?\d{1,3}[.)]\s)+",
    re.MULTILINE,
)
"""What a line begins with in a list, a quotation or a heading."""

_SPACED_MARK = re.compile(r"(?<=\d)\s*([.,:;/*-])\s*(?=\d)")

_PIECE = re.compile(
    rf"[{WIDE_SCRIPTS}]|(?:[^\W_{WIDE_SCRIPTS}]|[{MARKS}])+|(?<=\d)[.,:;/*-](?=\d)|(?<!\w)[-+](?=\d)"
    r"|[^\w\s.,:;!?'\"()\[\]{}*`^~\x00-\x1f\x7f-\x9f-]"
)
"""What may count in a text, in order: words and numbers, what is between digits, signs of numbers, symbols."""

_DIGITS = str.maketrans("01", "ol")
"""They are the look-alikes of these letters, and of each other where one of them stands for the other."""

_FEWEST_WORDS, _FEWEST_LETTERS, _FEWEST_WIDE, _FEWEST_WITH_DIGIT = 3, 10, 5, 4


class Retelling(NamedTuple):
    """What a text says, for comparison only."""

    words: tuple[str, ...]
    """Its words, numbers and symbols, each evened out; one character each in scripts without blanks."""
    digest: bytes
    """16 bytes over the words, wherever one ends and the next begins."""
    other_digest: bytes
    """16 bytes over the words as they look before case is folded; often the same."""

    @property
    def digests(self) -> frozenset[bytes]:
        """Both: two texts that share one say the same."""
        return frozenset((self.digest, self.other_digest))

    @property
    def is_telling(self) -> bool:
        """Whether a longer text with these words in a row says it as well: "yes" or "thank you" say nothing by themselves."""
        joined = "".join(self.words)
        if any(map(str.isdigit, joined)):
            return len(joined) >= _FEWEST_WITH_DIGIT
        wide = any(map(_WIDE.match, self.words))
        return len(self.words) >= _FEWEST_WORDS and len(joined) >= (_FEWEST_WIDE if wide else _FEWEST_LETTERS)


_WIDE = re.compile(f"[{WIDE_SCRIPTS}]")


def retelling(text: str) -> Retelling:
    """What `text` says. Never raises; a text of punctuation alone says what is written."""
    even = text if text.isascii() else compatible(text)
    even = _BULLETS.sub("", even)
    lower = folded(even)
    words = _words(lower)
    digest = other = said(words)
    if "I" in even or not (even.isascii() or even.islower()):
        other = said(_words(folded(even.replace("I", "l").translate(_lookalikes()))))
    return Retelling(words, digest, other)


def said(words: Sequence[str]) -> bytes:
    """16 bytes, BLAKE2b, over words as `Retelling.words` has them: the digest of the text that consists of them."""
    joined = "".join(words).translate(_DIGITS)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16, person=b"retelling").digest()


def compatible(text: str) -> str:
    """The text in compatibility form, without what is not seen: looked for twice, as some of it has a compatibility form."""
    shown = _UNSEEN.sub("", text.translate(_AS_ASCII))
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", shown)).translate(_AS_ASCII)


def folded(text: str) -> str:
    """The text without case and accents, look-alikes of ASCII letters as these."""
    if text.isascii():
        return text.lower()
    return fold(text.casefold()).translate(_lookalikes()).casefold()


def _words(text: str) -> tuple[str, ...]:
    found = _PIECE.findall(_SPACED_MARK.sub(r"\1", text))
    if not text.isascii():
        found = [piece for piece in found if piece.isascii() or unicodedata.category(piece[0])[0] != "P"]
    return tuple(found) or tuple(text.split())


@cache
def _lookalikes() -> dict[int, str]:
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" ", 1) for line in lines)
    return {ord(character): form for form, characters in pairs for character in characters}
