"""What a question asks for: its words, its quoted phrases, and the selection with its time rules made explicit."""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

from ai_memory.text.analysis import analyse_query
from ai_memory.text.asking import asks
from ai_memory.text.normal import normal_form
from ai_memory.text.terms import QueryTerm
from ai_memory.types import Selection

_HARD_QUOTES = re.compile('"([^"]*)"|“([^”]*)”')
"""What must occur as it stands. «…» and „…“ are not meant so: Russian and German put every name of a firm or a book in them."""
CONTENT_WEIGHT = 0.35
"""Words of at least this weight say what a question is about; function words are given less by the analysis."""


class Plan(Struct, frozen=True):
    """A question, analysed. `phrases` are folded as `folded` does."""

    terms: tuple[QueryTerm, ...]
    phrases: tuple[str, ...]
    selection: Selection

    @property
    def content(self) -> tuple[QueryTerm, ...]:
        """The words that are no function words."""
        return tuple(term for term in self.terms if term.weight >= CONTENT_WEIGHT)


def make_plan(text: str, selection: Selection) -> Plan:
    """Analyse a question. With `as_of`, what had ended before counts as ended then and not now.

    Quotes say what must occur where something is searched for; in a sentence that ends in a question mark they hold a name or a
    title, which the answer may well not repeat.
    """
    query = analyse_query(text)
    if selection.as_of is not None and not selection.include_ended:
        selection = msgspec.structs.replace(selection, include_ended=True)
    quoted = () if asks(text) else (straight or curly for straight, curly in _HARD_QUOTES.findall(text))
    phrases = tuple(dict.fromkeys(filter(None, map(folded, quoted))))
    return Plan(query.terms, phrases, selection)


def is_filtered(plan: Plan) -> bool:
    """Whether anything but the namespace and the rule on ended memories chose which memories may answer."""
    given = plan.selection
    plain = Selection(namespace=given.namespace, include_ended=given.include_ended, now=given.now)
    return bool(plan.phrases) or given != plain


def folded(text: str) -> str:
    """Text as phrases are compared: normal form, case-folded, any run of blanks as one space."""
    return " ".join(normal_form(text).casefold().split())
