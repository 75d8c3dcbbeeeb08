"""Index terms and query terms as values: what a question asks the lexical index for.

An index term is a string. Its first character says what it is: `=` is an exact form (a surface, a whole identifier, a single
character of a script that is indexed by pairs), `~` a second stem (German next to English); anything else is a primary term.
A text's length, as BM25 knows it, counts primary terms only, so that extra forms do not make a text look longer.
"""

from __future__ import annotations

from msgspec import Struct

EXACT = "="
SECOND = "~"


class QueryTerm(Struct, frozen=True):
    """One word of a question: the index terms that match it (its exact form, its stems in several languages).

    A row's score for the word is the best of its alternatives, so that a word counts once. `factors` has one number in
    (0, 1] per alternative: what a match by it is worth; empty means that all are worth 1.
    """

    surface: str
    """The word as it is written in the question, case-folded."""
    alternatives: tuple[str, ...]
    weight: float = 1.0
    factors: tuple[float, ...] = ()
    rarity: float = 1.0
    """What the idf of its rows is multiplied by: the copies of a text make a word no more frequent."""


class Query(Struct, frozen=True):
    """A question as the lexical index sees it."""

    terms: tuple[QueryTerm, ...] = ()
    """Distinct words in the order of the question, those of its phrases included."""
    phrases: tuple[str, ...] = ()
    """The texts between quotation marks, outer blanks stripped; their words are among `terms` too."""
