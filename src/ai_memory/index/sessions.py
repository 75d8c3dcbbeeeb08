"""The rows of each session in the order of time: (occurred, key, passage).

Each row knows the row before and the row after it in its session, so that the surroundings of many rows are found with a few
array look-ups: a linked list per session, in two columns. A session that got a row out of order is sorted the next time it is
asked for, since an import adds many such rows in succession.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping

import numpy as np

from ai_memory.index.base import Mask, Rows
from ai_memory.index.growable_array import GrowableArray

_MAX_STEPS = 64
"""Rows outside the mask that are stepped over one by one before a session is searched as a whole."""


class SessionOrder:
    """Rows by session number; 0 means no session and has no rows here. Callers serialise all use."""

    def __init__(self) -> None:
        self._rows: dict[int, array[int]] = {}
        self._unsorted: set[int] = set()
        self._before = GrowableArray(np.int32)
        self._after = GrowableArray(np.int32)

    def extend(self, first: int, columns: Mapping[str, GrowableArray]) -> None:
        """Add the rows from `first` on, which are the newest in `columns`."""
        session = columns["session"].view()
        for links in (self._before, self._after):
            links.extend(np.full(len(session) - first, -1, np.int32))
        fresh = first + np.flatnonzero(session[first:])
        rows = fresh[np.argsort(session[fresh], kind="stable")].astype(np.int32)
        if not len(rows):
            return
        same = session[rows[1:]] == session[rows[:-1]]
        self._link(rows[:-1][same], rows[1:][same], columns)
        starts = np.flatnonzero(np.concatenate(([True], ~same)))
        met = []
        for number, group in zip(session[rows[starts]].tolist(), np.split(rows, starts[1:]), strict=True):
            mine = self._rows.setdefault(number, array("i"))
            if mine:
                met.append((mine[-1], group[0]))
            mine.frombytes(group.tobytes())
        if met:
            earlier, later = np.array(met, np.int32).T
            self._link(earlier, later, columns)

    def _link(self, earlier: Rows, later: Rows, columns: Mapping[str, GrowableArray]) -> None:
        """Link each row to the next one of its session; where that is not the order of time, mark the session as unsorted."""
        self._before.data[later] = earlier
        self._after.data[earlier] = later
        occurred, key = columns["occurred"].data, columns["key"].data
        wrong = occurred[earlier] > occurred[later]
        wrong |= (occurred[earlier] == occurred[later]) & (key[earlier] > key[later])
        if wrong.any():
            self._unsorted.update(columns["session"].data[later[wrong]].tolist())

    def remove(self, sessions: Iterable[int], rows: Rows) -> None:
        """Erase rows, int32, which belong to these sessions."""
        for session in sessions:
            if session:
                mine = np.array(self._rows[session], np.int32)
                kept = mine[~np.isin(mine, rows)]
                self._keep(session, kept)
                if not len(kept):
                    del self._rows[session]
                    self._unsorted.discard(session)
        self._before.data[rows] = -1
        self._after.data[rows] = -1

    def restore(self, columns: Mapping[str, GrowableArray]) -> None:
        """Rebuild everything from the columns of all rows."""
        session, occurred, key, passage = (columns[name].view() for name in ("session", "occurred", "key", "passage"))
        rows = np.flatnonzero((session != 0) & ~columns["erased"].view())
        order = rows[np.lexsort((passage[rows], key[rows], occurred[rows], session[rows]))].astype(np.int32)
        self._before = GrowableArray(np.int32, np.full(len(session), -1, np.int32))
        self._after = GrowableArray(np.int32, np.full(len(session), -1, np.int32))
        same = session[order[1:]] == session[order[:-1]]
        self._before.data[order[1:][same]] = order[:-1][same]
        self._after.data[order[:-1][same]] = order[1:][same]
        numbers, starts = np.unique(session[order], return_index=True)
        ends = np.append(starts[1:], len(order))[: len(starts)].tolist()
        self._rows = {
            number: array("i", order[start:end].tobytes())
            for number, start, end in zip(numbers.tolist(), starts.tolist(), ends, strict=True)
        }
        self._unsorted = set()

    @property
    def nbytes(self) -> int:
        """Bytes of arrays and, estimated, of the objects that hold them."""
        return self._before.nbytes + self._after.nbytes + sum(4 * len(rows) + 200 for rows in self._rows.values())

    def ordered(self, session: int, columns: Mapping[str, GrowableArray]) -> Rows:
        """All rows of a session in order, int32; empty for session 0."""
        rows = np.array(self._rows.get(session, ()), np.int32)
        if session in self._unsorted:
            occurred, key, passage = (columns[name].data[rows] for name in ("occurred", "key", "passage"))
            rows = rows[np.lexsort((passage, key, occurred))]
            self._keep(session, rows)
            self._unsorted.discard(session)
        return rows

    def neighbours(
        self, columns: Mapping[str, GrowableArray], rows: Rows, before: int, after: int, chosen: Mask
    ) -> Rows:
        """See `Catalog.session_neighbours`: int32, shape (len(rows), before + after), -1 for none."""
        if self._unsorted:
            for session in self._unsorted.intersection(columns["session"].data[rows].tolist()):
                self.ordered(session, columns)
        found = np.full((len(rows), before + after), -1, np.int32)
        for links, places in (
            (self._before.data, range(before - 1, -1, -1)),
            (self._after.data, range(before, before + after)),
        ):
            at = rows
            for place in places:
                at = found[:, place] = self._step(columns, links, at, chosen)
        return found

    def _step(self, columns: Mapping[str, GrowableArray], links: Rows, at: Rows, chosen: Mask) -> Rows:
        """The next chosen row from each of `at`, int32, along the links, in the same shape; -1 from -1 and at the end."""
        at = np.where(at >= 0, links[at], -1)
        # All rows step together, one array operation per step. Where a filter leaves little of a long session, the few rows that
        # are still on their way are searched for one by one instead.
        for _ in range(_MAX_STEPS):
            unwanted = np.flatnonzero((at >= 0) & ~_among(chosen, at))
            if not len(unwanted):
                return at
            at[unwanted] = links[at[unwanted]]
        backwards = links is self._before.data
        for place in np.flatnonzero((at >= 0) & ~_among(chosen, at)).tolist():
            at[place] = self._search(columns, int(at[place]), chosen, backwards=backwards)
        return at

    def _search(self, columns: Mapping[str, GrowableArray], row: int, chosen: Mask, *, backwards: bool) -> int:
        """The chosen row nearest to `row` on one side of it; -1 if there is none."""
        line = self.ordered(int(columns["session"].data[row]), columns)
        place = int(np.flatnonzero(line == row)[0])
        side = line[:place][::-1] if backwards else line[place + 1 :]
        wanted = side[_among(chosen, side)]
        return int(wanted[0]) if len(wanted) else -1

    def _keep(self, session: int, rows: Rows) -> None:
        """Make `rows` the session's rows and link them in this order."""
        self._rows[session] = array("i", rows.tobytes())
        self._before.data[rows[1:]] = rows[:-1]
        self._after.data[rows[:-1]] = rows[1:]
        self._before.data[rows[:1]] = -1
        self._after.data[rows[-1:]] = -1


def _among(chosen: Mask, rows: Rows) -> Mask:
    """Whether each row, int32, shape (k,), is chosen: bool, shape (k,); rows beyond the mask are not."""
    among: Mask = (rows < len(chosen)) & chosen[np.minimum(rows, len(chosen) - 1)]
    return among
