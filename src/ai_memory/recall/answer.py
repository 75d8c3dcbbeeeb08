"""What recall returns: hits in layers, each explained, and a report of the search itself.

Imports no index: adapters and the command line read these types at little cost.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from ai_memory.types import MemoryRecord, Relation


class Layer(StrEnum):
    """How much to return with a match: the match itself, what surrounds it, or its history and relations."""

    SEMANTIC = "semantic"
    CONTEXTUAL = "contextual"
    DETAILED = "detailed"


class PassageText(Struct, frozen=True, kw_only=True):
    """The passage that matched best; `start` and `end` (exclusive) are character offsets into `memory.text`."""

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
    """How a hit got its rank, recorded during the search itself."""

    candidates: tuple[str, ...]
    """Which searches found it: `dense`, `lexical`, `graph`, `time` (inside the time asked for); `session` where none did."""
    cosine: float | None
    """Exact cosine similarity of the question and the best passage, in [-1, 1]; None where there is no vector."""
    bm25: float | None
    """BM25 score of the best passage; None where no word matched."""
    dense_rank: int | None
    """Its place in the semantic search, from 1; None where that did not find it."""
    lexical_rank: int | None
    """Its place in the lexical search, from 1; None where that did not find it."""
    stages: tuple[Stage, ...]
    certainty: tuple[Stage, ...] = ()
    """The terms of the confidence's log odds, in the same form as `stages`."""
    path: tuple[str, ...] = ()
    """The path through the graph, nodes and relations in turn: from `question` or a hit's id to this memory's id, through
    `entity:NAME` where both name an entity. Empty where no path led here, and for recipes that do not use the graph.
    """


class Surrounding(Struct, frozen=True, kw_only=True):
    """A memory next to a hit, and in what way: `previous` or `next` in its session, or the relation's type."""

    memory: MemoryRecord
    how: str


class Detail(Struct, frozen=True, kw_only=True):
    """The evidence behind a hit: all its revisions, oldest first, and its relations."""

    history: tuple[MemoryRecord, ...]
    relations: tuple[Relation, ...]


class Copies(Struct, frozen=True, kw_only=True):
    """The memories that say the same as a hit; they were folded into it and are no hits themselves.

    Most say it in the same words; those that surely say the same in other words are among them.
    """

    count: int
    """How many memories say it, the hit included."""
    first: dt.datetime
    """When it was said first (`valid_from`, else `created_at`)."""
    last: dt.datetime
    """When it was said last."""
    ids: tuple[str, ...]
    """The other memories, those that happened last first; at most 20."""
    authors: tuple[str, ...] = ()
    """Who said it, each once."""
    agents: tuple[str, ...] = ()
    """The agents that remembered it, each once."""
    sessions: int = 0
    """In how many sessions it was said."""


class Rival(Struct, frozen=True, kw_only=True):
    """Another memory that gives the same attribute of the same subject a value, or seems to; which of them is right, time says."""

    id: str
    order: Literal["newer", "older"]
    """Whether it came after this hit or before it."""
    since: dt.datetime
    """When it happened or began to be true (`valid_from`, else `created_at`)."""
    certainty: float
    """The estimated probability that the two are about the same, in [0, 1]."""


class Moved(Struct, frozen=True, kw_only=True):
    """What feedback has made of a memory's confidence; `memory.confidence` is what it is now."""

    given: float
    """The confidence as it was given, in [0, 1]."""
    verdicts: dict[str, int]
    """How often each verdict was given since it was last withdrawn."""
    last: dt.datetime
    """When the last one was given."""


class Hit(Struct, frozen=True, kw_only=True):
    """One memory that answers the question, with its place among all hits."""

    rank: int
    """1 for the best hit."""
    memory: MemoryRecord
    score: float
    """The sum of the evidence in log odds (nats); comparable only within one answer."""
    confidence: float
    """The estimated probability that this hit is relevant, in [0, 1]; comparable between answers."""
    validity: Literal["current", "uncertain", "ended", "expired", "future"]
    """Whether it is true now, may have been replaced by a newer rival, has stopped being true, has lapsed, or is not true yet."""
    since: dt.datetime
    """When it happened or began to be true: `valid_from`, else `created_at`; of copies, the first one's."""
    until: dt.datetime | None = None
    """When it stopped being true; None while it is not known to have ended."""
    superseded_by: str | None = None
    """The memory that replaced it; None where none did."""
    rivals: tuple[Rival, ...] = ()
    """Other memories that may give the same attribute another value, the newest first."""
    passage: PassageText
    matched: tuple[str, ...] = ()
    """The words of the question that this memory contains."""
    reasons: tuple[str, ...] = ()
    """The main reasons for its rank in plain English, strongest first."""
    copies: Copies | None = None
    """The memories that say the same and were folded into this hit; None where no other does."""
    moved: Moved | None = None
    """What feedback has made of the memory's confidence; None where it is as it was given."""
    surroundings: tuple[Surrounding, ...] = ()
    detail: Detail | None = None
    trace: Trace | None = None


class Notice(Struct, frozen=True, kw_only=True):
    """Something the reader must know about this answer: a degraded part or what was left out, and how to fix it.

    Codes: `words_only`, `vectors_pending`, `ended_left_out`, `budget_cut`, `phrase_limit`, `phrase_nowhere`, `no_filter_match`,
    `below_least`, `recipe_left_out`, `graph_unread`, `graph_failed`.
    """

    code: str
    message: str
    mend: str | None = None


class Searched(Struct, frozen=True, kw_only=True):
    """How much was searched."""

    memories: int
    """Memories in the namespace that passed the filters."""
    by_words: int
    """Of these, how many matched at least one word."""
    by_meaning: int
    """Of these, how many had a vector to compare with; 0 when recall was only lexical."""


class AskedWord(Struct, frozen=True, kw_only=True):
    """A word of the question and its share of the question's idf mass, in [0, 1]: how rare it is among these memories."""

    text: str
    share: float


class AskedTime(Struct, frozen=True, kw_only=True):
    """A time that the question names, from `since` to `until` (exclusive); None where it is open on that side.

    Both have the offset of the zone whose days they are: that of the request's `now`, else of the setting `timezone`.
    """

    since: dt.datetime | None
    until: dt.datetime | None


class Asked(Struct, frozen=True, kw_only=True):
    """How a question was understood, and where its candidates came from."""

    words: tuple[AskedWord, ...]
    phrases: tuple[str, ...]
    """Quoted phrases, which must occur exactly."""
    times: tuple[AskedTime, ...]
    """When the event asked about happened; used as evidence, not as a filter."""
    filters: dict[str, str]
    """The filters of the request, by field name."""
    candidates: int
    """Passages that were scored by all stages."""
    origins: dict[str, int]
    """How many candidates each search found, by its name in `Trace.candidates`; several may find the same one."""
    trusted: str | None
    """Why the answer can be trusted; None where it should not be (`Answer.reason` says why)."""


class Answer(Struct, frozen=True, kw_only=True):
    """The whole answer to a question. `answer_hash` is equal for equal state and question, across restarts and processes."""

    question: str
    hits: tuple[Hit, ...]
    abstained: bool = False
    """True if there are no hits, or none that should be trusted; `reason` says why."""
    reason: str | None = None
    """Why there are no hits, or why they should not be trusted."""
    notices: tuple[Notice, ...] = ()
    searched: Searched
    tokens: int
    """Estimated number of tokens of the texts in this answer."""
    asked: Asked | None = None
    """How the question was understood; only with `explain`."""
    context: str | None = None
    """The answer as one text block for a prompt; only with `format` context."""
    recipe: str
    answer_hash: str
    took_ms: float
    """Milliseconds that the search took."""
