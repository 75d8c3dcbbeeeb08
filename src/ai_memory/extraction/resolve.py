"""Who is who: the known entity that each mention names, within one namespace.

A pure function over values: known entities are given, nothing is looked up. Precision first: a short name (*Anna*) is treated as
a longer one (*Anna Petrova*) only where exactly one known entity fits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from ai_memory.extraction.gazetteer import key, short_names
from ai_memory.extraction.names.declension import nominatives
from ai_memory.extraction.values import NAMED, Kind, Mention
from ai_memory.types import Entity

ANY_KIND = "thing"
"""The kind of an entity that was made without one: it may be named by a mention of any named kind."""
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
_COMPANY_OR_PRODUCT = frozenset((Kind.ORGANISATION.value, Kind.PRODUCT.value))
"""One name often means both (*Slack*), and a text does not always show which."""


class How(StrEnum):
    """How a mention was matched to an entity."""

    EXACT = "exact"
    """The same characters as its name or one of its aliases."""
    SPELLING = "spelling"
    """The same but for case, ё and е, apostrophes and blanks."""
    INFLECTION = "inflection"
    """A Russian form of the same name."""
    SHORT = "short"
    """A part, initial or short form of a person's name, which only one entity has."""
    NEW = "new"
    """No known entity, or more than one that fits equally well."""


class Resolved(Struct, frozen=True):
    """One mention and what it names."""

    mention: Mention
    entity: Entity | None
    """None for what is not known; then `name` is the name to keep it under."""
    name: str
    """The entity's name; for new ones the longest form in the text, so that mentions of one new entity share it."""
    how: How


def resolve(mentions: Sequence[Mention], known: Iterable[Entity] | Directory) -> tuple[Resolved, ...]:
    """The entity that each mention names, in the order given; empty for no mentions.

    `known` are the entities of one namespace, or a directory of them. Mentions of no known entity are matched among themselves by
    the same rules: *Anna Petrova … Anna* gives two with one new name.
    """
    directory = known if isinstance(known, Directory) else Directory(known)
    firsts = [directory.find(mention) for mention in mentions]
    fresh = [
        Entity(id="", namespace="", name=mention.canonical, kind=mention.kind.value, created_at=_NEVER)
        for mention, (entity, _) in zip(mentions, firsts, strict=True)
        if entity is None
    ]
    among = Directory(_longest_first(fresh))
    found = []
    for mention, (entity, how) in zip(mentions, firsts, strict=True):
        if entity is not None:
            found.append(Resolved(mention, entity, entity.name, how))
        else:
            same, _ = among.find(mention, longest=True)
            found.append(Resolved(mention, None, same.name if same else mention.canonical, How.NEW))
    return tuple(found)


class Directory:
    """The entities of one namespace, indexed by name for many texts.

    `same` gives for an entity's id that of the entity it was merged into: of several that fit and are one, any is used for all.
    """

    def __init__(self, known: Iterable[Entity], same: Callable[[str], str] | None = None) -> None:
        self._same = same
        self._by_name: dict[str, list[Entity]] = {}
        self._by_key: dict[str, list[Entity]] = {}
        self._by_part: dict[str, list[Entity]] = {}
        for entity in known:
            self.add(entity)

    def add(self, entity: Entity, *, whole: bool = False) -> None:
        """Add one more entity; `whole`: no shorter form of its name is taken for it, until it is added without."""
        for name in (entity.name, *entity.aliases):
            self._file(self._by_name, name, entity)
            self._file(self._by_key, key(name), entity)
            if not whole and entity.kind in (Kind.PERSON.value, ANY_KIND):
                for part in key(name).split():
                    self._file(self._by_part, part, entity)

    @staticmethod
    def _file(table: dict[str, list[Entity]], name: str, entity: Entity) -> None:
        held = table.setdefault(name, [])
        if entity not in held:
            held.append(entity)

    def find(self, mention: Mention, *, longest: bool = False) -> tuple[Entity | None, How]:
        """The entity that a mention names and how it was matched; (None, NEW) where none or several fit.

        With `longest` a person's short name is looked for before its own exact form.
        """
        steps = [
            (How.EXACT, self._by_name.get(mention.canonical, []) + self._by_name.get(mention.name, [])),
            (How.SPELLING, self._by_key.get(key(mention.canonical), [])),
        ]
        if mention.kind in NAMED:
            known = (form for form in forms(mention.canonical) if form in self._by_key)
            steps.append((How.INFLECTION, self._by_key.get(next(known, ""), [])))
        if mention.kind is Kind.PERSON:
            steps.insert(0 if longest else len(steps), (How.SHORT, self._shortened(mention.canonical)))
        for how, candidates in steps:
            fitting = list({id(entity): entity for entity in candidates if _fits(mention.kind, entity.kind)}.values())
            if len(fitting) == 1:
                return fitting[0], how
            same_kind = [entity for entity in fitting if entity.kind == mention.kind.value]
            if len(same_kind) == 1:
                return same_kind[0], how
            if fitting and self._same and len({self._same(entity.id) for entity in fitting}) == 1:
                return fitting[0], how
            if fitting and how is not How.SHORT:
                return None, How.NEW
        return None, How.NEW

    def _shortened(self, name: str) -> list[Entity]:
        """Persons in whose name every word of `name` is a word, a short form or an initial, in order."""
        words = key(name).replace(".", ". ").split()
        beginnings = {word for word in words if not word.endswith(".")}
        pool = [
            entity
            for word in beginnings
            for form in (*nominatives(word), *short_names().get(word, ()))
            for entity in self._by_part.get(form, ())
        ]
        return [
            entity
            for entity in {id(entity): entity for entity in pool}.values()
            if any(_abbreviates(words, key(full).split()) for full in (entity.name, *entity.aliases))
        ]


def _abbreviates(words: list[str], full: list[str]) -> bool:
    """Return whether the words of a shorter name abbreviate words of the full one, in order."""
    place = 0
    for word in words:
        while place < len(full) and not _abbreviates_word(word, full[place]):
            place += 1
        if place == len(full):
            return False
        place += 1
    return True


def _abbreviates_word(word: str, full: str) -> bool:
    if word.endswith("."):
        return full.startswith(word[:-1]) and len(word) > 1
    return full in nominatives(word) or full in short_names().get(word, ())


def forms(name: str) -> tuple[str, ...]:
    """The nominatives that a one-word name in any case may have, its own key first; of several words only the key.

    Names of several words are given in the nominative by extraction already.
    """
    words = key(name).split()
    return nominatives(words[0]) if len(words) == 1 else (" ".join(words),)


def _fits(mention: Kind, entity: str) -> bool:
    if entity == mention.value or (entity == ANY_KIND and mention in NAMED):
        return True
    return mention.value in _COMPANY_OR_PRODUCT and entity in _COMPANY_OR_PRODUCT


def _longest_first(entities: list[Entity]) -> list[Entity]:
    """One entity per name, and no short name of a person in addition to the longer name that it is short for."""
    unique = {(entity.kind, key(entity.name)): entity for entity in reversed(entities)}
    kept: list[Entity] = []
    for entity in sorted(unique.values(), key=lambda each: -len(each.name.split())):
        shorter = Directory(kept)._shortened(entity.name) if entity.kind == Kind.PERSON.value else []
        if len(shorter) != 1:
            kept.append(entity)
    return kept
