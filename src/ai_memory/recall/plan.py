"""What a question asks for: its words, its quoted phrases, and the selection with its time rules made explicit."""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

from ai_memory.text.analysis import analyse_query
from ai_memory.text.normal import normal_form
from ai_memory.text.properties import asks
from ai_memory.text.terms import QueryTerm
from ai_memory.types import Selection

_HARD_QUOTES = re.compile('"([^"]*)"|“([^”]*)”')
"""What must occur literally. «…» and „…“ do not mean that: Russian and German put every name of a firm or a book in them."""
CONTENT_WEIGHT = 0.35
"""Words of at least this weight say what a question is about; function words are given less by the analysis."""


class Plan(Struct, frozen=True):
    """A question, analysed. `phrases` are in the form that `folded` gives."""

    terms: tuple[QueryTerm, ...]
    phrases: tuple[str, ...]
    selection: Selection

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
    return Plan(query.terms, phrases, selection)


def is_filtered(plan: Plan) -> bool:
    """Return whether anything but the namespace and the rule on ended memories decides which memories may answer."""
    given = plan.selection
    plain = Selection(namespace=given.namespace, include_ended=given.include_ended, now=given.now)
    return bool(plan.phrases) or given != plain


def folded(text: str) -> str:
    """The text as phrases are compared: in normal form, case-folded, any run of blanks as one space."""
    return " ".join(normal_form(text).casefold().split())
