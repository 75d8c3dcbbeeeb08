"""How much of a namespace is conversation: rows of sessions in which at least two people speak.

What surrounds a turn, and whether it ends in a question, say something only where people answer one another. In notes, facts
and what a user writes to an assistant they say nothing. Counted while rows come and go, and a function of the rows that are
there, so it is the same in every process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ai_memory.text.caseless import caseless

ROLES = frozenset(("agent", "ai", "assistant", "bot", "function", "human", "model", "system", "tool", "user"))
"""Names of roles, which are no people: a user and an assistant are no dialogue of two people."""


class Dialogues:
    """Counts of rows by session and author. Callers serialise all use."""

    def __init__(self) -> None:
        self._said: Counter[tuple[int, int]] = Counter()
        """Rows by session and author, people only."""
        self._rows: Counter[int] = Counter()
        """Rows by session."""
        self._people: Counter[int] = Counter()
        """Authors by session."""
        self._inside = 0
        self._all = 0

    @property
    def share(self) -> float:
        """The share of all rows that are in a session of at least two people, in [0, 1]; 0 where there is no row."""
        return self._inside / self._all if self._all else 0.0

    def add(self, sessions: NDArray[np.int32], authors: NDArray[np.int32], names: Sequence[str | None]) -> None:
        """Count rows by their session's and author's numbers, 0 for none; `names` are the authors' names by number."""
        self._count(sessions, authors, names, 1)

    def remove(self, sessions: NDArray[np.int32], authors: NDArray[np.int32], names: Sequence[str | None]) -> None:
        """Count rows no more; the arguments are those of `add`."""
        self._count(sessions, authors, names, -1)

    def _count(
        self, sessions: NDArray[np.int32], authors: NDArray[np.int32], names: Sequence[str | None], sign: int
    ) -> None:
        self._all += sign * len(sessions)
        inside = sessions > 0
        # Session and author are packed into one number, which sorts faster than rows of two.
        packed, counts = np.unique((sessions[inside].astype(np.int64) << 32) | authors[inside], return_counts=True)
        for pair, rows in zip(packed.tolist(), counts.tolist(), strict=True):
            session, author = divmod(pair, 1 << 32)
            self._inside -= self._counted(session)
            self._rows[session] += sign * rows
            name = names[author] if author else None
            if name is not None and caseless(name) not in ROLES:
                before = self._said[session, author]
                self._said[session, author] = after = before + sign * rows
                self._people[session] += (after > 0) - (before > 0)
                if not after:
                    del self._said[session, author]
            self._inside += self._counted(session)
            if not self._rows[session]:
                del self._rows[session], self._people[session]

    def _counted(self, session: int) -> int:
        """The rows of a session, if people talk to one another in it."""
        return self._rows[session] if self._people[session] > 1 else 0
