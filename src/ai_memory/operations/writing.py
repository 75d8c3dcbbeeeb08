"""Operations that add, change, end or erase memories."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from ai_memory.errors import ConflictError
from ai_memory.operations.base import Command, Operation, Route, Tool
from ai_memory.types import DEFAULT_NAMESPACE, MemoryType, Receipt, Selection, Share

MAX_TEXT = 200_000
MAX_BATCH = 2_000
MAX_TAGS = 64

Namespace = Annotated[
    str, Meta(min_length=1, max_length=128, description="The wall around a body of memories; no query crosses it.")
]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Tags = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=128)], ...], Meta(max_length=MAX_TAGS)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Title = Annotated[str, Meta(max_length=1000)]
ContextPath = Annotated[str, Meta(max_length=512)]
Source = Annotated[str, Meta(max_length=2000)]
Reason = Annotated[str, Meta(max_length=2000)]
MemoryId = Annotated[str, Meta(min_length=1, max_length=64, description="A memory's id, mem_…")]
IdempotencyKey = Annotated[
    str | None,
    Meta(
        description="Repeating a request with the same key within 24 hours gives the first answer and writes nothing."
    ),
]
IfRevision = Annotated[
    int | None, Meta(description="Only if this is the memory's current revision; otherwise 409 with the current one.")
]


class Draft(Struct, kw_only=True, forbid_unknown_fields=True):
    """A memory to be: its text and whatever is known about it."""

    text: Annotated[
        Text, Meta(description="What to remember; up to 200,000 characters. Long texts are split in passages.")
    ]
    type: Annotated[MemoryType, Meta(description="What kind of memory this is.")] = MemoryType.SEMANTIC
    title: Annotated[Title | None, Meta(description="A heading; it is searched too.")] = None
    author: Annotated[Name | None, Meta(description="Who wrote or said it.")] = None
    user: Annotated[Name | None, Meta(description="Facet: the user it belongs to.")] = None
    agent: Annotated[Name | None, Meta(description="Facet: the agent it belongs to.")] = None
    session: Annotated[
        Name | None, Meta(description="Facet: the conversation it is part of; neighbours help recall.")
    ] = None
    context: Annotated[ContextPath, Meta(description="A path such as work/projects/atlas.")] = ""
    tags: Annotated[Tags, Meta(description="Short labels to filter by.")] = ()
    importance: Annotated[Share, Meta(description="How much it matters, 0 to 1.")] = 0.5
    confidence: Annotated[Share, Meta(description="How sure it is, 0 to 1.")] = 1.0
    attributes: Annotated[
        dict[str, Any], Meta(description="Typed attributes of the memory's type (see the types page), and your own.")
    ] = field(default_factory=dict)
    source: Annotated[
        Source | None,
        Meta(description="Where it came from: an address, a file, a message id."),
    ] = None
    valid_from: Annotated[dt.datetime | None, Meta(description="When it happened or began to be true.")] = None
    valid_to: Annotated[dt.datetime | None, Meta(description="When it stopped being true.")] = None
    supersedes: Annotated[
        tuple[MemoryId, ...],
        Meta(description="Ids of memories that this one replaces: they end where this one begins."),
    ] = ()


class RememberRequest(Draft, kw_only=True, forbid_unknown_fields=True):
    """One memory to keep."""

    namespace: Namespace = DEFAULT_NAMESPACE
    reinstate: Annotated[bool, Meta(description="Keep it even if the same text was forgotten before.")] = False
    wait: Annotated[
        bool,
        Meta(description="Wait, at most 30 s, until it can be found by meaning too; the receipt says whether it can."),
    ] = False
    idempotency_key: IdempotencyKey = None


class RememberManyRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Up to 2,000 memories to keep, each with a receipt of its own."""

    memories: Annotated[list[Draft], Meta(min_length=1, max_length=MAX_BATCH, description="The memories, in order.")]
    namespace: Namespace = DEFAULT_NAMESPACE
    reinstate: Annotated[bool, Meta(description="Keep texts even if they were forgotten before.")] = False
    wait: Annotated[
        bool,
        Meta(
            description="Wait, at most 30 s, until all can be found by meaning too; the receipts say whether they can."
        ),
    ] = False
    idempotency_key: IdempotencyKey = None


class Receipts(Struct, frozen=True, kw_only=True):
    """One receipt a memory, in the order given, and how many had each outcome."""

    receipts: tuple[Receipt, ...]
    counts: dict[str, int]


class ReviseRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Fields to change; what is not given stays. `null` clears a field that may be empty."""

    id: MemoryId
    namespace: Namespace = DEFAULT_NAMESPACE
    text: Annotated[Text | UnsetType, Meta(description="The new text.")] = UNSET
    type: Annotated[MemoryType | UnsetType, Meta(description="The new type.")] = UNSET
    title: Annotated[Title | UnsetType | None, Meta(description="The new heading.")] = UNSET
    author: Annotated[Name | UnsetType | None, Meta(description="The new author.")] = UNSET
    context: Annotated[ContextPath | UnsetType, Meta(description="The new context path.")] = UNSET
    tags: Annotated[Tags | UnsetType, Meta(description="The new tags, all of them.")] = UNSET
    importance: Annotated[Share | UnsetType, Meta(description="The new importance.")] = UNSET
    confidence: Annotated[Share | UnsetType, Meta(description="The new confidence.")] = UNSET
    attributes: Annotated[dict[str, Any] | UnsetType, Meta(description="The new attributes, all of them.")] = UNSET
    source: Annotated[Source | UnsetType | None, Meta(description="The new source.")] = UNSET
    valid_from: Annotated[dt.datetime | UnsetType | None, Meta(description="The new beginning of its validity.")] = (
        UNSET
    )
    valid_to: Annotated[dt.datetime | UnsetType | None, Meta(description="The new end of its validity.")] = UNSET
    reason: Annotated[Reason | None, Meta(description="Why it changes; kept in the history.")] = None
    if_revision: IfRevision = None
    wait: Annotated[bool, Meta(description="Wait, at most 30 s, until the change can be found by meaning.")] = False
    idempotency_key: IdempotencyKey = None


class RetireRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A memory that should no longer be held for true; its history stays and `known_at` still finds it."""

    id: MemoryId
    namespace: Namespace = DEFAULT_NAMESPACE
    reason: Annotated[Reason | None, Meta(description="Why; kept in the history.")] = None
    if_revision: IfRevision = None
    idempotency_key: IdempotencyKey = None


class ForgetRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A memory to erase from text, revisions, vectors, indexes, relations and caches."""

    id: MemoryId
    namespace: Namespace = DEFAULT_NAMESPACE
    reason: Annotated[Reason | None, Meta(description="Why; kept in the log. Must not repeat the text.")] = None
    if_revision: IfRevision = None
    idempotency_key: IdempotencyKey = None


class ForgetManyRequest(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Memories to erase, by filter. At least one filter must be given, and `dry_run` is on until switched off."""

    reason: Annotated[Reason | None, Meta(description="Why; kept in the log.")] = None
    dry_run: Annotated[bool, Meta(description="Only count what would be erased.")] = True
    allow_share: Annotated[
        Share | None,
        Meta(
            description="Refuse when more than this share of the namespace would be erased (and more than 20 memories). "
            "Default: the setting forget_share."
        ),
    ] = None
    everything: Annotated[bool, Meta(description="Erase the whole namespace: allows no filter and any share.")] = False


class Forgotten(Struct, frozen=True, kw_only=True):
    """How many memories were erased, or would be."""

    forgotten: int
    dry_run: bool
    ids: tuple[str, ...]


def rejection(receipt: Receipt) -> ConflictError:
    """The error for a rejected receipt; its details have the receipt's code as `reason`, and the receipt itself."""
    code = receipt.code or "rejected"
    return ConflictError(
        f"nothing was stored: {receipt.reason or code}",
        hint="pass reinstate=true to keep it all the same" if code == "forgotten" else "see the reason",
        reason=code,
        receipt=msgspec.to_builtins(receipt),
    )


REMEMBER = Operation(
    name="remember",
    summary="Keep one memory",
    request=RememberRequest,
    response=Receipt,
    effect="write",
    idempotent=True,
    route=Route("POST", "/memories"),
    command=Command(name="remember", positional=("text",)),
    tool=Tool(
        name="remember",
        description=(
            "Store one fact, event, preference, how-to or decision for later. Write it so that it is understood alone: names "
            "instead of pronouns, absolute dates. The receipt says stored, duplicate_of, superseded or rejected."
        ),
        fields=(
            "text",
            "type",
            "title",
            "author",
            "context",
            "tags",
            "session",
            "importance",
            "valid_from",
            "valid_to",
            "supersedes",
        ),
    ),
)
REMEMBER_MANY = Operation(
    name="remember_many",
    summary="Keep many memories at once",
    request=RememberManyRequest,
    response=Receipts,
    effect="write",
    idempotent=True,
    route=Route("POST", "/memories/batch"),
    command=None,
)
REVISE = Operation(
    name="revise",
    summary="Change a memory by adding a revision",
    request=ReviseRequest,
    response=Receipt,
    effect="write",
    idempotent=True,
    route=Route("PATCH", "/memories/{id}"),
    command=Command(name="revise", positional=("id", "text")),
    tool=Tool(
        name="revise",
        description="Correct or update a memory by its id; the old revision stays in its history.",
        fields=("id", "text", "title", "tags", "context", "valid_from", "valid_to", "reason", "if_revision"),
    ),
)
RETIRE = Operation(
    name="retire",
    summary="Stop holding a memory for true, keeping its history",
    request=RetireRequest,
    response=Receipt,
    effect="write",
    idempotent=True,
    route=Route("POST", "/memories/{id}/retire"),
    command=Command(name="retire", positional=("id",)),
)
FORGET = Operation(
    name="forget",
    summary="Erase a memory for good",
    request=ForgetRequest,
    response=Forgotten,
    effect="erase",
    idempotent=True,
    route=Route("DELETE", "/memories/{id}"),
    command=Command(name="forget", positional=("id",)),
    tool=Tool(
        name="forget",
        description="Erase a memory for good, everywhere; it cannot come back by re-import. Only when the user asks for it.",
        fields=("id", "reason"),
    ),
)
FORGET_MANY = Operation(
    name="forget_many",
    summary="Erase all memories that match a filter",
    request=ForgetManyRequest,
    response=Forgotten,
    effect="erase",
    idempotent=True,
    route=Route("POST", "/memories/forget"),
    command=Command(name="forget-many", hidden=("now",)),
)
