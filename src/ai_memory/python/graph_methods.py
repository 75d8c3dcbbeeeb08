"""The operations as plain methods, typed and documented.

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
from ai_memory.python.calls import Instant
from ai_memory.python.upkeep_methods import UpkeepMethods
from ai_memory.types import DEFAULT_NAMESPACE, Relation


class GraphMethods(UpkeepMethods):
    """The methods of relations and of what they join."""

    def forget_about(
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
        """Erase everything about a person, project or identifier.

        about: The person, project or identifier, as fully as it is known: `Anna Schmidt`, `AB-1234`, `a@example.org`.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        user: Only this user's memories.
        also: Ids of memories to erase as well, such as some of those that are `left`.
        keep: Ids of memories to keep, although they are about it.
        reason: Why it is erased. The log keeps the reason forever, so one that has the name, or repeats one of these
            memories, is refused.
        dry_run: Erase nothing; only show what would be erased and what would be left.
        allow_share: The largest share of the namespace that may be erased, from 0 to 1; 20 memories or fewer may
            always be. Default: the setting forget_share.
        """
        values: dict[str, Any] = {
            "about": about, "namespace": namespace, "user": user, "also": also, "keep": keep, "reason": reason,
            "dry_run": dry_run, "allow_share": allow_share,
        }  # fmt: skip
        return self._carry_out(FORGET_ABOUT, values)

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
        """Relate two memories, or a memory and an entity.

        source: Where the relation starts: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or
            entity:KIND/NAME. An entity of a new name is created.
        target: Where the relation ends: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or
            entity:KIND/NAME. An entity of a new name is created.
        type: MENTIONS, SUPERSEDES, SUPPORTS, CONTRADICTS, CAUSES, REFERS_TO, or another name, which is kept in this
            form: `works at` is WORKS_AT.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        weight: How strong the relation is, from 0 to 1.
        attributes: More about the relation, as JSON.
        evidence: The id of the memory that states the relation.
        valid_from: When the relation began to hold.
        valid_to: When the relation stopped holding.
        idempotency_key: A string of 1 to 256 characters. A request repeated with the same key within 24 hours writes
            nothing and returns the first answer, unless its memory was forgotten since.
        """
        values: dict[str, Any] = {
            "source": source, "target": target, "type": type, "namespace": namespace, "weight": weight,
            "attributes": attributes, "evidence": evidence, "valid_from": valid_from, "valid_to": valid_to,
            "idempotency_key": idempotency_key,
        }  # fmt: skip
        return self._carry_out(RELATE, values)

    def unrelate(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Relation:
        """End a relation.

        id: The relation's id (rel_…).
        namespace: The namespace to work in; nothing is read or written across namespaces.
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
        """List what is related to a memory or an entity.

        id: Where to start: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or entity:KIND/NAME.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        types: Only relations of these types.
        as_of: Only relations that were true at this instant.
        known_at: Only relations that were known at this instant. Default: now.
        depth: How many relations to follow, one after another.
        kinds: Only nodes of these kinds, in any letter case: memory, person, organisation, product, place, …
        limit: At most this many neighbours.
        """
        values: dict[str, Any] = {
            "id": id, "namespace": namespace, "types": types, "as_of": as_of, "known_at": known_at, "depth": depth,
            "kinds": kinds, "limit": limit,
        }  # fmt: skip
        return self._carry_out(NEIGHBOURS, values)

    def entities(
        self,
        search: str = "",
        *,
        namespace: str = DEFAULT_NAMESPACE,
        kinds: str | Sequence[str] = (),
        limit: int = 100,
    ) -> Entities:
        """List the entities that memories name.

        search: Only entities whose name or alias contains this; case is ignored.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        kinds: Only entities of these kinds, in any letter case: person, organisation, product, place, …
        limit: At most this many entities.
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
        """Find how two memories or entities are connected.

        source: Where the path starts: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or entity:KIND/NAME.
        target: Where the path ends: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or entity:KIND/NAME.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        types: Only relations of these types.
        as_of: Only relations that were true at this instant.
        known_at: Only relations that were known at this instant. Default: now.
        max_length: At most this many relations on a path.
        limit: At most this many paths.
        """
        values: dict[str, Any] = {
            "source": source, "target": target, "namespace": namespace, "types": types, "as_of": as_of,
            "known_at": known_at, "max_length": max_length, "limit": limit,
        }  # fmt: skip
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
        """Return the graph around a memory or an entity, or of a namespace.

        id: The node at the centre: a memory's id (mem_…), an entity's id (ent_…), entity:NAME or entity:KIND/NAME.
            Default: the whole namespace.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        types: Only relations of these types.
        as_of: Only relations that were true at this instant.
        known_at: Only relations that were known at this instant. Default: now.
        depth: How many relations to follow from the centre.
        kinds: Only nodes of these kinds, in any letter case: memory, person, organisation, product, place, …
        limit: At most this many nodes.
        """
        values: dict[str, Any] = {
            "id": id, "namespace": namespace, "types": types, "as_of": as_of, "known_at": known_at, "depth": depth,
            "kinds": kinds, "limit": limit,
        }  # fmt: skip
        return self._carry_out(GRAPH, values)

    def merge(
        self,
        into: str,
        things: str | Sequence[str],
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Decision:
        """Merge entities that are the same.

        into: The entity that they all become: its id (ent_…), entity:NAME or entity:KIND/NAME. It is created if it is
            new.
        things: The entities that are the same, each by its id (ent_…), entity:NAME or entity:KIND/NAME.
        namespace: The namespace to work in; nothing is read or written across namespaces.
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
        """Split off memories in which the name of an entity means another one.

        thing: The entity found in the memories: its id (ent_…), entity:NAME or entity:KIND/NAME.
        into: The entity that they mean: its id (ent_…), entity:NAME or entity:KIND/NAME. It is created, of the same
            kind, if it is new.
        ids: The ids of the memories (mem_…).
        namespace: The namespace to work in; nothing is read or written across namespaces.
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
        """List which entities were merged and split, and when.

        about: Only decisions about this entity: its id (ent_…), entity:NAME or entity:KIND/NAME.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        undone: Also decisions that were undone.
        limit: At most this many decisions, the newest.
        """
        values: dict[str, Any] = {"about": about, "namespace": namespace, "undone": undone, "limit": limit}
        return self._carry_out(DECISIONS, values)

    def undo(
        self,
        id: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Decision:
        """Undo a merge or a split.

        id: The decision's id (dec_…).
        namespace: The namespace to work in; nothing is read or written across namespaces.
        """
        values: dict[str, Any] = {"id": id, "namespace": namespace}
        return self._carry_out(UNDO, values)
