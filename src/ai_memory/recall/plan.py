"""What a question asks for: its words, its quoted phrases, and the selection with its time rules made explicit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from ai_memory.text.analysis import analyse_query
from ai_memory.text.normal import normal_form
from ai_memory.text.passages import sentences
from ai_memory.text.properties import asks
from ai_memory.text.stopwords import HAPPENED
from ai_memory.text.terms import QueryTerm
from ai_memory.text.words import fold
from ai_memory.types import Selection

_HARD_QUOTES = re.compile('"([^"]*)"|“([^”]*)”')
"""What must occur literally. «…» and „…“ do not mean that: Russian and German put every name of a firm or a book in them."""
_HAPPENED_WIDE = re.compile(
    "(?:我们|我們|我|你们|你|大家)?(?:都)?(?:做|干|幹|发生|發生)(?:了|过|過)?(?:什么|什麼|些什么|些什麼|哪些事)(?:事情|事)?"
)
CONTENT_WEIGHT = 0.35
"""Words of at least this weight say what a question is about; function words are given less by the analysis."""


class Plan(Struct, frozen=True):
    """A question, analysed. `phrases` are in the form that `folded` gives."""

    terms: tuple[QueryTerm, ...]
    phrases: tuple[str, ...]
    selection: Selection
    literal: bool = False
    """Whether the text is nothing but quoted phrases: a search for just that."""

    @property
    def content(self) -> tuple[QueryTerm, ...]:
        """The words that are not function words."""
        return tuple(term for term in self.terms if term.weight >= CONTENT_WEIGHT)


def make_plan(text: str, selection: Selection) -> Plan:
    """Analyse a question. With `as_of`, a memory counts as ended if it had ended then, not if it has ended now.

    Quotes mark what must occur in a search; in a sentence that ends in a question mark they enclose a name or a title, which the
    answer need not repeat.
    """
    query = analyse_query(text)
    if selection.as_of is not None and not selection.include_ended:
        selection = msgspec.structs.replace(selection, include_ended=True)
    quoted = () if asks(text) else (straight or curly for straight, curly in _HARD_QUOTES.findall(text))
    phrases = tuple(dict.fromkeys(filter(None, map(folded, quoted))))
    literal = bool(phrases) and not re.search(r"\w", _HARD_QUOTES.sub(" ", text))
    return Plan(query.terms, phrases, selection, literal)


def asks_only_for(text: str, spans: Iterable[tuple[int, int]]) -> bool:
    """Return whether a question asks for nothing but what happened at the times that it names at `spans`, half-open.

    *What did we do last week?* does; *What did we decide last week?* and a question with a quoted phrase do not.
    """
    rest, end = "", len(text)
    for start, stop in sorted(spans, reverse=True):
        rest, end = f"{text[stop:end]} {rest}", start
    query = analyse_query(_HAPPENED_WIDE.sub(" ", f"{text[:end]} {rest}"))
    content = (term.surface for term in query.terms if term.weight >= CONTENT_WEIGHT)
    return not query.phrases and all(fold(surface) in HAPPENED for surface in content)


def aside(text: str, places: Sequence[int]) -> list[bool]:
    """Which of some places of a text are in a sentence that does not ask, while another one does; empty for no places."""
    if not places:
        return []
    asking = [span for span in sentences(text) if asks(text[span.start : span.end])]
    return [bool(asking) and not any(start <= place < end for start, end in asking) for place in places]


def words_in(text: str, spans: Iterable[tuple[int, int]]) -> frozenset[str]:
    """The words of a question at some half-open `spans` of it, as `Plan.terms` write them."""
    return frozenset(term.surface for start, end in spans for term in analyse_query(text[start:end]).terms)


def is_filtered(plan: Plan) -> bool:
    """Return whether anything but the namespace and the rules on ended and expired memories decide which memories may answer."""
    given = plan.selection
    plain = Selection(
        namespace=given.namespace,
        include_ended=given.include_ended,
        include_expired=given.include_expired,
        now=given.now,
    )
    return bool(plan.phrases) or given != plain


def folded(text: str) -> str:
    """The text as phrases are compared: in normal form, case-folded, any run of blanks as one space."""
    return " ".join(normal_form(text).casefold().split())
