"""The operations as async methods, typed and documented.

Written by scripts/generate.py from the operations; do not edit.
"""
# ruff: noqa: A002 (parameters have the names of the requests' fields: id, type)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from ai_memory.operations.about import FORGET_ABOUT, ForgottenAbout
from ai_memory.operations.deciding import DECISIONS, MERGE, SPLIT, UNDO, Decision, MadeDecisions
from ai_memory.operations.graph import (
    ENTITIES,
    GRAPH,
    NEIGHBOURS,
    PATH,
    RELATE,
    UNRELATE,
    Entities,
    Graph,
    Neighbours,
    Paths,
)
from ai_memory.python.async_inbox_methods import AsyncInboxMethods
from ai_memory.python.calls import Instant
from ai_memory.types import DEFAULT_NAMESPACE, Relation


class AsyncGraphMethods(AsyncInboxMethods):
    """The coroutines of relations and of what they join; `ai_memory.python.graph_methods` says what the fields mean."""

    async def forget_about(
        self,
        about: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        user: str | None = None,
        also: str | Sequence[str] = (),
        keep: str | Sequence[str] = (),
        reason: str | None = None,
        dry_run: bool = True,
        allow_share: float | None = None,
    ) -> ForgottenAbout:
        """Erase everything about a person, project or identifier."""
        values: dict[str, Any] = {
            "about": about, "namespace": namespace, "user": user, "also": also, "keep": keep, "reason": reason,
            "dry_run": dry_run, "allow_share": allow_share,
        }  # fmt: skip
        return await self._carry_out(FORGET_ABOUT, values)

    async def relate(
        self,
        source: str,
        target: str,
        *,
        type: str = "REFERS_TO",
        namespace: str = DEFAULT_NAMESPACE,
        weight: float = 1.0,
        attributes: Mapping[str, Any] | UnsetType = UNSET,
        evidence: str | None = None,
        valid_from: Instant | None = None,
        valid_to: Instant | None = None,
        idempotency_key: str | None = None,
    ) -> Relation:
        """Relate two memories, or a memory and an entity."""
        values: dict[str, Any] = {
            "source": source, "target": target, "type": type, "namespace": namespace, "weight": weight,
            "attributes": attributes, "evidence": evidence, "valid_from": valid_from, "valid_to": valid_to,
            "idempotency_key": idempotency_key,
        }  # fmt: skip
        return await self._carry_out(RELATE, values)

    async def unrelate(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Relation:
        """End a relation."""
        values: dict[str, Any] = {"id": id, "namespace": namespace}
        return await self._carry_out(UNRELATE, values)

    async def neighbours(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        types: str | Sequence[str] = (),
        as_of: Instant | None = None,
        known_at: Instant | None = None,
        depth: int = 1,
        kinds: str | Sequence[str] = (),
        limit: int = 100,
    ) -> Neighbours:
        """List what is related to a memory or an entity."""
        values: dict[str, Any] = {
            "id": id, "namespace": namespace, "types": types, "as_of": as_of, "known_at": known_at, "depth": depth,
            "kinds": kinds, "limit": limit,
        }  # fmt: skip
        return await self._carry_out(NEIGHBOURS, values)

    async def entities(
        self,
        search: str = "",
        *,
        namespace: str = DEFAULT_NAMESPACE,
        kinds: str | Sequence[str] = (),
        limit: int = 100,
    ) -> Entities:
        """List the entities that memories name."""
        values: dict[str, Any] = {"search": search, "namespace": namespace, "kinds": kinds, "limit": limit}
        return await self._carry_out(ENTITIES, values)

    async def path(
        self,
        source: str,
        target: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        types: str | Sequence[str] = (),
        as_of: Instant | None = None,
        known_at: Instant | None = None,
        max_length: int = 6,
        limit: int = 3,
    ) -> Paths:
        """Find how two memories or entities are connected."""
        values: dict[str, Any] = {
            "source": source, "target": target, "namespace": namespace, "types": types, "as_of": as_of,
            "known_at": known_at, "max_length": max_length, "limit": limit,
        }  # fmt: skip
        return await self._carry_out(PATH, values)

    async def graph(
        self,
        id: str | None = None,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        types: str | Sequence[str] = (),
        as_of: Instant | None = None,
        known_at: Instant | None = None,
        depth: int = 2,
        kinds: str | Sequence[str] = (),
        limit: int = 200,
    ) -> Graph:
        """Return the graph around a memory or an entity, or of a namespace."""
        values: dict[str, Any] = {
            "id": id, "namespace": namespace, "types": types, "as_of": as_of, "known_at": known_at, "depth": depth,
            "kinds": kinds, "limit": limit,
        }  # fmt: skip
        return await self._carry_out(GRAPH, values)

    async def merge(
        self,
        into: str,
        things: str | Sequence[str],
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Decision:
        """Merge entities that are the same."""
        values: dict[str, Any] = {"into": into, "things": things, "namespace": namespace}
        return await self._carry_out(MERGE, values)

    async def split(
        self,
        thing: str,
        into: str,
        ids: str | Sequence[str],
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Decision:
        """Split off memories in which the name of an entity means another one."""
        values: dict[str, Any] = {"thing": thing, "into": into, "ids": ids, "namespace": namespace}
        return await self._carry_out(SPLIT, values)

    async def decisions(
        self,
        about: str | None = None,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        undone: bool = False,
        limit: int = 100,
    ) -> MadeDecisions:
        """List which entities were merged and split, and when."""
        values: dict[str, Any] = {"about": about, "namespace": namespace, "undone": undone, "limit": limit}
        return await self._carry_out(DECISIONS, values)

    async def undo(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Decision:
        """Undo a merge or a split."""
        values: dict[str, Any] = {"id": id, "namespace": namespace}
        return await self._carry_out(UNDO, values)
