"""What recall returns: hits in layers, each explained, and an account of the search itself.

Imports no index: adapters and the command line read these types at little cost.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from ai_memory.types import MemoryRecord, Relation


class Layer(StrEnum):
    """How much is returned with a match: the match, what surrounds it, and its evidence and history."""

    SEMANTIC = "semantic"
    CONTEXTUAL = "contextual"
    DETAILED = "detailed"


class PassageText(Struct, frozen=True, kw_only=True):
    """The part of a memory's text that matched best; `start` and `end` are character offsets into `memory.text`."""

    text: str
    start: int
    end: int


class Stage(Struct, frozen=True, kw_only=True):
    """One term of a hit's score: `contribution` = `weight` x `value`, and the contributions of a hit add up to its score."""

    name: str
    value: float
    weight: float
    contribution: float


class Trace(Struct, frozen=True, kw_only=True):
    """How a hit got its place, recorded by the run itself."""

    candidates: tuple[str, ...]
    """Which searches found it: `dense`, `lexical`, `graph`; `session` where none of these did."""
    cosine: float | None
    """Exact cosine of the question with the best passage, or None where there is no vector."""
    bm25: float | None
    """BM25 of the best passage, or None where no word matched."""
    dense_rank: int | None
    lexical_rank: int | None
    stages: tuple[Stage, ...]
    certainty: tuple[Stage, ...] = ()
    """The terms of the confidence's log odds, in the form of the score's."""
    path: tuple[str, ...] = ()
    """The path in the graph that led here, nodes and relations in turn: from `question` or a hit's id to this memory's id, through
    `entity:NAME` where both name an entity. Empty where none led here, and for recipes that do not follow the graph.
    """


class Surrounding(Struct, frozen=True, kw_only=True):
    """A memory next to a hit, and how: `previous` or `next` in its session, or the type of the relation between them."""

    memory: MemoryRecord
    how: str
    distance: int = 1


class Detail(Struct, frozen=True, kw_only=True):
    """The evidence behind a hit: all its revisions, oldest first, and its relations."""

    history: tuple[MemoryRecord, ...]
    relations: tuple[Relation, ...]


class Hit(Struct, frozen=True, kw_only=True):
    """One memory that answers."""

    rank: int
    memory: MemoryRecord
    score: float
    """The sum of the evidence in log odds (nats); comparable within one answer only."""
    confidence: float
    """How likely this hit is relevant, in [0, 1]; comparable between answers."""
    validity: Literal["current", "ended", "future"]
    passage: PassageText
    matched: tuple[str, ...] = ()
    """The question's words that this memory has, function words left out."""
    reasons: tuple[str, ...] = ()
    """The main reasons in words, strongest first."""
    surroundings: tuple[Surrounding, ...] = ()
    detail: Detail | None = None
    trace: Trace | None = None


class Notice(Struct, frozen=True, kw_only=True):
    """Something the reader must know about this answer: a degraded part or what was left out, and in `mend` how to change that.

    Codes: `words_only`, `vectors_pending`, `ended_left_out`, `budget_cut`, `phrase_limit`, `no_filter_match`,
    `recipe_left_out`, `graph_unread`.
    """

    code: str
    message: str
    mend: str | None = None


class Searched(Struct, frozen=True, kw_only=True):
    """How much was looked at."""

    memories: int
    """Memories in the namespace that passed the filters."""
    by_words: int
    """Of these, how many matched at least one word."""
    by_meaning: int
    """Of these, how many had a vector to compare with; 0 when recall worked lexically alone."""


class AskedWord(Struct, frozen=True, kw_only=True):
    """A word of the question and its share of the question's idf mass, in [0, 1]: how rare it is among these memories."""

    text: str
    share: float


class AskedTime(Struct, frozen=True, kw_only=True):
    """A time that the question names, `until` excluded; None where it is open on that side."""

    since: dt.datetime | None
    until: dt.datetime | None


class Asked(Struct, frozen=True, kw_only=True):
    """What a question was understood as, and where its candidates came from."""

    words: tuple[AskedWord, ...]
    phrases: tuple[str, ...]
    """What must occur literally."""
    times: tuple[AskedTime, ...]
    """When what is asked about happened: evidence, not a filter."""
    filters: dict[str, str]
    """The filters that were given, by their names in the request."""
    candidates: int
    """Passages that were scored by all stages."""
    origins: dict[str, int]
    """How many candidates each search found, by its name in `Trace.candidates`; one may come from several."""
    trusted: str | None
    """Why the answer may be trusted; None where it should not be (`Answer.reason` says why)."""


class Answer(Struct, frozen=True, kw_only=True):
    """The whole answer to a question. `answer_hash` is equal for equal state and question, across restarts and processes."""

    question: str
    hits: tuple[Hit, ...]
    abstained: bool = False
    reason: str | None = None
    """Why there are no hits, or why they should not be trusted."""
    notices: tuple[Notice, ...] = ()
    searched: Searched
    tokens: int
    """Estimated tokens of the texts in this answer."""
    asked: Asked | None = None
    """What the question was understood as, with `explain`."""
    context: str | None = None
    """The answer as one block for a prompt, where the question asked for it (`format`)."""
    recipe: str
    answer_hash: str
    took_ms: float
