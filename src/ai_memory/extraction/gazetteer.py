"""Lists of known names: people, places, organisations, products, and short names.

The lists are in `data/` (their sources and licences in its README) and are read once, when first needed: some 26,000 names,
10 MB of memory. Keys are case-folded, with ё as е and single blanks.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

from ai_memory.extraction.values import Kind

_FILES = (
    ("people", Kind.PERSON),
    ("families", Kind.PERSON),
    ("places", Kind.PLACE),
    ("organisations", Kind.ORGANISATION),
    ("products", Kind.PRODUCT),
)
LONGEST = 5
"""Words of the longest name that is looked up."""


class Entry(NamedTuple):
    """What the lists know of one name."""

    kinds: frozenset[Kind]
    word: bool
    """Also an ordinary word (*will*, *rose*, *вера*), so the name needs more than its letters."""
    family: bool
    """A family name that is not a first name too."""


class Names(NamedTuple):
    """All lists together: entries by key, and the first words of names of several words."""

    entries: dict[str, Entry]
    beginnings: dict[str, int]
    """For the first word of a name of several words, how many words the longest such name has."""


def key(name: str) -> str:
    """The form under which a name is looked up."""
    return " ".join(name.casefold().replace("ё", "е").replace("’", "'").split())


@cache
def names() -> Names:
    """The lists, read at the first call."""
    entries: dict[str, Entry] = {}
    beginnings: dict[str, int] = {}
    same: dict[Entry, Entry] = {}  # a few dozen distinct ones serve all names
    for file, kind in _FILES:
        for line in _lines(file):
            name = key(line.removeprefix("~"))
            known = entries.get(name)
            kinds = known.kinds | {kind} if known else frozenset((kind,))
            word = line.startswith("~") or (known is not None and known.word)
            entry = Entry(kinds, word, file == "families" and (known is None or known.family))
            entries[name] = same.setdefault(entry, entry)
            words = name.split()
            if 1 < len(words) <= LONGEST:
                beginnings[words[0]] = max(len(words), beginnings.get(words[0], 0))
    return Names(entries, beginnings)


@cache
def short_names() -> dict[str, frozenset[str]]:
    """For each short or full first name, the keys of the names that mean the same person (Саша: александр, александра)."""
    table: dict[str, set[str]] = {}
    for file in ("nicknames", "diminutives"):
        for line in _lines(file):
            full, _, shorts = line.partition(":")
            for short in shorts.split():
                table.setdefault(key(short), set()).add(key(full))
                table.setdefault(key(full), set()).add(key(short))
    return {name: frozenset(others) for name, others in table.items()}


def is_product(name: str) -> bool:
    """Return whether the lists have this name as a product, so that it wins over the shape of a file or symbol (Node.js)."""
    entry = names().entries.get(key(name))
    return entry is not None and Kind.PRODUCT in entry.kinds


def _lines(file: str) -> list[str]:
    text = (resources.files("ai_memory.extraction") / "data" / f"{file}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line]
