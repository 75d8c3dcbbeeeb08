"""Which authors a question names, so that who said something counts as evidence in addition to what was said.

An author is named where a word of the question is a word of the author's name: exactly as written, letter case aside, or by its
stem where the script inflects names (any but Latin). Function words never name an author, unless the question writes them as names
(a capital inside the sentence).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from ai_memory.text.analysis import analyse
from ai_memory.text.terms import QueryTerm
from ai_memory.text.words import Kind, fold, tokens, visible

LEAST_WEIGHT = 0.35
"""Words of the question below this weight are function words, or parts of an identifier too small to name an author."""


class AuthorWords:
    """Maps the words of all authors' names to the authors' numbers. Callers serialise all use."""

    def __init__(self) -> None:
        self._having: dict[str, list[int]] = {}
        self._seen = 0

    def named(self, names: Sequence[str | None], terms: Iterable[QueryTerm]) -> list[int]:
        """The numbers of the authors that a question's terms name, ascending; empty when they name none.

        `names` are all names by number, None for a number that is not in use; since the last call it may only have grown.
        """
        for number in range(self._seen, len(names)):
            for word in _words(names[number] or ""):
                self._having.setdefault(word, []).append(number)
        self._seen = len(names)
        found: set[int] = set()
        for term in terms:
            if term.weight >= LEAST_WEIGHT:
                for word in _asked(term):
                    found.update(self._having.get(word, ()))
        return sorted(found)


def _words(name: str) -> set[str]:
    """A name's words, case-folded, and the stems of those that are not Latin; a single Latin letter does not count."""
    words = {term for term in analyse(name) if not term.isascii() and term[0].isalnum()}
    for chunk in visible(name).split():
        for kind, text in tokens(chunk):
            words.update(map("".join, pairwise(text)) if kind is Kind.WIDE else (fold(text.casefold()),))
    return {word for word in words if len(word) > 1}


def _asked(term: QueryTerm) -> set[str]:
    stems = (name for name in term.alternatives if not name.isascii() and name[0].isalnum())
    return {fold(term.surface), *stems}
