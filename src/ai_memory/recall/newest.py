"""Of rivals, the newest first: the order of an answer once it is known which hits give one attribute different values.

The places that rivals have among the hits stay theirs; which of them has which is decided by time. A rival that moves takes over
the score of the place that it moves to, and what it gained or lost by that is one more stage, `newest`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence.fusion import Features
from ai_memory.recall.ranking import Ranking
from ai_memory.recall.recipe import NEWEST
from ai_memory.store.base import StoredRevision
from ai_memory.text.passages import passage_at
from ai_memory.text.stopwords import ALL
from ai_memory.truth.answers import Asking
from ai_memory.truth.digest import is_digest
from ai_memory.truth.rivals import COMPARED, Group, rivals
from ai_memory.truth.statement import Statement, statement, terms_of
from ai_memory.truth.wording import Wanted, asks_about_several, asks_about_the_past, wanted
from ai_memory.types import MemoryRecord


class Arranged(NamedTuple):
    """A ranking in which the newest rival comes first, and the groups of rivals, by their places in it."""

    ranking: Ranking
    groups: tuple[Group, ...]
    doubted: bool = False
    """Whether an older rival is probably not what was asked for, so that it is marked."""
    folded: Mapping[int, tuple[int, ...]] = {}
    """By the row of a hit, the rows that say the same in other words and are no hits of their own."""

    def group_of(self, place: int) -> Group | None:
        """The group of the hit at a place, None where it has no rival."""
        return next((group for group in self.groups if place in group.places), None)


def newest_first(
    question: str,
    view: PartitionView,
    ranking: Ranking,
    stored: dict[int, StoredRevision],
    successors: Callable[[Sequence[str]], Mapping[str, str]],
) -> Arranged:
    """Order the rivals among the best hits by time, the newest first; for a question about the earlier value, the second newest.

    A question about the past is answered in the order of the ranking, one for an order oldest first; one for several values marks
    nothing. Hits that say the same in other words are folded into the newest of them, which takes the best one's place.
    `stored` has the revisions of the hits by key; a hit that is not among them (it was erased meanwhile) has no rivals.
    `successors` gives for ids of memories that ended the ids of those that superseded them.
    """
    keys = view.keys()[ranking.rows[:COMPARED]].tolist()
    statements = [_statement(view, ranking, at, stored[key]) for at, key in enumerate(keys) if key in stored]
    if len(statements) < min(len(keys), COMPARED) or len(statements) < 2:
        return Arranged(ranking, ())
    similar = None
    if ranking.vectors is not None:
        best = ranking.vectors[:COMPARED]
        similar = np.einsum("id,jd->ij", best, best)
    asked_for, several = wanted(question), asks_about_several(question)
    if several and asked_for is Wanted.EARLIER:  # *Where is the server, and what was the building before?*
        asked_for = Wanted.SEVERAL
    # Who asks for an earlier value asks for a state; of other questions about the past most ask for events.
    about_past = asked_for is not Wanted.EARLIER and asks_about_the_past(question)
    asked = frozenset(terms_of(question)) - ALL
    if asked_for is Wanted.EARLIER:  # *before* and *previous* say which value is meant, and are in none of the answers
        asked &= frozenset().union(*(statement.words for statement in statements))
    records = [stored[key].record for key in keys]
    asking = Asking(asked, about_past, asked_for, several, statement(question, 0))
    related = rivals(asking, statements, similar, _known(records, successors))
    if not (related.groups or related.same):
        return Arranged(ranking, ())
    order = list(range(len(ranking.rows)))
    moved = asked_for is not Wanted.PAST
    if moved:
        for group in related.groups:
            for slot, place in zip(group.places, _by_time(group.places, statements, asked_for), strict=True):
                order[slot] = place
    folded: dict[int, tuple[int, ...]] = {}
    left_out: set[int] = set()
    for same in related.same:
        kept = max(same, key=lambda place: statements[place].when)
        slots = sorted(order.index(place) for place in same)
        rest = [place for place in order if place in same and place != kept]
        for slot, place in zip(slots, (kept, *rest), strict=True):
            order[slot] = place
        left_out.update(rest)
        folded[int(ranking.rows[kept])] = tuple(int(ranking.rows[place]) for place in rest)
    arranged = _reordered(ranking, order)
    if left_out:
        arranged = arranged.only([slot for slot, place in enumerate(order) if place not in left_out])
    shown = [place for place in order if place not in left_out]
    groups = tuple(_placed(related.groups, {place: slot for slot, place in enumerate(shown)}))
    return Arranged(arranged, groups, asked_for in (Wanted.NEWEST, Wanted.EARLIER), folded)


def _by_time(places: Sequence[int], statements: Sequence[Statement], asked_for: Wanted) -> list[int]:
    """Some places in the order that a question asks for."""
    newest = sorted(places, key=lambda place: -statements[place].when)
    if asked_for is Wanted.EARLIER:
        return [*newest[1:], newest[0]]
    return newest[::-1] if asked_for is Wanted.IN_ORDER else newest


def _placed(groups: Sequence[Group], slots: Mapping[int, int]) -> Iterator[Group]:
    """The groups by the slots that their places came to have; without places that have none, and groups of which one is left."""
    for group in groups:
        found = sorted((slots[at], sure) for at, sure in zip(group.places, group.certainty, strict=True) if at in slots)
        if len(found) > 1:
            yield Group(tuple(slot for slot, _ in found), tuple(sure for _, sure in found))


def _known(
    records: Sequence[MemoryRecord], successors: Callable[[Sequence[str]], Mapping[str, str]]
) -> list[tuple[int, int]]:
    """The pairs of places that are rivals for certain: two values of one key, and a memory with the one that superseded it."""
    ended = [record.id for record in records if record.valid_to is not None]
    newer = successors(ended) if ended else {}
    lines = [None if record.key is None else (record.user, record.key) for record in records]
    ids = [record.id for record in records]
    return [
        (i, j)
        for i, j in combinations(range(len(records)), 2)
        if (lines[i] is not None and lines[i] == lines[j]) or newer.get(ids[i]) == ids[j] or newer.get(ids[j]) == ids[i]
    ]


def _reordered(ranking: Ranking, order: Sequence[int]) -> Ranking:
    """The ranking with the memory of place `order[i]` at place i, and the score that this place had."""
    places = np.array(order)
    gained = ranking.scores - ranking.scores[places]
    stages, weights, values = ranking.features
    return ranking._replace(
        rows=ranking.rows[places],
        ids=tuple(ranking.ids[place] for place in order),
        cosines=ranking.cosines[places],
        bm25=ranking.bm25[places],
        features=Features((*stages, NEWEST), np.append(weights, 1.0), np.column_stack((values[places], gained))),
        vectors=None if ranking.vectors is None else ranking.vectors[places],
    )


def _statement(view: PartitionView, ranking: Ranking, at: int, stored: StoredRevision) -> Statement:
    row = int(ranking.rows[at])
    record = stored.record
    start, end = passage_at(record.text, int(view.passages()[row]))
    return statement(
        record.text[start:end],
        int(view.occurred()[row]),
        dated=record.valid_from is not None,
        asks=bool(view.asks()[row]) or is_digest(record),  # neither states a value of its own
        author=record.author,
        user=record.user,
        context=record.context,
        score=float(ranking.scores[at]),
        cosine=float(ranking.cosines[at]),
    )
