"""Which inputs share a forward pass, and whose turn it is.

A pass costs what its longest input costs times their number, so inputs of like length go together and a pass is bounded by
padded tokens, not by count. Between two passes a waiting query goes first: it never waits behind a long batch of documents
for more than the one pass that runs.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_URGENT_IN_A_ROW = 8
"""After so many urgent turns one patient caller gets its turn, so that a stream of queries cannot starve the writes."""


def plan_batches(lengths: Sequence[int], token_budget: int) -> list[list[int]]:
    """Group positions so that (longest × count) stays within `token_budget`; longest first.

    An input that is longer than the budget by itself makes a batch of its own. No lengths give no batches.
    """
    batches: list[list[int]] = []
    longest = 0
    for position in sorted(range(len(lengths)), key=lambda each: -lengths[each]):
        if batches and longest * (len(batches[-1]) + 1) <= token_budget:
            batches[-1].append(position)
        else:
            batches.append([position])
            longest = lengths[position]
    return batches


class Turns:
    """A lock with two queues: urgent callers go first, first come first served within each queue."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._urgent: deque[object] = deque()
        self._patient: deque[object] = deque()
        self._busy = False
        self._urgent_in_a_row = 0

    @contextmanager
    def turn(self, *, urgent: bool) -> Iterator[None]:
        """Wait for one's turn and hold it for the block."""
        self._enter(self._urgent if urgent else self._patient)
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _enter(self, queue: deque[object]) -> None:
        ticket = object()
        with self._changed:
            queue.append(ticket)
            try:
                self._changed.wait_for(lambda: not self._busy and self._next() is ticket)
            except BaseException:
                queue.remove(ticket)  # interrupted while waiting: leave no ticket that nobody will use
                self._changed.notify_all()
                raise
            queue.popleft()
            self._busy = True
            self._urgent_in_a_row = self._urgent_in_a_row + 1 if queue is self._urgent else 0

    def _next(self) -> object:
        patient_is_due = self._patient and self._urgent_in_a_row >= _URGENT_IN_A_ROW
        return self._urgent[0] if self._urgent and not patient_is_due else self._patient[0]
