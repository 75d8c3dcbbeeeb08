"""Which names leave with memories that are to be forgotten, and what is left of the decisions about them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from msgspec import Struct

from ai_memory.errors import StoreFullError
from ai_memory.extraction.extract import extract
from ai_memory.extraction.gazetteer import key
from ai_memory.graph.leaving import Left, erased, merges_left, splits_left
from ai_memory.service.parts import Parts
from ai_memory.store.base import Relate
from ai_memory.store.graph_file import Mentioned, ReadRevision
from ai_memory.store.ids import ENTITY, RELATION, entity_id, new_id
from ai_memory.types import DECISIONS, Entity, MemoryRecord, Relation

PAGE = 2_000


class Leaving(Struct, frozen=True):
    """Ids of the decisions to erase together with memories, and what to add in their place."""

    decisions: tuple[str, ...] = ()
    left: tuple[Relate, ...] = ()


def leaving(parts: Parts, namespace: str, memories: Sequence[str]) -> Leaving:
    """What becomes of people's decisions when these memories are forgotten. Nothing to do, and little to ask, without decisions.

    A name leaves where one of these memories spells it, no other memory does, in any revision, and no person related it.
    """
    decided = parts.decided.relations(namespace)
    if not decided or not memories:
        return Leaving()
    if parts.graph is not None:
        try:
            parts.graph.catch_up(math.inf)
        except StoreFullError:  # the texts themselves say the same, at more expense
            parts = replace(parts, graph=None)
    found = _Names(parts, namespace, decided, memories)
    gone = found.gone()
    if not gone:
        return Leaving()
    staying = [each for each in decided if each.evidence not in found.forgotten]
    left = [*merges_left(staying, gone), *splits_left(staying, gone, found.read_as(gone), found.stand_in)]
    return Leaving(
        decisions=tuple(each.id for each in erased(staying, gone)),
        left=tuple(_relate(each, found.entities) for each in left),
    )


class _Names:
    """The entities that a namespace's decisions are about, and which memories name them."""

    def __init__(self, parts: Parts, namespace: str, decided: Sequence[Relation], memories: Sequence[str]) -> None:
        self._parts = parts
        self._namespace = namespace
        self._memories = memories
        self.forgotten = frozenset(memories)
        self._stand_ins: dict[str, str] = {}
        """By the id of each new entity the one in whose place it is."""
        ends = {end for each in decided for end in (each.source, each.target) if end.startswith(ENTITY)}
        self.entities = {each.id: each for each in parts.store.entities(namespace, ids=sorted(ends))}

    def gone(self) -> frozenset[str]:
        """Those whose names leave."""
        candidates = self.entities.keys() - self._related()
        if self._everything():
            return frozenset(candidates)
        candidates &= self._spelt_in(self._forgotten_records(), candidates) | {
            each.entity for each in self._mentions(candidates) if each.memory in self.forgotten and each.spelt
        }
        if candidates:
            candidates -= self._spelt_in(self._current_naming(candidates), candidates)
        if candidates:
            candidates -= self._spelt_in(self._other_records(), candidates)
        return frozenset(candidates)

    def read_as(self, gone: Set[str]) -> Mapping[tuple[str, str], str]:
        """For each other memory that names one of `gone`: the entity that it is read to name from then on, which is then known."""
        graph = self._parts.graph
        mentions = [each for each in self._mentions(gone) if each.memory not in self.forgotten]
        if graph is None or not mentions:
            return {}
        keys = sorted({each.key for each in mentions})
        read = {each.key: each for each in graph.read_without(self._namespace, keys, self._memories, gone)}
        found: dict[tuple[str, str], str] = {}
        for each in mentions:
            entity = _named_at(read.get(each.key), each.first)
            if entity is not None:
                self.entities.setdefault(entity.id, entity)
                found[each.memory, each.entity] = entity.id
        return found

    def stand_in(self, gone: str, called: str) -> str:
        """A new entity in place of one whose name leaves, of its kind: named as the memories call it, and numbered."""
        kind, name = self.entities[gone].kind, self.entities[called].name
        number = 2
        while self._taken(f"{name} ({number})", kind, gone):
            number += 1
        name = f"{name} ({number})"
        made = entity_id(self._namespace, kind, key(name))
        at = self.entities[gone].created_at
        self._stand_ins[made] = gone
        self.entities[made] = Entity(id=made, namespace=self._namespace, name=name, kind=kind, created_at=at)
        return made

    def _taken(self, name: str, kind: str, gone: str) -> bool:
        made = entity_id(self._namespace, kind, key(name))
        if made in self._stand_ins:
            return self._stand_ins[made] != gone  # two splits to one entity lead to one still
        file = None if self._parts.graph is None else self._parts.graph.file()
        identity = self._parts.decided.identity(self._namespace)
        return bool(self._parts.decided.entities(file, self._namespace, identity, names=[name]))

    def _related(self) -> set[str]:
        """Those that people related, otherwise than by decisions and to what stays."""
        touching = self._parts.store.relations(self._namespace, sorted(self.entities))
        return {
            end
            for each in touching
            if each.type not in DECISIONS and self.forgotten.isdisjoint((each.source, each.target, each.evidence))
            for end in (each.source, each.target)
        }

    def _everything(self) -> bool:
        counts = self._parts.store.stats(self._namespace)
        return len(self.forgotten) >= counts.memories + counts.retired

    def _mentions(self, entities: Iterable[str]) -> Sequence[Mentioned]:
        graph = self._parts.graph
        return [] if graph is None else graph.file().mentions(self._namespace, sorted(entities))

    def _forgotten_records(self) -> Iterator[MemoryRecord]:
        """Revisions to be forgotten that are not in the graph file: the earlier and the retired ones; all where there is none."""
        for memory in self._memories:
            for record in self._parts.store.revisions(self._namespace, memory):
                if self._parts.graph is None or record.retired_at is not None:
                    yield record

    def _current_naming(self, entities: Set[str]) -> Iterator[MemoryRecord]:
        """The current revisions of other memories that name some entities."""
        keys = {each.key for each in self._mentions(entities) if each.memory not in self.forgotten}
        for found in self._parts.store.load(sorted(keys)).values():
            yield found.record

    def _other_records(self) -> Iterator[MemoryRecord]:
        """The revisions of other memories that are not in the graph file."""
        after = 0
        while page := self._parts.store.live_revisions(after=after, limit=PAGE, namespace=self._namespace):
            for each in page:
                if each.record.id not in self.forgotten and (
                    self._parts.graph is None or each.record.retired_at is not None
                ):
                    yield each.record
            after = page[-1].key

    def _spelt_in(self, records: Iterable[MemoryRecord], entities: Set[str]) -> set[str]:
        """Those of the entities whose whole name one of the records has, in any letter case."""
        wanted: dict[str, set[str]] = {}
        for entity in entities:
            wanted.setdefault(key(self.entities[entity].name), set()).add(entity)
        beginnings = {name.split()[0][:3] for name in wanted if name}
        found: set[str] = set()
        for record in records:
            text = key(record.text)
            if any(
                beginning in text for beginning in beginnings
            ):  # inflected names begin alike, and extraction takes longer
                for mention in extract(record.text).mentions:
                    found |= wanted.get(key(mention.name), set()) | wanted.get(key(mention.canonical), set())
        return found


def _named_at(read: ReadRevision | None, first: int) -> Entity | None:
    """What the mention is read to name that begins at a character."""
    return next((each.entity for each in read.mentions if each.first == first), None) if read is not None else None


def _relate(left: Left, entities: Mapping[str, Entity]) -> Relate:
    like = left.like
    made = Relation(
        id=new_id(RELATION, like.recorded_at),
        namespace=like.namespace,
        source=left.source,
        target=left.target,
        type=like.type,
        weight=like.weight,
        attributes=like.attributes,
        evidence=like.evidence,
        valid_from=like.valid_from,
        valid_to=like.valid_to,
        recorded_at=like.recorded_at,
    )
    return Relate(relation=made, new_entities=(entities[left.source], entities[left.target]))
