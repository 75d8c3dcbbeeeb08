"""Operations that add, change, end or erase memories."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from ai_memory.errors import ConflictError, InvalidInputError
from ai_memory.operations.base import Command, Operation, Route, Tool, parse, read_period, read_time
from ai_memory.types import DEFAULT_NAMESPACE, MemoryType, OnConflict, Outcome, Receipt, Selection, Share, WipePending

MAX_TEXT = 200_000
MAX_BATCH = 2_000
MAX_TAGS = 64
MAX_KEY = 256
OnConflictField = Annotated[
    OnConflict | None,
    Meta(description="On a conflict: keep both, propose to supersede, or supersede. Default: the setting on_conflict."),
]

Namespace = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        description="The namespace to work in; nothing is read or written across namespaces.",
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Tags = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=128)], ...], Meta(max_length=MAX_TAGS)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Title = Annotated[str, Meta(max_length=1000)]
ContextPath = Annotated[str, Meta(max_length=512)]
Source = Annotated[str, Meta(max_length=2000)]
Reason = Annotated[str, Meta(max_length=2000)]
Key = Annotated[str, Meta(min_length=1, max_length=MAX_KEY)]
MemoryId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_KEY + len("key:"),
        description="The memory's id (mem_…), or `key:NAME` for the value that this key has now.",
        extra={"short": "The memory's id, or key:NAME."},
    ),
]
Reference = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1_000,
        description="The memory's id (mem_…), `key:NAME` for the value that this key has now, or words that only this memory "
        "answers to.",
        extra={"short": "The memory's id, key:NAME, or words that only it answers to."},
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Meta(
        description="A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes nothing and "
        "returns the first answer, unless its memory was forgotten since."
    ),
]
IfRevision = Annotated[
    int | None,
    Meta(
        description="Proceed only if this is the memory's current revision; otherwise fail with the error stale_revision, "
        "which names the current one.",
        extra={"short": "Fail unless this is the current revision."},
    ),
]


class Draft(Struct, kw_only=True, forbid_unknown_fields=True):
    """A memory to store: its text and what is known about it."""

    text: Annotated[
        Text,
        Meta(
            description="The text to remember, up to 200,000 characters. Long texts are split into passages.",
            extra={"short": "The text to remember."},
        ),
    ]
    type: Annotated[MemoryType, Meta(description="What kind of memory it is.")] = MemoryType.SEMANTIC
    title: Annotated[Title | None, Meta(description="A heading; it is searched like the text.")] = None
    author: Annotated[Name | None, Meta(description="Who wrote or said it.")] = None
    key: Annotated[
        Key | None,
        Meta(
            description="A name of your own for the fact, such as `user.home.city`. A user has one value of a key at any moment: "
            "the same key again ends the value before it, in the order of valid_from.",
            extra={"short": "A name for the fact, such as user.home.city; the same key again replaces its value."},
        ),
    ] = None
    user: Annotated[Name | None, Meta(description="The user that it belongs to.")] = None
    agent: Annotated[Name | None, Meta(description="The agent that it belongs to.")] = None
    session: Annotated[
        Name | None,
        Meta(
            description="The conversation that it is part of. Recall also considers the memories before and after it there.",
            extra={"short": "The conversation that it is part of."},
        ),
    ] = None
    context: Annotated[ContextPath, Meta(description="A path of topics, such as work/projects/atlas.")] = ""
    tags: Annotated[Tags, Meta(description="Short labels to filter by.")] = ()
    importance: Annotated[Share, Meta(description="How much it matters, from 0 to 1.")] = 0.5
    confidence: Annotated[Share, Meta(description="How certain it is, from 0 to 1.")] = 1.0
    attributes: Annotated[
        dict[str, Any],
        Meta(
            description="More about it, at most 64 KiB of JSON. The attributes that its type defines are checked for their "
            "type; any others are stored as given."
        ),
    ] = field(default_factory=dict)
    source: Annotated[
        Source | None,
        Meta(description="Where it came from, such as a URL, a file or a message id."),
    ] = None
    valid_from: Annotated[dt.datetime | None, Meta(description="When it happened or became true.")] = None
    valid_to: Annotated[dt.datetime | None, Meta(description="When it stopped being true.")] = None
    expires_at: Annotated[
        dt.datetime | None,
        Meta(
            description="When it lapses: answers leave it out from then on, and nothing is erased by that. Default: what the "
            "setting expire_after says of its context or type (working memories: a day), else never."
        ),
    ] = None
    ttl: Annotated[
        str | None,
        Meta(
            description="In place of expires_at, how long from now it is kept: a number of seconds, or 12h, 7d, 1 week; "
            "never for good.",
            extra={
                "short": "How long it is kept, such as 12h or 7d; never for good.",
                "read": read_period,
                "python": "str | float",
            },
        ),
    ] = None
    pinned: Annotated[
        bool,
        Meta(
            description="Whether the settings that make memories lapse or erase them by themselves pass it over; an expires_at "
            "that is given counts all the same."
        ),
    ] = False
    supersedes: Annotated[
        tuple[Reference, ...],
        Meta(
            description="The memories that this one replaces: ids, `key:NAME`, or words that only the memory answers to. They stop "
            "being true when this one becomes true.",
            extra={"short": "Ids of memories that it replaces."},
        ),
    ] = ()


class RememberRequest(Draft, kw_only=True, forbid_unknown_fields=True):
    """The text and what is known about it. A text that the same scope already has is not stored again."""

    namespace: Namespace = DEFAULT_NAMESPACE
    reinstate: Annotated[
        bool, Meta(description="Store it even if the same text was forgotten: only when the user asks for that.")
    ] = False
    on_conflict: OnConflictField = None
    wait: Annotated[
        bool,
        Meta(
            description="Wait, at most 30 seconds, until it can be found semantically too; the receipt says whether it can."
        ),
    ] = False
    idempotency_key: IdempotencyKey = None


class RememberManyRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Up to 2,000 memories. Each gets its own receipt, and one that is rejected does not stop the others."""

    memories: Annotated[
        list[Draft], Meta(min_length=1, max_length=MAX_BATCH, description="The memories to store, in order.")
    ]
    namespace: Namespace = DEFAULT_NAMESPACE
    reinstate: Annotated[bool, Meta(description="Store memories even if the same texts were forgotten before.")] = False
    on_conflict: OnConflictField = None
    wait: Annotated[
        bool,
        Meta(
            description="Wait, at most 30 seconds, until all can be found semantically too; the receipts say which can."
        ),
    ] = False
    idempotency_key: IdempotencyKey = None


class Message(Struct, kw_only=True):
    """One message, as programs that talk to language models have it; fields that are not named here are ignored."""

    role: Annotated[
        str,
        Meta(
            max_length=64,
            description="Who speaks: user or assistant (or human, ai, model). What system, developer, tool and function say is "
            "left out.",
        ),
    ]
    content: Annotated[
        str | list[str | dict[str, Any]] | None,
        Meta(
            description="The text, or a list of parts, of which those of type text, input_text and output_text are kept."
        ),
    ] = None
    name: Annotated[Name | None, Meta(description="The speaker's name. Default: the role.")] = None
    time: Annotated[
        dt.datetime | None,
        Meta(description="When it was said: a date and time, or seconds since 1970.", extra={"read": read_time}),
    ] = None


class RememberMessagesRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Up to 2,000 messages of one conversation, in order. Each that says something becomes a memory of the session."""

    messages: Annotated[list[Message], Meta(min_length=1, max_length=MAX_BATCH, description="The messages, in order.")]
    namespace: Namespace = DEFAULT_NAMESPACE
    session: Annotated[
        Name | None, Meta(description="The conversation. Default: a new name, which the receipts give.")
    ] = None
    user: Annotated[Name | None, Meta(description="The user that the memories belong to.")] = None
    agent: Annotated[Name | None, Meta(description="The agent that the memories belong to.")] = None
    context: Annotated[ContextPath, Meta(description="A path of topics for all of them.")] = ""
    tags: Annotated[Tags, Meta(description="Short labels for all of them.")] = ()
    attributes: Annotated[dict[str, Any], Meta(description="More about each of them; role and turn are added.")] = (
        field(default_factory=dict)
    )
    source: Annotated[
        Source | None, Meta(description="Where the conversation came from, such as a program and the id it has there.")
    ] = None
    ttl: Annotated[
        str | None,
        Meta(
            description="How long from now they are kept: a number of seconds, or 12h, 7d, 1 week; never for good.",
            extra={"read": read_period, "python": "str | float"},
        ),
    ] = None
    reinstate: Annotated[bool, Meta(description="Store messages even if the same texts were forgotten before.")] = False
    wait: Annotated[bool, Meta(description="Wait, at most 30 seconds, until all can be found semantically too.")] = (
        False
    )
    idempotency_key: IdempotencyKey = None


class RememberedMessages(Struct, frozen=True, kw_only=True):
    """One receipt per message, in the order given, and how many had each outcome.

    A message that is not kept is `rejected` with the code `left_out`, and the reason says why.
    """

    session: str
    """The session of the memories."""
    receipts: tuple[Receipt, ...]
    counts: dict[str, int]


class RefusedDraft(Draft, kw_only=True):
    """The place of a memory of a batch that could not be read, and why: its receipt says so, and the others are stored."""

    code: str
    reason: str


def batch_of(values: Mapping[str, Any]) -> RememberManyRequest:
    """The request in plain values; a memory with a value that is wrong, such as a text over its limit, is a `RefusedDraft` in it.

    Raises what `parse` raises where another field is wrong, where a memory has an unknown field, which the caller means otherwise
    than it would be read, and where no memory can be read.
    """
    try:
        return parse(RememberManyRequest, values)
    except InvalidInputError:
        given = values.get("memories")
        if not isinstance(given, list) or not given:
            raise
        drafts = [_draft_or_refusal(each, place) for place, each in enumerate(given)]
        if all(isinstance(draft, RefusedDraft) for draft in drafts):
            raise
    request = parse(RememberManyRequest, {**values, "memories": [{"text": "-"}] * len(given)})
    request.memories = drafts
    return request


def _draft_or_refusal(given: Any, place: int) -> Draft:
    if not isinstance(given, Mapping):
        return RefusedDraft(text="", code=InvalidInputError.code, reason="expected an object with `text`")
    try:
        return parse(Draft, given)
    except InvalidInputError as error:
        if "fields" in error.details:
            raise InvalidInputError(f"memories[{place}]: {error.message}", hint=error.way, **error.details) from None
        return RefusedDraft(text="", code=error.code, reason=error.message)


class Receipts(Struct, frozen=True, kw_only=True):
    """One receipt per memory, in the order given, and how many had each outcome."""

    receipts: tuple[Receipt, ...]
    counts: dict[str, int]


class ReviseRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields to change; a field that is not given keeps its value. `null` clears title, author, key, source and the dates."""

    id: Reference
    namespace: Namespace = DEFAULT_NAMESPACE
    text: Annotated[Text | UnsetType, Meta(description="The new text, in full.")] = UNSET
    type: Annotated[MemoryType | UnsetType, Meta(description="The new kind of memory.")] = UNSET
    title: Annotated[Title | UnsetType | None, Meta(description="The new heading.")] = UNSET
    author: Annotated[Name | UnsetType | None, Meta(description="The new author.")] = UNSET
    key: Annotated[
        Key | UnsetType | None,
        Meta(description="The new key; refused where the key has another value at the same time."),
    ] = UNSET
    context: Annotated[
        ContextPath | UnsetType,
        Meta(
            description="The new context path; / for none, where an empty string means that it is not given.",
            extra={"short": "The new context path; / for none."},
        ),
    ] = UNSET
    tags: Annotated[Tags | UnsetType, Meta(description="Its new tags; they replace the old ones.")] = UNSET
    importance: Annotated[Share | UnsetType, Meta(description="The new importance, from 0 to 1.")] = UNSET
    confidence: Annotated[Share | UnsetType, Meta(description="The new confidence, from 0 to 1.")] = UNSET
    attributes: Annotated[
        dict[str, Any] | UnsetType, Meta(description="Its new attributes; they replace the old ones.")
    ] = UNSET
    source: Annotated[Source | UnsetType | None, Meta(description="The new source.")] = UNSET
    valid_from: Annotated[
        dt.datetime | UnsetType | None, Meta(description="The new time at which it happened or became true.")
    ] = UNSET
    valid_to: Annotated[
        dt.datetime | UnsetType | None, Meta(description="The new time at which it stopped being true.")
    ] = UNSET
    expires_at: Annotated[
        dt.datetime | UnsetType | None, Meta(description="The new time at which it lapses; empty it for never.")
    ] = UNSET
    ttl: Annotated[
        str | None,
        Meta(
            description="In place of expires_at, how long from now on it is kept: seconds, or 12h, 7d, 1 week; never for good.",
            extra={"read": read_period, "python": "str | float"},
        ),
    ] = None
    pinned: Annotated[
        bool | UnsetType,
        Meta(description="Whether it is pinned. Pinning takes its expires_at away, unless another is given."),
    ] = UNSET
    reason: Annotated[
        Reason | None,
        Meta(
            description="Why it changes; kept in the memory's history.",
            extra={"short": "Why it changes; kept in its history."},
        ),
    ] = None
    if_revision: IfRevision = None
    wait: Annotated[
        bool, Meta(description="Wait, at most 30 seconds, until the change can be found semantically too.")
    ] = False
    idempotency_key: IdempotencyKey = None


class RetireRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The memory to retire. With `known_at` it can still be found as it was known before."""

    id: Reference
    namespace: Namespace = DEFAULT_NAMESPACE
    reason: Annotated[Reason | None, Meta(description="Why it is retired; kept in the memory's history.")] = None
    if_revision: IfRevision = None
    idempotency_key: IdempotencyKey = None


class ForgetRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The memory, or all values of a key, to erase from texts, revisions, vectors, indexes, relations and caches.

    Storing the same text again, in whatever dress, is refused without `reinstate`.
    """

    id: MemoryId
    namespace: Namespace = DEFAULT_NAMESPACE
    reason: Annotated[
        Reason | None,
        Meta(
            description="Why it is erased. The log keeps the reason forever, so one that repeats the memory's text or title, or "
            "a revealing part of it, is refused.",
            extra={"short": "Why it is erased; logged forever, so it must not repeat the memory."},
        ),
    ] = None
    if_revision: IfRevision = None
    idempotency_key: IdempotencyKey = None


class ForgetManyRequest(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The memories to erase, by filter. At least one filter must be given, or `everything`; `dry_run` is on by default.

    A memory is erased with its whole history where its latest revision matches, whether it is current, has ended, was
    superseded or was retired: `user` alone means all of a person.
    """

    EMPTY_REFUSED: ClassVar[tuple[str, ...]] = Selection.__struct_fields__
    """An empty filter must not widen what is erased, as it would if it were treated as not given."""

    reason: Annotated[
        Reason | None,
        Meta(
            description="Why they are erased. The log keeps the reason forever, so one that repeats the text or title of any of "
            "these memories, or a revealing part of it, is refused."
        ),
    ] = None
    retired: Annotated[bool, Meta(description="Also memories that were retired.")] = True
    dry_run: Annotated[bool, Meta(description="Erase nothing; only count what would be erased.")] = True
    allow_share: Annotated[
        Share | None,
        Meta(
            description="The largest share of the namespace that may be erased, from 0 to 1; 20 memories or fewer may always be. "
            "Default: the setting forget_share."
        ),
    ] = None
    everything: Annotated[
        bool, Meta(description="Allow any share, and allow no filter, which means the whole namespace.")
    ] = False


class Forgotten(Struct, frozen=True, kw_only=True):
    """How many memories were erased, or with `dry_run` would be, and the ids of the first 1,000."""

    forgotten: int
    dry_run: bool
    ids: tuple[str, ...]
    states: dict[str, int] = field(default_factory=dict)
    """How many of them were `current`, had `ended` (superseded ones among them), had `expired` or were `retired`; never 0."""
    wipe_pending: WipePending | None = None
    """What keeps their bytes in the service's files for now; they are wiped as soon as it ends. None where they are gone."""


def rejection(receipt: Receipt) -> ConflictError | None:
    """The error behind a rejected receipt; its details have the receipt and its code, as `reason`. None for any other receipt."""
    if receipt.outcome is not Outcome.REJECTED:
        return None
    code = receipt.code or "rejected"
    return ConflictError(
        f"nothing was stored: {receipt.reason or code}",
        hint="pass reinstate=true to keep it all the same" if code == "forgotten" else "see the reason",
        reason=code,
        receipt=msgspec.to_builtins(receipt),
    )


def _is_new(receipt: Receipt) -> bool:
    return receipt.outcome in (Outcome.STORED, Outcome.SUPERSEDED)


REMEMBER = Operation(
    name="remember",
    summary="Store one memory",
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
            "key",
            "context",
            "tags",
            "session",
            "importance",
            "valid_from",
            "valid_to",
            "supersedes",
            "reinstate",
        ),
    ),
    created=_is_new,
    refusal=rejection,
)
REMEMBER_MANY = Operation(
    name="remember_many",
    summary="Store many memories at once",
    request=RememberManyRequest,
    response=Receipts,
    effect="write",
    idempotent=True,
    route=Route("POST", "/memories/batch"),
    command=None,
    leniently=batch_of,
)
REMEMBER_MESSAGES = Operation(
    name="remember_messages",
    summary="Store a conversation as memories of one session",
    request=RememberMessagesRequest,
    response=RememberedMessages,
    effect="write",
    idempotent=True,
    route=Route("POST", "/memories/messages"),
    command=Command(name="remember-messages", positional=("messages",)),
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
    summary="Mark a memory as no longer true, keeping its history",
    request=RetireRequest,
    response=Receipt,
    effect="write",
    idempotent=True,
    route=Route("POST", "/memories/{id}/retire"),
    command=Command(name="retire", positional=("id",)),
)
FORGET = Operation(
    name="forget",
    summary="Erase a memory permanently",
    request=ForgetRequest,
    response=Forgotten,
    effect="erase",
    idempotent=True,
    route=Route("DELETE", "/memories/{id}"),
    command=Command(name="forget", positional=("id",)),
    tool=Tool(
        name="forget",
        description="Erase a memory permanently and everywhere; re-import cannot bring it back. Only when the user asks for it.",
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
