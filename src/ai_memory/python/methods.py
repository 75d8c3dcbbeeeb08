"""The operations as plain methods, typed and documented.

Written by scripts/generate.py from the operations; do not edit.
"""
# ruff: noqa: A002 (parameters have the names of the requests' fields: id, type)

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

from msgspec import UNSET, UnsetType

from ai_memory.operations.generations import Generations
from ai_memory.operations.moving import ImportReport, Namespaces
from ai_memory.operations.reading import Contexts, History, Timeline
from ai_memory.operations.watching import Health, Stats
from ai_memory.operations.writing import Draft, Forgotten, Receipts
from ai_memory.python.calls import Instant, Line, Progress
from ai_memory.python.graph_methods import GraphMethods
from ai_memory.recall.answer import Answer, Layer
from ai_memory.types import DEFAULT_NAMESPACE, MemoryRecord, MemoryType, Page, Receipt


class Filters(TypedDict, total=False):
    """Which memories are meant. Fields are joined by AND.

    user: Only memories of one of these users.
    agent: Only memories of one of these agents.
    session: Only memories of one of these sessions.
    types: Only memories of one of these types.
    context: Only this context path and all below it, such as work/projects.
    tags: Tags a memory must all have.
    any_tags: Tags of which a memory must have at least one.
    without_tags: Tags a memory must not have.
    author: Only memories written or said by one of these people.
    ids: Only memories with one of these ids.
    occurred_after: Only what happened (valid_from, else created_at) at or after this instant.
    occurred_before: Only what happened before this instant.
    recorded_after: Only what was recorded at or after this instant.
    recorded_before: Only what was recorded before this instant.
    min_importance: Only memories of at least this importance.
    min_confidence: Only memories of at least this confidence.
    as_of: Only what was true in the world at this instant: valid_from <= as_of < valid_to.
    known_at: Only what the service knew at this instant: recorded_at <= known_at < retired_at. Default: now.
    include_ended: Also memories whose valid_to is before now. Recall leaves them out unless as_of is given.
    now: The instant that counts as now; the service's clock when not given.
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
    ids: str | Sequence[str]
    occurred_after: Instant | None
    occurred_before: Instant | None
    recorded_after: Instant | None
    recorded_before: Instant | None
    min_importance: float
    min_confidence: float
    as_of: Instant | None
    known_at: Instant | None
    include_ended: bool
    now: Instant | None


class Methods(GraphMethods):
    """One method for each operation. Fields that are not given keep the operation's defaults."""

    def remember(
        self,
        text: str,
        *,
        type: MemoryType | str = MemoryType.SEMANTIC,
        title: str | None = None,
        author: str | None = None,
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
        supersedes: str | Sequence[str] = (),
        namespace: str = DEFAULT_NAMESPACE,
        reinstate: bool = False,
        wait: bool = False,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Keep one memory.

        text: What to remember; up to 200,000 characters. Long texts are split in passages.
        type: What kind of memory this is.
        title: A heading; it is searched too.
        author: Who wrote or said it.
        user: Facet: the user it belongs to.
        agent: Facet: the agent it belongs to.
        session: Facet: the conversation it is part of; neighbours help recall.
        context: A path such as work/projects/atlas.
        tags: Short labels to filter by.
        importance: How much it matters, 0 to 1.
        confidence: How sure it is, 0 to 1.
        attributes: Typed attributes of the memory's type (see the types page), and your own.
        source: Where it came from: an address, a file, a message id.
        valid_from: When it happened or began to be true.
        valid_to: When it stopped being true.
        supersedes: Ids of memories that this one replaces: they end where this one begins.
        namespace: The wall around a body of memories; no query crosses it.
        reinstate: Keep it even if the same text was forgotten before.
        wait: Wait, at most 30 s, until it can be found by meaning too; the receipt says whether it can.
        idempotency_key: Repeating a request with the same key within 24 hours gives the first answer and writes
            nothing.
        """
        values: dict[str, Any] = {
            "text": text,
            "type": type,
            "title": title,
            "author": author,
            "user": user,
            "agent": agent,
            "session": session,
            "context": context,
            "tags": tags,
            "importance": importance,
            "confidence": confidence,
            "attributes": attributes,
            "source": source,
            "valid_from": valid_from,
            "valid_to": valid_to,
            "supersedes": supersedes,
            "namespace": namespace,
            "reinstate": reinstate,
            "wait": wait,
            "idempotency_key": idempotency_key,
        }
        return self._call("remember", Receipt, values)

    def remember_many(
        self,
        memories: Sequence[Draft | Mapping[str, Any] | str],
        *,
        namespace: str = DEFAULT_NAMESPACE,
        reinstate: bool = False,
        wait: bool = False,
        idempotency_key: str | None = None,
    ) -> Receipts:
        """Keep many memories at once.

        memories: The memories, in order.
        namespace: The wall around a body of memories; no query crosses it.
        reinstate: Keep texts even if they were forgotten before.
        wait: Wait, at most 30 s, until all can be found by meaning too; the receipts say whether they can.
        idempotency_key: Repeating a request with the same key within 24 hours gives the first answer and writes
            nothing.
        """
        values: dict[str, Any] = {
            "memories": memories,
            "namespace": namespace,
            "reinstate": reinstate,
            "wait": wait,
            "idempotency_key": idempotency_key,
        }
        return self._call("remember_many", Receipts, values)

    def recall(
        self,
        query: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        limit: int = 10,
        max_tokens: int | None = None,
        layers: Layer | str | Sequence[Layer | str] = (Layer.SEMANTIC, Layer.CONTEXTUAL),
        explain: bool = False,
        recipe: Literal["balanced", "fast", "thorough", "linked", "words", "meaning"] = "balanced",
        format: Literal["hits", "context"] = "hits",
        **filters: Unpack[Filters],
    ) -> Answer:
        """Find the memories that answer a question.

        query: The question, in any language; "quoted phrases" must occur as they stand, unless it ends in "?".
        namespace: The wall around a body of memories; no query crosses it.
        limit: At most this many hits.
        max_tokens: Budget of estimated tokens for the texts in the answer; the weakest go first.
        layers: semantic: the matches; contextual: what surrounds them; detailed: history and relations.
        explain: Give each hit the scores of every stage.
        recipe: What counts: balanced (words, meaning and what stands beside a memory), fast (without what stands
            beside it), thorough (more candidates, the best read again word by word), linked (balanced, and what the
            graph leads to from the question and the best hits), or one search alone: words, meaning.
        format: context: also one block for a prompt, dated, cited by id, fenced, within max_tokens.
        filters: Which memories are meant; see `Filters`.
        """
        values: dict[str, Any] = {
            "query": query,
            "namespace": namespace,
            "limit": limit,
            "max_tokens": max_tokens,
            "layers": layers,
            "explain": explain,
            "recipe": recipe,
            "format": format,
            **filters,
        }
        return self._call("recall", Answer, values)

    def get(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
    ) -> MemoryRecord:
        """Get one memory by its id.

        id: A memory's id, mem_…
        namespace: The wall around a body of memories; no query crosses it.
        as_of: Only if it was true in the world at this instant.
        known_at: As the service knew it at this instant. Default: now.
        """
        values: dict[str, Any] = {"id": id, "namespace": namespace, "as_of": as_of, "known_at": known_at}
        return self._call("get", MemoryRecord, values)

    def list(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        limit: int = 50,
        cursor: str | None = None,
        order: Literal["newest", "oldest"] = "newest",
        **filters: Unpack[Filters],
    ) -> Page:
        """List memories by filter.

        namespace: The wall around a body of memories; no query crosses it.
        limit: At most this many on a page.
        cursor: The cursor of the page before; filters must be the same.
        order: Which end comes first.
        filters: Which memories are meant; see `Filters`.
        """
        values: dict[str, Any] = {"namespace": namespace, "limit": limit, "cursor": cursor, "order": order, **filters}
        return self._call("list", Page, values)

    def revise(
        self,
        id: str,
        text: str | UnsetType = UNSET,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        type: MemoryType | str | UnsetType = UNSET,
        title: str | UnsetType | None = UNSET,
        author: str | UnsetType | None = UNSET,
        context: str | UnsetType = UNSET,
        tags: str | Sequence[str] | UnsetType = UNSET,
        importance: float | UnsetType = UNSET,
        confidence: float | UnsetType = UNSET,
        attributes: Mapping[str, Any] | UnsetType = UNSET,
        source: str | UnsetType | None = UNSET,
        valid_from: Instant | UnsetType | None = UNSET,
        valid_to: Instant | UnsetType | None = UNSET,
        reason: str | None = None,
        if_revision: int | None = None,
        wait: bool = False,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Change a memory by adding a revision.

        id: A memory's id, mem_…
        text: The new text.
        namespace: The wall around a body of memories; no query crosses it.
        type: The new type.
        title: The new heading.
        author: The new author.
        context: The new context path.
        tags: The new tags, all of them.
        importance: The new importance.
        confidence: The new confidence.
        attributes: The new attributes, all of them.
        source: The new source.
        valid_from: The new beginning of its validity.
        valid_to: The new end of its validity.
        reason: Why it changes; kept in the history.
        if_revision: Only if this is the memory's current revision; otherwise 409 with the current one.
        wait: Wait, at most 30 s, until the change can be found by meaning.
        idempotency_key: Repeating a request with the same key within 24 hours gives the first answer and writes
            nothing.
        """
        values: dict[str, Any] = {
            "id": id,
            "text": text,
            "namespace": namespace,
            "type": type,
            "title": title,
            "author": author,
            "context": context,
            "tags": tags,
            "importance": importance,
            "confidence": confidence,
            "attributes": attributes,
            "source": source,
            "valid_from": valid_from,
            "valid_to": valid_to,
            "reason": reason,
            "if_revision": if_revision,
            "wait": wait,
            "idempotency_key": idempotency_key,
        }
        return self._call("revise", Receipt, values)

    def retire(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        reason: str | None = None,
        if_revision: int | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Stop holding a memory for true, keeping its history.

        id: A memory's id, mem_…
        namespace: The wall around a body of memories; no query crosses it.
        reason: Why; kept in the history.
        if_revision: Only if this is the memory's current revision; otherwise 409 with the current one.
        idempotency_key: Repeating a request with the same key within 24 hours gives the first answer and writes
            nothing.
        """
        values: dict[str, Any] = {
            "id": id,
            "namespace": namespace,
            "reason": reason,
            "if_revision": if_revision,
            "idempotency_key": idempotency_key,
        }
        return self._call("retire", Receipt, values)

    def forget(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        reason: str | None = None,
        if_revision: int | None = None,
        idempotency_key: str | None = None,
    ) -> Forgotten:
        """Erase a memory for good.

        id: A memory's id, mem_…
        namespace: The wall around a body of memories; no query crosses it.
        reason: Why; kept in the log. Must not repeat the text.
        if_revision: Only if this is the memory's current revision; otherwise 409 with the current one.
        idempotency_key: Repeating a request with the same key within 24 hours gives the first answer and writes
            nothing.
        """
        values: dict[str, Any] = {
            "id": id,
            "namespace": namespace,
            "reason": reason,
            "if_revision": if_revision,
            "idempotency_key": idempotency_key,
        }
        return self._call("forget", Forgotten, values)

    def forget_many(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        reason: str | None = None,
        dry_run: bool = True,
        allow_share: float | None = None,
        everything: bool = False,
        **filters: Unpack[Filters],
    ) -> Forgotten:
        """Erase all memories that match a filter.

        namespace: The wall around a body of memories; no query crosses it.
        reason: Why; kept in the log.
        dry_run: Only count what would be erased.
        allow_share: Refuse when more than this share of the namespace would be erased (and more than 20 memories).
            Default: the setting forget_share.
        everything: Erase the whole namespace: allows no filter and any share.
        filters: Which memories are meant; see `Filters`.
        """
        values: dict[str, Any] = {
            "namespace": namespace,
            "reason": reason,
            "dry_run": dry_run,
            "allow_share": allow_share,
            "everything": everything,
            **filters,
        }
        return self._call("forget_many", Forgotten, values)

    def history(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> History:
        """All revisions of a memory.

        id: A memory's id, mem_…
        namespace: The wall around a body of memories; no query crosses it.
        """
        values: dict[str, Any] = {"id": id, "namespace": namespace}
        return self._call("history", History, values)

    def timeline(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        bucket: Literal["day", "week", "month", "year"] = "month",
        samples: int = 3,
        limit: int = 120,
        **filters: Unpack[Filters],
    ) -> Timeline:
        """Memories along time.

        namespace: The wall around a body of memories; no query crosses it.
        bucket: The span of one bucket, in UTC.
        samples: How many memories to show a bucket.
        limit: At most this many buckets, newest first.
        filters: Which memories are meant; see `Filters`.
        """
        values: dict[str, Any] = {
            "namespace": namespace,
            "bucket": bucket,
            "samples": samples,
            "limit": limit,
            **filters,
        }
        return self._call("timeline", Timeline, values)

    def contexts(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        under: str = "",
    ) -> Contexts:
        """The context paths in use.

        namespace: The wall around a body of memories; no query crosses it.
        under: Only this path and all below it.
        """
        values: dict[str, Any] = {"namespace": namespace, "under": under}
        return self._call("contexts", Contexts, values)

    def namespaces(self) -> Namespaces:
        """The namespaces in use."""
        values: dict[str, Any] = {}
        return self._call("namespaces", Namespaces, values)

    def stats(self, *, namespace: str | None = None) -> Stats:
        """Counts of what is stored.

        namespace: Only this namespace; the whole store when not given.
        """
        values: dict[str, Any] = {"namespace": namespace}
        return self._call("stats", Stats, values)

    def health(self) -> Health:
        """Which parts work."""
        values: dict[str, Any] = {}
        return self._call("health", Health, values)

    def export(
        self,
        *,
        namespace: str | None = None,
        current_only: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Write memories out as JSON lines.

        namespace: Only this namespace; all of them when not given.
        current_only: Only current revisions, without history, relations and retired memories.
        """
        values: dict[str, Any] = {"namespace": namespace, "current_only": current_only}
        return self._export(values)

    def import_lines(
        self,
        lines: Iterable[Line],
        *,
        namespace: str | None = None,
        resume_key: str | None = None,
        reinstate: bool = False,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Take memories in from JSON lines.

        lines: Values, or JSON text: drafts as for remember, or an archive's lines.
        namespace: Put everything into this namespace; an archive's own namespaces when not given.
        resume_key: Names this import; a later call with the same key goes on where an earlier one ended.
        reinstate: Keep texts even if they were forgotten before.
        progress: Called after each batch with the lines done and the counts so far.
        """
        values: dict[str, Any] = {"namespace": namespace, "resume_key": resume_key, "reinstate": reinstate}
        return self._import(values, lines, progress)

    def generations(self) -> Generations:
        """The vector generations, and the build in progress."""
        values: dict[str, Any] = {}
        return self._call("generations", Generations, values)

    def reembed(
        self,
        *,
        model: str | None = None,
        dimension: int | None = None,
        dtype: str | None = None,
        rate: float | None = None,
        switch: bool = True,
    ) -> Generations:
        """Make all vectors anew in the background, then switch to them.

        model: A known model's name, or a model folder. Not given: the setting `model`; where that is auto and a
            dimension or dtype is given, the model of the store.
        dimension: Length of the vectors, one of the model's; its own when not given.
        dtype: Arithmetic of the embedder, as the setting `dtype`.
        rate: The most revisions a second, so that other work goes on; no limit when not given.
        switch: Switch to the new vectors as soon as they are complete; else wait for activate_generation.
        """
        values: dict[str, Any] = {
            "model": model,
            "dimension": dimension,
            "dtype": dtype,
            "rate": rate,
            "switch": switch,
        }
        return self._call("reembed", Generations, values)

    def cancel_reembed(self) -> Generations:
        """Stop making vectors anew; what was made is kept until it is pruned."""
        values: dict[str, Any] = {}
        return self._call("cancel_reembed", Generations, values)

    def activate_generation(self, *, incomplete: bool = False) -> Generations:
        """Switch to the generation that was built.

        incomplete: Switch although vectors are missing: what has none is found by words until it has.
        """
        values: dict[str, Any] = {"incomplete": incomplete}
        return self._call("activate_generation", Generations, values)

    def take_back(self, *, generation: int | None = None) -> Generations:
        """Switch back to a generation that was kept.

        generation: The id of a kept generation; the one before the last switch when not given.
        """
        values: dict[str, Any] = {"generation": generation}
        return self._call("take_back", Generations, values)

    def prune_generations(self, *, generation: int | None = None) -> Generations:
        """Delete kept generations with their vectors.

        generation: Only this one; all kept ones when not given.
        """
        values: dict[str, Any] = {"generation": generation}
        return self._call("prune_generations", Generations, values)
