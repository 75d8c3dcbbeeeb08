"""From text to index terms, the same way for what is stored and for what is asked.

A text is cut at blanks; each piece is turned into terms once and cached, since most pieces are words met before. A word is
indexed by its stem and, where the stem says less than the word does, by its exact form; `text/terms.py` says how the two are
marked. A question's word asks for both and is worth a little less where only the stem matches.

Latin words have an English (Snowball) stem. They have a German one as well when the text reads as German or the word has an
umlaut; ä, ö, ü and ß match their spellings ae, oe, ue and ss either way. Cyrillic words have a Russian stem. Chinese, Japanese,
Korean, Thai, Lao, Khmer and Burmese are indexed by pairs of characters, traditional Chinese ones as simplified. Words of other
scripts are case-folded. Versions, part numbers, hashes and telephone numbers have further exact forms (`text/codes.py`).
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterable, Iterator

import Stemmer

from ai_memory.text import codes, stopwords
from ai_memory.text.han import simplified
from ai_memory.text.terms import EXACT, SECOND, Query, QueryTerm
from ai_memory.text.words import Kind, Token, fold, tokens, visible

ANALYSIS_VERSION = f"2-{Stemmer.version()}"
"""Changes whenever some text would give other terms; an index of another version is rebuilt."""

MAX_QUERY_TERMS = 128
"""A longer question is represented by its first distinct words."""

_INEXACT = 0.9
_PART_WEIGHT = 0.4
_STOP_WEIGHT = 0.3
_REMEMBERED_CHUNKS = 1 << 17
"""Some 40 MB when full. The cache is then emptied, which is simpler than dropping the oldest and seldom happens."""
_LONGEST_REMEMBERED = 40
_SHORT_TEXT = 8

_STOP = stopwords.ENGLISH | stopwords.RUSSIAN
_STOP_GERMAN = _STOP | stopwords.GERMAN
_NO_WORDS: frozenset[str] = frozenset()
"""Stop words of a capitalised word inside a question: there it may be a name (Will, Ihr)."""

_UMLAUT = re.compile("[äöü]")
_E_SPELLING = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_CYRILLIC = re.compile("[\u0400-\u052f]")
_LATIN = re.compile("[a-z\u00df-\u024f\u1e00-\u1eff]")
_QUOTED = re.compile('"([^"]*)"|«([^»]*)»|“([^”]*)”|„([^“”]*)[“”]')

_ENGLISH = Stemmer.Stemmer("english", 0)
_GERMAN = Stemmer.Stemmer("german", 0)
_RUSSIAN = Stemmer.Stemmer("russian", 0)
_stemming = threading.Lock()
"""Stemmers keep state while they work, so two threads may not use one at once."""
_PLAIN = re.compile(r"[\"'(\[]*([A-Za-z]?[a-z]+)[\"'.,;:!?)\]]*")
"""One ASCII word that is not an identifier, with the marks that may surround it: most pieces of a text."""


class _Remembered(dict[str, tuple[str, ...]]):
    """The index terms of the pieces met before; a new piece is analysed when it is looked up."""

    def __init__(self, german: bool) -> None:
        super().__init__()
        self._german = german

    def __missing__(self, chunk: str) -> tuple[str, ...]:
        plain = _PLAIN.fullmatch(chunk)
        if plain and plain[1] != chunk:
            terms = self[plain[1]]
        elif plain:
            terms = tuple(_word_terms(chunk, self._german))
        else:
            terms = tuple(term for token in tokens(chunk) for term in _document_terms(token, self._german))
        if len(chunk) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED_CHUNKS:
                self.clear()
            self[chunk] = terms
        return terms


_remembered = (_Remembered(german=False), _Remembered(german=True))
_with_words: list[Callable[[], None]] = []


def analyse(text: str) -> list[str]:
    """The index terms of a text, in order and with repeats; empty for one without letters, digits or emoji.

    Never raises, whatever the characters.
    """
    shown = visible(text)
    chunks = shown.split()
    remembered = _remembered[_reads_german(chunks)]
    terms = list(itertools.chain.from_iterable(map(remembered.__getitem__, chunks)))
    for _, forms in codes.telephones(shown):
        terms += [EXACT + form for form in forms]
    return terms


def analyse_query(text: str) -> Query:
    """A question's words and quoted phrases. Never raises; a question without words gives an empty Query."""
    shown = visible(text)
    phrases = [next(group for group in match.groups() if group is not None) for match in _QUOTED.finditer(shown)]
    chunks = shown.split()
    stop = _STOP_GERMAN if _reads_german(chunks) else _STOP
    terms: dict[tuple[str, ...], QueryTerm] = {}
    for position, chunk in enumerate(chunks):
        for token in tokens(chunk):
            named = position > 0 and len(token.text) > 1 and token.text.istitle()
            for term in _query_terms(token, _NO_WORDS if named else stop):
                known = terms.get(term.alternatives)
                if known is None or known.weight < term.weight:
                    terms[term.alternatives] = term
        if len(terms) >= MAX_QUERY_TERMS:
            break
    for number, forms in codes.telephones(shown):
        term = QueryTerm(surface=number, alternatives=tuple(EXACT + form for form in forms))
        terms[term.alternatives] = term
    distinct = tuple(terms.values())[:MAX_QUERY_TERMS]
    return Query(terms=distinct, phrases=tuple(p for p in map(str.strip, phrases) if p))


def forget_words() -> None:
    """Empty the cache of words, so that none outlives the text it came from."""
    for remembered in _remembered:
        remembered.clear()
    for clear in _with_words:
        clear()


def forget_with_words(clear: Callable[[], None]) -> None:
    """Have another cache of what texts say emptied together with that of words: no text may outlive there that was forgotten."""
    _with_words.append(clear)


def _reads_german(chunks: Iterable[str]) -> bool:
    marks = stopwords.GERMAN_MARKS.intersection(chunks)
    if not marks:
        return False
    chunks = list(chunks)
    return (
        len(marks) > 1 or len(chunks) <= _SHORT_TEXT or any(_UMLAUT.search(chunk) or "ß" in chunk for chunk in chunks)
    )


def _document_terms(token: Token, german: bool) -> Iterator[str]:
    kind, text = token
    if kind is Kind.WHOLE:
        yield EXACT + text
        yield from (EXACT + form for form in codes.written(text))
    elif kind is Kind.WIDE:
        text = simplified(text)
        yield from _pairs(text)
        for character in text:
            yield EXACT + character
    elif kind is Kind.EMOJI:
        yield text
        if len(text) > 1:
            yield from (EXACT + base for base in _emoji_bases(text))
    else:
        yield from _word_terms(text, german)


def _word_terms(word: str, german: bool) -> Iterator[str]:
    surface = word.casefold()
    stem = _stem(surface)
    yield stem
    if surface != stem or word[0].isupper():
        yield EXACT + surface
    if surface.isascii():
        if not surface.isalpha():
            yield from (EXACT + form for form in codes.written(surface))
        elif german:
            yield SECOND + _stem_german(surface)
        return
    if _LATIN.search(surface):
        umlaut = _UMLAUT.search(surface)
        if umlaut:
            yield EXACT + surface.translate(_E_SPELLING)
        if german or umlaut:
            yield SECOND + _stem_german(surface)


def _query_terms(token: Token, stop: frozenset[str]) -> Iterator[QueryTerm]:
    kind, text = token
    if kind is Kind.WHOLE:
        forms = tuple(form for name in codes.asked(text) for form in (EXACT + name, name) if form != EXACT + text)
        factors = (1.0, *(_INEXACT for _ in forms)) if forms else ()
        yield QueryTerm(surface=text, alternatives=(EXACT + text, *forms), factors=factors)
    elif kind is Kind.WIDE:
        indexed = simplified(text)
        if len(text) == 1:
            yield QueryTerm(surface=text, alternatives=(EXACT + indexed,))
        for pair, found_by in zip(_pairs(text), _pairs(indexed), strict=True):
            yield QueryTerm(surface=pair, alternatives=(found_by,))
    elif kind is Kind.EMOJI:
        bases = tuple(EXACT + base for base in _emoji_bases(text)) if len(text) > 1 else (EXACT + text,)
        yield QueryTerm(
            surface=text,
            alternatives=(text, *bases),
            factors=(1.0, *(_INEXACT for _ in bases)),
        )
    else:
        yield _query_word(text, kind, stop)


def _query_word(word: str, kind: Kind, stop: frozenset[str]) -> QueryTerm:
    surface = word.casefold()
    folded = fold(surface)
    stops = folded in stop
    stem = _stem(surface)
    # Most texts have any given stop word, so each further form to look up costs much and says little.
    exact = not stops and (surface != stem or word[0].isupper() or any(pair in surface for pair in ("ae", "oe", "ue")))
    best = [EXACT + surface] if exact else []
    others = [stem]
    if not stops and codes.may_be_code(surface):
        # What the text has with separators is an exact form of this.
        forms = [EXACT + surface, *(form for name in codes.asked(surface) for form in (EXACT + name, name))]
        others += [form for form in dict.fromkeys(forms) if form not in (*best, *others)]
    if _LATIN.search(surface):
        if _UMLAUT.search(surface):
            spelled = surface.translate(_E_SPELLING)
            best += [EXACT + spelled] if exact else []
            others.append(_stem(spelled))
        if not any(map(str.isdigit, surface)):
            others.append(SECOND + _stem_german(surface))
    weight = _PART_WEIGHT if kind is Kind.PART else 1.0
    if stops:
        weight *= _STOP_WEIGHT
    inexact = _INEXACT if exact else 1.0
    return QueryTerm(
        surface=surface,
        alternatives=(*best, *others),
        weight=weight,
        factors=(*(1.0 for _ in best), *(inexact for _ in others)),
    )


def _stem(surface: str) -> str:
    """The stem of a case-folded word by its script; words of other scripts lose their diacritics only."""
    folded = fold(surface)
    if folded.isascii() or _LATIN.search(folded):
        stemmer = _ENGLISH
    elif _CYRILLIC.search(folded):
        stemmer = _RUSSIAN
    else:
        return folded or surface
    with _stemming:
        stem: str = stemmer.stemWord(folded)
    return stem or surface


def _stem_german(surface: str) -> str:
    with _stemming:
        stem: str = _GERMAN.stemWord(surface)
    return fold(stem)


def _pairs(run: str) -> Iterator[str]:
    return map("".join, itertools.pairwise(run))


def _emoji_bases(sequence: str) -> Iterator[str]:
    return (
        character for character in sequence if character != "\u200d" and not "\U0001f3fb" <= character <= "\U0001f3ff"
    )
