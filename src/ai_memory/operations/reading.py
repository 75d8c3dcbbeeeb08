"""Operations that read memories: recall, get, list, history, timeline, contexts."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.operations.base import Command, Operation, Route, Tool
from ai_memory.operations.writing import MemoryId, Namespace
from ai_memory.recall.answer import Answer, Layer
from ai_memory.types import DEFAULT_NAMESPACE, MemoryRecord, Page, Selection

MAX_LIMIT = 1_000


class RecallRequest(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question, and which memories may answer it. Filters apply before ranking."""

    query: Annotated[
        str,
        Meta(
            max_length=20_000,
            description='The question, in any language; "quoted phrases" must occur as they stand, unless it ends in "?".',
        ),
    ]
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="At most this many hits.")] = 10
    max_tokens: Annotated[
        int | None, Meta(description="Budget of estimated tokens for the texts in the answer; the weakest go first.")
    ] = None
    layers: Annotated[
        tuple[Layer, ...],
        Meta(description="semantic: the matches; contextual: what surrounds them; detailed: history and relations."),
    ] = (Layer.SEMANTIC, Layer.CONTEXTUAL)
    explain: Annotated[bool, Meta(description="Give each hit the scores of every stage.")] = False
    recipe: Annotated[
        Literal["balanced", "fast", "thorough", "linked", "words", "meaning"],
        Meta(
            description="What counts: balanced (words, meaning and what stands beside a memory), fast (without what "
            "stands beside it), thorough (more candidates, the best read again word by word), linked (balanced, and what the "
            "graph leads to from the question and the best hits), or one search alone: words, meaning."
        ),
    ] = "balanced"
    format: Annotated[
        Literal["hits", "context"],
        Meta(description="context: also one block for a prompt, dated, cited by id, fenced, within max_tokens."),
    ] = "hits"
    include_ended: Annotated[
        bool, Meta(description="Also memories whose valid_to lies before now; marked as ended.")
    ] = False


class GetRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """One memory by its id."""

    id: MemoryId
    namespace: Namespace = DEFAULT_NAMESPACE
    as_of: Annotated[dt.datetime | None, Meta(description="Only if it was true in the world at this instant.")] = None
    known_at: Annotated[
        dt.datetime | None, Meta(description="As the service knew it at this instant. Default: now.")
    ] = None


class ListRequest(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Memories by filter, page by page, in the order in which they happened."""

    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="At most this many on a page.")] = 50
    cursor: Annotated[str | None, Meta(description="The cursor of the page before; filters must be the same.")] = None
    order: Annotated[Literal["newest", "oldest"], Meta(description="Which end comes first.")] = "newest"


class HistoryRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """All revisions of one memory."""

    id: MemoryId
    namespace: Namespace = DEFAULT_NAMESPACE


class History(Struct, frozen=True, kw_only=True):
    """All revisions of one memory, oldest first, and the reasons given for the changes."""

    id: str
    revisions: tuple[MemoryRecord, ...]


class TimelineRequest(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many memories happened in each span of time, and the first few of each."""

    bucket: Annotated[Literal["day", "week", "month", "year"], Meta(description="The span of one bucket, in UTC.")] = (
        "month"
    )
    samples: Annotated[int, Meta(ge=0, le=20, description="How many memories to show a bucket.")] = 3
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="At most this many buckets, newest first.")] = 120


class Bucket(Struct, frozen=True, kw_only=True):
    """One span of time: it begins at `start` and lasts until the next bucket's beginning."""

    start: dt.datetime
    count: int
    memories: tuple[MemoryRecord, ...]


class Timeline(Struct, frozen=True, kw_only=True):
    """Buckets with at least one memory, newest first."""

    bucket: str
    buckets: tuple[Bucket, ...]


class ContextsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The context paths of one namespace."""

    namespace: Namespace = DEFAULT_NAMESPACE
    under: Annotated[str, Meta(description="Only this path and all below it.")] = ""


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
            "Search the memory by words and meaning and get ranked, dated memories. Use before answering anything that may "
            'depend on earlier conversations, people, projects or decisions. "Quoted phrases" must match exactly.'
        ),
        fields=(
            "query",
            "limit",
            "max_tokens",
            "types",
            "tags",
            "context",
            "session",
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
    summary="All revisions of a memory",
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
    summary="Memories along time",
    request=TimelineRequest,
    response=Timeline,
    effect="read",
    idempotent=True,
    route=Route("GET", "/timeline"),
    command=Command(name="timeline", hidden=("now",)),
)
CONTEXTS = Operation(
    name="contexts",
    summary="The context paths in use",
    request=ContextsRequest,
    response=Contexts,
    effect="read",
    idempotent=True,
    route=Route("GET", "/contexts"),
    command=Command(name="contexts"),
)
