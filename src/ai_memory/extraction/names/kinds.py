"""The kind of entity that a name means, from the words around it."""

from __future__ import annotations

import re

from ai_memory.extraction.names import words as near
from ai_memory.extraction.names.persons import is_patronymic, surname
from ai_memory.extraction.names.phrase import Phrase
from ai_memory.extraction.values import Kind, Mention
from ai_memory.extraction.words import Word
from ai_memory.text import stopwords

STOP = stopwords.ENGLISH | stopwords.RUSSIAN
_ORDER = (Kind.PERSON, Kind.PLACE, Kind.ORGANISATION, Kind.PRODUCT)
"""Of several kinds without any evidence, the first."""
_PAST_VERB = re.compile(r"[a-z]{3,}ed|[а-я]{3,}(?:л|ла|лся|лась)")
_QUOTED_BEFORE = re.compile(r"([^\W\d_]+)\s+[«\"“]$")
_QUOTE_REACH = 24
_DIGIT = re.compile(r"\d")
_DEALING = frozenset(("with", "from", "for", "at", "by", "с", "от", "у", "в", "из"))
_MANY_WORDS = 4
_SHORT_SURNAME = 5
"""Letters up to which an ending (-ов, -ин) is too weak a sign."""


def choose(phrase: Phrase, index: int, count: int, kinds: frozenset[Kind], last: Mention | None) -> Kind:
    """Of the kinds that the lists give a name of `count` words, the one that fits its context; `last` is the name before."""
    before, after = phrase.before_key(index), phrase.after(index + count - 1)
    if kinds == {Kind.PRODUCT}:
        return Kind.ORGANISATION if _is_company(phrase, index, count, last) else Kind.PRODUCT
    if count == 1 and _is_program(phrase, index):
        return Kind.PRODUCT
    if len(kinds) == 1:
        return next(iter(kinds))
    if Kind.PRODUCT in kinds and after and (after.start in phrase.versions or after.key in near.PRODUCT_AFTER):
        return Kind.PRODUCT
    by_verb = phrase.kind_by_verb(index, count)
    if by_verb in kinds and not (by_verb is Kind.PRODUCT and Kind.PERSON in kinds):
        return by_verb
    if Kind.PLACE in kinds and before in near.PLACE_BEFORE:
        return Kind.PLACE
    if Kind.ORGANISATION in kinds and before in near.ORGANISATION_BEFORE:
        return Kind.ORGANISATION
    return next(kind for kind in _ORDER if kind in kinds)


def _is_company(phrase: Phrase, index: int, count: int, last: Mention | None) -> bool:
    """Return whether a brand means its company here: what one joins or buys, or a person is from."""
    if phrase.kind_by_verb(index, count) is Kind.ORGANISATION:
        return True
    before = phrase.before(index)
    if before is None or last is None or last.kind is not Kind.PERSON:
        return False
    return before.key in ("from", "at", "из") and last.end == before.start - 1


def _is_program(phrase: Phrase, index: int) -> bool:
    """Return whether a name that the lists give to a person or place is a program's here: *deploy Vega*, *the Apollo gateway*."""
    if phrase.words[index].possessive:
        return False
    if phrase.before_key(index) in near.PRODUCT_BEFORE:
        return True
    article = index > 0 and phrase.words[index - 1].key in ("the", "our", "new", "old")
    after = phrase.after(index)
    return article and after is not None and after.key in near.PRODUCT_AFTER


def is_supported(phrase: Phrase, index: int, kinds: frozenset[Kind]) -> bool:
    """Return whether the context supports a name at the beginning of a sentence that is an ordinary word too."""
    word, after = phrase.words[index], phrase.after(index)
    if word.possessive and kinds & {Kind.PERSON, Kind.ORGANISATION}:
        return True
    if after is None:
        return False
    if after.start in phrase.versions and Kind.PRODUCT in kinds:
        return True
    if Kind.PERSON in kinds and (after.key in near.PERSON_AFTER or is_patronymic(after)):
        return after.key != "and" or phrase.capital_after(index + 1)
    if not after.capital and _PAST_VERB.fullmatch(after.key):
        return bool(kinds & {Kind.PERSON, Kind.ORGANISATION})
    return phrase.verb_after(word.end) in kinds


def kind_of_unknown(phrase: Phrase, index: int, count: int) -> Kind | None:
    """The kind of a name of `count` words that is in no list; None where no word around it shows one."""
    first, last = phrase.words[index], phrase.words[index + count - 1]
    after = phrase.after(index + count - 1)
    if phrase.before_key(index) in near.TITLES:
        return Kind.PERSON
    if after and after.start in phrase.versions:
        return Kind.PRODUCT
    if phrase.text.startswith((", who ", ", котор"), last.end) and not first.initial:
        return Kind.PERSON
    quoted = _QUOTED_BEFORE.search(phrase.text, max(0, first.start - _QUOTE_REACH), first.start)
    if quoted and quoted[1].casefold() in near.ORGANISATION_BEFORE:
        return Kind.ORGANISATION
    kind = phrase.verb_before(first.start)
    if kind and not (kind in (Kind.PERSON, Kind.PLACE) and _DIGIT.search(first.text)):
        return kind
    kind = _kind_from_verb(phrase, first, last, after, count)
    if kind or first.initial or last.text.isupper():
        return kind
    return _kind_inside(phrase, index, last, after)


def _kind_from_verb(phrase: Phrase, first: Word, last: Word, after: Word | None, count: int) -> Kind | None:
    """The kind that the verb after the name requires."""
    if first.key in STOP or first.key in near.IMPERATIVES or first.key in near.PERSON_BEFORE:
        return None
    kind = phrase.verb_after(last.end)
    speaks = after is not None and after.key in near.SPEAKING and first.key not in near.DEPARTMENTS
    return kind or (Kind.PERSON if speaks and count < _MANY_WORDS else None)


def _kind_inside(phrase: Phrase, index: int, last: Word, after: Word | None) -> Kind | None:
    """The kind of a name inside a sentence, where its capital shows that it is a name."""
    first = phrase.words[index]
    preposition, noun = phrase.before_key(index), phrase.noun_before(first)
    if after and after.key in near.PRODUCT_AFTER and not last.possessive:
        return Kind.PRODUCT
    if preposition in near.PRODUCT_BEFORE or (noun in near.PRODUCT_OF and preposition in ("for", "of")):
        return Kind.PRODUCT
    if preposition in near.PERSON_BEFORE:
        return Kind.PERSON
    if preposition in near.ORGANISATION_BEFORE or (noun in near.DEALINGS and preposition in _DEALING):
        return Kind.ORGANISATION
    if len(first.key) > _SHORT_SURNAME and surname(first):
        return Kind.PERSON
    return Kind.PLACE if preposition in ("in", "near", "outside", "во") else None
