"""The rows of each session in the order things happened, sorted only when asked and only where it changed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Mask, Rows
from ai_memory.index.growing import Growing


class SessionOrder:
    """Rows by session number; 0 means no session and has no rows here. Callers serialise all use."""

    def __init__(self) -> None:
        self._rows: dict[int, Growing] = {}
        self._last: dict[int, tuple[int, int]] = {}
        """The (occurred, key) of the last row of each session that is in order; absent where it must be sorted first."""
        self._current: dict[int, Rows] = {}
        """The current rows of sessions that were asked for, in order."""
        self._place = Growing(np.int32)
        """Each row's place among its session's rows, right for sessions that are in order."""

    def add(self, session: int, rows: range, occurred: int, key: int) -> None:
        """Add new rows of one revision."""
        if not session:
            self._place.extend(np.zeros(len(rows), np.int32))
            return
        mine = self._rows.get(session)
        if mine is None:
            mine = self._rows[session] = Growing(np.int32)
            self._last[session] = (occurred, key)
        last = self._last.get(session)
        if last is not None:
            if last <= (occurred, key):
                self._last[session] = (occurred, key)
            else:
                del self._last[session]
        self._place.extend(range(mine.n, mine.n + len(rows)))
        mine.extend(rows)
        self._current.pop(session, None)

    def touch(self, sessions: NDArray[np.int32]) -> None:
        """Note that which rows are current has changed in these sessions."""
        for session in np.unique(sessions).tolist():
            self._current.pop(session, None)

    def remove(self, column: NDArray[np.int32], rows: Rows) -> None:
        """Erase rows; `column` is the session number of every row."""
        for session in np.unique(column[rows]).tolist():
            if session:
                mine = self._rows[session].view()
                kept = mine[~np.isin(mine, rows)]
                self._current.pop(session, None)
                if len(kept):
                    self._rows[session] = Growing(np.int32, kept)
                    self._place.data[kept] = np.arange(len(kept))
                else:
                    del self._rows[session]
                    self._last.pop(session, None)

    def restore(self, column: NDArray[np.int32], erased: Mask) -> None:
        """Rebuild from the session number of every row; all sessions count as not in order yet."""
        rows = np.flatnonzero((column != 0) & ~erased).astype(np.int32)
        order = rows[np.argsort(column[rows], kind="stable")]
        sessions, starts = np.unique(column[order], return_index=True)
        ends = [*starts[1:].tolist(), len(order)]
        self._place = Growing(np.int32, np.zeros(len(column), np.int32))
        self._rows = {
            session: Growing(np.int32, order[start:end])
            for session, start, end in zip(sessions.tolist(), starts.tolist(), ends, strict=True)
        }
        self._last = {}
        self._current = {}

    @property
    def nbytes(self) -> int:
        """Bytes of arrays and, estimated, of the objects that hold them."""
        return self._place.nbytes + sum(rows.nbytes + 400 for rows in self._rows.values())

    def ordered(self, session: int, columns: Mapping[str, Growing]) -> Rows:
        """All rows of a session in the order (occurred, key, passage); empty for session 0."""
        mine = self._rows.get(session)
        if mine is None:
            return np.empty(0, np.int32)
        rows: Rows = mine.view()
        if session not in self._last:
            occurred, key, passage = (columns[name].data[rows] for name in ("occurred", "key", "passage"))
            rows = rows[np.lexsort((passage, key, occurred))]
            self._rows[session] = Growing(np.int32, rows)
            self._place.data[rows] = np.arange(len(rows))
            last = int(rows[-1])
            self._last[session] = (int(columns["occurred"].data[last]), int(columns["key"].data[last]))
        return rows

    def neighbours(
        self, columns: Mapping[str, Growing], rows: Rows, before: int, after: int, chosen: Mask, *, cacheable: bool
    ) -> Rows:
        """See `Catalog.session_neighbours`; `cacheable` says that `chosen` is the column of current rows."""
        found = np.full((len(rows), before + after), -1, np.int32)
        sessions = columns["session"].data[rows]
        for session in np.unique(sessions).tolist():
            if session:
                at = np.flatnonzero(sessions == session)
                line = self._line(session, columns, chosen, cacheable=cacheable)
                found[at] = self._around(line, self._ranks(session, columns, line, rows[at]), before, after)
        return found

    def _line(self, session: int, columns: Mapping[str, Growing], chosen: Mask, *, cacheable: bool) -> Rows:
        """The chosen rows of a session in order."""
        if cacheable and session in self._current:
            return self._current[session]
        rows = self.ordered(session, columns)
        rows = rows[rows < len(chosen)]
        line = rows[chosen[rows]]
        if cacheable:
            self._current[session] = line
        return line

    def _ranks(
        self, session: int, columns: Mapping[str, Growing], line: Rows, rows: Rows
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each row, how many of `line` come before it, and how many before or at it."""
        self.ordered(session, columns)
        place = self._place.data
        places = place[line]
        return places.searchsorted(place[rows], side="left"), places.searchsorted(place[rows], side="right")

    @staticmethod
    def _around(line: Rows, ranks: tuple[NDArray[np.int64], NDArray[np.int64]], before: int, after: int) -> Rows:
        left, right = ranks
        at = np.concatenate((left[:, None] + np.arange(-before, 0), right[:, None] + np.arange(after)), axis=1)
        inside = (at >= 0) & (at < len(line))
        if not len(line):
            return np.full(at.shape, -1, np.int32)
        return np.where(inside, line[np.clip(at, 0, len(line) - 1)], -1).astype(np.int32)
