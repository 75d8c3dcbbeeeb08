"""People, organisations, products and places: names recognised by lists, by the words around them and by their spelling.

Precision first: a name that is an ordinary word too (*Will*, *Target*, *Вера*) needs evidence where a capital means nothing, at the
beginning of a sentence; a name that is in no list needs a word next to it that shows its kind (`kinds.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ai_memory.extraction.frames import Hit
from ai_memory.extraction.gazetteer import LONGEST, Entry, key, names
from ai_memory.extraction.names import words as near
from ai_memory.extraction.names.declension import guess, like, nominatives
from ai_memory.extraction.names.kinds import STOP, choose, is_supported, kind_of_unknown
from ai_memory.extraction.names.persons import first_name, full_name, is_family, surname
from ai_memory.extraction.names.phrase import Phrase
from ai_memory.extraction.values import Kind, Mention
from ai_memory.extraction.words import ABBREVIATED, Word

_CAMEL = re.compile(r"[A-Z][a-z0-9]+[A-Z]\w*|[A-Z]{2,}[a-z]+\w*|[a-z][A-Z]\w+")
_TECHNICAL = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+")
_LETTERS = re.compile(r"\w(?:\.\w)+")
"""An abbreviation of single letters (U.S)."""
_COUNTS = re.compile(r" (?!and|or|to|on|in|is|и|на)[a-zа-яё]|[%:/-]|[.,]\d")
"""After a number: it counts or measures something and is not a release."""
_PROJECT = frozenset(("project", "проект"))
_RUN_GAPS = frozenset((" ", ". ", "\u00a0", "' ", "’ "))
_LONGEST_RUN = 7
_SHORT_FORM = 4
"""Letters below which an inflected word at the beginning of a sentence is more likely another word."""
_SHORT_PRODUCT = 3
_BEFORE_PERSON = near.PERSON_BEFORE | near.TITLES | {"with", "from", "by", "for", "с", "у", "от", "and", "и"}
_MODALS = near.PERSON_AFTER | {"can"}
_PART = 3
"""Letters up to which a word of a name is not a name by itself later in the text."""


class _Found(NamedTuple):
    kind: Kind
    words: int
    canonical: tuple[str, ...] = ()
    """One part for each word; empty where the name is in its base form already."""


def find(
    text: str, words: Sequence[Word], taken: Sequence[Mention], times: Sequence[tuple[int, int]], verbs: Sequence[Hit]
) -> list[Mention]:
    """Mentions of people, organisations, products and places, in order, and the releases of products.

    Words inside the given mentions and times are skipped. Empty for a text without names.
    """
    spans = sorted([*((mention.start, mention.end) for mention in taken), *times])
    versions = frozenset(mention.start for mention in taken if mention.kind is Kind.VERSION)
    return _Reader(Phrase(text, words, spans, versions, verbs)).read()


class _Reader:
    """Reads the names of one text, word by word."""

    def __init__(self, phrase: Phrase) -> None:
        self.phrase = phrase
        self.words = phrase.words
        self.last: Mention | None = None
        """The name found last."""

    def read(self) -> list[Mention]:
        found: list[Mention] = []
        unknown: list[Word] = []
        reached = 0
        for index in self._candidates():
            if index < reached:
                continue
            name = self._at(index)
            if name is None:
                if self.words[index].capital and index not in self.phrase.taken:
                    unknown.append(self.words[index])
                continue
            self.last = self._mention(index, name)
            found.append(self.last)
            reached = index + name.words
            if name.kind is Kind.PRODUCT and (release := self._release(reached)):
                found.append(release)
                reached += 1
        return sorted(found + _again(found, unknown))

    def _candidates(self) -> list[int]:
        """Where a name may begin: at all words but the plain ones, or at all in a text without capitals."""
        if self.phrase.lower:
            return list(range(len(self.words)))
        return [index for index, word in enumerate(self.words) if not word.lexeme.plain]

    def _mention(self, index: int, name: _Found) -> Mention:
        start, end = self.words[index].start, self.words[index + name.words - 1].end
        surface = self.phrase.text[start:end]
        return Mention(start, end, name.kind, surface, " ".join(name.canonical) or surface)

    def _release(self, index: int) -> Mention | None:
        """The whole number right after a product, if it is one of its releases: Fedora 40, but not Slack 3 times."""
        if index >= len(self.words) or index in self.phrase.taken or self.phrase.after(index - 1) is None:
            return None
        word = self.words[index]
        if not word.text.isdigit() or len(word.text) > 3 or _COUNTS.match(self.phrase.text, word.end):
            return None
        return Mention(word.start, word.end, Kind.VERSION, word.text, word.text)

    # -- where a name begins

    def _at(self, index: int) -> _Found | None:
        word = self.words[index]
        if index in self.phrase.taken or not word.text[0].isalpha():
            return None
        listed = self._listed(index)
        if listed:
            return listed
        if self.phrase.shouted:
            return self._shouted(index)
        if not word.capital:
            return self._uncapitalised(index)
        if word.key in near.NEVER or _LETTERS.fullmatch(word.text):
            return None
        length = self._run(index)
        if length == 1:
            return self._single(index)
        if self._leads(word):
            return None
        return self._several(index, length) or self._single(index)

    def _listed(self, index: int) -> _Found | None:
        """The longest name of several words in the lists that begins here; VS Code is found as vscode too."""
        first = self.words[index]
        after = self.words[index + 1] if index + 1 < len(self.words) else None
        longest = names().beginnings.get(first.lexeme.key, 0)
        if after is None or not (longest or (first.lexeme.capital and after.lexeme.capital)):
            return None
        for count in range(min(max(longest, 2), LONGEST, len(self.words) - index), 1, -1):
            words = self.words[index : index + count]
            keys = [word.key for word in words]
            entry = names().entries.get(" ".join(keys)) or (names().entries.get("".join(keys)) if count == 2 else None)
            if entry is None or not self.phrase.adjacent(index, count):
                continue
            product = entry.kinds == {Kind.PRODUCT} and any(word.capital for word in words)
            if product or (words[0].capital and words[-1].capital):
                if keys[-1] in near.ORGANISATION_WORDS:
                    return _Found(Kind.ORGANISATION, count)
                return _Found(choose(self.phrase, index, count, entry.kinds, self.last), count)
        return None

    def _run(self, index: int) -> int:
        """How many words from here on are written as one name: capitals, with connectors (van, of) only between them."""
        count = last = 1
        while index + count < len(self.words) and count < _LONGEST_RUN:
            word, before = self.words[index + count], self.words[index + count - 1]
            gap = self.phrase.text[before.end : word.start]
            shortened = gap == ". " and (len(before.text) == 1 or before.key in ABBREVIATED)
            if index + count in self.phrase.taken or before.possessive or gap not in _RUN_GAPS:
                break
            if gap == ". " and not shortened:
                break
            if word.capital and word.key not in near.NEVER:
                last = count + 1
            elif word.key not in near.CONNECTORS:
                break
            count += 1
        return last

    # -- names of several words

    def _several(self, index: int, length: int) -> _Found | None:
        words = self.words[index : index + length]
        first, last = words[0].key, words[-1].key
        if first in _PROJECT:
            return _Found(Kind.PRODUCT, 2)
        if last in near.ORGANISATION_WORDS or first in near.ORGANISATION_WORDS:
            return _Found(Kind.ORGANISATION, length)
        person = full_name(words, titled=self.phrase.before_key(index) in near.TITLES)
        if first in near.PLACE_WORDS_FIRST or (last in near.PLACE_WORDS_LAST and not person):
            return _Found(Kind.PLACE, length)
        if first in near.DEVICES or (words[0].entry and words[1].key in near.DEVICES):
            return self._device(index, length)
        if person:
            return _Found(Kind.PERSON, len(person), person)
        if words[0].entry:
            return None  # a name by itself; what follows is looked at next
        kind = kind_of_unknown(self.phrase, index, length)
        return _Found(kind, length) if kind else None

    def _leads(self, word: Word) -> bool:
        """Return whether a word precedes a name and is not part of it: Ask Anna, The Amazon, Service Mercury."""
        person = word.entry is not None and Kind.PERSON in word.entry.kinds
        if person and word.key not in near.PERSON_BEFORE:
            return False
        if word.key in near.PRODUCT_BEFORE:
            return word.key not in _PROJECT
        begins = word.key in near.IMPERATIVES or word.key in near.PERSON_BEFORE
        return word.key in STOP or word.key in near.BEGINNERS or word.key in near.TITLES or (word.initial and begins)

    def _device(self, index: int, length: int) -> _Found:
        """A device with its number: Tesla Model 3, iPhone 15."""
        after = self.phrase.after(index + length - 1)
        return _Found(Kind.PRODUCT, length + 1 if after and after.text[0].isdigit() else length)

    # -- single names

    def _single(self, index: int) -> _Found | None:
        word = self.words[index]
        if word.key in near.DEVICES and not (word.initial and word.text[0].isupper()):
            return self._device(index, 1)
        if word.initial and word.key in near.BEGINNERS:
            return None
        if word.initial and word.key in STOP:
            return self._stop_word(index)
        if word.key in near.TITLES and not word.entry:
            return None
        form, entry = self._known(index)
        if entry is None:
            return self._stranger(index)
        kinds = entry.kinds - {Kind.PERSON} if word.text.isupper() and len(word.text) > 1 else entry.kinds
        inflected = form != word.key
        if not kinds or (entry.word and word.initial and not is_supported(self.phrase, index, entry.kinds)):
            return None
        if inflected and word.initial and (len(form) < _SHORT_FORM or entry.word):
            return None
        kind = choose(self.phrase, index, 1, kinds, self.last)
        return _Found(kind, 1, (like(word.text, form),) if inflected else ())

    def _stop_word(self, index: int) -> _Found | None:
        """Will, May and such at the beginning of a sentence: a person only before a verb that needs one."""
        entry, after = self.words[index].entry, self.phrase.after(index)
        if entry is None or after is None or Kind.PERSON not in entry.kinds:
            return None
        return _Found(Kind.PERSON, 1) if after.key in _MODALS and not after.capital else None

    def _known(self, index: int) -> tuple[str, Entry | None]:
        """The listed name that the word is, or is a Russian form of; where several are, the one that fits its place."""
        word, entries = self.words[index], names().entries
        if word.text.isascii():
            return word.key, word.entry
        known = [(form, entry) for form in nominatives(word.key) if (entry := entries.get(form))]
        if self.phrase.before_key(index) in near.PLACE_BEFORE:
            oblique = word.key if word.key.endswith("е") else ""
            known.sort(key=lambda pair: (Kind.PLACE not in pair[1].kinds, pair[0] == oblique))
        return known[0] if known else (word.key, None)

    def _stranger(self, index: int) -> _Found | None:
        """A name that is in no list."""
        word = self.words[index]
        if _CAMEL.fullmatch(word.text) and not word.text.isupper():
            return _Found(Kind.SYMBOL if self.phrase.before_key(index) in near.CODE_NOUNS else Kind.PRODUCT, 1)
        if is_family(word) or ("-" in word.text and first_name(word)):
            return _Found(Kind.PERSON, 1)
        kind = kind_of_unknown(self.phrase, index, 1)
        return _Found(kind, 1, self._first_form(index, kind)) if kind else None

    def _first_form(self, index: int, kind: Kind) -> tuple[str, ...]:
        """The nominative of an unknown Russian name, as far as it can be derived; empty where it is written so already."""
        word, before = self.words[index], self.phrase.before_key(index)
        if word.text.isascii():
            return ()
        family = surname(word) if kind is Kind.PERSON else None
        if family:
            form = like(word.text, family)
        elif before and self.phrase.verb_before(word.start):
            form = guess(word.text, before if len(before) < 4 else "")
        else:
            return ()
        return (form,) if form != word.text else ()

    # -- names without capitals

    def _shouted(self, index: int) -> _Found | None:
        """A listed name in a text of capitals, if it is not an ordinary word."""
        word = self.words[index]
        _, entry = self._known(index)
        if entry is None or entry.word or word.key in STOP or word.key in near.NEVER or len(word.key) <= _SHORT_PRODUCT:
            return None
        return _Found(choose(self.phrase, index, 1, entry.kinds, self.last), 1)

    def _uncapitalised(self, index: int) -> _Found | None:
        word = self.words[index]
        if word.key in STOP:
            return None
        if word.entry and word.entry.kinds == {Kind.PRODUCT} and not word.entry.word:
            return _Found(Kind.PRODUCT, 1) if word.text.isascii() and len(word.key) > _SHORT_PRODUCT else None
        if _TECHNICAL.fullmatch(word.text) and word.text.rpartition("-")[2] in near.TECHNICAL_LAST:
            return _Found(Kind.PRODUCT, 1)
        return self._lower_person(index) if self.phrase.lower else None

    def _lower_person(self, index: int) -> _Found | None:
        """A first name in a text without any capitals, next to a word that goes with people."""
        word, before, after = self.words[index], self.phrase.before(index), self.phrase.after(index)
        form, entry = self._known(index)
        if entry is None or entry.word or Kind.PERSON not in entry.kinds or len(word.key) < 3:
            return None
        if before is None:
            person = after is not None and (after.key in near.PERSON_AFTER or after.key in ("is", "was"))
        else:
            person = before.key in _BEFORE_PERSON
        return _Found(Kind.PERSON, 1, (like(word.text, form),) if form != word.key else ()) if person else None


def _again(found: list[Mention], unknown: list[Word]) -> list[Mention]:
    """Words left over that are part of a name found elsewhere in the text: Petrova after Anna Petrova."""
    parts = {
        key(part): mention.kind
        for mention in found
        for part in mention.name.split()
        if len(part) > _PART and mention.kind in (Kind.PERSON, Kind.PRODUCT, Kind.ORGANISATION)
    }
    return [
        Mention(word.start, word.end, parts[word.key], word.text, word.text) for word in unknown if word.key in parts
    ]
