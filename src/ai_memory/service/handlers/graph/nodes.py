"""Resolve the nodes of requests: memories and entities by id or by name, under the merge and split decisions in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from msgspec.structs import replace

from ai_memory.errors import InvalidInputError, NotFoundError
from ai_memory.extraction.gazetteer import key
from ai_memory.extraction.resolve import ANY_KIND
from ai_memory.service.handlers.lookup import no_such_memory
from ai_memory.service.parts import Parts
from ai_memory.store.graph_file import GraphFile
from ai_memory.store.ids import ENTITY, MEMORY, entity_id
from ai_memory.text.normal import clean_text
from ai_memory.types import Entity

ENTITY_PREFIX = "entity:"


class Names:
    """The memories and entities of one namespace, under the decisions made by `known_at` (None: by now)."""

    def __init__(self, parts: Parts, namespace: str, known_at: dt.datetime | None = None) -> None:
        self._parts = parts
        self._namespace = namespace
        self.identity = parts.decided.identity(namespace, known_at)

    def existing(self, node: str) -> str:
        """The id of an existing node. Raises NotFoundError, and InvalidInputError for a malformed node."""
        if node.startswith(ENTITY_PREFIX):
            kind, name = _kind_and_name(node)
            entity = self._named(kind, name)
            if entity is None:
                raise self._unknown(repr(name), name)
            return entity.id
        if node.startswith(MEMORY):
            if self._parts.store.get(self._namespace, [node])[0] is None:
                raise no_such_memory(node, self._namespace)
            return node
        if node.startswith(ENTITY):
            found = self.entities(ids=[node])
            if not found:
                raise self._unknown(node, node)
            return found[0].id
        raise InvalidInputError(
            f"{node!r} is neither a memory nor an entity",
            hint="write mem_…, ent_…, entity:NAME or entity:KIND/NAME",
            field="id",
        )

    def as_read(self, node: str) -> str | None:
        """The id of the entity that a node names, before any merge is applied; None if there is none."""
        if not node.startswith(ENTITY_PREFIX):
            return node
        kind, name = _kind_and_name(node)
        found = self.made(names=[name])
        return next((entity.id for entity in found if kind is None or entity.kind == kind), None)

    def endpoint(
        self, node: str, now: dt.datetime, made: list[Entity], field: str, *, kind_of_new: str = ANY_KIND
    ) -> str:
        """The id of a node that is to be related; an entity that the store does not hold yet is added to `made`."""
        clean_text(node, field)
        if not node.startswith(ENTITY_PREFIX):
            found = self.existing(node)
            if found.startswith(ENTITY) and not self._parts.store.entities(self._namespace, ids=[found]):
                made += self.entities(ids=[found])
            return found
        kind, name = _kind_and_name(node)
        entity = self._named(kind, name)
        if entity is not None and self._parts.store.entities(self._namespace, ids=[entity.id]):
            return entity.id
        if entity is None:
            kind = kind or kind_of_new
            new = entity_id(self._namespace, kind, key(name))
            entity = Entity(id=new, namespace=self._namespace, name=name, kind=kind, created_at=now)
        made.append(entity)
        return entity.id

    def entities(self, *, ids: Sequence[str] = (), names: Sequence[str] = ()) -> list[Entity]:
        """Entities by id or by any of their names, all without either: those made by people first, then those extracted.

        An entity that others were merged into represents them and has their names as aliases.
        """
        found = self.made(ids=ids, names=names)
        if not self.identity:
            return found
        roots = list(dict.fromkeys(self.identity.root(entity.id) for entity in found))
        members = [member for root in roots for member in self.identity.members(root)]
        known = {entity.id: entity for entity in found}
        missing = [member for member in members if member not in known]
        if missing:
            more = self.made(ids=missing)
            known.update((entity.id, entity) for entity in more)
        return [self._joined(known, root) for root in roots if root in known]

    def counts(self) -> dict[str, int]:
        """How many memories mention each entity, as extracted; entities without a mention are left out."""
        file = self._file()
        if file is None:
            return {}
        counts = {entity.id: count for entity, count in file.entities(self._namespace)}
        if not self.identity:
            return counts
        read = {member for root in map(self.identity.root, counts) for member in self.identity.members(root)[1:]}
        read |= {entity for _, split in self.identity.splits() for entity in self.identity.members(split)}
        read |= {self.identity.root(entity) for entity in read}
        read |= {self.identity.meant(*split) for split in self.identity.splits()}
        naming: dict[str, set[str]] = {}
        for memory, entity in file.naming(self._namespace, sorted(read)):
            naming.setdefault(self.identity.meant(memory, entity), set()).add(memory)
        kept = {entity: count for entity, count in counts.items() if entity not in read}
        return kept | {entity: len(memories) for entity, memories in naming.items()}

    def made(self, *, ids: Sequence[str] = (), names: Sequence[str] = ()) -> list[Entity]:
        """Entities as created and extracted, merged ones too, by id or by name; all without either."""
        return self._parts.decided.entities(self._file(), self._namespace, self.identity, ids=ids, names=names)

    def _file(self) -> GraphFile | None:
        return None if self._parts.graph is None else self._parts.graph.file()

    def _joined(self, known: dict[str, Entity], root: str) -> Entity:
        entity, *others = (known[member] for member in self.identity.members(root) if member in known)
        names = {name for other in others for name in (other.name, *other.aliases)} - {entity.name}
        return replace(entity, aliases=tuple(sorted(names.union(entity.aliases)))) if names else entity

    def _named(self, kind: str | None, name: str) -> Entity | None:
        found = self.entities(names=[name])
        return next((entity for entity in found if kind is None or entity.kind == kind), None)

    def _unknown(self, shown: str, name: str) -> NotFoundError:
        return NotFoundError(
            f"there is no entity {'named ' if shown != name else ''}{shown} in namespace {self._namespace}", entity=name
        )


def _kind_and_name(node: str) -> tuple[str | None, str]:
    rest = node.removeprefix(ENTITY_PREFIX).strip()
    before, slash, after = rest.partition("/")
    kind, name = (before.strip().casefold(), after.strip()) if slash else ("", rest)
    if not name:
        raise InvalidInputError(f"{node!r} names no entity", hint="write entity:NAME or entity:KIND/NAME", field="id")
    return kind or None, name
