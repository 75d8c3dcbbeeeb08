"""What is returned with a match: its surroundings (contextual) and its evidence (detailed)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
import numpy as np

from ai_memory.index.base import Mask, Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.answer import Detail, Hit, Surrounding
from ai_memory.recall.evidence.candidates import session_neighbours
from ai_memory.recall.evidence.scores import Scored
from ai_memory.store.base import Store
from ai_memory.types import MemoryRecord, Relation, RelationType, Selection

MAX_RELATED = 5
"""Related memories shown with one hit."""


def session_pairs(view: PartitionView, scored: Scored, rows: Rows, *, filtered: bool) -> list[list[tuple[int, str]]]:
    """For each of `rows`, int32, the keys of the memories before and after its own in its session, and which is which.

    Only memories that pass the question's filters count; an empty list where there are none.
    """
    found: list[list[tuple[int, str]]] = [[] for _ in range(len(rows))]
    inside = np.flatnonzero(view.sessions()[rows] > 0)
    if not len(inside):
        return found
    keys = view.keys()
    first = rows[inside] - view.passages()[rows[inside]]
    last = rows[inside].copy()
    # A memory's neighbours come before its first passage and after its last: its passages are adjacent rows with one key.
    while True:
        further = np.minimum(last + 1, len(keys) - 1)
        grow = (further > last) & (keys[further] == keys[rows[inside]])
        if not grow.any():
            break
        last[grow] += 1
    around = session_neighbours(view, scored, np.concatenate((first, last)), 1, filtered=filtered)
    for at, before, after in zip(inside.tolist(), around[: len(first), 0], around[len(first) :, 1], strict=True):
        found[at] = [(int(keys[row]), how) for row, how in ((before, "previous"), (after, "next")) if row >= 0]
    return found


def with_surroundings(
    view: PartitionView,
    store: Store,
    eligible: Mask,
    selection: Selection,
    hits: Sequence[Hit],
    neighbours: Sequence[Sequence[tuple[MemoryRecord, str]]],
) -> list[Hit]:
    """The hits with the memories around each: its neighbours in the session, then memories it is related to.

    Only memories that pass the question's filters (`eligible`, bool, shape (n,)) are shown, each once in the whole answer, and
    none that is a hit itself. Raises StoreError.
    """
    related = _related(view, store, eligible, selection, [hit.memory for hit in hits])
    shown = {hit.memory.id for hit in hits}
    found: list[Hit] = []
    for hit, pair in zip(hits, neighbours, strict=True):
        near: list[Surrounding] = []
        session = (Surrounding(memory=memory, how=how) for memory, how in pair)
        for surrounding in (*session, *related.get(hit.memory.id, ())):
            if surrounding.memory.id not in shown:
                shown.add(surrounding.memory.id)
                near.append(surrounding)
        found.append(msgspec.structs.replace(hit, surroundings=tuple(near)) if near else hit)
    return found


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
        if other in records and len(listed) < MAX_RELATED:
            listed.append(Surrounding(memory=records[other], how=relation.type))
    return found


def _ends(relation: Relation) -> tuple[tuple[str, str], tuple[str, str]]:
    return (relation.source, relation.target), (relation.target, relation.source)


def with_successors(store: Store, selection: Selection, hits: Sequence[Hit]) -> list[Hit]:
    """The hits, those that were superseded with the memory that replaced them. Raises StoreError."""
    ended = [hit.memory.id for hit in hits if hit.memory.valid_to is not None]
    newer = successors(store, selection, ended)
    return [
        msgspec.structs.replace(hit, superseded_by=newer[hit.memory.id]) if hit.memory.id in newer else hit
        for hit in hits
    ]


def successors(store: Store, selection: Selection, ended: Sequence[str]) -> dict[str, str]:
    """By the id of each of these memories that was superseded the id of the one that replaced it. Raises StoreError."""
    return {
        relation.target: relation.source
        for relation in _relations(store, msgspec.structs.replace(selection, as_of=None), ended)
        if relation.type == RelationType.SUPERSEDES
    }


def with_details(store: Store, selection: Selection, hits: Sequence[Hit]) -> list[Hit]:
    """The hits with the history and relations of each, as they were known at `selection.known_at`. Raises StoreError."""
    relations = _relations(store, selection, [hit.memory.id for hit in hits])
    return [msgspec.structs.replace(hit, detail=_detail(store, selection, hit.memory, relations)) for hit in hits]


def _detail(store: Store, selection: Selection, memory: MemoryRecord, relations: Sequence[Relation]) -> Detail:
    return Detail(
        history=tuple(_known(store.revisions(memory.namespace, memory.id), selection.known_at)),
        relations=tuple(each for each in relations if memory.id in (each.source, each.target)),
    )


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
