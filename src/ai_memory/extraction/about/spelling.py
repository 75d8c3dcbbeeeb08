"""Whether two words are one name: in another case, form or script.

Within one script a name has one spelling, apart from letter case, accents, the cases of Russian, the genitive and ü written as ue.
*Jon* and *John* are two people. Across scripts there is no one spelling (*Юлия* is Julia, Yulia and Iuliia), so there the sound is
compared: both are written in Latin letters by `anyascii`, and what only transcriptions distinguish is evened out.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

from ai_memory.extraction.names.declension import nominatives
from ai_memory.text.retelling import folded
from ai_memory.text.words import fold

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_GENITIVE = re.compile(r"(.{2,}[^'’])(?:['’]s?|(?<!s)s)")
_SHORTEST_SOUND = 3
_SHORTEST_TRANSCRIBED = 5
_Y_OR_I = re.compile("[yij]+")
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"[^a-z]", ""),
        (r"shch|schtsch|stsch|szcz", "sh"),
        (r"sch|sz", "sh"),
        (r"tsch|tch|cz", "ch"),
        (r"dzh|dsch|dj|zh", "J"),
        (r"kh|ch(?=[rl])", "h"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"ts|tz", "z"),
        (r"ck|q|c(?![hieyz])", "k"),
        (r"x", "ks"),
        (r"w", "v"),
        (r"^ye", "e"),
        (r"^u(?=[aeio])", "v"),
        (r"o[iy](?![aeiou])", "ou"),
        (r"[yi]+(?=[aou])", ""),
        (r"y", "i"),
        (r"(?<=[aeou])h(?![aeiou])", ""),
        (r"ae", "e"),
        (r"(?<=[aeou])e(?=[^aeiou]|$)", ""),
        (r"i+e?(?=$)", "i"),
        (r"ei|ai", "ai"),
        (r"(.)\1+", r"\1"),
    )
)
"""Applied in order to a name in lower-case Latin letters."""


def is_one_name(asked: str, written: str) -> bool:
    """Return whether a word of a text is the word of a name that was asked for. Both are one word; never raises."""
    ours, theirs = _spellings(asked), _spellings(written)
    if not ours.isdisjoint(theirs):
        return True
    if _script(asked) == _script(written):
        return min(len(asked), len(written)) >= _SHORTEST_TRANSCRIBED and _transcribed(asked) == _transcribed(written)
    mine = sounds(asked)
    return any(not mine.isdisjoint(sounds(form)) for form in _forms(written))


def _transcribed(name: str) -> str:
    """A name in Latin letters without what transcriptions from Cyrillic differ in: *Sergey*, *Sergei*."""
    return _Y_OR_I.sub("i", even(name))


@lru_cache(maxsize=65_536)
def even(word: str) -> str:
    """A word without case, accents and compatibility forms."""
    return fold(unicodedata.normalize("NFKC", word).casefold())


@lru_cache(maxsize=65_536)
def sounds(word: str) -> frozenset[str]:
    """How a name may sound, in Latin letters: a j is that of John or of Julia, ё is e or yo. Empty for fewer than three sounds."""
    lower = word.casefold()
    spelt = [anyascii(form).lower() for form in {lower, lower.replace("ё", "йо")}]
    found = {_sound(form.replace("j", as_in)) for form in spelt for as_in in ("dzh", "y")}
    return frozenset(each for each in found if len(each) >= _SHORTEST_SOUND)


def _sound(spelt: str) -> str:
    for pattern, replaced in _SOUNDS:
        spelt = pattern.sub(replaced, spelt)
    return spelt


@lru_cache(maxsize=65_536)
def _spellings(word: str) -> frozenset[str]:
    """The ways in which a word would be written within its own script."""
    lower = unicodedata.normalize("NFKC", word).casefold()
    found = {fold(form) for form in _forms(lower)} | {fold(form.translate(_UMLAUTS)) for form in _forms(lower)}
    return frozenset(found | {folded(word)})


def _forms(word: str) -> tuple[str, ...]:
    """A word and what it may be a case of: nominatives of Russian names, a name before the *s* of its genitive."""
    lower = word.casefold()
    genitive = _GENITIVE.fullmatch(lower)
    return (lower, *nominatives(lower), *((genitive.group(1),) if genitive else ()))


@lru_cache(maxsize=65_536)
def _script(word: str) -> str:
    """The script of a word's first letter, by the name that Unicode gives it; empty for a word without letters."""
    letter = next((character for character in word if character.isalpha()), "")
    return unicodedata.name(letter, "").partition(" ")[0] if letter else ""
