"""Decides whose inputs go into the next forward pass.

One pass runs at a time, and the callers run the passes themselves: the first one leads, runs passes over the waiting inputs
until its own request is done, and hands over to another caller. A single caller therefore runs its pass in its own thread
without waiting. The scheduler has no thread and never pauses to gather a batch: requests that arrive during a pass share the
next one.

Urgent requests (queries that a user waits for) go before background requests. Within each kind, requests with few tokens left
go before those with twice as many, so a short text waits for at most the running pass and not behind long texts; requests of
similar size run in order of arrival. No request starves: after eight urgent passes in a row a background request is served, and
after eight passes in a row without the oldest request of its kind, that request is served.

Long passes have slightly more throughput but make others wait longer, so they run only for a caller that has been alone for a
minute.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ai_memory.embed.base import Cancellation, Vectors
from ai_memory.embed.batcher import Batch
from ai_memory.embed.runtimes.base import Runtime
from ai_memory.errors import EmbedderUnavailableError, OverloadedError, ServiceUnavailableError
from ai_memory.wording.ways import again_after

Ids = Sequence[int]

IN_A_ROW = 8
"""Consecutive passes that may skip background requests while urgent ones wait, and the oldest request of either kind."""

MAX_REQUESTS = 512
"""Number of requests that may wait; the next one is refused."""

ALONE_SECONDS = 60.0
"""Seconds without two concurrent requests after which passes use the runtime's `alone_budget`."""

_SMOOTHING = 0.2
"""Weight of the newest pass in the moving average of the speed."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The result of a request."""

    vectors: Vectors
    """One unit vector per input, in order: shape (len(inputs), dimension), float32."""
    waited: float
    """Seconds until its first pass began."""
    computed: float
    """Seconds from the start of its first pass to the end of its last."""


class _Request:
    """The inputs of one caller, and their state."""

    def __init__(self, inputs: Sequence[Ids], dimension: int, *, urgent: bool) -> None:
        self.inputs = inputs
        self.urgent = urgent
        self.waiting = sorted(range(len(inputs)), key=lambda position: len(inputs[position]))
        """Positions of the inputs that are in no pass yet, shortest first."""
        self.lengths = [len(inputs[position]) for position in self.waiting]
        """Their lengths in tokens, kept as a list of its own because `Batch` searches it by bisection."""
        self.tokens = sum(self.lengths)
        """Tokens of the waiting inputs."""
        self.vectors = np.empty((len(inputs), dimension), np.float32)
        self.isolated = False
        """Set after a shared pass has failed: from then on its inputs share no pass with other requests."""
        self.ended = False
        self.error: BaseException | None = None
        self.arrived = time.perf_counter()
        self.began: float | None = None
        self.wake = threading.Lock()
        """A one-shot event: acquiring it blocks the caller until its request has ended or it is to lead."""
        self.wake.acquire()

    def take(self, at: int) -> int:
        """Remove the waiting input at index `at` of `lengths`; returns its position in `inputs`."""
        self.tokens -= self.lengths.pop(at)
        return self.waiting.pop(at)

    def put_back(self, positions: Sequence[int]) -> None:
        """Undo `take`, because the pass of these inputs did not run."""
        self.waiting = sorted([*self.waiting, *positions], key=lambda position: len(self.inputs[position]))
        self.lengths = [len(self.inputs[position]) for position in self.waiting]
        self.tokens = sum(self.lengths)


class _Queue:
    """Requests of one kind, in order of arrival."""

    def __init__(self) -> None:
        self.requests: dict[_Request, None] = {}
        """An ordered set: any request is removed in constant time when it is done or cancelled."""
        self._oldest: _Request | None = None
        self._passed_over = 0
        """Consecutive passes without `_oldest`."""

    def in_order(self) -> Iterator[_Request]:
        """Fewest remaining tokens first, by powers of two, then by arrival; the oldest first if it was passed over too often."""
        oldest = next(iter(self.requests), None)
        if oldest is not None and oldest is self._oldest and self._passed_over >= IN_A_ROW:
            yield oldest
            yield from (each for each in self._shortest_first() if each is not oldest)
        else:
            yield from self._shortest_first()

    def _shortest_first(self) -> Sequence[_Request]:
        # By bit length, not by exact count: with the exact count every new, slightly shorter request would overtake the
        # slightly longer ones, which would then wait together until the starvation rule serves them.
        return sorted(self.requests, key=lambda request: request.tokens.bit_length())

    def record(self, served: dict[_Request, list[int]]) -> None:
        """Count whether the oldest request is among those that the next pass serves."""
        oldest = next(iter(self.requests), None)
        passed_over = oldest is self._oldest and oldest not in served
        self._passed_over = self._passed_over + 1 if passed_over else int(oldest not in served)
        self._oldest = oldest


class Scheduler:
    """Runs the passes of one runtime for callers in any number of threads."""

    def __init__(self, runtime: Runtime, dimension: int, *, max_requests: int = MAX_REQUESTS) -> None:
        self._runtime = runtime
        self._dimension = dimension
        self._max_requests = max_requests
        self._changed = threading.Condition(threading.Lock())
        self._urgent, self._background = _Queue(), _Queue()
        self._urgent_in_a_row = 0
        self._leader: _Request | None = None
        self._running = False
        self._closed = False
        self._crowded_at = -math.inf
        """When two requests were last present at once, on the monotonic clock."""
        self._speed = 0.0
        """Moving average of tokens per second; 0 before the first pass."""

    @property
    def waiting(self) -> int:
        """Number of requests that have not ended."""
        return len(self._urgent.requests) + len(self._background.requests)

    def run(self, inputs: Sequence[Ids], *, urgent: bool, cancellation: Cancellation | None = None) -> Completed:
        """Embed one or more inputs of token ids, none empty: `vectors` of shape (len(inputs), dimension), float32.

        Blocks until all are embedded. Raises what the runtime raises for these inputs; if a pass shared by several requests
        fails, each of them is tried again on its own first. Raises OverloadedError at once if too many requests wait,
        EmbedderUnavailableError if the scheduler is closed, ServiceUnavailableError if cancelled.
        """
        request = _Request(inputs, self._dimension, urgent=urgent)
        leads = self._admit(request)
        if cancellation is not None:
            cancellation.bind(lambda: self._cancel(request))
        try:
            if not leads:
                request.wake.acquire()
            self._lead(request)
        finally:
            self._leave(request)
        if request.error is not None:
            raise request.error
        began = request.began or request.arrived
        return Completed(request.vectors, began - request.arrived, time.perf_counter() - began)

    def close(self) -> None:
        """End every waiting request with EmbedderUnavailableError; returns when no pass is running."""
        with self._changed:
            self._closed = True
            for queue in (self._urgent, self._background):
                for request in list(queue.requests):
                    self._end(request, _closed())
            self._changed.wait_for(lambda: not self._running)

    def _queue(self, request: _Request) -> _Queue:
        return self._urgent if request.urgent else self._background

    def _admit(self, request: _Request) -> bool:
        """Queue a request; True if its caller has to lead."""
        with self._changed:
            if self._closed:
                raise _closed()
            if self.waiting >= self._max_requests:
                raise self._overloaded()
            self._queue(request).requests[request] = None
            if self.waiting > 1:
                self._crowded_at = time.monotonic()
            if self._leader is None:
                self._leader = request
            return self._leader is request

    def _overloaded(self) -> OverloadedError:
        tokens = sum(each.tokens for queue in (self._urgent, self._background) for each in queue.requests)
        seconds = min(60, max(1, math.ceil(tokens / self._speed) if self._speed else 1))
        return OverloadedError(
            f"{self.waiting} requests are waiting for the embedder, with {tokens:,} tokens",
            hint=again_after(seconds),
            retry_after=seconds,
            limit=self._max_requests,
        )

    def _lead(self, request: _Request) -> None:
        """Run passes until the request has ended; does nothing for a caller whose request another leader has completed."""
        while not request.ended:
            with self._changed:
                batch, shares = self._next_pass()
                self._running = True
            try:
                self._forward(batch, shares)
            except (
                BaseException
            ):  # the leader's thread was interrupted: the inputs of the others wait for the next leader
                with self._changed:
                    for each, positions in shares.items():
                        each.put_back(positions)
                raise
            finally:
                with self._changed:
                    self._running = False
                    if self._closed:
                        self._changed.notify_all()

    def _next_pass(self) -> tuple[Batch, dict[_Request, list[int]]]:
        """Choose the inputs of the next pass and remove them from their requests; the lock is held."""
        both = bool(self._urgent.requests and self._background.requests)
        urgent = bool(self._urgent.requests) and not (both and self._urgent_in_a_row >= IN_A_ROW)
        self._urgent_in_a_row = self._urgent_in_a_row + 1 if urgent and both else 0
        queue = self._urgent if urgent else self._background
        batch = Batch(self._budget(), padded=self._runtime.padded)
        first, *others = queue.in_order()
        shares = {first: _taken(first, batch)}
        if self._runtime.padded:
            # The first request is served in any case; the rest of its pass goes to inputs of nearly its length, whatever the
            # order of arrival, so that little of the pass is padding.
            others.sort(key=lambda request: batch.misfit(request.lengths))
        for request in others:
            if batch.room()[1] < 1:
                break
            if not (first.isolated or request.isolated) and (taken := _taken(request, batch)):
                shares[request] = taken
        queue.record(shares)
        return batch, shares

    def _budget(self) -> int:
        now = time.monotonic()
        if self.waiting > 1:  # checked here too: requests admitted together may run for more than a minute
            self._crowded_at = now
        elif now - self._crowded_at > ALONE_SECONDS:
            return self._runtime.alone_budget
        return self._runtime.token_budget

    def _forward(self, batch: Batch, shares: dict[_Request, list[int]]) -> None:
        began = time.perf_counter()
        for request in shares:
            request.began = request.began or began
        inputs = [request.inputs[position] for request, positions in shares.items() for position in positions]
        try:
            vectors = self._runtime.forward(inputs)
        except Exception as error:  # noqa: BLE001 - any error belongs to the callers of these inputs, not to the leader
            self._failed(shares, error)
            return
        speed = batch.tokens / max(1e-9, time.perf_counter() - began)
        with self._changed:
            self._speed = speed if not self._speed else (1 - _SMOOTHING) * self._speed + _SMOOTHING * speed
            row = 0
            for request, positions in shares.items():
                request.vectors[positions] = vectors[row : row + len(positions)]
                row += len(positions)
                if not request.waiting:
                    self._end(request)

    def _failed(self, shares: dict[_Request, list[int]], error: Exception) -> None:
        """End the only request of a failed pass; if there were several, have each tried on its own.

        One bad input must not fail the other callers of its pass, and which input is bad is not known.
        """
        with self._changed:
            for request, positions in shares.items():
                if len(shares) == 1:
                    self._end(request, error)
                elif not request.ended:
                    request.isolated = True
                    request.put_back(positions)

    def _cancel(self, request: _Request) -> None:
        with self._changed:
            self._end(request, ServiceUnavailableError("the caller disconnected before the texts were embedded"))

    def _end(self, request: _Request, error: BaseException | None = None) -> None:
        """Remove a request and wake its caller; does nothing if it has ended already."""
        if request.ended:
            return
        request.ended, request.error = True, error
        del self._queue(request).requests[request]
        self._wake(request)

    def _leave(self, request: _Request) -> None:
        """The caller is done: an unfinished request of an interrupted caller is ended, and a leader hands over."""
        with self._changed:
            self._end(request, ServiceUnavailableError("the caller was interrupted"))
            if self._leader is request:
                successor = next(itertools.chain(self._urgent.in_order(), self._background.in_order()), None)
                self._leader = successor
                if successor is not None:
                    self._wake(successor)

    @staticmethod
    def _wake(request: _Request) -> None:
        # A caller can be woken twice, to lead and because its request was cancelled; releasing a free lock would raise.
        if request.wake.locked():
            request.wake.release()


def _taken(request: _Request, batch: Batch) -> list[int]:
    """Move all inputs of the request that may join into the batch; returns their positions."""
    taken = []
    while (at := batch.choose(request.lengths)) is not None:
        batch.add(request.lengths[at])
        taken.append(request.take(at))
    return taken


def _closed() -> EmbedderUnavailableError:
    return EmbedderUnavailableError("the embedder has been closed")
