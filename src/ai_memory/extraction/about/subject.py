"""What a text says by name of one person, project or identifier, and what only looks like it.

An identifier (it has a digit, an @ or a slash) is found with and without its separators, in any case, width and look-alike letters,
and only whole: *AB-123* is not in *AB-1234* or *2AB-123*. A name is found in any case, form and script, in either order, with
initials and short forms; a part of it alone (*Anna* for *Anna Schmidt*) is reported apart, since only other texts show whether it
means the same. A longer name (*Anna Schmidt-Berger*, *Falcon Heavy*) is another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from ai_memory.extraction.about.spelling import even, is_one_name
from ai_memory.extraction.gazetteer import names, short_names
from ai_memory.extraction.names.declension import nominatives
from ai_memory.extraction.names.persons import first_name, is_patronymic
from ai_memory.extraction.names.words import TITLES
from ai_memory.extraction.values import Kind
from ai_memory.extraction.words import Word, split
from ai_memory.text.codes import telephones
from ai_memory.text.retelling import compatible, folded
from ai_memory.text.stopwords import ALL
from ai_memory.text.words import WIDE_SCRIPTS


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_IDENTIFIER = re.compile(r"\d|@|//|\w[/_#:]\w")
_WIDE = re.compile(f"[{WIDE_SCRIPTS}]+")
_SEPARATOR = r"[-‐-―−:/._() \u00a0]"
_SEPARATORS = re.compile(_SEPARATOR)
_GAP = re.compile(r"[\s\u00a0]{1,2}|\.\s?|,\s?|-|‐|’|'")
_SHORTEST_SPACED = 5
"""Characters of the shortest identifier that is also found with blanks in it."""
_SHORTEST_NUMBER, _COUNTRY_CODE = 7, 3
"""Digits of the shortest telephone number that is found with a country's code before it, and of the longest such code."""
_ANOTHER_OF_THE_NAME = _set("jr junior sr senior ii iii iv")
"""After a name they make it another person's."""
_COMPOUND = _set("new old north south east west upper lower great little saint st san neu alt новый новая старый")
"""Before a name they make it another place's."""
_GENERIC = _set(
    "project projekt проект operation team company firma компания the der die das codename product produkt app server mr mrs ms dr"
    " herr frau господин госпожа"
)
_GERMAN = _set("der die das und ist ein eine mit für auf nicht wird hat von zum zur im am den dem")
_IN_GIVEN_NAMES = frozenset(
    "强华明红伟芳娜静敏丽军杰涛磊洋勇艳娟超秀霞平刚桂英兰玉萍鹏辉飞龙宇浩轩博文志国建海燕林峰雪梅琴云莲珍贞凤洁春菊荣婷佳嘉欣怡慧颖琳晶"
    "妍茜秋珊莎锦黛青倩蓉婉姣瑶妮薇菲彦哲瀚睿晨阳宁俊义兴良山仁波贵福生元全胜祥才发武新利清彬富顺信子成康星光斌梁栋维启克翔旭毅昊天达安岩中茂进"
    "有坚和彪诚先敬震振壮会思群豪心邦承乐绍功松善厚庆民友裕河江亮政谦亨奇固之轮翰朗伯宏言若鸣朋诗梦涵雨泽子美樱子郎太"
)
"""Characters that often end a Chinese or Japanese given name: after a name of two, the name is probably a longer one."""
_NOT_BEFORE_NAMES = _set(
    "a an the this that some any no ein eine einen einem einer der die das den dem des kein keine keinen im am zum zur un une le la"
)
_AFTER_VERBS = _set(
    "a an the this that these those you i we they he she it my your his her our their me him us all each в во на из к о и не"
)
"""After a word at the beginning of a sentence they show that it is no name there: *Mark the place*, *Will you come?*"""


class How(StrEnum):
    """By what a text is found to be about someone or something."""

    NAME = "name"
    """The name as it was given."""
    SPELLING = "spelling"
    """Another form of it: case, grammatical form, script, order, separators."""
    PART = "part"
    """A part or short form of the name."""


class Found(NamedTuple):
    """One place in a text, `written` as there (in compatibility form)."""

    written: str
    how: How


class Reading(NamedTuple):
    """What one text says of a subject."""

    found: tuple[Found, ...] = ()
    parts: tuple[Found, ...] = ()
    """Parts of the name that are alone, and so may mean another of that name."""
    fuller: tuple[Found, ...] = ()
    """Where the subject is one first name: that name with a family name."""
    longer: tuple[str, ...] = ()
    """Longer names and identifiers, which mean something else."""
    others: tuple[str, ...] = ()
    """Full names of others that share a part with this one."""
    doubtful: tuple[str, ...] = ()
    """Words at the beginning of a sentence that may be a part of the name, or ordinary words."""


class Subject:
    """One name or identifier that is asked for."""

    def __init__(self, name: str) -> None:
        """`name` has at least one letter or digit."""
        self.name = name.strip()
        even_name = compatible(self.name)
        self._identifier = _identifier(even_name) if _IDENTIFIER.search(even_name) else None
        self._telephone = next((number for number in _numbers(even_name) if number == even_name), None)
        self._wide = even_name if _WIDE.fullmatch(even_name) else None
        words = [word for word in split(even_name) if even(word.text) not in TITLES] or split(even_name)
        self._words = words
        self.is_person = bool(words) and self._identifier is None and first_name(words[0]) is not None
        entry = words[0].entry if self.is_person and len(words) == 1 else None
        self._is_first_name = entry is not None and not entry.word
        """A first name and nothing else: what follows it can only be a family name."""
        self._beginnings = tuple({even(word.text)[:3] for word in words})
        self._plain = even_name.isascii() and self._identifier is None

    def may_be_in(self, text: str) -> bool:
        """Return False where a text certainly does not name it; much cheaper than `read`."""
        if not (self._plain and text.isascii()):
            return True
        lower = text.casefold()
        if any(beginning in lower for beginning in self._beginnings):
            return True
        return self.is_person and any(short in lower for short in self._shorts())

    def read(self, text: str) -> Reading:
        """What a text says of it. Never raises; nothing for an empty text."""
        given = compatible(text)
        if self._identifier is not None:
            return self._read_identifier(given)
        if self._wide is not None:
            return self._read_wide(given, self._wide)
        return self._read_name(given)

    def is_named(self, name: str) -> bool:
        """Return whether a name is this one, in whatever spelling."""
        return self.may_be_in(name) and any(
            len(found.written) >= len(compatible(name).strip()) for found in self.read(name).found
        )

    def _shorts(self) -> frozenset[str]:
        return short_names().get(self._words[0].key, frozenset())

    def _read_identifier(self, text: str) -> Reading:
        assert self._identifier is not None
        found: list[Found] = []
        longer: list[str] = []
        lower = folded(text)
        for match in self._identifier.finditer(lower):
            start, end = match.span()
            written = lower[start:end]
            before = re.search(r"[\w@]+(?:[-:/._+]?)$", lower[:start])
            after = re.match(r"(?:[-:/_+@]?[\w@]+|\.\w+)", lower[end:])
            if before is None and after is None:
                how = How.NAME if written == folded(compatible(self.name)) else How.SPELLING
                found.append(Found(written, how))
            else:
                longer.append((before.group() if before else "") + written + (after.group() if after else ""))
        if not found and self._telephone:
            found = [
                Found(number, How.SPELLING) for number in _numbers(text) if _is_one_number(self._telephone, number)
            ]
        return Reading(tuple(found), longer=tuple(longer))

    @staticmethod
    def _read_wide(text: str, name: str) -> Reading:
        found: list[Found] = []
        longer: list[str] = []
        start = text.find(name)
        while start >= 0:
            following = text[start + len(name) : start + len(name) + 1]
            if len(name) > 2 or not _WIDE.match(following) or following not in _IN_GIVEN_NAMES:
                found.append(Found(name, How.NAME))
            else:
                longer.append(name + following)
            start = text.find(name, start + len(name))
        return Reading(tuple(found), longer=tuple(longer))

    def _read_name(self, text: str) -> Reading:
        words = split(text)
        found: list[Found] = []
        fuller: list[Found] = []
        longer: list[str] = []
        used: set[int] = set()
        for first, last in self._spans(text, words):
            if used.intersection(range(first, last)):
                continue
            used.update(range(first, last))
            written = text[words[first].start : words[last - 1].end]
            whole = self._longer(text, words, first, last)
            if whole is not None:
                longer.append(whole)
            elif len(self._words) == 1 and self._is_no_name(words, first):
                continue
            elif (family := self._family_name(text, words, first, last)) is not None:
                fuller.append(Found(f"{written} {family}", How.SPELLING))
            else:
                found.append(Found(written, How.NAME if even(written) == even(self.name) else How.SPELLING))
        parts, doubtful, others = self._parts(text, words, used)
        return Reading(tuple(found), tuple(parts), tuple(fuller), tuple(longer), tuple(others), tuple(doubtful))

    def _family_name(self, text: str, words: Sequence[Word], first: int, last: int) -> str | None:
        """The family name after a subject that is one first name."""
        if not self._is_first_name or last - first != 1 or last == len(words):
            return None
        word, after = words[first], words[last]
        apart = _possessive(self._words[0], word) or text[word.end : after.start] != " "
        german = any(each.key in _GERMAN for each in words) and after.entry is None
        no_name = after.initial or after.key in ALL or _names_no_person(after) or german
        return after.text if after.capital and not apart and not no_name else None

    def _spans(self, text: str, words: Sequence[Word]) -> Iterator[tuple[int, int]]:
        """Where all words of the name are together, as places of words, the end excluded."""
        count = len(self._words)
        orders = [self._words] + ([[*self._words[1:], self._words[0]]] if 1 < count <= 3 else [])
        for first in range(len(words)):
            for order in orders:
                last = self._matched(text, words, first, order)
                if last:
                    yield first, last
                    break

    def _matched(self, text: str, words: Sequence[Word], first: int, order: Sequence[Word]) -> int:
        """The place after the words that are those of `order`, a middle initial or patronymic left out; 0 where they are not."""
        at = first
        for number, asked in enumerate(order):
            if number and at < len(words) and self._may_be_left_out(text, words, at, order):
                at += 1
            if at >= len(words) or (number and not _adjacent(text, words[at - 1], words[at])):
                return 0
            if not self._is_word(asked, words[at]):
                return 0
            at += 1
        return at

    def _may_be_left_out(self, text: str, words: Sequence[Word], at: int, order: Sequence[Word]) -> bool:
        middle = words[at]
        if any(is_one_name(asked.text, middle.text) for asked in order) or not _adjacent(text, words[at - 1], middle):
            return False
        return is_patronymic(middle) or (len(middle.text) == 1 and middle.text.isupper())

    def _is_word(self, asked: Word, written: Word) -> bool:
        if is_one_name(asked.text, written.text) or folded(asked.text) == folded(written.text):
            # A word that is no name where it is small: *will*, *rose*. In a name of several words the others show what it is.
            return len(self._words) > 1 or not self._is_ordinary(asked, written)
        return asked is self._words[0] and len(self._words) > 1 and self._is_short(written)

    def _is_ordinary(self, asked: Word, written: Word) -> bool:
        entry = names().entries.get(asked.key)
        return written.text[:1].islower() and asked.text[:1].isupper() and entry is not None and entry.word

    def _is_no_name(self, words: Sequence[Word], place: int) -> bool:
        """Return whether an ordinary word that is a name elsewhere is none here, at the beginning of a sentence."""
        word = words[place]
        ordinary = word.entry is not None and word.entry.word and word.initial
        return ordinary and place + 1 < len(words) and words[place + 1].key in _AFTER_VERBS

    def _is_short(self, written: Word) -> bool:
        """Return whether a word is a short form of the first name."""
        shorter = len(written.text) <= len(self._words[0].text)
        return self.is_person and written.capital and shorter and written.key in self._shorts()

    def _longer(self, text: str, words: Sequence[Word], first: int, last: int) -> str | None:
        """The longer name that the words are a part of; None where they are a name by themselves."""
        start, end = first, last
        if first and self._extends_before(text, words[first - 1], words[first]):
            start -= 1
        if last < len(words) and self._extends_after(text, words, last):
            end += 1
        written = words[last - 1].text
        if (start, end) == (first, last):
            return text[words[first].start : words[last - 1].end] if "-" in written and "-" not in self.name else None
        return text[words[start].start : words[end - 1].end]

    def _extends_before(self, text: str, before: Word, word: Word) -> bool:
        if _joined(text, before, word):
            return True
        if text[before.end : word.start] != " ":
            return False
        if even(before.text) in _COMPOUND:
            return before.capital
        if not before.capital or before.key in TITLES or not self.is_person:
            return False
        entry = before.entry
        return entry is not None and Kind.PERSON in entry.kinds and before.key not in ALL

    def _extends_after(self, text: str, words: Sequence[Word], last: int) -> bool:
        word, after = words[last - 1], words[last]
        if _joined(text, word, after):
            return True
        if text[word.end : after.start] != " ":
            return False
        if after.key in _ANOTHER_OF_THE_NAME:
            return True
        if _possessive(self._words[-1], word):
            return False
        if len(self._words) > 1 and self.is_person:
            entry = after.entry
            return after.capital and entry is not None and Kind.PERSON in entry.kinds and not entry.word
        if after.text.isdigit():
            return len(after.text) <= 4
        german = any(each.key in _GERMAN for each in words)
        return after.capital and not (german or after.initial or self._is_first_name)

    def _parts(self, text: str, words: Sequence[Word], used: set[int]) -> tuple[list[Found], list[str], list[str]]:
        """Parts of the name that are alone, words that may be such, and full names of others that share one."""
        parts: list[Found] = []
        doubtful: list[str] = []
        others: list[str] = []
        for place, word in enumerate(words):
            if place in used or not word.capital or not self._is_part(word):
                continue
            if place and words[place - 1].key in _NOT_BEFORE_NAMES:
                continue
            other = self._full_name_around(text, words, place)
            if other is not None:
                others.append(other)
            elif word.initial and not self._is_surely_a_name(words, place):
                doubtful.append(word.text)
            else:
                parts.append(Found(word.text, How.PART))
        return parts, doubtful, others

    def _is_surely_a_name(self, words: Sequence[Word], place: int) -> bool:
        """Return whether a part of the name at the beginning of a sentence is no ordinary word there."""
        if not self.is_person:
            return True  # ordinary nouns begin a sentence with an article
        word = words[place]
        if self._is_short(word):
            return not self._is_no_name(words, place)
        known = names().entries
        genitive = (word.key[:-1],) if _possessive(self._words[0], word) else ()
        forms = (word.key, *genitive, *nominatives(word.key))
        entry = next((known[form] for form in forms if form in known), None)
        return entry is not None and Kind.PERSON in entry.kinds and not entry.word

    def _is_part(self, word: Word) -> bool:
        """Return whether a word alone may be meant for the name."""
        if len(self._words) == 1:
            return self._is_short(word)
        first, last = self._words[0], self._words[-1]
        if self.is_person:
            return any(is_one_name(asked.text, word.text) for asked in (first, last)) or self._is_short(word)
        return first.key in _GENERIC and len(last.text) > 2 and is_one_name(last.text, word.text)

    def _full_name_around(self, text: str, words: Sequence[Word], place: int) -> str | None:
        """The name of somebody else that a word is a part of; None where the word is alone."""
        word = words[place]
        if (
            place + 1 < len(words)
            and text[word.end : words[place + 1].start] in (" ", "-")
            and not any(_possessive(asked, word) for asked in self._words)
        ):
            after = words[place + 1]
            if after.capital and not _names_no_person(after) and not after.initial:
                return text[word.start : after.end]
        if place and text[words[place - 1].end : word.start] in (" ", "-", ". "):
            before = words[place - 1]
            named = before.entry is not None and Kind.PERSON in before.entry.kinds
            initial = len(before.text) == 1 and before.text.isupper() and before.text not in "IАЯ"
            if initial and even(before.text) == even(self._words[0].text)[:1]:
                return None
            if before.key not in TITLES and before.capital and (initial or named or not before.initial):
                return text[before.start : word.end]
        return None


def _possessive(name: Word, written: Word) -> bool:
    """Return whether a word is the genitive of a name: *Anna's*, *Annas*."""
    return written.possessive or even(written.text) == even(name.text) + "s"


def _names_no_person(word: Word) -> bool:
    """Return whether a word is known as the name of a place, an organisation or a product alone."""
    return word.entry is not None and Kind.PERSON not in word.entry.kinds


def _adjacent(text: str, before: Word, after: Word) -> bool:
    """Return whether two words are written as one name: with a blank, a hyphen, a comma or an initial's full stop between them."""
    gap = text[before.end : after.start]
    return _GAP.fullmatch(gap) is not None and (gap[:1] != "." or len(before.text) == 1)


def _joined(text: str, before: Word, after: Word) -> bool:
    """Return whether two words are one, with a mark between them."""
    return text[before.end : after.start] in ("-", "‐", "_", "/", "&")


def _numbers(text: str) -> list[str]:
    """The telephone numbers in a text, as they are written."""
    return [number.strip() for number, _ in telephones(text)]


def _is_one_number(asked: str, written: str) -> bool:
    """Return whether two telephone numbers are one, with the country's code or without."""
    (ours, ours_abroad), (theirs, theirs_abroad) = _dialled(asked), _dialled(written)
    shorter, longer = sorted((ours, theirs), key=len)
    if ours_abroad == theirs_abroad:
        return ours == theirs
    return len(shorter) >= _SHORTEST_NUMBER and longer.endswith(shorter) and len(longer) - len(shorter) <= _COUNTRY_CODE


def _dialled(number: str) -> tuple[str, bool]:
    """The digits of a number without what one dials before it, and whether it begins with a country's code."""
    digits = re.sub(r"\(0\)|\D", "", number)
    if number.startswith("+") or digits.startswith("00"):
        return digits.removeprefix("00"), True
    return digits.removeprefix("0"), False


def _identifier(name: str) -> re.Pattern[str]:
    """A pattern for an identifier in lower case with any separators, or with none."""
    core = _SEPARATORS.sub("", folded(name)) if "@" not in name and "//" not in name else folded(name)
    if core == folded(name) and ("@" in name or "//" in name):
        return re.compile(re.escape(core))
    allowed = _SEPARATOR if len(core) >= _SHORTEST_SPACED else r"[-:/._]"
    joined = f"{allowed}{{0,2}}".join(map(re.escape, core))
    return re.compile(joined)
