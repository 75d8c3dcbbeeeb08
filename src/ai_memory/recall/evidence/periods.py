"""The times that a question names, as evidence on when a memory happened.

*What did we decide in May 2023?* asks for what happened then, but also for what was said about it a little later, and sometimes
for neither: a memory of another time may mention that day. So a named time is no filter. A memory is as near to it as
`nearness` says, and its evidence is the log likelihood ratio of two explanations: with probability 1 - `ELSEWHERE` the answer is
near that time, in proportion to nearness, and otherwise at any time. Where most memories are near, or none is, time says nothing.
Nothing was said yet in a time to come, and plans for it are made long before as well as the day before: only what is dated inside
it is near. And a time in a sentence that does not ask, before one that does, sets a scene or is small talk: it is meant less often.

*What happened in May 2023?* asks for nothing else: what is inside answers it, whatever its words. Such a question takes its
candidates from inside as well, and `INSIDE` puts them before everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Mask, Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence.scores import Scored, Values

ELSEWHERE = 0.3
"""How often a question that names a time is answered by a memory of another time."""
ELSEWHERE_ASIDE = 0.8
"""The same for a time that is named in a sentence which does not ask, next to one that does."""
INSIDE = 30.0
"""Nats for a memory inside the time of a question that asks for nothing else: more than all other stages can add up to."""
_DAY = 86_400_000_000
_LEAST_DECAY = 2.0
"""Days outside a period after which nearness has fallen to 1/e; for long periods, half their length."""
_SHARE = 0.5
_OPEN_DAYS = 30.0
"""What counts as the length of a period that is open at one end."""
_AFTERWARDS = 5.0
"""So many days afterwards count as one day before: people talk about what has happened."""


class Period(NamedTuple):
    """An interval of time in microseconds since the epoch, `until` excluded; None is not bounded on that side.

    The offsets are those from UTC, in microseconds, of the zone whose days they are. A memory at midnight UTC was given a plain
    date, and that is the same day in every zone: it is compared with the edges as if they were UTC.
    """

    since: int | None
    until: int | None
    since_offset: int = 0
    until_offset: int = 0
    ahead: bool = False
    """Whether it had not begun when the question was asked."""
    aside: bool = False
    """Whether the sentence that names it does not ask, while another one does."""

    def edges(self, occurred: NDArray[np.int64]) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]:
        """The two edges as each of n instants is compared with them, int64, shape (n,); None where there is none."""
        plain = occurred % _DAY == 0
        return (
            None if self.since is None else np.where(plain, self.since + self.since_offset, self.since),
            None if self.until is None else np.where(plain, self.until + self.until_offset, self.until),
        )


def nearness(occurred: NDArray[np.int64], period: Period) -> Values:
    """How near each of n instants, microseconds since the epoch, int64, is to a period: float64, shape (n,).

    1 inside the period, falling exponentially to 0 outside; 0 outside a period that is ahead.
    """
    when = occurred.astype(np.float64)
    since, until = period.edges(occurred)
    before = np.zeros(len(when)) if since is None else np.maximum(since - when, 0.0)
    after = np.zeros(len(when)) if until is None else np.maximum(when - until, 0.0)
    if period.ahead:
        inside: Values = ((before == 0.0) & (after == 0.0)).astype(np.float64)
        return inside
    length = _OPEN_DAYS
    if period.since is not None and period.until is not None:
        length = (period.until - period.since) / _DAY
    near: Values = np.exp(-np.maximum(before, after / _AFTERWARDS) / _DAY / max(_LEAST_DECAY, _SHARE * length))
    return near


def inside_any(view: PartitionView, periods: Sequence[Period]) -> Mask:
    """Which rows are of memories that happened in one of the periods: bool, shape (n,)."""
    occurred = view.occurred()
    inside = np.zeros(len(occurred), np.bool_)
    for since, until in (period.edges(occurred) for period in periods):
        within = np.ones(len(occurred), np.bool_)
        if since is not None:
            within &= occurred >= since
        if until is not None:
            within &= occurred < until
        inside |= within
    return inside


def rows_inside(view: PartitionView, scored: Scored, periods: Sequence[Period]) -> Rows:
    """The eligible rows of memories that happened in one of the periods, int32 ascending."""
    return np.flatnonzero(inside_any(view, periods) & scored.eligible).astype(np.int32)


def period_evidence(
    view: PartitionView, scored: Scored, rows: Rows, periods: Sequence[Period], inside: Rows | None = None
) -> Values | None:
    """Nats for each of r rows, float64, shape (r,), at least ln(ELSEWHERE); None where no time is named or no memory is near one.

    With several periods, the one nearest to a row counts for it; those named aside count where there are no others. `inside`,
    int32, are rows that get `INSIDE` more.
    """
    if not periods or not scored.rows:
        return None
    meant = [period for period in periods if not period.aside]
    elsewhere = ELSEWHERE if meant else ELSEWHERE_ASIDE
    near = np.max([nearness(view.occurred(), period) for period in meant or periods], axis=0)
    # The mean nearness is the chance of being near by accident: a time that all are near to distinguishes none of them.
    share = float(near[scored.eligible].sum()) / scored.rows
    if share * scored.rows < 1.0:
        return None
    evidence: Values = np.log((1.0 - elsewhere) * near[rows] / share + elsewhere)
    return evidence if inside is None else evidence + INSIDE * np.isin(rows, inside)
