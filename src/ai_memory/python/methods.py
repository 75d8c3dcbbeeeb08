"""The operations as plain methods, typed and documented.

Written by scripts/generate.py from the operations; do not edit.
"""
# ruff: noqa: A002 (parameters have the names of the requests' fields: id, type)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

from msgspec import UNSET, UnsetType

from ai_memory.operations.changes import CHANGES, Changes
from ai_memory.operations.reading import CONTEXTS, GET, HISTORY, LIST, RECALL, TIMELINE, Contexts, History, Timeline
from ai_memory.operations.writing import (
    FORGET,
    FORGET_MANY,
    REMEMBER,
    REMEMBER_MANY,
    REMEMBER_MESSAGES,
    RETIRE,
    REVISE,
    Draft,
    Forgotten,
    Message,
    Receipts,
    RememberedMessages,
)
from ai_memory.python.calls import Instant
from ai_memory.python.graph_methods import GraphMethods
from ai_memory.python.inbox_methods import InboxMethods
from ai_memory.python.moving_methods import MovingMethods
from ai_memory.recall.answer import Answer, Layer
from ai_memory.types import DEFAULT_NAMESPACE, MemoryRecord, MemoryType, OnConflict, Page, Receipt


class Filters(TypedDict, total=False):
    """Which memories are meant. Fields are joined by AND.

    user: Only memories of one of these users.
    agent: Only memories of one of these agents.
    session: Only memories of one of these sessions.
    types: Only memories of one of these types.
    context: Only memories in this context path, such as work/projects, or below it, in any letter case.
    tags: Only memories with all of these tags, in any letter case.
    any_tags: Only memories with at least one of these tags, in any letter case.
    without_tags: Only memories with none of these tags, in any letter case.
    author: Only memories written or said by one of these people.
    keys: Only memories with one of these keys.
    ids: Only memories with one of these ids.
    pinned: Only memories that are pinned, or only those that are not.
    occurred_after: Only what happened (valid_from, else created_at) at or after this instant.
    occurred_before: Only what happened (valid_from, else created_at) before this instant.
    recorded_after: Only what was recorded at or after this instant.
    recorded_before: Only what was recorded before this instant.
    min_importance: Only memories of at least this importance, from 0 to 1.
    min_confidence: Only memories of at least this confidence, from 0 to 1.
    where: Only memories for which this condition holds: on attributes by their paths, such as {"attributes.city":
        "Riga"} or {"attributes.price": {"$lt": 10}}, on the other filters by their names, joined by $and, $or and
        $not.
    as_of: Only what was true in the world at this instant: valid_from <= as_of < valid_to.
    known_at: Only what the service knew at this instant: recorded_at <= known_at < retired_at. Default: now.
    expires_before: Only memories whose expires_at is before this instant, past ones too.
    include_ended: Also memories whose valid_to is before now.
    include_expired: Also memories that have expired, marked as expired. Without it, what had not expired yet at as_of
        or known_at is shown.
    now: The instant to treat as now; its offset says whose days *yesterday* means. Default: the service's clock, in
        the zone of the setting `timezone`.
    """

    user: str | Sequence[str]
    agent: str | Sequence[str]
    session: str | Sequence[str]
    types: MemoryType | str | Sequence[MemoryType | str]
    context: str
    tags: str | Sequence[str]
    any_tags: str | Sequence[str]
    without_tags: str | Sequence[str]
    author: str | Sequence[str]
    keys: str | Sequence[str]
    ids: str | Sequence[str]
    pinned: bool | None
    occurred_after: Instant | None
    occurred_before: Instant | None
    recorded_after: Instant | None
    recorded_before: Instant | None
    min_importance: float
    min_confidence: float
    where: Mapping[str, Any] | None
    as_of: Instant | None
    known_at: Instant | None
    expires_before: Instant | None
    include_ended: bool
    include_expired: bool
    now: Instant | None


class Methods(GraphMethods, InboxMethods, MovingMethods):
    """One method for each operation. Fields that are not given keep the operation's defaults."""

    def remember(
        self,
        text: str,
        *,
        type: MemoryType | str = MemoryType.SEMANTIC,
        title: str | None = None,
        author: str | None = None,
        key: str | None = None,
        user: str | None = None,
        agent: str | None = None,
        session: str | None = None,
        context: str = "",
        tags: str | Sequence[str] = (),
        importance: float = 0.5,
        confidence: float = 1.0,
        attributes: Mapping[str, Any] | UnsetType = UNSET,
        source: str | None = None,
        valid_from: Instant | None = None,
        valid_to: Instant | None = None,
        expires_at: Instant | None = None,
        ttl: str | float | None = None,
        pinned: bool = False,
        supersedes: str | Sequence[str] = (),
        namespace: str = DEFAULT_NAMESPACE,
        reinstate: bool = False,
        on_conflict: OnConflict | str | None = None,
        wait: bool = False,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Store one memory.

        text: The text to remember, up to 200,000 characters. Long texts are split into passages.
        type: What kind of memory it is.
        title: A heading; it is searched like the text.
        author: Who wrote or said it.
        key: A name of your own for the fact, such as `user.home.city`. A user has one value of a key at any moment:
            the same key again ends the value before it, in the order of valid_from.
        user: The user that it belongs to.
        agent: The agent that it belongs to.
        session: The conversation that it is part of. Recall also considers the memories before and after it there.
        context: A path of topics, such as work/projects/atlas.
        tags: Short labels to filter by.
        importance: How much it matters, from 0 to 1.
        confidence: How certain it is, from 0 to 1.
        attributes: More about it, at most 64 KiB of JSON. The attributes that its type defines are checked for their
            type; any others are stored as given.
        source: Where it came from, such as a URL, a file or a message id.
        valid_from: When it happened or became true.
        valid_to: When it stopped being true.
        expires_at: When it lapses: answers leave it out from then on, and nothing is erased by that. Default: what
            the setting expire_after says of its context or type (working memories: a day), else never.
        ttl: In place of expires_at, how long from now it is kept: a number of seconds, or 12h, 7d, 1 week; never for
            good.
        pinned: Whether the settings that make memories lapse or erase them by themselves pass it over; an expires_at
            that is given counts all the same.
        supersedes: The memories that this one replaces: ids, `key:NAME`, or words that only the memory answers to.
            They stop being true when this one becomes true.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        reinstate: Store it even if the same text was forgotten: only when the user asks for that.
        on_conflict: On a conflict: keep both, propose to supersede, or supersede. Default: the setting on_conflict.
        wait: Wait, at most 30 seconds, until it can be found semantically too; the receipt says whether it can.
        idempotency_key: A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes
            nothing and returns the first answer, unless its memory was forgotten since.
        """
        values: dict[str, Any] = {
            "text": text, "type": type, "title": title, "author": author, "key": key, "user": user, "agent": agent,
            "session": session, "context": context, "tags": tags, "importance": importance, "confidence": confidence,
            "attributes": attributes, "source": source, "valid_from": valid_from, "valid_to": valid_to,
            "expires_at": expires_at, "ttl": ttl, "pinned": pinned, "supersedes": supersedes, "namespace": namespace,
            "reinstate": reinstate, "on_conflict": on_conflict, "wait": wait, "idempotency_key": idempotency_key,
        }  # fmt: skip
        return self._carry_out(REMEMBER, values)

    def remember_many(
        self,
        memories: Sequence[Draft | Mapping[str, Any] | str],
        *,
        namespace: str = DEFAULT_NAMESPACE,
        reinstate: bool = False,
        on_conflict: OnConflict | str | None = None,
        wait: bool = False,
        idempotency_key: str | None = None,
    ) -> Receipts:
        """Store many memories at once.

        memories: The memories to store, in order.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        reinstate: Store memories even if the same texts were forgotten before.
        on_conflict: On a conflict: keep both, propose to supersede, or supersede. Default: the setting on_conflict.
        wait: Wait, at most 30 seconds, until all can be found semantically too; the receipts say which can.
        idempotency_key: A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes
            nothing and returns the first answer, unless its memory was forgotten since.
        """
        values: dict[str, Any] = {
            "memories": memories, "namespace": namespace, "reinstate": reinstate, "on_conflict": on_conflict,
            "wait": wait, "idempotency_key": idempotency_key,
        }  # fmt: skip
        return self._carry_out(REMEMBER_MANY, values)

    def remember_messages(
        self,
        messages: Sequence[Message | Mapping[str, Any]],
        *,
        namespace: str = DEFAULT_NAMESPACE,
        session: str | None = None,
        user: str | None = None,
        agent: str | None = None,
        context: str = "",
        tags: str | Sequence[str] = (),
        attributes: Mapping[str, Any] | UnsetType = UNSET,
        source: str | None = None,
        ttl: str | float | None = None,
        reinstate: bool = False,
        wait: bool = False,
        idempotency_key: str | None = None,
    ) -> RememberedMessages:
        """Store a conversation as memories of one session.

        messages: The messages, in order.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        session: The conversation. Default: a new name, which the receipts give.
        user: The user that the memories belong to.
        agent: The agent that the memories belong to.
        context: A path of topics for all of them.
        tags: Short labels for all of them.
        attributes: More about each of them; role and turn are added.
        source: Where the conversation came from, such as a program and the id it has there.
        ttl: How long from now they are kept: a number of seconds, or 12h, 7d, 1 week; never for good.
        reinstate: Store messages even if the same texts were forgotten before.
        wait: Wait, at most 30 seconds, until all can be found semantically too.
        idempotency_key: A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes
            nothing and returns the first answer, unless its memory was forgotten since.
        """
        values: dict[str, Any] = {
            "messages": messages, "namespace": namespace, "session": session, "user": user, "agent": agent,
            "context": context, "tags": tags, "attributes": attributes, "source": source, "ttl": ttl,
            "reinstate": reinstate, "wait": wait, "idempotency_key": idempotency_key,
        }  # fmt: skip
        return self._carry_out(REMEMBER_MESSAGES, values)

    def recall(
        self,
        query: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        limit: int = 10,
        min_score: float | None = None,
        min_relevance: float = 0.0,
        max_tokens: int | None = None,
        layers: Layer | str | Sequence[Layer | str] = (Layer.SEMANTIC,),
        explain: bool = False,
        recipe: Literal["balanced", "fast", "thorough", "linked", "words", "meaning"] = "balanced",
        format: Literal["hits", "context"] = "hits",
        **filters: Unpack[Filters],
    ) -> Answer:
        """Find the memories that answer a question.

        query: The question, in any language. A "quoted phrase" must occur exactly, unless the question ends in "?".
        namespace: Only memories of this namespace.
        limit: At most this many memories; only the layer contextual, where it is asked for, adds what surrounds them.
        min_score: Only hits of at least this score, in nats; scores compare within one answer only. Default: no
            limit.
        min_relevance: Only hits whose own confidence, the estimated probability that they are relevant, is at least
            this, from 0 to 1. min_confidence is about the memory's confidence.
        max_tokens: At most this many tokens, as estimated, of memory text in the answer; the weakest hits are left
            out first. Default: no limit.
        layers: What to return: semantic (the matches), contextual (also up to seven memories around each: before and
            after it in its session, and related ones), detailed (also their history and relations).
        explain: Return how the question was understood, and the scores of each hit in every stage.
        recipe: How to search and rank: balanced (lexically, semantically and by the memories around a match), fast
            (without the memories around it), thorough (more candidates, the best compared token by token), linked
            (balanced, and what the graph reaches from the question and the best hits), words (lexically only) or
            meaning (semantically only).
        format: hits, or context: the hits and one text block for a prompt, dated, with ids as citations, fenced and
            within max_tokens.
        filters: Which memories are meant; see `Filters`.
        """
        values: dict[str, Any] = {
            "query": query, "namespace": namespace, "limit": limit, "min_score": min_score,
            "min_relevance": min_relevance, "max_tokens": max_tokens, "layers": layers, "explain": explain,
            "recipe": recipe, "format": format, **filters,
        }  # fmt: skip
        return self._carry_out(RECALL, values)

    def get(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
    ) -> MemoryRecord:
        """Get one memory by its id.

        id: The memory's id (mem_…), or `key:NAME` for the value that this key has now.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        as_of: Return it only if it was true in the world at this instant.
        known_at: Return it as the service knew it at this instant. Default: now.
        """
        values: dict[str, Any] = {"id": id, "namespace": namespace, "as_of": as_of, "known_at": known_at}
        return self._carry_out(GET, values)

    def list(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        limit: int = 50,
        cursor: str | None = None,
        order: Literal["newest", "oldest"] = "newest",
        retired: bool = False,
        expiring: str | float | None = None,
        stale: str | float | None = None,
        **filters: Unpack[Filters],
    ) -> Page:
        """List memories by filter.

        namespace: Only memories of this namespace.
        limit: At most this many memories per page.
        cursor: The cursor from the previous page; the filters must be the same.
        order: Which memories come first.
        retired: Also memories that were retired, as they were when they were. The filters look at the latest
            revision.
        expiring: Only memories that lapse within this time from now, such as 7d; those that have already only with
            include_expired.
        stale: Only memories that nothing has confirmed for this long, such as 90d: neither stored or revised since,
            nor said again elsewhere, not pinned and not ended. When an answer last had them is not recorded.
        filters: Which memories are meant; see `Filters`.
        """
        values: dict[str, Any] = {
            "namespace": namespace, "limit": limit, "cursor": cursor, "order": order, "retired": retired,
            "expiring": expiring, "stale": stale, **filters,
        }  # fmt: skip
        return self._carry_out(LIST, values)

    def revise(
        self,
        id: str,
        text: str | UnsetType = UNSET,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        type: MemoryType | str | UnsetType = UNSET,
        title: str | UnsetType | None = UNSET,
        author: str | UnsetType | None = UNSET,
        key: str | UnsetType | None = UNSET,
        context: str | UnsetType = UNSET,
        tags: str | Sequence[str] | UnsetType = UNSET,
        importance: float | UnsetType = UNSET,
        confidence: float | UnsetType = UNSET,
        attributes: Mapping[str, Any] | UnsetType = UNSET,
        source: str | UnsetType | None = UNSET,
        valid_from: Instant | UnsetType | None = UNSET,
        valid_to: Instant | UnsetType | None = UNSET,
        expires_at: Instant | UnsetType | None = UNSET,
        ttl: str | float | None = None,
        pinned: bool | UnsetType = UNSET,
        reason: str | None = None,
        if_revision: int | None = None,
        wait: bool = False,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Change a memory by adding a revision.

        id: The memory's id (mem_…), `key:NAME` for the value that this key has now, or words that only this memory
            answers to.
        text: The new text, in full.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        type: The new kind of memory.
        title: The new heading.
        author: The new author.
        key: The new key; refused where the key has another value at the same time.
        context: The new context path; / for none, where an empty string means that it is not given.
        tags: Its new tags; they replace the old ones.
        importance: The new importance, from 0 to 1.
        confidence: The new confidence, from 0 to 1.
        attributes: Its new attributes; they replace the old ones.
        source: The new source.
        valid_from: The new time at which it happened or became true.
        valid_to: The new time at which it stopped being true.
        expires_at: The new time at which it lapses; empty it for never.
        ttl: In place of expires_at, how long from now on it is kept: seconds, or 12h, 7d, 1 week; never for good.
        pinned: Whether it is pinned. Pinning takes its expires_at away, unless another is given.
        reason: Why it changes; kept in the memory's history.
        if_revision: Proceed only if this is the memory's current revision; otherwise fail with the error
            stale_revision, which names the current one.
        wait: Wait, at most 30 seconds, until the change can be found semantically too.
        idempotency_key: A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes
            nothing and returns the first answer, unless its memory was forgotten since.
        """
        values: dict[str, Any] = {
            "id": id, "text": text, "namespace": namespace, "type": type, "title": title, "author": author,
            "key": key, "context": context, "tags": tags, "importance": importance, "confidence": confidence,
            "attributes": attributes, "source": source, "valid_from": valid_from, "valid_to": valid_to,
            "expires_at": expires_at, "ttl": ttl, "pinned": pinned, "reason": reason, "if_revision": if_revision,
            "wait": wait, "idempotency_key": idempotency_key,
        }  # fmt: skip
        return self._carry_out(REVISE, values)

    def retire(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        reason: str | None = None,
        if_revision: int | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Mark a memory as no longer true, keeping its history.

        id: The memory's id (mem_…), `key:NAME` for the value that this key has now, or words that only this memory
            answers to.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        reason: Why it is retired; kept in the memory's history.
        if_revision: Proceed only if this is the memory's current revision; otherwise fail with the error
            stale_revision, which names the current one.
        idempotency_key: A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes
            nothing and returns the first answer, unless its memory was forgotten since.
        """
        values: dict[str, Any] = {
            "id": id, "namespace": namespace, "reason": reason, "if_revision": if_revision,
            "idempotency_key": idempotency_key,
        }  # fmt: skip
        return self._carry_out(RETIRE, values)

    def forget(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        reason: str | None = None,
        if_revision: int | None = None,
        idempotency_key: str | None = None,
    ) -> Forgotten:
        """Erase a memory permanently.

        id: The memory's id (mem_…), or `key:NAME` for the value that this key has now.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        reason: Why it is erased. The log keeps the reason forever, so one that repeats the memory's text or title, or
            a revealing part of it, is refused.
        if_revision: Proceed only if this is the memory's current revision; otherwise fail with the error
            stale_revision, which names the current one.
        idempotency_key: A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes
            nothing and returns the first answer, unless its memory was forgotten since.
        """
        values: dict[str, Any] = {
            "id": id, "namespace": namespace, "reason": reason, "if_revision": if_revision,
            "idempotency_key": idempotency_key,
        }  # fmt: skip
        return self._carry_out(FORGET, values)

    def forget_many(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        reason: str | None = None,
        retired: bool = True,
        dry_run: bool = True,
        allow_share: float | None = None,
        everything: bool = False,
        **filters: Unpack[Filters],
    ) -> Forgotten:
        """Erase all memories that match a filter.

        namespace: Only memories of this namespace.
        reason: Why they are erased. The log keeps the reason forever, so one that repeats the text or title of any of
            these memories, or a revealing part of it, is refused.
        retired: Also memories that were retired.
        dry_run: Erase nothing; only count what would be erased.
        allow_share: The largest share of the namespace that may be erased, from 0 to 1; 20 memories or fewer may
            always be. Default: the setting forget_share.
        everything: Allow any share, and allow no filter, which means the whole namespace.
        filters: Which memories are meant; see `Filters`.
        """
        values: dict[str, Any] = {
            "namespace": namespace, "reason": reason, "retired": retired, "dry_run": dry_run,
            "allow_share": allow_share, "everything": everything, **filters,
        }  # fmt: skip
        return self._carry_out(FORGET_MANY, values)

    def history(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> History:
        """List all revisions of a memory.

        id: The memory's id (mem_…), or `key:NAME` for the value that this key has now.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        """
        values: dict[str, Any] = {"id": id, "namespace": namespace}
        return self._carry_out(HISTORY, values)

    def timeline(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        bucket: Literal["day", "week", "month", "year"] = "month",
        samples: int = 3,
        limit: int = 120,
        **filters: Unpack[Filters],
    ) -> Timeline:
        """Count and sample memories by day, week, month or year.

        namespace: Only memories of this namespace.
        bucket: The length of a bucket.
        samples: How many memories to show per bucket.
        limit: At most this many buckets, the newest.
        filters: Which memories are meant; see `Filters`.
        """
        values: dict[str, Any] = {
            "namespace": namespace, "bucket": bucket, "samples": samples, "limit": limit, **filters,
        }  # fmt: skip
        return self._carry_out(TIMELINE, values)

    def contexts(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        under: str = "",
    ) -> Contexts:
        """List the context paths in use.

        namespace: The namespace to work in; nothing is read or written across namespaces.
        under: Only this path and the paths below it. Default: all paths.
        """
        values: dict[str, Any] = {"namespace": namespace, "under": under}
        return self._carry_out(CONTEXTS, values)

    def changes(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        user: str | Sequence[str] = (),
        agent: str | Sequence[str] = (),
        session: str | Sequence[str] = (),
        types: MemoryType | str | Sequence[MemoryType | str] = (),
        context: str = "",
        tags: str | Sequence[str] = (),
        any_tags: str | Sequence[str] = (),
        without_tags: str | Sequence[str] = (),
        author: str | Sequence[str] = (),
        keys: str | Sequence[str] = (),
        ids: str | Sequence[str] = (),
        pinned: bool | None = None,
        since: Instant = "1 week",
        until: Instant | None = None,
        axis: Literal["known", "valid"] = "known",
        limit: int = 200,
        cursor: str | None = None,
    ) -> Changes:
        """Show what changed between two instants.

        namespace: Only memories of this namespace.
        user: Only memories of one of these users.
        agent: Only memories of one of these agents.
        session: Only memories of one of these sessions.
        types: Only memories of one of these types.
        context: Only memories in this context path, such as work/projects, or below it, in any letter case.
        tags: Only memories with all of these tags, in any letter case.
        any_tags: Only memories with at least one of these tags, in any letter case.
        without_tags: Only memories with none of these tags, in any letter case.
        author: Only memories written or said by one of these people.
        keys: Only memories with one of these keys.
        ids: Only memories with one of these ids.
        pinned: Only memories that are pinned, or only those that are not.
        since: From when on: an instant, or how long ago, such as 1 week, 36h or 30d.
        until: Until just before when, as an instant or how long ago. Default: now.
        axis: known: what was stored, revised, superseded, ended, retired, expired, forgotten or decided in that time.
            valid: how what was true at `until` differs from what was true at `since`, as it is known now.
        limit: At most this many changes per page, the earliest first.
        cursor: The cursor from the previous page; the other fields must be the same.
        """
        values: dict[str, Any] = {
            "namespace": namespace, "user": user, "agent": agent, "session": session, "types": types,
            "context": context, "tags": tags, "any_tags": any_tags, "without_tags": without_tags, "author": author,
            "keys": keys, "ids": ids, "pinned": pinned, "since": since, "until": until, "axis": axis, "limit": limit,
            "cursor": cursor,
        }  # fmt: skip
        return self._carry_out(CHANGES, values)
