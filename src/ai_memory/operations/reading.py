"""Operations that read memories: recall, get, list, history, timeline, contexts."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.inbox import Feedback
from ai_memory.operations.base import Command, Operation, Route, Tool, read_period
from ai_memory.operations.writing import MemoryId, Namespace
from ai_memory.recall.answer import Answer, Layer
from ai_memory.types import DEFAULT_NAMESPACE, MemoryRecord, Page, Selection, Share

MAX_LIMIT = 1_000

ExpiredToo = Annotated[
    bool,
    Meta(
        description="Also memories that have expired, marked as expired. Without it, what had not expired yet at as_of or known_at "
        "is shown."
    ),
]


class RecallRequest(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question, and the filters for the memories that may answer it. Filters apply before ranking."""

    query: Annotated[
        str,
        Meta(
            max_length=20_000,
            description='The question, in any language. A "quoted phrase" must occur exactly, unless the question ends in "?".',
            extra={"short": "The question, in any language."},
        ),
    ]
    limit: Annotated[
        int,
        Meta(
            ge=1,
            le=MAX_LIMIT,
            description="At most this many memories; only the layer contextual, where it is asked for, adds what surrounds them.",
            extra={"short": "At most this many memories."},
        ),
    ] = 10
    min_score: Annotated[
        Annotated[float, Meta(ge=-1e6, le=1e6)] | None,
        Meta(
            description="Only hits of at least this score, in nats; scores compare within one answer only. Default: no limit."
        ),
    ] = None
    min_relevance: Annotated[
        Share,
        Meta(
            description="Only hits whose own confidence, the estimated probability that they are relevant, is at least this, from "
            "0 to 1. min_confidence is about the memory's confidence."
        ),
    ] = 0.0
    max_tokens: Annotated[
        int | None,
        Meta(
            description="At most this many tokens, as estimated, of memory text in the answer; the weakest hits are left out "
            "first. Default: no limit.",
            extra={"short": "Token budget for the texts in the answer."},
        ),
    ] = None
    layers: Annotated[
        tuple[Layer, ...],
        Meta(
            description="What to return: semantic (the matches), contextual (also up to seven memories around each: before and "
            "after it in its session, and related ones), detailed (also their history and relations).",
            extra={"short": "contextual adds what was said around each, and what is related."},
        ),
    ] = (Layer.SEMANTIC,)
    explain: Annotated[
        bool, Meta(description="Return how the question was understood, and the scores of each hit in every stage.")
    ] = False
    recipe: Annotated[
        Literal["balanced", "fast", "thorough", "linked", "words", "meaning"],
        Meta(
            description="How to search and rank: balanced (lexically, semantically and by the memories around a match), fast "
            "(without the memories around it), thorough (more candidates, the best compared token by token), linked (balanced, "
            "and what the graph reaches from the question and the best hits), words (lexically only) or meaning (semantically "
            "only)."
        ),
    ] = "balanced"
    format: Annotated[
        Literal["hits", "context"],
        Meta(
            description="hits, or context: the hits and one text block for a prompt, dated, with ids as citations, fenced and "
            "within max_tokens."
        ),
    ] = "hits"
    include_ended: Annotated[
        bool, Meta(description="Also memories whose valid_to is before now, marked as ended. as_of implies it.")
    ] = False
    include_expired: ExpiredToo = False


class GetRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The memory to return: its current revision, or with `known_at` the one known then."""

    id: MemoryId
    namespace: Namespace = DEFAULT_NAMESPACE
    as_of: Annotated[
        dt.datetime | None, Meta(description="Return it only if it was true in the world at this instant.")
    ] = None
    known_at: Annotated[
        dt.datetime | None, Meta(description="Return it as the service knew it at this instant. Default: now.")
    ] = None


class ListRequest(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The filters and the page. Memories are listed in order of when they happened."""

    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="At most this many memories per page.")] = 50
    cursor: Annotated[
        str | None,
        Meta(
            description="The cursor from the previous page; the filters must be the same.",
            extra={"short": "The cursor from the previous page."},
        ),
    ] = None
    order: Annotated[Literal["newest", "oldest"], Meta(description="Which memories come first.")] = "newest"
    retired: Annotated[
        bool,
        Meta(
            description="Also memories that were retired, as they were when they were. The filters look at the latest revision."
        ),
    ] = False
    include_expired: ExpiredToo = False
    expiring: Annotated[
        str | None,
        Meta(
            description="Only memories that lapse within this time from now, such as 7d; those that have already only with "
            "include_expired.",
            extra={"read": read_period, "python": "str | float"},
        ),
    ] = None
    stale: Annotated[
        str | None,
        Meta(
            description="Only memories that nothing has confirmed for this long, such as 90d: neither stored or revised since, nor "
            "said again elsewhere, not pinned and not ended. When an answer last had them is not recorded.",
            extra={"read": read_period, "python": "str | float"},
        ),
    ] = None


class HistoryRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The memory whose revisions to list, oldest first."""

    id: MemoryId
    namespace: Namespace = DEFAULT_NAMESPACE


class History(Struct, frozen=True, kw_only=True):
    """All revisions of one memory, oldest first, and the reasons given for the changes; what was said of it, in that order."""

    id: str
    revisions: tuple[MemoryRecord, ...]
    feedback: tuple[Feedback, ...] = ()


class TimelineRequest(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The memories to count, the length of a bucket, and how many memories to show of each."""

    bucket: Annotated[Literal["day", "week", "month", "year"], Meta(description="The length of a bucket.")] = "month"
    samples: Annotated[int, Meta(ge=0, le=20, description="How many memories to show per bucket.")] = 3
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="At most this many buckets, the newest.")] = 120
    include_expired: ExpiredToo = False


class Bucket(Struct, frozen=True, kw_only=True):
    """One day, week, month or year: how many memories happened in it, and the newest of them.

    `start` is inclusive and has the zone of the request's `now`, else of the setting `timezone`.
    """

    start: dt.datetime
    count: int
    memories: tuple[MemoryRecord, ...]


class Timeline(Struct, frozen=True, kw_only=True):
    """Buckets with at least one memory, newest first."""

    bucket: str
    buckets: tuple[Bucket, ...]


class ContextsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The namespace, and the path below which to list. Parents of a path are listed with it."""

    namespace: Namespace = DEFAULT_NAMESPACE
    under: Annotated[str, Meta(description="Only this path and the paths below it. Default: all paths.")] = ""


class ContextCount(Struct, frozen=True, kw_only=True):
    """One path: how many memories are directly in it, and how many in it and below."""

    path: str
    memories: int
    total: int


class Contexts(Struct, frozen=True, kw_only=True):
    """Every context path in use and its parents, sorted by path."""

    contexts: tuple[ContextCount, ...]


RECALL = Operation(
    name="recall",
    summary="Find the memories that answer a question",
    request=RecallRequest,
    response=Answer,
    effect="read",
    idempotent=True,
    route=Route("POST", "/recall"),
    command=Command(name="recall", positional=("query",), hidden=("now",)),
    tool=Tool(
        name="recall",
        description=(
            "Search the memory lexically and semantically for ranked, dated memories. Use before answering anything that may "
            'depend on earlier conversations, people, projects or decisions. "Quoted phrases" must match exactly.'
        ),
        fields=(
            "query",
            "limit",
            "max_tokens",
            "layers",
            "types",
            "tags",
            "context",
            "session",
            "where",
            "as_of",
            "known_at",
            "occurred_after",
            "occurred_before",
        ),
    ),
)
GET = Operation(
    name="get",
    summary="Get one memory by its id",
    request=GetRequest,
    response=MemoryRecord,
    effect="read",
    idempotent=True,
    route=Route("GET", "/memories/{id}"),
    command=Command(name="get", positional=("id",)),
)
LIST = Operation(
    name="list",
    summary="List memories by filter",
    request=ListRequest,
    response=Page,
    effect="read",
    idempotent=True,
    route=Route("GET", "/memories"),
    command=Command(name="list", hidden=("now",)),
    tool=Tool(
        name="list_memories",
        description="List memories by filter, newest first, without a question.",
        fields=("types", "tags", "context", "session", "occurred_after", "occurred_before", "limit", "cursor"),
    ),
)
HISTORY = Operation(
    name="history",
    summary="List all revisions of a memory",
    request=HistoryRequest,
    response=History,
    effect="read",
    idempotent=True,
    route=Route("GET", "/memories/{id}/history"),
    command=Command(name="history", positional=("id",)),
    tool=Tool(name="history", description="All revisions of one memory, oldest first.", fields=("id",)),
)
TIMELINE = Operation(
    name="timeline",
    summary="Count and sample memories by day, week, month or year",
    request=TimelineRequest,
    response=Timeline,
    effect="read",
    idempotent=True,
    route=Route("GET", "/timeline"),
    command=Command(name="timeline", hidden=("now",)),
)
CONTEXTS = Operation(
    name="contexts",
    summary="List the context paths in use",
    request=ContextsRequest,
    response=Contexts,
    effect="read",
    idempotent=True,
    route=Route("GET", "/contexts"),
    command=Command(name="contexts"),
)
