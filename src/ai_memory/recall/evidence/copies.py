"""Copies among the memories that may answer: one of each group is ranked, and the others are shown as part of it.

Left in, the copies of a text would push other hits out, and each would be a rival of the others: their words would become
frequent, their cosines ordinary, and none would have a lead: the more often something is said, the less it would be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ai_memory.clock import from_micros
from ai_memory.index.base import Mask
from ai_memory.index.copies import Groups
from ai_memory.index.partition import PartitionView
from ai_memory.recall.answer import Copies
from ai_memory.recall.evidence.periods import Period, inside_any
from ai_memory.text.terms import QueryTerm

MAX_IDS = 20
"""So many copies of a hit are named."""


class Folded(NamedTuple):
    """What is ranked: one row of each group of copies, bool, shape (n,), and the question's words as rare as they are then."""

    eligible: Mask
    terms: tuple[QueryTerm, ...]
    copies: Groups


def fold(view: PartitionView, passing: Mask, terms: tuple[QueryTerm, ...], periods: Sequence[Period]) -> Folded:
    """The rows of `passing`, bool, shape (n,), without copies: of each group one from the times asked for, else the newest."""
    copies = view.repeated(passing, [inside_any(view, periods)] if periods else ())
    if not len(copies.rows):
        return Folded(passing, terms, copies)
    eligible = passing.copy()
    eligible[copies.rows] = False
    return Folded(eligible, view.without(terms, copies.rows), copies)


def copies_of(view: PartitionView, copies: Groups, row: int, restated: Sequence[int] = ()) -> Copies | None:
    """The copies that were folded into a row, and into the rows that restate it; None where it has neither."""
    if not (len(copies.rows) or restated):
        return None
    said = np.array([row, *restated], np.int32)
    rows = np.append(copies.rows[np.isin(copies.kept, said)], said[1:])
    if not len(rows):
        return None
    rows = rows[np.argsort(-view.occurred()[rows], kind="stable")]
    everyone = np.append(rows, np.int32(row))
    when = view.occurred()[everyone]
    ids = [name for name in view.names("memory", rows[:MAX_IDS]) if name is not None]
    return Copies(
        count=len(everyone),
        first=from_micros(int(when.min())),
        last=from_micros(int(when.max())),
        ids=tuple(ids),
        authors=_distinct(view, "author", everyone),
        agents=_distinct(view, "agent", everyone),
        sessions=len(_distinct(view, "session", everyone)),
    )


def _distinct(view: PartitionView, facet: str, rows: np.ndarray[tuple[int], np.dtype[np.int32]]) -> tuple[str, ...]:
    return tuple(sorted({name for name in view.names(facet, rows) if name is not None}))
