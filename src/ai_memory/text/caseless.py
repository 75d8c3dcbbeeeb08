"""Tags and context paths are compared without case: they are shown as written, and `FINANCE` finds `finance`.

Two names are the same if `caseless` gives the same for both. An index of names as written answers which spellings of one name it
holds with a few look-ups (`next_spelling`), so that no second column and no second index is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

Variants = Sequence[tuple[str, ...]]
"""For each character of a name the characters that are the same without case, ascending."""

_LAST = "\U0010ffff"


def caseless(name: str) -> str:
    """`name` for comparison only."""
    return name.lower()


def variants(name: str) -> Variants:
    """The spellings of `name`, character by character."""
    return tuple(_same(character) for character in name)


def _same(character: str) -> tuple[str, ...]:
    found = {character}
    for _ in range(2):  # ς is the lower case of no letter: its upper case Σ has σ
        found |= {
            each for known in found for each in (known.lower(), known.upper(), known.casefold()) if len(each) == 1
        }
    if "σ" in found:
        found.add("ς")
    return tuple(sorted(found))


def next_spelling(name: Variants, least: str) -> str | None:
    """The first spelling of a name, in the order of code points, that is not before `least`; None if there is none."""
    made: list[str] = []
    for options, character in zip(name, least, strict=False):
        if character not in options:
            later = next((option for option in options if option > character), None)
            if later is None:
                return _after(name, made)
            made.append(later)
            return _filled(name, made)
        made.append(character)
    if len(least) > len(name):  # the spelling that `least` begins with is before it
        return _after(name, made)
    return _filled(name, made)


def _after(name: Variants, made: list[str]) -> str | None:
    """The first spelling after all that begin with `made`."""
    while made:
        character = made.pop()
        later = next((option for option in name[len(made)] if option > character), None)
        if later is not None:
            return _filled(name, [*made, later])
    return None


def _filled(name: Variants, made: Sequence[str]) -> str:
    return "".join((*made, *(options[0] for options in name[len(made) :])))


def spellings_in(name: str, first_from: Callable[[str], str | None]) -> Iterator[str]:
    """The spellings of `name` that something in an index begins with, ascending.

    `first_from` gives the first entry of the index, in the order of code points, that is not before a text; None if there is none.
    Each spelling takes one or two look-ups, and each entry that is close to one.
    """
    ways = variants(name)
    spelling = next_spelling(ways, "")
    while spelling is not None:
        entry = first_from(spelling)
        if entry is None:
            return
        if entry.startswith(spelling):
            yield spelling
            spelling = next_spelling(ways, spelling + _LAST)
        else:
            spelling = next_spelling(ways, entry[: len(name)])
