"""Russian names in their cases: from a form in a text to the nominatives that it may be a form of.

Regular endings only, as for names (Anna, Sergey, Petrova, Kazan): no dictionary is used, so a form gives several candidates and
callers take the first that is a known name. Source of the endings: the declensions of any Russian grammar.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ENDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # adjectives and names like them: Толстой, Невская
    ("ого", ("ий", "ый", "ой")), ("его", ("ий",)), ("ому", ("ий", "ый", "ой")), ("ему", ("ий",)),
    ("ую", ("ая", "уя")), ("юю", ("яя",)),
    # -ия: Мария, Россия
    ("ией", ("ия",)), ("иею", ("ия",)), ("ию", ("ия", "ий")), ("ии", ("ия", "ий", "ие")),
    ("ием", ("ий", "ие")), ("ия", ("ия", "ий")),
    # consonant, -й, -ь, -о, -е, -а, -я
    ("ами", ("ы", "и")), ("ями", ("и",)), ("ах", ("ы", "и")), ("ях", ("и",)),
    ("ой", ("а", "ая", "ой")), ("ою", ("а",)), ("ей", ("я", "а", "ь", "ей")), ("ею", ("я",)),
    ("ым", ("", "ый", "ой")), ("им", ("ий", "")), ("ом", ("", "о", "ой")), ("ем", ("й", "ь", "", "е")),
    ("ью", ("ь",)), ("ья", ("ей", "ь")), ("ье", ("ья", "ье")),
    ("а", ("", "о")), ("я", ("й", "ь", "е")), ("у", ("", "а", "о")), ("ю", ("й", "я", "ь", "е")),
    ("ы", ("а", "")), ("и", ("я", "а", "ь", "")), ("е", ("", "а", "о", "й", "я", "ь")),
)  # fmt: skip
_FLEETING = {
    "павл": "павел", "льв": "лев", "петр": "петр", "орл": "орел", "марк": "марк", "волг": "волга",
}  # fmt: skip
"""Stems that lose a vowel before an ending."""
_CYRILLIC = re.compile("[а-яё-]+")
_MIN_STEM = 2
_CLOSED = "бвгджзклмнпрстфхцчшщ"


@lru_cache(maxsize=16_384)
def nominatives(form: str) -> tuple[str, ...]:
    """Candidates for the nominative of one case-folded word with е for ё, the form itself first.

    A word that is not Cyrillic has only itself. Candidates keep е for ё and are in order of likelihood, without repeats.
    """
    if not _CYRILLIC.fullmatch(form):
        return (form,)
    found = [form]
    for ending, replacements in _ENDINGS:
        stem = form[: -len(ending)]
        if form.endswith(ending) and len(stem) >= _MIN_STEM:
            if stem in _FLEETING:
                found.append(_FLEETING[stem])
            found.extend(stem + new for new in replacements if new or stem[-1] in _CLOSED)
    return tuple(dict.fromkeys(found))


def like(form: str, nominative: str) -> str:
    """`nominative`, a case-folded word, written with the capitals of `form` and its ё where they agree."""
    shared = 0
    for given, wanted in zip(form, nominative, strict=False):
        if given.casefold().replace("ё", "е") != wanted.replace("ё", "е"):
            break
        shared += 1
    tail = nominative[shared:]
    if form.isupper() and len(form) > 1:
        tail = tail.upper()
    return form[:shared] + tail


def guess(form: str, preposition: str) -> str:
    """The likeliest nominative of an unknown name after a preposition, or after a verb (""): *в Озоне* gives Озон.

    Only what the preposition's case makes nearly sure is changed; anything else stays as it is.
    """
    lower = form.casefold()
    stem = form[:-1]
    if preposition in ("в", "во", "о", "об", "на", "при") and lower.endswith("е") and len(stem) > _MIN_STEM:
        return stem if stem[-1].casefold() in _CLOSED else form
    if preposition in ("из", "от", "у", "до", "для", "без", "с", "со", "после") and len(stem) > _MIN_STEM:
        if lower.endswith("а") and stem[-1].casefold() in _CLOSED:
            return stem
        if lower.endswith(("ы", "и")) and stem[-1].casefold() in _CLOSED:
            return stem + "а"
    if not preposition and len(stem) > _MIN_STEM:
        if lower.endswith("у") and stem[-1].casefold() in _CLOSED:
            return stem + "а"
        if lower.endswith("ом") and stem[-2].casefold() in _CLOSED:
            return form[:-2]
    return form
