"""What is left of people's decisions when some of the entities that they are about leave with the memories that named them.

A merge says that several entities are one, and says so still of those that stay: they are joined directly. With one left, it says
nothing. A split says whom a memory means, and says so still as long as the memory is there: the entity that the memory is read to
name, or that it means, is replaced by what takes its place. What an undone decision said is gone with the names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from ai_memory.graph.identity import Identity
from ai_memory.types import Relation, RelationType


class Left(Struct, frozen=True):
    """A decision in place of an erased one: between other entities, and otherwise like it."""

    source: str
    target: str
    like: Relation


def erased(decisions: Sequence[Relation], gone: Collection[str]) -> list[Relation]:
    """The decisions that name one of the entities that leave."""
    return [each for each in decisions if each.source in gone or each.target in gone]


def merges_left(decisions: Sequence[Relation], gone: Collection[str]) -> list[Left]:
    """The merges in place of the erased ones: as few as keep together what was one."""
    before = Identity(decisions)
    dropped = erased(decisions, gone)
    after = Identity(each for each in decisions if each not in dropped)
    ended = [each for each in dropped if each.type == RelationType.MERGED_INTO and each.retired_at is None]
    made: list[Left] = []
    for root in dict.fromkeys(before.root(each.source) for each in ended):
        here = [each for each in ended if before.root(each.source) == root]
        left = staying(decisions, before, root, gone)
        joined = {after.root(member) for member in left[:1]}
        for member in left:
            source = after.root(member)
            if source not in joined:
                joined.add(source)
                like = next((each for each in reversed(here) if after.root(each.source) == source), here[-1])
                made.append(Left(source, after.root(left[0]), like))
    return made


def staying(decisions: Sequence[Relation], identity: Identity, root: str, gone: Collection[str]) -> list[str]:
    """The entities that are one with `root` and stay: itself first, then in the order of the decisions."""
    members = set(identity.members(root))
    ordered = [root, *(end for each in decisions for end in (each.source, each.target) if end in members)]
    return [member for member in dict.fromkeys(ordered) if member not in gone]


def splits_left(
    decisions: Sequence[Relation],
    gone: Collection[str],
    read_as: Mapping[tuple[str, str], str],
    stand_in: Callable[[str, str], str],
) -> Iterator[Left]:
    """The splits in place of the erased ones.

    `read_as` has, for a memory and an entity that leaves, the one that the memory is read to name from now on; a split of a memory
    that is not there is left out. `stand_in` gives the entity that takes the place of one that a split led to, for what is split.
    """
    before = Identity(decisions)
    meant = before.meant_by_splits()
    for each in erased(decisions, gone):
        memory = each.evidence
        if memory is None or each.retired_at is not None or meant.get((memory, each.source)) != each.target:
            continue
        source = read_as.get((memory, each.source)) if each.source in gone else each.source
        if source is None:
            continue
        target = each.target
        if target in gone:
            target = next(iter(staying(decisions, before, before.root(target), gone)), None) or stand_in(target, source)
        if source != target:
            yield Left(source, target, each)
