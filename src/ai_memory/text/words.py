"""From characters to tokens: words, identifiers and their parts, runs of scripts without blanks, emoji."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a token is, and so how it is indexed."""

    WORD = "word"
    PART = "part"
    """A word inside an identifier: indexed like a word, worth less in a question, which has the whole identifier too."""
    WHOLE = "whole"
    """An identifier, path, address, date or number with marks inside, case-folded: matched exactly or not at all."""
    WIDE = "wide"
    """A run of a script that puts no blanks between words: indexed by pairs of characters."""
    EMOJI = "emoji"


class Token(NamedTuple):
    """A piece of text of one kind, in its own case unless it is a WHOLE."""

    kind: Kind
    text: str


WIDE_SCRIPTS = (
    "\u0e01-\u0e3a\u0e40-\u0e4f\u0e81-\u0ecf\u1000-\u103f\u1050-\u109f\u1100-\u11ff\u1780-\u17d3"
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u302f\u3031-\u3035\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u318f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai and Lao, Burmese, Hangul letters, Khmer; radicals to Yi (kana and Han among them), Hangul, compatibility Han."""
# Marks that belong to the letter before them but are no word characters to `re`.
MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0711\u0730-\u074a"
    "\u07a6-\u07b0\u0816-\u082d\u0859-\u085b\u08d3-\u0903\u093a-\u094f\u0951-\u0963\u0981-\u0983\u09bc-\u09d7\u0a01-\u0a03\u0a3c-\u0a51"
    "\u0a70-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b57\u0b82\u0bbe-\u0bd7\u0c00-\u0c04\u0c3e-\u0c56\u0c81-\u0c83\u0cbc-\u0cd6"
    "\u0d00-\u0d03\u0d3b-\u0d57\u0d81-\u0d83\u0dca-\u0df3\u0f18-\u0f19\u0f35-\u0f39\u0f71-\u0f84\u0f8d-\u0fbc\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"
)
_LETTERS = rf"(?:[^\W{WIDE_SCRIPTS}]|[{MARKS}])+"
_RUN = rf"{_LETTERS}(?:['’]{_LETTERS})*"
_JOIN = r"(?:::|[.\-/\\:@#+&])"
_EMOJI = "\u231a-\u23ff\u25aa-\u27bf\u2b05-\u2b55\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
_MODIFIER = "\ufe0f\U0001f3fb-\U0001f3ff"

_PIECE = re.compile(
    rf"(?P<url>[A-Za-z][A-Za-z0-9+.\-]*://[^\s<>\"'«»“”]+)"
    rf"|(?P<signed>(?<![^(\[{{=:,;<>~≈\"'|])-(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?(?![\w\-/:,]|\.\w))"
    rf"|(?P<grouped>\d{{1,3}}(?:,\d{{3}})+(?!\d))"
    rf"|(?P<compound>{_RUN}(?:{_JOIN}{_RUN})*(?:\+\+|\#)?)"
    rf"|(?P<wide>[{WIDE_SCRIPTS}]+)"
    rf"|(?P<emoji>[\U0001f1e6-\U0001f1ff]{{1,2}}|[{_EMOJI}][{_MODIFIER}]*(?:\u200d[{_EMOJI}][{_MODIFIER}]*)*)"
)
_LINE_NUMBER = re.compile(r"(?<=[A-Za-z])(?::\d+){1,2}$")
"""Where in a file: `x.py:12:4`."""
_WORD_RUN = re.compile(_RUN)
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_HAS_CAMEL = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2}[a-z]{2}")
_HAS_DIGIT_EDGE = re.compile(r"[A-Za-z]\d|\d[A-Za-z]")
_ELISIONS = frozenset(("l", "d", "j", "n", "m", "t", "s", "c", "qu", "all", "dell", "un"))
_TURKISH_ENDING = re.compile("[yn]?[aeıiuü]|[dt][ae](?:n|ki)?|n?[ıiuü]n|y?l[ae]|l[ıiuü]")
"""Case endings, which Turkish sets off from a name by an apostrophe."""
_MAX_PARTS = 6
"""An identifier that falls into more parts is a hash or a random id: its parts would mean nothing."""

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
    f"|\u200d(?![{_EMOJI}])"
)
_AS_ASCII = str.maketrans({"İ": "I", "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2212": "-"})
"""Letters and hyphens that mean the same as an ASCII one, though Unicode's compatibility form keeps them apart."""
_SPECIAL_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})


def visible(text: str) -> str:
    """`text` in compatibility form (full-width letters, ligatures, one hyphen), without characters that are not seen."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_AS_ASCII)


def fold(word: str) -> str:
    """A case-folded word without diacritics: é→e, ё→е, Hebrew points and Arabic vowel signs dropped.

    й stays what it is, and so do the vowel signs of Indic scripts: there a mark makes another letter.
    """
    if word.isascii():
        return word
    decomposed = unicodedata.normalize("NFD", word.translate(_SPECIAL_LETTERS).replace("й", "\x00"))
    kept = (c for c in decomposed if c > "\u0700" or unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", "".join(kept)).replace("\x00", "й")


def tokens(chunk: str) -> Iterator[Token]:
    """The tokens of a piece of visible text, in order; an identifier comes before its parts."""
    for match in _PIECE.finditer(chunk):
        kind, piece = match.lastgroup, match.group()
        if kind == "compound":
            yield from _compound(piece)
        elif kind == "wide":
            yield Token(Kind.WIDE, piece)
        elif kind == "emoji":
            yield Token(Kind.EMOJI, piece.replace("\ufe0f", ""))
        elif kind == "signed":
            yield Token(Kind.WHOLE, piece.replace(",", ""))
        elif kind == "grouped":
            yield Token(Kind.WORD, piece.replace(",", ""))
        else:
            yield from _address(piece)


def _address(piece: str) -> Iterator[Token]:
    url = piece.rstrip(".,;:!?)]}'")
    yield Token(Kind.WHOLE, url.casefold())
    host, _, path = url.partition("://")[2].partition("/")
    for part in (host.partition(":")[0], path.partition("?")[0]):
        name = part.rstrip("/").casefold()
        if name and not name.isalnum():
            yield Token(Kind.WHOLE, name)
    for run in _WORD_RUN.findall(url):
        yield from _word(run, Kind.PART)


def _compound(piece: str) -> Iterator[Token]:
    runs = _WORD_RUN.findall(piece)
    if len(runs) == 1 and runs[0] == piece:
        yield from _word(piece, Kind.WORD)
        return
    yield Token(Kind.WHOLE, piece.casefold())
    path = _LINE_NUMBER.sub("", piece)
    if path != piece:
        yield Token(Kind.WHOLE, path.casefold())
    name = path.replace("\\", "/").rpartition("/")[2]
    if name != path and "." in name:
        yield Token(Kind.WHOLE, name.casefold())
    for run in runs:
        yield from _word(run, Kind.PART)


def _word(run: str, kind: Kind) -> Iterator[Token]:
    """A run of letters and digits: itself, and what it is made of when it is an identifier."""
    word = _without_apostrophe(run) if "'" in run or "’" in run else run
    if len(word) < len(run) - 1:
        name, _, ending = run.replace("’", "'").rpartition("'")
        if _TURKISH_ENDING.fullmatch(ending.casefold()):
            yield Token(Kind.PART, name + ending)
    if "_" in word:
        pieces = [piece for piece in word.split("_") if piece]
        if len(pieces) != 1:
            yield Token(Kind.WHOLE, word.casefold())
        for piece in pieces:
            yield from _word(piece, Kind.PART if len(pieces) != 1 else kind)
        return
    yield Token(kind, word)
    if not word.isascii() or not (_HAS_CAMEL.search(word) or _HAS_DIGIT_EDGE.search(word)):
        return
    parts = _CAMEL.findall(word)
    if 1 < len(parts) <= _MAX_PARTS:
        for part in parts:
            if len(part) > 1:
                yield Token(Kind.PART, part)


def _without_apostrophe(run: str) -> str:
    """The word itself: a possessive 's, an elided article and a Turkish ending (İstanbul'da) go, other apostrophes close up."""
    head, _, tail = run.replace("’", "'").rpartition("'")
    if tail in ("s", "S"):
        return head.replace("'", "")
    if head.casefold() in _ELISIONS and len(tail) > 1:
        return tail
    if len(head) > 1 and head[0].isupper() and _TURKISH_ENDING.fullmatch(tail.casefold()):
        return head
    return (head + tail).replace("'", "")
