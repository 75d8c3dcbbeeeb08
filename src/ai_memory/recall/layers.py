"""What comes back with a match: its surroundings (contextual) and its evidence (detailed)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from ai_memory.index.base import Mask, Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.answer import Detail, Surrounding
from ai_memory.store.base import Store
from ai_memory.types import MemoryRecord, Relation, Selection

MOST_RELATED = 5
"""Related memories shown with one hit."""


def surroundings(
    view: PartitionView, store: Store, eligible: Mask, selection: Selection, rows: Rows, hits: Sequence[MemoryRecord]
) -> list[tuple[Surrounding, ...]]:
    """What stands beside each hit: its neighbours in the session, then memories it is related to.

    `rows` has one row a hit. Only memories that pass the question's filters are shown, each once in the whole answer, and none
    that is a hit itself.
    """
    beside = [_beside(view, eligible, int(row)) for row in rows]
    loaded = store.load(sorted({key for pair in beside for key, _ in pair}))
    related = _related(view, store, eligible, selection, hits)
    shown = {hit.id for hit in hits}
    found: list[tuple[Surrounding, ...]] = []
    for hit, pair in zip(hits, beside, strict=True):
        near = [Surrounding(memory=loaded[key].record, how=how) for key, how in pair if key in loaded]
        mine = [one for one in (*near, *related.get(hit.id, ())) if one.memory.id not in shown]
        mine = list({one.memory.id: one for one in reversed(mine)}.values())[::-1]
        shown.update(one.memory.id for one in mine)
        found.append(tuple(mine))
    return found


def _beside(view: PartitionView, eligible: Mask, row: int) -> list[tuple[int, str]]:
    """Keys of the memories before and after a row's memory in its session, and which is which."""
    if not view.sessions()[row]:
        return []
    keys = view.keys()
    own = view.rows_of(int(keys[row]))
    if not len(own):
        return []
    around = view.session_neighbours(own[[0, -1]], 1, 1, eligible)
    pair = ((int(around[0, 0]), "previous"), (int(around[1, 1]), "next"))
    return [(int(keys[at]), how) for at, how in pair if at >= 0]


def _related(
    view: PartitionView, store: Store, eligible: Mask, selection: Selection, hits: Sequence[MemoryRecord]
) -> dict[str, list[Surrounding]]:
    """Memories at the other end of the hits' relations, by hit, heaviest relation first."""
    ids = {hit.id for hit in hits}
    relations = _relations(store, selection, list(ids))
    pairs = [(mine, other, relation) for relation in relations for mine, other in _ends(relation) if mine in ids]
    others = sorted({other for _, other, _ in pairs if other.startswith("mem_")})
    if not others:
        return {}
    rows = np.flatnonzero(np.isin(view.memories(), view.memories()[view.rows_of_memories(others)]) & eligible)
    stored = store.load(np.unique(view.keys()[rows]).tolist())
    records = {revision.record.id: revision.record for revision in stored.values()}
    found: dict[str, list[Surrounding]] = {}
    for mine, other, relation in sorted(pairs, key=lambda pair: (-pair[2].weight, pair[1], pair[2].type)):
        listed = found.setdefault(mine, [])
        if other in records and len(listed) < MOST_RELATED:
            listed.append(Surrounding(memory=records[other], how=relation.type))
    return found


def _ends(relation: Relation) -> tuple[tuple[str, str], tuple[str, str]]:
    return (relation.source, relation.target), (relation.target, relation.source)


def details(store: Store, selection: Selection, hits: Sequence[MemoryRecord]) -> list[Detail]:
    """The history and relations of each hit, as they were known at `selection.known_at`."""
    relations = _relations(store, selection, [hit.id for hit in hits])
    return [
        Detail(
            history=tuple(_known(store.revisions(hit.namespace, hit.id), selection.known_at)),
            relations=tuple(one for one in relations if hit.id in (one.source, one.target)),
        )
        for hit in hits
    ]


def _known(revisions: Sequence[MemoryRecord], known_at: dt.datetime | None) -> list[MemoryRecord]:
    if known_at is None:
        return list(revisions)
    instant = known_at if known_at.tzinfo else known_at.replace(tzinfo=dt.UTC)
    return [revision for revision in revisions if revision.recorded_at <= instant]


def _relations(store: Store, selection: Selection, ids: Sequence[str]) -> list[Relation]:
    """Relations of some memories in a stable order."""
    if not ids:
        return []
    found = store.relations(selection.namespace, ids, as_of=selection.as_of, known_at=selection.known_at)
    return sorted(found, key=lambda relation: relation.id)
