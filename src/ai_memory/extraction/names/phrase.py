"""A text as the readers of names see it: its words, which of them are free, and the words around each."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence

from ai_memory.extraction.frames import Hit, follows
from ai_memory.extraction.names import words as near
from ai_memory.extraction.values import Kind
from ai_memory.extraction.words import Word

_ARTICLES = frozenset(("the", "our", "a", "an", "my"))
_NO_GAP = frozenset((" ", "\u00a0"))
_AFTER_GAP = _NO_GAP | {"'s ", "’s "}
_LOOK_BACK = 40


class Phrase:
    """One text; the index of a word is its place among all words."""

    def __init__(
        self,
        text: str,
        words: Sequence[Word],
        taken: Sequence[tuple[int, int]],
        versions: frozenset[int],
        verbs: Sequence[Hit],
    ) -> None:
        self.text = text
        self.words = words
        self.taken = _inside(words, taken)
        """The words inside the mentions and times found before."""
        self.versions = versions
        """Where versions begin: the name right before one is a product."""
        self._verbs = verbs
        self._verb_starts = [hit.start for hit in verbs]
        self._verb_ends = {hit.end: hit for hit in verbs}
        capitals = [word.text for word in words if word.lexeme.capital]
        self.lower = not capitals
        """No word has a capital: then a name has none either."""
        self.shouted = len(capitals) > 2 and len(capitals) * 2 > len(words) and self._shouts(capitals)
        """Most words are all capitals: then a capital means nothing."""

    def _shouts(self, capitals: list[str]) -> bool:
        return sum(text.isupper() and len(text) > 1 for text in capitals) * 3 > len(self.words) * 2 - 1

    def before(self, index: int) -> Word | None:
        """The word before in the same phrase, an article skipped; a title counts across the full stop of its abbreviation."""
        if index == 0 or (self.words[index].initial and self.words[index - 1].key not in near.TITLES):
            return None
        before = self.words[index - 1]
        place = before.start
        if before.key in _ARTICLES and index > 1 and not before.initial:
            before = self.words[index - 2]
        between = self.text[before.end : place] if before.start != place else ""
        reach = self.text[self.words[index - 1].end : self.words[index].start]
        return before if between.strip() == "" and reach.strip(" .'’s\u00a0") == "" else None

    def before_key(self, index: int) -> str:
        """The key of that word; empty where there is none."""
        before = self.before(index)
        return before.key if before else ""

    def after(self, index: int) -> Word | None:
        """The word after in the same phrase."""
        if index + 1 >= len(self.words):
            return None
        after = self.words[index + 1]
        return after if self.text[self.words[index].end : after.start] in _AFTER_GAP else None

    def capital_after(self, index: int) -> bool:
        """Return whether the next word has a capital."""
        after = self.after(index)
        return after is not None and after.capital

    def adjacent(self, index: int, count: int) -> bool:
        """Return whether `count` words from `index` on are free, with one blank or hyphen between each."""
        words = self.words[index : index + count]
        gaps = (self.text[left.end : right.start] for left, right in itertools.pairwise(words))
        return self.taken.isdisjoint(range(index, index + count)) and all(gap in _NO_GAP or gap == "-" for gap in gaps)

    def noun_before(self, word: Word) -> str:
        """The word before the preposition before the name: *launch* of, *contract* with; empty where there is none."""
        before = self.text[max(0, word.start - _LOOK_BACK) : word.start].casefold().replace("ё", "е").split()
        return before[-2] if len(before) > 1 else ""

    def verb_before(self, start: int) -> Kind | None:
        """The kind of name that a verb right before `start` requires."""
        hit = self._verb_ends.get(start)
        return hit.frames[0].after if hit else None

    def verb_after(self, end: int) -> Kind | None:
        """The kind of name that a verb after a name that ends at `end` requires."""
        place = bisect_right(self._verb_starts, end)
        hit = self._verbs[place] if place < len(self._verbs) else None
        return hit.frames[0].before if hit and follows(self.text, end, hit) else None

    def kind_by_verb(self, index: int, count: int) -> Kind | None:
        """The kind of name that a verb before or after the name requires, the one before it first."""
        return self.verb_before(self.words[index].start) or self.verb_after(self.words[index + count - 1].end)


def _inside(words: Sequence[Word], spans: Sequence[tuple[int, int]]) -> frozenset[int]:
    """The indices of the words that a span touches."""
    if not spans:
        return frozenset()
    ends = [word.end for word in words]
    found: set[int] = set()
    for start, end in spans:
        index = bisect_right(ends, start)
        while index < len(words) and words[index].start < end:
            found.add(index)
            index += 1
    return frozenset(found)
