"""Who is who after people decided it: which entity each name in each memory leads to.

Names are read from memories as they are written, and people's decisions are applied when the graph is walked. So a decision
holds for memories that are read later and after everything has been read again, and one that is undone leaves nothing behind.
A merge joins two entities into one, known by the id of the second; a split says that one memory means another entity.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from ai_memory.store.ids import ENTITY, MEMORY
from ai_memory.types import DECISIONS, Relation, RelationType


class Identity:
    """The decisions of one namespace as they were at `known_at` (None: as they are now), given in order of writing.

    Two processes may decide at once, and archives may contain anything: a merge of what is one already changes nothing, of two
    splits of one mention the later one holds, and a decision about anything but entities is ignored.
    """

    def __init__(self, decisions: Iterable[Relation] = (), known_at: dt.datetime | None = None) -> None:
        self._into: dict[str, str] = {}
        """For each merged entity the one it was merged into. Only roots are merged, so these chains have no cycle."""
        self._meant: dict[tuple[str, str], str] = {}
        """For a memory and the entity it was read to name, the entity that it means."""
        self._members: dict[str, list[str]] = {}
        self._touched: set[str] = set()
        in_force: set[str] = set()
        for each in decisions:
            ends = (each.source, each.target)
            if not all(end.startswith(ENTITY) for end in ends):
                continue
            self._touched.update(ends)
            if not _in_force(each, known_at):
                continue
            in_force.update(ends)
            if each.type == RelationType.MERGED_INTO:
                source, target = self.root(each.source), self.root(each.target)
                if source != target:
                    self._into[source] = target
            elif each.evidence is not None:
                self._meant[each.evidence, each.source] = each.target
        self.undone = frozenset(self._touched - in_force)
        """Entities that only undone decisions are about: one that nothing else is about existed for those decisions alone."""
        for entity in sorted(self._into):
            self._members.setdefault(self.root(entity), []).append(entity)

    def __bool__(self) -> bool:
        """Return whether any decision is in force: without one, everything is as it was read."""
        return bool(self._into or self._meant)

    def root(self, entity: str) -> str:
        """The entity that an entity was merged into, directly or not; itself if it was not merged."""
        while entity in self._into:
            entity = self._into[entity]
        return entity

    def members(self, root: str) -> list[str]:
        """All entities that were merged into `root`, itself first."""
        return [root, *self._members.get(root, ())]

    def meant(self, memory: str, entity: str) -> str:
        """The entity that a memory means where it was read to name `entity`."""
        # Splits and merges may lead in a circle (split off into B, and B merged into A): each split of a memory applies once.
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

    def meant_by_splits(self) -> Mapping[tuple[str, str], str]:
        """For each memory and entity that was split off in it, the entity that it means."""
        return self._meant

    def behind(self, nodes: Sequence[str]) -> list[str]:
        """The nodes whose relations, as they were read, may lead to one of `nodes`: a superset of those that do."""
        wanted = set(nodes)
        asked = dict.fromkeys(member for node in nodes for member in self.members(node))
        for memory, entity in self._meant:
            if self.meant(memory, entity) in wanted:
                asked.update(dict.fromkeys((memory, *self.members(entity))))
        return list(asked)

    def seen(self, relations: Iterable[Relation], nodes: Sequence[str]) -> list[Relation]:
        """The relations that touch one of `nodes`, rewritten by the decisions, which are not among them; none twice by a merge."""
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
        known = {_what(each) for each in plain}
        return plain + [made for what, made in changed.items() if what not in known]

    def _rewritten(self, relation: Relation) -> Relation | None:
        """The relation between the entities that are meant; None where both are one."""
        memory = relation.evidence or next(
            (end for end in (relation.source, relation.target) if end.startswith(MEMORY)), ""
        )
        source, target = self.meant(memory, relation.source), self.meant(memory, relation.target)
        if (source, target) == (relation.source, relation.target):
            return relation
        return None if source == target else replace(relation, source=source, target=target)


def _what(relation: Relation) -> tuple[object, ...]:
    """What a relation states, whatever its id: two with equal ones are one relation, twice."""
    ends = (relation.source, relation.target)
    return *ends, relation.type, relation.evidence, relation.valid_from, relation.valid_to


def _in_force(decision: Relation, known_at: dt.datetime | None) -> bool:
    if known_at is None:
        return decision.retired_at is None
    return decision.recorded_at <= known_at and (decision.retired_at is None or known_at < decision.retired_at)
