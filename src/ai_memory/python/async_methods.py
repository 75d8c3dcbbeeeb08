"""The operations as async methods, typed and documented.

Written by scripts/generate.py from the operations; do not edit.
"""
# ruff: noqa: A002 (parameters have the names of the requests' fields: id, type)

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Literal, Unpack

from msgspec import UNSET, UnsetType

from ai_memory.operations.caller import Progress
from ai_memory.operations.changes import CHANGES, Changes
from ai_memory.operations.generations import (
    ACTIVATE_GENERATION,
    CANCEL_REEMBED,
    GENERATIONS,
    PRUNE_GENERATIONS,
    REEMBED,
    TAKE_BACK,
    Generations,
)
from ai_memory.operations.moving import NAMESPACES, ImportReport, Namespaces
from ai_memory.operations.reading import CONTEXTS, GET, HISTORY, LIST, RECALL, TIMELINE, Contexts, History, Timeline
from ai_memory.operations.upkeep.events import EVENTS, EventKind, Events
from ai_memory.operations.upkeep.keeping import (
    BACKUPS,
    CHECK,
    DELETE_BACKUP,
    FETCH_MODEL,
    FINDINGS,
    MAKE_BACKUP,
    MODELS,
    VERIFY_BACKUP,
    Backups,
    Findings,
    Models,
    Task,
)
from ai_memory.operations.watching import HEALTH, JOBS, STATS, STEER_JOB, Health, Jobs, Stats
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
from ai_memory.python.async_graph_methods import AsyncGraphMethods
from ai_memory.python.calls import Instant, Line
from ai_memory.python.methods import Filters
from ai_memory.recall.answer import Answer, Layer
from ai_memory.types import DEFAULT_NAMESPACE, JobStatus, MemoryRecord, MemoryType, OnConflict, Page, Receipt


class AsyncMethods(AsyncGraphMethods):
    """One coroutine for each operation; `ai_memory.python.methods.Methods` says what the fields mean."""

    async def remember(
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
        """Store one memory."""
        values: dict[str, Any] = {
            "text": text, "type": type, "title": title, "author": author, "key": key, "user": user, "agent": agent,
            "session": session, "context": context, "tags": tags, "importance": importance, "confidence": confidence,
            "attributes": attributes, "source": source, "valid_from": valid_from, "valid_to": valid_to,
            "expires_at": expires_at, "ttl": ttl, "pinned": pinned, "supersedes": supersedes, "namespace": namespace,
            "reinstate": reinstate, "on_conflict": on_conflict, "wait": wait, "idempotency_key": idempotency_key,
        }  # fmt: skip
        return await self._carry_out(REMEMBER, values)

    async def remember_many(
        self,
        memories: Sequence[Draft | Mapping[str, Any] | str],
        *,
        namespace: str = DEFAULT_NAMESPACE,
        reinstate: bool = False,
        on_conflict: OnConflict | str | None = None,
        wait: bool = False,
        idempotency_key: str | None = None,
    ) -> Receipts:
        """Store many memories at once."""
        values: dict[str, Any] = {
            "memories": memories, "namespace": namespace, "reinstate": reinstate, "on_conflict": on_conflict,
            "wait": wait, "idempotency_key": idempotency_key,
        }  # fmt: skip
        return await self._carry_out(REMEMBER_MANY, values)

    async def remember_messages(
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
        """Store a conversation as memories of one session."""
        values: dict[str, Any] = {
            "messages": messages, "namespace": namespace, "session": session, "user": user, "agent": agent,
            "context": context, "tags": tags, "attributes": attributes, "source": source, "ttl": ttl,
            "reinstate": reinstate, "wait": wait, "idempotency_key": idempotency_key,
        }  # fmt: skip
        return await self._carry_out(REMEMBER_MESSAGES, values)

    async def recall(
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
        """Find the memories that answer a question."""
        values: dict[str, Any] = {
            "query": query, "namespace": namespace, "limit": limit, "min_score": min_score,
            "min_relevance": min_relevance, "max_tokens": max_tokens, "layers": layers, "explain": explain,
            "recipe": recipe, "format": format, **filters,
        }  # fmt: skip
        return await self._carry_out(RECALL, values)

    async def get(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        as_of: Instant | None = None,
        known_at: Instant | None = None,
    ) -> MemoryRecord:
        """Get one memory by its id."""
        values: dict[str, Any] = {"id": id, "namespace": namespace, "as_of": as_of, "known_at": known_at}
        return await self._carry_out(GET, values)

    async def list(
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
        """List memories by filter."""
        values: dict[str, Any] = {
            "namespace": namespace, "limit": limit, "cursor": cursor, "order": order, "retired": retired,
            "expiring": expiring, "stale": stale, **filters,
        }  # fmt: skip
        return await self._carry_out(LIST, values)

    async def revise(
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
        """Change a memory by adding a revision."""
        values: dict[str, Any] = {
            "id": id, "text": text, "namespace": namespace, "type": type, "title": title, "author": author,
            "key": key, "context": context, "tags": tags, "importance": importance, "confidence": confidence,
            "attributes": attributes, "source": source, "valid_from": valid_from, "valid_to": valid_to,
            "expires_at": expires_at, "ttl": ttl, "pinned": pinned, "reason": reason, "if_revision": if_revision,
            "wait": wait, "idempotency_key": idempotency_key,
        }  # fmt: skip
        return await self._carry_out(REVISE, values)

    async def retire(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        reason: str | None = None,
        if_revision: int | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Mark a memory as no longer true, keeping its history."""
        values: dict[str, Any] = {
            "id": id, "namespace": namespace, "reason": reason, "if_revision": if_revision,
            "idempotency_key": idempotency_key,
        }  # fmt: skip
        return await self._carry_out(RETIRE, values)

    async def forget(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        reason: str | None = None,
        if_revision: int | None = None,
        idempotency_key: str | None = None,
    ) -> Forgotten:
        """Erase a memory permanently."""
        values: dict[str, Any] = {
            "id": id, "namespace": namespace, "reason": reason, "if_revision": if_revision,
            "idempotency_key": idempotency_key,
        }  # fmt: skip
        return await self._carry_out(FORGET, values)

    async def forget_many(
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
        """Erase all memories that match a filter."""
        values: dict[str, Any] = {
            "namespace": namespace, "reason": reason, "retired": retired, "dry_run": dry_run,
            "allow_share": allow_share, "everything": everything, **filters,
        }  # fmt: skip
        return await self._carry_out(FORGET_MANY, values)

    async def jobs(
        self,
        *,
        namespace: str | None = None,
        kinds: str | Sequence[str] = (),
        states: JobStatus | str | Sequence[JobStatus | str] = (),
        ids: str | Sequence[str] = (),
        limit: int = 100,
    ) -> Jobs:
        """List background jobs, how far they are, and which wait for a person."""
        values: dict[str, Any] = {"namespace": namespace, "kinds": kinds, "states": states, "ids": ids, "limit": limit}
        return await self._carry_out(JOBS, values)

    async def steer_job(self, id: str, action: Literal["pause", "resume", "cancel", "allow"]) -> Jobs:
        """Pause, resume, cancel or allow a background job."""
        values: dict[str, Any] = {"id": id, "action": action}
        return await self._carry_out(STEER_JOB, values)

    async def history(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> History:
        """List all revisions of a memory."""
        values: dict[str, Any] = {"id": id, "namespace": namespace}
        return await self._carry_out(HISTORY, values)

    async def timeline(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        bucket: Literal["day", "week", "month", "year"] = "month",
        samples: int = 3,
        limit: int = 120,
        **filters: Unpack[Filters],
    ) -> Timeline:
        """Count and sample memories by day, week, month or year."""
        values: dict[str, Any] = {
            "namespace": namespace, "bucket": bucket, "samples": samples, "limit": limit, **filters,
        }  # fmt: skip
        return await self._carry_out(TIMELINE, values)

    async def contexts(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        under: str = "",
    ) -> Contexts:
        """List the context paths in use."""
        values: dict[str, Any] = {"namespace": namespace, "under": under}
        return await self._carry_out(CONTEXTS, values)

    async def changes(
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
        """Show what changed between two instants."""
        values: dict[str, Any] = {
            "namespace": namespace, "user": user, "agent": agent, "session": session, "types": types,
            "context": context, "tags": tags, "any_tags": any_tags, "without_tags": without_tags, "author": author,
            "keys": keys, "ids": ids, "pinned": pinned, "since": since, "until": until, "axis": axis, "limit": limit,
            "cursor": cursor,
        }  # fmt: skip
        return await self._carry_out(CHANGES, values)

    async def namespaces(self) -> Namespaces:
        """List the namespaces in use."""
        values: dict[str, Any] = {}
        return await self._carry_out(NAMESPACES, values)

    async def stats(self, *, namespace: str | None = None) -> Stats:
        """Count what is stored."""
        values: dict[str, Any] = {"namespace": namespace}
        return await self._carry_out(STATS, values)

    async def health(self) -> Health:
        """Report which parts of the service work."""
        values: dict[str, Any] = {}
        return await self._carry_out(HEALTH, values)

    async def events(
        self,
        *,
        namespace: str | None = None,
        kinds: EventKind | str | Sequence[EventKind | str] = (),
        cursor: str | None = None,
        last: int = 0,
        wait: float = 0.0,
        limit: int = 200,
    ) -> Events:
        """Follow what happens: writes, proposals and background jobs."""
        values: dict[str, Any] = {
            "namespace": namespace, "kinds": kinds, "cursor": cursor, "last": last, "wait": wait, "limit": limit,
        }  # fmt: skip
        return await self._carry_out(EVENTS, values)

    async def check(self, *, repair: bool = False) -> Task:
        """Check the store and all that is derived from it, and repair it."""
        values: dict[str, Any] = {"repair": repair}
        return await self._carry_out(CHECK, values)

    async def findings(self) -> Findings:
        """Show what the last check found."""
        values: dict[str, Any] = {}
        return await self._carry_out(FINDINGS, values)

    async def backups(self) -> Backups:
        """List the backups that the service has made."""
        values: dict[str, Any] = {}
        return await self._carry_out(BACKUPS, values)

    async def make_backup(self) -> Task:
        """Copy the store while it is in use."""
        values: dict[str, Any] = {}
        return await self._carry_out(MAKE_BACKUP, values)

    async def verify_backup(self, backup: str) -> Task:
        """Check a backup as the store is checked."""
        values: dict[str, Any] = {"backup": backup}
        return await self._carry_out(VERIFY_BACKUP, values)

    async def delete_backup(self, backup: str) -> Backups:
        """Delete a backup."""
        values: dict[str, Any] = {"backup": backup}
        return await self._carry_out(DELETE_BACKUP, values)

    async def models(self) -> Models:
        """List the embedding models that this version knows, and which are installed."""
        values: dict[str, Any] = {}
        return await self._carry_out(MODELS, values)

    async def fetch_model(self, model: str) -> Task:
        """Download an embedding model to the machine of the service."""
        values: dict[str, Any] = {"model": model}
        return await self._carry_out(FETCH_MODEL, values)

    def export(
        self,
        *,
        namespace: str | None = None,
        current_only: bool = False,
        tombstones: bool = True,
    ) -> AsyncIterator[dict[str, Any]]:
        """Export memories as JSON lines."""
        values: dict[str, Any] = {"namespace": namespace, "current_only": current_only, "tombstones": tombstones}
        return self._export(values)

    async def import_lines(
        self,
        lines: Iterable[Line] | AsyncIterable[Line],
        *,
        namespace: str | None = None,
        resume_key: str | None = None,
        reinstate: bool = False,
        tombstones: bool = True,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Import memories from JSON lines."""
        values: dict[str, Any] = {
            "namespace": namespace, "resume_key": resume_key, "reinstate": reinstate, "tombstones": tombstones,
        }  # fmt: skip
        return await self._import(values, lines, progress)

    async def generations(self) -> Generations:
        """List the vector generations, and the latest build."""
        values: dict[str, Any] = {}
        return await self._carry_out(GENERATIONS, values)

    async def reembed(
        self,
        *,
        model: str | None = None,
        dimension: int | None = None,
        dtype: str | None = None,
        rate: float | None = None,
        switch: bool = True,
    ) -> Generations:
        """Re-create all vectors in the background, then switch to them."""
        values: dict[str, Any] = {
            "model": model, "dimension": dimension, "dtype": dtype, "rate": rate, "switch": switch,
        }  # fmt: skip
        return await self._carry_out(REEMBED, values)

    async def cancel_reembed(self) -> Generations:
        """Stop re-creating vectors; those made so far are kept until they are pruned."""
        values: dict[str, Any] = {}
        return await self._carry_out(CANCEL_REEMBED, values)

    async def activate_generation(self, *, incomplete: bool = False) -> Generations:
        """Switch to the generation that was built."""
        values: dict[str, Any] = {"incomplete": incomplete}
        return await self._carry_out(ACTIVATE_GENERATION, values)

    async def take_back(self, *, generation: int | None = None) -> Generations:
        """Switch back to a retired generation."""
        values: dict[str, Any] = {"generation": generation}
        return await self._carry_out(TAKE_BACK, values)

    async def prune_generations(self, *, generation: int | None = None) -> Generations:
        """Delete retired generations and their vectors."""
        values: dict[str, Any] = {"generation": generation}
        return await self._carry_out(PRUNE_GENERATIONS, values)
