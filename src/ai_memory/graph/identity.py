"""Who is who after people decided it: which thing each name in each memory leads to.

Names are read from memories as they are, and what people decide is laid over them when the graph is walked. So a decision
holds for memories that are read later and after everything was read anew, and undone it leaves nothing behind. A merge
joins two things into one, which answers under the second of them; a split says that one memory means another thing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from ai_memory.store.ids import ENTITY, MEMORY
from ai_memory.types import DECISIONS, Relation, RelationType


class Identity:
    """The decisions of one namespace as they stood at `known_at` (None: as they stand now), given in order of writing.

    Two processes may decide at once, and archives may hold anything: a merge of what is one already changes nothing, of two
    splits of one mention the later one holds, and a decision about anything but entities is no decision.
    """

    def __init__(self, decisions: Iterable[Relation] = (), known_at: dt.datetime | None = None) -> None:
        self._into: dict[str, str] = {}
        self._meant: dict[tuple[str, str], str] = {}
        self._members: dict[str, list[str]] = {}
        self._touched: set[str] = set()
        standing: set[str] = set()
        for each in decisions:
            ends = (each.source, each.target)
            if not all(end.startswith(ENTITY) for end in ends):
                continue
            self._touched.update(ends)
            if not _stands(each, known_at):
                continue
            standing.update(ends)
            if each.type == RelationType.MERGED_INTO:
                source, target = self.root(each.source), self.root(each.target)
                if source != target:
                    self._into[source] = target
            elif each.evidence is not None:
                self._meant[each.evidence, each.source] = each.target
        self.undone = frozenset(self._touched - standing)
        """Entities that only undone decisions are about: one that nothing else is about was there for them alone."""
        for entity in sorted(self._into):
            self._members.setdefault(self.root(entity), []).append(entity)

    def __bool__(self) -> bool:
        """Whether anything is other than it was read."""
        return bool(self._into or self._meant)

    def root(self, entity: str) -> str:
        """The thing that an entity is one with, itself where nobody merged it into another."""
        while entity in self._into:
            entity = self._into[entity]
        return entity

    def members(self, root: str) -> list[str]:
        """All entities that are one with `root`, itself first."""
        return [root, *self._members.get(root, ())]

    def meant(self, memory: str, entity: str) -> str:
        """The thing that a memory means where it was read to name `entity`."""
        used: set[str] = set()
        while True:
            if entity not in used and (memory, entity) in self._meant:
                used.add(entity)
                entity = self._meant[memory, entity]
            elif entity in self._into:
                entity = self._into[entity]
            else:
                return entity

    def splits(self) -> list[tuple[str, str]]:
        """Every memory of which a mention was split off, with the entity it was split off from."""
        return list(self._meant)

    def behind(self, nodes: Sequence[str]) -> list[str]:
        """The nodes whose relations, as they were read, may lead to one of `nodes`: more than those that do."""
        wanted = set(nodes)
        asked = dict.fromkeys(member for node in nodes for member in self.members(node))
        for memory, entity in self._meant:
            if self.meant(memory, entity) in wanted:
                asked.update(dict.fromkeys((memory, *self.members(entity))))
        return list(asked)

    def seen(self, relations: Iterable[Relation], nodes: Sequence[str]) -> list[Relation]:
        """The relations as decided, those that touch one of `nodes`: without decisions, and none twice by being merged."""
        wanted = set(nodes)
        plain: list[Relation] = []
        changed: dict[tuple[object, ...], Relation] = {}
        for each in relations:
            made = None if each.type in DECISIONS else self._rewritten(each)
            if made is None or not (made.source in wanted or made.target in wanted):
                continue
            if made is each:
                plain.append(made)
            else:
                changed.setdefault(_what(made), made)
        said = {_what(each) for each in plain}
        return plain + [made for what, made in changed.items() if what not in said]

    def _rewritten(self, relation: Relation) -> Relation | None:
        """A relation between the things that are meant; None where both are one."""
        memory = relation.evidence or next(
            (end for end in (relation.source, relation.target) if end.startswith(MEMORY)), ""
        )
        source, target = self.meant(memory, relation.source), self.meant(memory, relation.target)
        if (source, target) == (relation.source, relation.target):
            return relation
        return None if source == target else replace(relation, source=source, target=target)


def _what(relation: Relation) -> tuple[object, ...]:
    ends = (relation.source, relation.target)
    return *ends, relation.type, relation.evidence, relation.valid_from, relation.valid_to


def _stands(decision: Relation, known_at: dt.datetime | None) -> bool:
    if known_at is None:
        return decision.retired_at is None
    return decision.recorded_at <= known_at and (decision.retired_at is None or known_at < decision.retired_at)
