"""The operations as plain methods, typed and documented.

Written by scripts/generate.py from the operations; do not edit.
"""
# ruff: noqa: A002 (parameters have the names of the requests' fields: id, type)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, UnsetType

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
from ai_memory.python.calls import Calls, Instant
from ai_memory.types import DEFAULT_NAMESPACE, Relation


class GraphMethods(Calls):
    """The methods of relations and of what they join."""

    def relate(
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
        """Relate two memories, or a memory and a named thing.

        source: A memory's id (mem_…), an entity's id (ent_…), or entity:NAME or entity:KIND/NAME, made when new.
        target: A memory's id (mem_…), an entity's id (ent_…), or entity:NAME or entity:KIND/NAME, made when new.
        type: MENTIONS, SUPERSEDES, SUPPORTS, CONTRADICTS, CAUSES, REFERS_TO, or an upper-case name of your own.
        namespace: The wall around a body of memories; no query crosses it.
        weight: How strong it is, 0 to 1.
        attributes: Anything else about the relation.
        evidence: The id of the memory that states it.
        valid_from: When it began to be true.
        valid_to: When it stopped being true.
        idempotency_key: Repeating a request with the same key within 24 hours gives the first answer and writes
            nothing.
        """
        values: dict[str, Any] = {
            "source": source,
            "target": target,
            "type": type,
            "namespace": namespace,
            "weight": weight,
            "attributes": attributes,
            "evidence": evidence,
            "valid_from": valid_from,
            "valid_to": valid_to,
            "idempotency_key": idempotency_key,
        }
        return self._carry_out(RELATE, values)

    def unrelate(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Relation:
        """End a relation.

        id: The relation's id, rel_…
        namespace: The wall around a body of memories; no query crosses it.
        """
        values: dict[str, Any] = {"id": id, "namespace": namespace}
        return self._carry_out(UNRELATE, values)

    def neighbours(
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
        """What is related to a memory or a named thing.

        id: A memory's id (mem_…), an entity's id (ent_…), or entity:NAME or entity:KIND/NAME, made when new.
        namespace: The wall around a body of memories; no query crosses it.
        types: Only relations of these types.
        as_of: Only relations that were true at this instant.
        known_at: Only relations that were known at this instant. Default: now.
        depth: How many relations away.
        kinds: Only nodes of these kinds: memory, person, organisation, product, place, …
        limit: At most this many nodes.
        """
        values: dict[str, Any] = {
            "id": id,
            "namespace": namespace,
            "types": types,
            "as_of": as_of,
            "known_at": known_at,
            "depth": depth,
            "kinds": kinds,
            "limit": limit,
        }
        return self._carry_out(NEIGHBOURS, values)

    def entities(
        self,
        search: str = "",
        *,
        namespace: str = DEFAULT_NAMESPACE,
        kinds: str | Sequence[str] = (),
        limit: int = 100,
    ) -> Entities:
        """The things that memories name.

        search: Only things whose name or alias holds this, in any case.
        namespace: The wall around a body of memories; no query crosses it.
        kinds: Only things of these kinds: person, organisation, product, …
        limit: At most this many.
        """
        values: dict[str, Any] = {"search": search, "namespace": namespace, "kinds": kinds, "limit": limit}
        return self._carry_out(ENTITIES, values)

    def path(
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
        """How two memories or things are connected.

        source: A memory's id (mem_…), an entity's id (ent_…), or entity:NAME or entity:KIND/NAME, made when new.
        target: A memory's id (mem_…), an entity's id (ent_…), or entity:NAME or entity:KIND/NAME, made when new.
        namespace: The wall around a body of memories; no query crosses it.
        types: Only relations of these types.
        as_of: Only relations that were true at this instant.
        known_at: Only relations that were known at this instant. Default: now.
        max_length: Most relations on a path.
        limit: At most this many paths.
        """
        values: dict[str, Any] = {
            "source": source,
            "target": target,
            "namespace": namespace,
            "types": types,
            "as_of": as_of,
            "known_at": known_at,
            "max_length": max_length,
            "limit": limit,
        }
        return self._carry_out(PATH, values)

    def graph(
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
        """Nodes and relations around a memory or thing, or of a namespace.

        id: The node in the middle; a whole namespace without it.
        namespace: The wall around a body of memories; no query crosses it.
        types: Only relations of these types.
        as_of: Only relations that were true at this instant.
        known_at: Only relations that were known at this instant. Default: now.
        depth: How many relations away from the middle.
        kinds: Only nodes of these kinds: memory, person, organisation, product, place, …
        limit: At most this many nodes.
        """
        values: dict[str, Any] = {
            "id": id,
            "namespace": namespace,
            "types": types,
            "as_of": as_of,
            "known_at": known_at,
            "depth": depth,
            "kinds": kinds,
            "limit": limit,
        }
        return self._carry_out(GRAPH, values)

    def merge(
        self,
        into: str,
        things: str | Sequence[str],
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Decision:
        """Say that several named things are one.

        into: The thing that stands for all of them; entity:NAME is made when new.
        things: The things that are the same as it.
        namespace: The wall around a body of memories; no query crosses it.
        """
        values: dict[str, Any] = {"into": into, "things": things, "namespace": namespace}
        return self._carry_out(MERGE, values)

    def split(
        self,
        thing: str,
        into: str,
        ids: str | Sequence[str],
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Decision:
        """Say that some memories mean another thing than the one that was read.

        thing: The thing that was read from the memories.
        into: What they mean: an entity; entity:NAME is made when new, of the same kind.
        ids: The ids of the memories, mem_…
        namespace: The wall around a body of memories; no query crosses it.
        """
        values: dict[str, Any] = {"thing": thing, "into": into, "ids": ids, "namespace": namespace}
        return self._carry_out(SPLIT, values)

    def decisions(
        self,
        about: str | None = None,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        undone: bool = False,
        limit: int = 100,
    ) -> MadeDecisions:
        """Which things were merged and split, and when.

        about: Only decisions about this thing.
        namespace: The wall around a body of memories; no query crosses it.
        undone: Also decisions that were undone.
        limit: At most this many, the newest.
        """
        values: dict[str, Any] = {"about": about, "namespace": namespace, "undone": undone, "limit": limit}
        return self._carry_out(DECISIONS, values)

    def undo(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Decision:
        """Take a merge or a split back.

        id: The decision's id, dec_…
        namespace: The wall around a body of memories; no query crosses it.
        """
        values: dict[str, Any] = {"id": id, "namespace": namespace}
        return self._carry_out(UNDO, values)
